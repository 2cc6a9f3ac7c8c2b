//! When a request is sent again, and after how long.

use crate::error::retry_after;
use reqwest::header::HeaderMap;
use reqwest::{Method, Response, StatusCode};
use std::future::Future;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep};

/// How failed requests are repeated: exponential backoff with full jitter, bounded in number and in
/// time, never earlier than the server's `Retry-After`.
///
/// A request that is safe to repeat (GET, HEAD, PUT, DELETE, or any with an `Idempotency-Key`) is
/// repeated after a broken connection, a timeout, or status 408, 429, 502, 503 or 504. Any other is
/// repeated only when it was surely not acted upon: no connection, 429 or 503.
///
/// ```
/// use argus_sdk::Retry;
/// use std::time::Duration;
///
/// let patient = Retry::default().max_attempts(6).max_elapsed(Duration::from_secs(120));
/// let none = Retry::none();
/// # let _ = (patient, none);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    max_attempts: u32,
    max_elapsed: Duration,
    base_delay: Duration,
    max_delay: Duration,
}

impl Default for Retry {
    /// Four attempts within 30 seconds; up to 200 ms before the second, doubling to at most 5 s.
    fn default() -> Self {
        Self {
            max_attempts: 4,
            max_elapsed: Duration::from_secs(30),
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(5),
        }
    }
}

impl Retry {
    /// Never repeats a request.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// How often a request is sent at most, the first time included; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: attempts.max(1), ..self }
    }

    /// No attempt starts later than this after the first. A longer `Retry-After` ends the call at once
    /// with the error that holds it.
    #[must_use]
    pub fn max_elapsed(self, elapsed: Duration) -> Self {
        Self { max_elapsed: elapsed, ..self }
    }

    /// Upper bound of the random delay before the second attempt; it doubles with each further one.
    #[must_use]
    pub fn base_delay(self, delay: Duration) -> Self {
        Self { base_delay: delay, ..self }
    }

    /// Upper bound of the random delay before any attempt. `Retry-After` may exceed it.
    #[must_use]
    pub fn max_delay(self, delay: Duration) -> Self {
        Self { max_delay: delay, ..self }
    }

    /// The same within a shorter time.
    pub(crate) fn within(self, elapsed: Duration) -> Self {
        Self { max_elapsed: self.max_elapsed.min(elapsed), ..self }
    }

    /// The random delay after so many failures in a row, unless that is enough of them.
    pub(crate) fn delay_after(&self, failures: u32) -> Option<Duration> {
        (failures < self.max_attempts).then(|| self.backoff(failures, rand::random()))
    }

    /// The random delay before attempt `attempt + 1`: anything from zero to the doubled bound.
    fn backoff(&self, attempt: u32, random: f64) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.base_delay.saturating_mul(factor).min(self.max_delay).mul_f64(random.clamp(0.0, 1.0))
    }

    /// Sends until an answer stands or the bounds are met.
    pub(crate) async fn run<F, S>(&self, repeatable: bool, mut send: S) -> reqwest::Result<Response>
    where
        S: FnMut() -> F,
        F: Future<Output = reqwest::Result<Response>>,
    {
        let start = Instant::now();
        let mut attempt = 1;
        loop {
            let outcome = send().await;
            let asked = match &outcome {
                Ok(response) if is_worth_repeating(response.status(), repeatable) => {
                    retry_after(response.headers(), SystemTime::now())
                }
                Err(error) if error.is_connect() || (repeatable && is_broken(error)) => None,
                _ => return outcome,
            };
            // The jitter comes on top of `Retry-After`, so that many clients do not return at once.
            let delay = asked.unwrap_or_default().saturating_add(self.backoff(attempt, rand::random()));
            let too_late = start.elapsed().saturating_add(delay) > self.max_elapsed;
            if attempt >= self.max_attempts || too_late {
                return outcome;
            }
            drop(outcome);
            sleep(delay).await;
            attempt += 1;
        }
    }
}

fn is_worth_repeating(status: StatusCode, repeatable: bool) -> bool {
    match status.as_u16() {
        429 | 503 => true,
        408 | 502 | 504 => repeatable,
        _ => false,
    }
}

/// Whether a connection failed, as opposed to a request that could not even be built.
fn is_broken(error: &reqwest::Error) -> bool {
    error.is_timeout() || error.is_request() || error.is_body()
}

/// Whether sending the request twice has the effect of sending it once.
pub(crate) fn is_repeatable(method: &Method, headers: &HeaderMap) -> bool {
    method.is_idempotent() || headers.contains_key("idempotency-key")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn answer(status: u16, retry_after: Option<&str>) -> Response {
        let mut builder = http::Response::builder().status(status);
        if let Some(text) = retry_after {
            builder = builder.header("retry-after", text);
        }
        builder.body("").unwrap().into()
    }

    /// Runs against answers of `status` and tells how often it was sent and how long it took.
    async fn run(retry: &Retry, repeatable: bool, status: u16, asked: Option<&str>) -> (u32, Duration) {
        let (sent, start) = (Cell::new(0), Instant::now());
        let response = retry
            .run(repeatable, || {
                sent.set(sent.get() + 1);
                async { Ok(answer(status, asked)) }
            })
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        (sent.get(), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_waited_for_and_never_undercut() {
        let retry = Retry::default().max_attempts(3);
        let (sent, took) = run(&retry, true, 503, Some("4")).await;
        assert_eq!(sent, 3);
        assert!(took >= Duration::from_secs(8) && took < Duration::from_secs(9), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_after_beyond_the_time_limit_ends_the_call_at_once() {
        let (sent, took) = run(&Retry::default(), true, 429, Some("31")).await;
        assert_eq!((sent, took), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_bounded_by_number_and_by_time() {
        assert_eq!(run(&Retry::default(), true, 502, None).await.0, 4);
        assert_eq!(run(&Retry::none(), true, 503, None).await.0, 1);
        let retry = Retry::default().max_attempts(1000).max_elapsed(Duration::from_secs(60));
        let (sent, took) = run(&retry, true, 503, None).await;
        assert!(sent > 10 && sent < 1000 && took <= Duration::from_secs(60), "{sent} {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_repeatable_is_repeated_only_when_it_was_not_acted_upon() {
        let retry = Retry::default().max_attempts(2);
        for (status, sent) in [(429, 2), (503, 2), (502, 1), (504, 1), (408, 1), (500, 1), (400, 1), (200, 1)]
        {
            assert_eq!(run(&retry, false, status, None).await.0, sent, "{status}");
        }
        for (status, sent) in [(429, 2), (503, 2), (502, 2), (504, 2), (408, 2), (500, 1), (409, 1)] {
            assert_eq!(run(&retry, true, status, None).await.0, sent, "{status}");
        }
    }

    #[test]
    fn the_backoff_doubles_up_to_its_bound_and_the_jitter_is_full() {
        let retry = Retry::default();
        let bounds = [1, 2, 3, 6, 40].map(|attempt| retry.backoff(attempt, 1.0).as_millis());
        assert_eq!(bounds, [200, 400, 800, 5000, 5000]);
        assert_eq!(retry.backoff(3, 0.0), Duration::ZERO);
        assert_eq!(retry.backoff(3, 0.5), Duration::from_millis(400));
    }

    #[test]
    fn a_post_is_repeatable_only_with_an_idempotency_key() {
        let mut headers = HeaderMap::new();
        assert!(!is_repeatable(&Method::POST, &headers) && !is_repeatable(&Method::PATCH, &headers));
        assert!(is_repeatable(&Method::PUT, &headers) && is_repeatable(&Method::DELETE, &headers));
        headers.insert("idempotency-key", "k".parse().unwrap());
        assert!(is_repeatable(&Method::POST, &headers));
    }
}

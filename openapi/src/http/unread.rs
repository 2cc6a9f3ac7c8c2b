//! The bytes of a request body, which somebody may or may not want to read, and how far that went. What
//! becomes of a rest that nobody reads is decided where the reply is made.

use crate::read::too_large;
use crate::types::error::{Error, ErrorCode};
use dropshot::Body;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Bytes};
use std::time::Duration;

/// A request body of which something may be unread.
pub struct Unread {
    body: Body,
    is_asked_for: bool,
    is_over: bool,
}

impl Unread {
    /// A body that nobody has read from.
    pub fn of(body: Body) -> Self {
        Self { body, is_asked_for: false, is_over: false }
    }

    /// Whether nothing of it is left, or ever was.
    pub fn is_over(&self) -> bool {
        self.is_over || self.body.is_end_stream()
    }

    /// Whether somebody has begun to read, so that a sender who waits to be asked was asked.
    pub fn is_asked_for(&self) -> bool {
        self.is_asked_for
    }

    /// How many bytes are left at least.
    pub fn least(&self) -> u64 {
        self.body.size_hint().lower()
    }

    /// How many bytes are left at most, if the sender has said.
    pub fn most(&self) -> Option<u64> {
        self.body.size_hint().upper()
    }

    /// Reads the body, which may have `most` bytes: as many as it declares, and as many as arrive.
    /// dropshot's own reader takes it for a bad request when there are more, and reads on to the end,
    /// wherever that is. What is not there in whole after `limit` is cut off: a caller must not hold a
    /// connection and a handler for as long as it likes.
    ///
    /// Errors: `body_too_large`, `request_timeout`, `invalid_request` where it breaks off.
    pub async fn read(&mut self, most: usize, limit: Duration) -> Result<Vec<u8>, Error> {
        let declared = self.body.size_hint().lower();
        let Some(declared) = usize::try_from(declared).ok().filter(|declared| *declared <= most) else {
            return Err(too_large(most));
        };
        let whole = tokio::time::timeout(limit, self.read_frames(declared, most)).await;
        whole.unwrap_or_else(|_| {
            let seconds = limit.as_secs();
            Err(Error {
                error_code: ErrorCode::RequestTimeout,
                message: format!("the body did not arrive in whole within {seconds} seconds"),
            })
        })
    }

    async fn read_frames(&mut self, declared: usize, most: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(data) = self.data().await? {
            if bytes.len() + data.len() > most {
                return Err(too_large(most));
            }
            // What is only declared takes no memory.
            bytes.reserve_exact(declared.saturating_sub(bytes.len()).min(data.len()));
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }

    /// The next bytes, or none at the end. However long the whole takes, its sender may not be silent for longer
    /// than `limit`.
    ///
    /// Errors: `request_timeout`, `invalid_request` where it breaks off.
    pub async fn next(&mut self, limit: Duration) -> Result<Option<Bytes>, Error> {
        let next = tokio::time::timeout(limit, self.data()).await;
        next.unwrap_or_else(|_| {
            let seconds = limit.as_secs();
            Err(Error {
                error_code: ErrorCode::RequestTimeout,
                message: format!("nothing of the body arrived for {seconds} seconds"),
            })
        })
    }

    /// Throws away what is left, up to about `most` bytes.
    pub async fn discard(&mut self, most: u64) {
        let mut discarded = 0;
        while let Ok(Some(data)) = self.data().await {
            discarded += data.len() as u64;
            if discarded > most {
                break;
            }
        }
    }

    /// The next bytes. Trailers mean nothing here.
    async fn data(&mut self) -> Result<Option<Bytes>, Error> {
        self.is_asked_for = true;
        while let Some(frame) = self.body.frame().await {
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => return Ok(Some(data)),
                Ok(Err(_)) => {}
                Err(_) => {
                    self.is_over = true;
                    return Err(Error {
                        error_code: ErrorCode::InvalidRequest,
                        message: "the body ended before it was complete".to_owned(),
                    });
                }
            }
        }
        self.is_over = true;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::Unread;
    use crate::types::error::ErrorCode;
    use hyper::body::{Body, Bytes, Frame};
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_secs(30);

    /// A body that begins and never ends.
    struct Stalled(Option<Bytes>);

    impl Body for Stalled {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(Frame::data(bytes)))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_in_time_is_given_up() {
        let began = tokio::time::Instant::now();
        let body = dropshot::Body::wrap(Stalled(Some(Bytes::from_static(b"{"))));
        let error = Unread::of(body).read(1024, LIMIT).await.expect_err("it never ends");
        assert_eq!(error.error_code, ErrorCode::RequestTimeout);
        assert_eq!(error.error_code.status(), 408);
        assert!(error.message.contains("30 seconds"), "{}", error.message);
        assert!(began.elapsed() >= LIMIT && began.elapsed() < 2 * LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_whole_is_read_without_waiting() {
        let body = dropshot::Body::with_content("{}");
        assert_eq!(Unread::of(body).read(1024, LIMIT).await.expect("it is whole"), b"{}");
    }
}

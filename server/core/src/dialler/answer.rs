//! What is kept of an answer.

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, 200 to 599. It decides what the answer means; the body does not.
    pub status: u16,
    /// How long the receiver asks to be left alone, as it said: a caller bounds it.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, as far as it came, for people to read. It was written by the receiver: what is no
    /// UTF-8 is replaced in it, and so are control characters.
    pub excerpt: String,
}

/// What `Retry-After` says: whole seconds, or a date. One in the past is no time at all.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more seconds than anybody waits.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let moment = httpdate::parse_http_date(text).ok()?;
    Some(moment.duration_since(SystemTime::from(now)).unwrap_or_default())
}

/// The first characters of a body.
pub(super) fn excerpt(body: &[u8], characters: usize) -> String {
    let legible = |character: char| if character.is_control() { ' ' } else { character };
    String::from_utf8_lossy(body).chars().take(characters).map(legible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn asked(value: &str) -> Option<Duration> {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect(value);
        let now = "1994-11-06T08:49:00Z".parse().expect("a moment");
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), now)
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_until_a_date() {
        for (value, seconds) in [
            ("0", 0),
            ("120", 120),
            ("99999999999999999999999", u64::MAX),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 37),
            ("Sun Nov  6 08:49:37 1994", 37),
            ("Sun, 06 Nov 1994 08:48:00 GMT", 0),
        ] {
            assert_eq!(asked(value), Some(Duration::from_secs(seconds)), "{value}");
        }
        for value in ["", "-1", "+1", "1.5", "soon", "1 s", "é", "Sun, 32 Nov 1994 08:49:37 GMT"] {
            assert_eq!(asked(value), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), Utc::now()), None);
    }

    #[test]
    fn an_excerpt_is_text_that_controls_nothing() {
        assert_eq!(excerpt(b"a\r\n\x1b[31mb\0\x7f\xc2\x85c", 100), "a   [31mb   c");
        assert_eq!(excerpt(b"\xff\xfea", 100), "\u{fffd}\u{fffd}a");
        assert_eq!(excerpt("äöü".as_bytes(), 2), "äö");
        assert_eq!(excerpt(b"", 2), "");
    }
}

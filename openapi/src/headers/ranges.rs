//! Which part of a file is asked for (RFC 9110, section 14): one range of bytes. Whoever asks for several at
//! once, or in a way that nobody knows, gets the whole file, as the RFC allows.

use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};
use std::ops::Range;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Beyond,
}

/// What a request with these headers asks for of a file with this entity tag and length.
pub fn asked(headers: &HeaderMap, tag: &str, length: u64) -> Asked {
    let mut ranges = headers.get_all(RANGE).iter();
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return Asked::Whole };
    // The rest of another file is of no use. A date is no strong validator here.
    let is_meant = |wanted: &HeaderValue| wanted.as_bytes() == tag.as_bytes();
    if !headers.get_all(IF_RANGE).iter().all(is_meant) {
        return Asked::Whole;
    }
    range.to_str().ok().and_then(|text| read(text, length)).unwrap_or(Asked::Whole)
}

/// What a value of `Range` asks for of a file of this length; none where it is to be ignored.
fn read(text: &str, length: u64) -> Option<Asked> {
    let (unit, range) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => return None,
        (Some(first), Some(last)) => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(suffix)) if first.is_empty() => length.saturating_sub(suffix)..length,
        _ => return None,
    };
    Some(if range.is_empty() { Asked::Beyond } else { Asked::Part(range) })
}

/// A number of digits alone. One that is too large for any file is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_rfc_has_it() {
        for (text, asked) in [
            ("bytes=0-0", Some(Asked::Part(0..1))),
            ("bytes=0-499", Some(Asked::Part(0..500))),
            ("bytes=500-", Some(Asked::Part(500..1_000))),
            ("bytes=-500", Some(Asked::Part(500..1_000))),
            ("bytes=-5000", Some(Asked::Part(0..1_000))),
            ("BYTES=990-99999999999999999999999", Some(Asked::Part(990..1_000))),
            ("bytes=999-999", Some(Asked::Part(999..1_000))),
            ("bytes=1000-", Some(Asked::Beyond)),
            ("bytes=99999999999999999999999-", Some(Asked::Beyond)),
            ("bytes=-0", Some(Asked::Beyond)),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
            ("bytes=+1-2", None),
            ("bytes=1-2-3", None),
            ("lines=0-1", None),
            ("0-1", None),
        ] {
            assert_eq!(read(text, 1_000), asked, "{text}");
        }
        assert_eq!(read("bytes=0-", 0), Some(Asked::Beyond));
    }
}

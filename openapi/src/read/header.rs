//! Request headers that the contract documents.

use super::bounds::within_bounds_as;
use super::invalid;
use super::quotation::explained;
use crate::types::error::Error;
use serde::de::DeserializeOwned;
use serde_json::Map;
use validator::Validate;

/// The one header that an operation documents, as its contract type and within its bounds. `value` is
/// what [`single_header`] found.
///
/// # Errors
///
/// `invalid_request`, with the header's name.
pub fn header<T: DeserializeOwned + Validate>(name: &str, value: Option<&str>) -> Result<T, Error> {
    let member = value.map(|value| (name.to_ascii_lowercase(), value.into()));
    let members: Map<_, _> = member.into_iter().collect();
    let header = serde_json::from_value(members.into())
        .map_err(|error| invalid(format!("the `{name}` header does not fit: {}", explained(&error))))?;
    within_bounds_as(header, |_| name.to_owned())
}

/// The value of a header that may be sent once, or none where it was not sent.
///
/// # Errors
///
/// `invalid_request` for a header that is repeated or is not ASCII text, with its name.
pub fn single_header<'v>(
    name: &str,
    values: impl IntoIterator<Item = &'v [u8]>,
) -> Result<Option<&'v str>, Error> {
    let mut values = values.into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid(format!("the `{name}` header is repeated")));
    }
    header_text(name, value).map(Some)
}

/// A header's value as text.
///
/// # Errors
///
/// `invalid_request` for a value that is not printable ASCII, with the header's name.
pub fn header_text<'v>(name: &str, value: &'v [u8]) -> Result<&'v str, Error> {
    let printable = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    let text = std::str::from_utf8(value).ok().filter(|_| value.iter().all(printable));
    text.ok_or_else(|| invalid(format!("the `{name}` header is not ASCII text")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::jobs::JobCreateHeaders;

    const NAME: &str = "Idempotency-Key";

    #[test]
    fn a_documented_header_is_read_under_its_name_and_within_its_bounds() {
        let read = |value| header::<JobCreateHeaders>(NAME, value);
        assert_eq!(read(Some("k1")).expect("it fits").idempotency_key.as_deref(), Some("k1"));
        assert_eq!(read(None).expect("it may be absent").idempotency_key, None);
        let error = read(Some("")).expect_err("empty");
        assert_eq!(error.message, "`Idempotency-Key` must be 1 to 255 in length");
    }

    #[test]
    fn a_header_is_sent_once_and_as_text_or_not_at_all() {
        let read = |values: &[&'static str]| single_header(NAME, values.iter().map(|value| value.as_bytes()));
        assert_eq!(read(&[]).expect("none"), None);
        assert_eq!(read(&["a\tb ~"]).expect("text"), Some("a\tb ~"));
        let message = |values: &[&'static str]| read(values).expect_err("it does not fit").message;
        assert_eq!(message(&["a", "a"]), "the `Idempotency-Key` header is repeated");
        for other in ["ä", "\u{7f}", "a\u{1}"] {
            assert_eq!(message(&[other]), "the `Idempotency-Key` header is not ASCII text");
        }
    }
}

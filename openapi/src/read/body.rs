//! Request bodies.

use super::invalid;
use super::quotation::{explained, quoted};
use crate::types::error::{Error, ErrorCode};
use serde::de::{DeserializeOwned, IgnoredAny};

/// The media type of an operation's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// A JSON object.
    Json,
    /// A form, as browsers and OAuth clients send it.
    Form,
    /// Bytes that nobody reads here.
    Bytes,
}

impl MediaType {
    /// The media type's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Bytes => "application/octet-stream",
        }
    }

    /// Whether a body of this `Content-Type` is taken; one without is taken for this media type.
    ///
    /// # Errors
    ///
    /// `unsupported_media_type`, with the media type that is taken.
    pub fn accept(self, content_type: Option<&[u8]>) -> Result<(), Error> {
        let Some(sent) = content_type else { return Ok(()) };
        let essence = sent.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if essence.eq_ignore_ascii_case(self.as_str().as_bytes()) {
            return Ok(());
        }
        Err(Error {
            error_code: ErrorCode::UnsupportedMediaType,
            message: format!("expected content type `{}`", self.as_str()),
        })
    }

    /// Parses a body; its bounds are [`super::within_bounds`]'s business.
    ///
    /// # Errors
    ///
    /// `invalid_request`, for JSON with member, line and column.
    pub fn parse<T: Readable>(self, bytes: &[u8]) -> Result<T, Error> {
        T::read(self, bytes)
    }
}

/// What a body can be read as: whatever serde reads, and what needs to look at the bytes before it knows
/// what they are to be.
pub trait Readable: Sized {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// As [`MediaType::parse`].
    fn read(media_type: MediaType, bytes: &[u8]) -> Result<Self, Error>;
}

impl<T: DeserializeOwned> Readable for T {
    fn read(media_type: MediaType, bytes: &[u8]) -> Result<Self, Error> {
        match media_type {
            MediaType::Bytes => Err(invalid("the body is no value".to_owned())),
            MediaType::Form => serde_urlencoded::from_bytes(bytes).map_err(|error| {
                invalid(format!("the form does not fit the contract: {}", explained(&error)))
            }),
            // serde would take an array for an object, field by field; the contract does not.
            MediaType::Json if bytes.trim_ascii_start().first().is_some_and(|byte| *byte != b'{') => {
                let malformed = locate::<IgnoredAny>(bytes);
                Err(invalid(malformed.unwrap_or_else(|| "the JSON body must be an object".to_owned())))
            }
            MediaType::Json => serde_json::from_slice(bytes)
                .map_err(|plain| invalid(locate::<T>(bytes).unwrap_or_else(|| explained(&plain)))),
        }
    }
}

/// Parses again, more slowly, to name the member that does not fit.
fn locate<T: DeserializeOwned>(bytes: &[u8]) -> Option<String> {
    let deserializer = &mut serde_json::Deserializer::from_slice(bytes);
    let error = serde_path_to_error::deserialize::<_, T>(deserializer).err()?;
    let path = error.path().to_string();
    let place = if path == "." { String::new() } else { format!(" at `{}`", quoted(&path)) };
    Some(format!("the JSON body does not fit the contract{place}: {}", explained(error.inner())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::jobs::{JobCreate, JobKind};
    use crate::types::tokens::TokenRequest;

    fn refused<T: Readable>(media_type: MediaType, body: &str) -> String {
        let error = media_type.parse::<T>(body.as_bytes()).err().expect("it does not fit");
        assert_eq!(error.error_code, ErrorCode::InvalidRequest);
        error.message
    }

    #[test]
    fn a_body_that_fits_is_read() {
        let job: JobCreate =
            MediaType::Json.parse(br#" {"kind":"export.bulk","payload":{}}"#).expect("it fits");
        assert_eq!(job.kind(), JobKind::ExportBulk);
        let form: TokenRequest =
            MediaType::Form.parse(b"grant_type=client_credentials&scope=a+b").expect("it fits");
        assert_eq!(form.scope.as_deref(), Some("a b"));
    }

    #[test]
    fn the_member_that_does_not_fit_is_named_with_line_and_column() {
        assert_eq!(
            refused::<JobCreate>(MediaType::Json, "{\"kind\":\"export.bulk\",\n\"payload\":[]}"),
            "the JSON body does not fit the contract at `payload`: \
             invalid type: sequence, expected an object at line 2 column 10"
        );
        assert_eq!(
            refused::<JobCreate>(MediaType::Json, ""),
            "the JSON body does not fit the contract: EOF while parsing a value at line 1 column 0"
        );
        assert_eq!(
            refused::<JobCreate>(MediaType::Json, "{\"kind\":\"export.bulk\",\"payload\":{}} x"),
            "trailing characters at line 1 column 37"
        );
    }

    #[test]
    fn an_array_does_not_stand_for_an_object_even_where_serde_would_take_it() {
        for other in ["[\"export.bulk\",{}]", "null", " 7"] {
            assert_eq!(refused::<JobCreate>(MediaType::Json, other), "the JSON body must be an object");
        }
        assert!(refused::<JobCreate>(MediaType::Json, "[").starts_with("the JSON body does not fit"));
    }

    #[test]
    fn a_form_says_what_does_not_fit() {
        assert_eq!(
            refused::<TokenRequest>(MediaType::Form, "scope=a&scope=b"),
            "the form does not fit the contract: duplicate field `scope`"
        );
    }

    #[test]
    fn parameters_and_case_of_the_content_type_do_not_matter_and_its_essence_does() {
        for accepted in [None, Some("application/json"), Some("Application/JSON ; charset=utf-8")] {
            assert!(MediaType::Json.accept(accepted.map(str::as_bytes)).is_ok(), "{accepted:?}");
        }
        for refused in ["", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"] {
            let error = MediaType::Json.accept(Some(refused.as_bytes())).expect_err(refused);
            assert_eq!(error.error_code, ErrorCode::UnsupportedMediaType);
            assert_eq!(error.message, "expected content type `application/json`");
        }
    }
}

//! `Prefer` (RFC 7240): `code=<status>` forces a documented status, `argus-clock=<seconds>` moves
//! the virtual clock. Every other preference is ignored, as the RFC wants it.

use crate::engine::clock::{CLOCK_MAX, at};
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::error::{Error, ErrorCode};

/// The preferences of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Preferences {
    pub(crate) code: Option<u16>,
    pub(crate) clock: Option<u32>,
}

impl Preferences {
    /// Reads the values of all `Prefer` headers of a request, in their order. Of a preference that
    /// is given twice, the first one counts (RFC 7240, section 2).
    ///
    /// # Errors
    ///
    /// `invalid_request` when `code` or `argus-clock` has a value that they cannot have.
    pub fn parse<'h>(header_values: impl IntoIterator<Item = &'h str>) -> Result<Self, Error> {
        let mut preferences = Self::default();
        for header in header_values {
            for item in split(header, ',') {
                // Parameters after a semicolon belong to preferences that this API does not have.
                let preference = split(item, ';').next().unwrap_or_default();
                let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
                let (name, value) = (name.trim(), unquote(value.trim()));
                if name.eq_ignore_ascii_case("code") {
                    let code = number(name, &value, 100, 599)?;
                    preferences.code = preferences.code.or(u16::try_from(code).ok());
                } else if name.eq_ignore_ascii_case("argus-clock") {
                    let seconds = number(name, &value, 0, CLOCK_MAX)?;
                    preferences.clock = preferences.clock.or(Some(seconds));
                }
            }
        }
        Ok(preferences)
    }

    /// What the virtual clock says.
    pub fn now(&self) -> Timestamp {
        at(self.clock.unwrap_or_default().into())
    }

    /// What `Preference-Applied` says of a reply that came about by the clock, if it was moved.
    pub fn clock_applied(&self) -> Option<String> {
        self.clock.map(|seconds| format!("argus-clock={seconds}"))
    }

    /// Whether the request prefers nothing that the sandbox knows.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Splits at a separator outside of quoted strings.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character| {
        if quoted && !escaped && character == '\\' {
            escaped = true;
            return false;
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = false;
        character == separator && !quoted
    })
}

/// The content of a quoted string, or a token as it is.
fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut escaped = false;
    inner
        .chars()
        .filter(|character| {
            escaped = !escaped && *character == '\\';
            !escaped
        })
        .collect()
}

fn number(name: &str, value: &str, least: u32, most: u32) -> Result<u32, Error> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|number| digits && (least..=most).contains(number));
    number.ok_or_else(|| Error {
        error_code: ErrorCode::InvalidRequest,
        message: format!(
            "the preference {} takes a whole number from {least} to {most}",
            name.to_ascii_lowercase()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(headers: &[&str]) -> Preferences {
        Preferences::parse(headers.iter().copied()).expect("well-formed")
    }

    fn refused(header: &str) -> Error {
        Preferences::parse([header]).expect_err("malformed")
    }

    #[test]
    fn no_header_prefers_nothing() {
        assert!(parsed(&[]).is_empty());
        assert!(parsed(&["", " , ,"]).is_empty());
    }

    #[test]
    fn preferences_come_from_several_headers_and_commas() {
        let expected = Preferences { code: Some(404), clock: Some(10) };
        assert_eq!(parsed(&["code=404, argus-clock=10"]), expected);
        assert_eq!(parsed(&["argus-clock=10", "code=404"]), expected);
        assert_eq!(parsed(&["respond-async, Code = \"404\" ; x=1", "ARGUS-CLOCK=\"1\\0\""]), expected);
    }

    #[test]
    fn the_first_of_two_equal_preferences_counts() {
        assert_eq!(parsed(&["code=404", "code=409"]).code, Some(404));
    }

    #[test]
    fn other_preferences_are_ignored_whatever_their_value() {
        assert!(
            parsed(&["return=minimal; foo=\"a,code=404\", wait=10, handling=\"len\\\"ient, code=500\""])
                .is_empty()
        );
    }

    #[test]
    fn a_malformed_value_of_a_known_preference_is_refused() {
        for header in
            ["code", "code=", "code=abc", "code=+404", "code=99", "code=600", "code=4 4", "code=99999999999"]
        {
            let error = refused(header);
            assert_eq!(error.error_code, ErrorCode::InvalidRequest, "{header}");
            assert!(error.message.contains("code") && error.message.contains("599"), "{}", error.message);
        }
        for header in ["argus-clock=-1", "argus-clock=1.5", "argus-clock=31536001", "argus-clock"] {
            assert!(refused(header).message.contains("argus-clock"), "{header}");
        }
        assert_eq!(parsed(&["argus-clock=31536000"]).clock, Some(31_536_000));
    }
}

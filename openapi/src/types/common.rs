//! Small types that several topics share: identifiers, secrecy, paging.

pub use super::timestamp::Timestamp;

use super::checked_text::{Published, checked_text};
use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject, StringValidation};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use validator::{Validate, ValidateRange};

/// The longest identifier that any path or body accepts, in characters.
pub const IDENTIFIER_MAX_LENGTH: usize = 128;

checked_text! {
    /// An opaque identifier as it appears in a path: 1 to 128 characters out of letters, digits and
    /// `. _ : ~ -`.
    pub struct Identifier {
        check: check_identifier,
        published: Published {
            format: None,
            max_length: IDENTIFIER_MAX_LENGTH,
            pattern: Some("^[A-Za-z0-9._:~-]+$".to_owned()),
        },
    }
}

fn check_identifier(text: &str) -> Result<(), &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:~-".contains(&b);
    if text.is_empty() || text.len() > IDENTIFIER_MAX_LENGTH || !text.bytes().all(allowed) {
        return Err("an identifier has 1 to 128 characters out of letters, digits and . _ : ~ -");
    }
    Ok(())
}

/// A number without a fraction, however it is written: to JSON Schema `60`, `60.0` and `6e1` are one integer.
/// Beyond 64 bits it is the number there that is next to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Number", into = "i64")]
pub struct WholeNumber(pub i64);

impl TryFrom<serde_json::Number> for WholeNumber {
    type Error = &'static str;

    fn try_from(number: serde_json::Number) -> Result<Self, Self::Error> {
        match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Ok(Self(number)),
            // `as` saturates.
            (None, Some(number)) if number.fract() == 0.0 => Ok(Self(number as i64)),
            _ => Err("a whole number is needed"),
        }
    }
}

impl JsonSchema for WholeNumber {
    fn schema_name() -> String {
        "WholeNumber".to_owned()
    }

    // Inline, as a number of any length: beyond 64 bits it is taken as well.
    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject { instance_type: Some(InstanceType::Integer.into()), ..SchemaObject::default() }.into()
    }
}

impl From<WholeNumber> for i64 {
    fn from(WholeNumber(number): WholeNumber) -> i64 {
        number
    }
}

impl ValidateRange<i64> for WholeNumber {
    fn greater_than(&self, max: i64) -> Option<bool> {
        Some(self.0 > max)
    }

    fn less_than(&self, min: i64) -> Option<bool> {
        Some(self.0 < min)
    }
}

/// A moment that a caller names: RFC 3339 with `Z` or an offset, and no leap second. In a year of four digits
/// whatever the offset, so that it can be written as it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(pub chrono::DateTime<chrono::Utc>);

/// The days of each month are left to the format.
const MOMENT: &str = concat!(
    "^[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])",
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?",
    "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$",
);

/// A moment with nine digits of a second and an offset.
const MOMENT_MAX_LENGTH: usize = 35;

impl TryFrom<String> for Moment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let moment = chrono::DateTime::parse_from_rfc3339(&text).ok().filter(|_| is_strict(&text));
        let moment =
            moment.ok_or("a moment is RFC 3339, as `2026-05-08T12:00:00Z`, in a year from 1000 to 2999")?;
        Ok(Self(moment.to_utc()))
    }
}

/// What a moment needs beyond what the parser of RFC 3339 asks for, which takes leap seconds, digits beyond the
/// ninth, small letters and a minus sign that is no hyphen.
fn is_strict(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (year, separator, seconds) = (bytes.first(), bytes.get(10), bytes.get(17..19));
    let fraction = bytes.iter().skip(20).take_while(|byte| byte.is_ascii_digit()).count();
    matches!(year, Some(b'1' | b'2'))
        && separator == Some(&b'T')
        && seconds != Some(b"60")
        && (bytes.get(19) != Some(&b'.') || fraction <= 9)
        && text.is_ascii()
        && !text.ends_with('z')
}

impl From<Moment> for String {
    fn from(Moment(moment): Moment) -> String {
        moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> String {
        "Moment".to_owned()
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Published {
            format: Some("date-time"),
            max_length: MOMENT_MAX_LENGTH,
            pattern: Some(MOMENT.to_owned()),
        }
        .into()
    }
}

/// Schema of a W3C trace id.
pub(crate) fn trace_id(_: &mut SchemaGenerator) -> Schema {
    lower_hex(32)
}

/// Schema of a W3C span id.
pub(crate) fn span_id(_: &mut SchemaGenerator) -> Schema {
    lower_hex(16)
}

fn lower_hex(digits: u32) -> Schema {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        string: Some(Box::new(StringValidation {
            min_length: Some(digits),
            max_length: Some(digits),
            // All zero is none (W3C Trace Context, section 3.2.2).
            pattern: Some("^0*[1-9a-f][0-9a-f]*$".to_owned()),
        })),
        ..SchemaObject::default()
    }
    .into()
}

/// Whole numbers as texts of decimal digits, for values beyond 2^53, which many readers of JSON round.
pub(crate) mod decimal {
    use super::{InstanceType, Schema, SchemaGenerator, SchemaObject, StringValidation};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("expected decimal digits"))
    }

    pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            instance_type: Some(InstanceType::String.into()),
            string: Some(Box::new(StringValidation {
                min_length: Some(1),
                max_length: Some(20),
                pattern: Some("^[0-9]+$".to_owned()),
            })),
            ..SchemaObject::default()
        }
        .into()
    }
}

wire_enum! {
    /// Secrecy of a record, in rising order. A caller sees what is at or below its own clearance; a
    /// job inherits its creator's level and never exceeds it.
    #[derive(Default, PartialOrd, Ord)]
    pub enum SecrecyLevel {
        /// Ordinary business data; the default.
        Standard = "standard" #[default],
        /// For named recipients inside the organisation.
        Restricted = "restricted",
        /// For cleared recipients only.
        Confidential = "confidential",
        /// The highest level.
        Secret = "secret",
    }
}

/// Which page of a list to return.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Most items to return, 1 to 200; 50 when absent.
    #[serde(default, deserialize_with = "whole_number", skip_serializing_if = "Option::is_none")]
    #[validate(range(min = 1, max = "PAGE_LIMIT_MAX"))]
    pub limit: Option<u32>,
    /// The `next_cursor` of the previous page; absent for the first page. Opaque: do not build or
    /// change one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 1024))]
    pub cursor: Option<String>,
}

/// A number of a query, written as JSON writes one: no sign before it, and no zeros.
pub(crate) fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let plain =
        text.starts_with(|first: char| first.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain).map(Some).ok_or_else(|| D::Error::custom("it is no whole number"))
}

/// How many items a page holds when the caller does not say.
pub const PAGE_LIMIT_DEFAULT: u32 = 50;

/// The most items that a page holds.
pub const PAGE_LIMIT_MAX: u32 = 200;

impl PageQuery {
    /// The asked page size, or the default.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(PAGE_LIMIT_DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonschema::Validator;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let schema = Moment::json_schema(&mut SchemaGenerator::default());
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&serde_json::to_value(schema).expect("it is JSON")).expect("a schema")
    });

    /// Whether a text is a moment; its schema has the same opinion, and what was read can be written.
    #[track_caller]
    fn takes(text: &str) -> bool {
        let read = Moment::try_from(text.to_owned());
        assert_eq!(read.is_ok(), SCHEMA.is_valid(&text.into()), "{text:?}");
        if let Ok(moment) = read {
            assert_eq!(Moment::try_from(String::from(moment)), Ok(moment), "{text:?}");
        }
        read.is_ok()
    }

    #[test]
    fn a_moment_is_taken_exactly_if_its_schema_takes_it() {
        for taken in [
            "2026-05-08T12:00:00Z",
            "2026-05-08T12:00:00.1Z",
            "2024-02-29T23:59:59.123456789-23:59",
            "1000-01-02T00:00:00+00:00",
            "2999-12-31T00:00:00-00:00",
        ] {
            assert!(takes(taken), "{taken}");
        }
        for refused in [
            "",
            "2026-05-08",
            "2026-05-08T12:00:00",
            "2026-05-08 12:00:00Z",
            "2026-05-08t12:00:00Z",
            "2026-05-08T12:00:00z",
            "2026-05-08T12:00Z",
            "2026-05-08T24:00:00Z",
            "2026-12-31T23:59:60Z",
            "2026-02-29T12:00:00Z",
            "2026-05-32T12:00:00Z",
            "2026-05-08T12:00:00.Z",
            "2026-05-08T12:00:00,5Z",
            "2026-05-08T12:00:00.1234567891Z",
            "2026-05-08T12:00:00+0100",
            "2026-05-08T12:00:00+24:00",
            "2026-05-08T12:00:00+01:60",
            "2026-05-08T12:00:00\u{2212}01:00",
            "0999-05-08T12:00:00Z",
            "3000-05-08T12:00:00Z",
            "+2026-05-08T12:00:00Z",
            " 2026-05-08T12:00:00Z",
            "2026-05-08T12:00:00Z ",
            "1778241600",
        ] {
            assert!(!takes(refused), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn schema_and_type_agree_on_texts_that_are_nearly_a_moment(
            text in "[0-3][0-9]{3}[-/][01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|z|[+-][0-2][0-9]:?[0-6][0-9])?",
        ) {
            takes(&text);
        }
    }
}

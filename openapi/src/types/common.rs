//! Small types that several topics share: identifiers, secrecy, paging.

use super::checked_text::{Published, checked_text};
use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject, StringValidation};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use validator::Validate;

/// Moment in time, RFC 3339 in UTC, for example `2026-05-08T12:00:00Z`.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

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

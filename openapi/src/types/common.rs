//! Small types that several topics share: identifiers, secrecy, paging.

use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject, StringValidation};
use serde::{Deserialize, Serialize};
use std::fmt;
use validator::Validate;

/// Moment in time, RFC 3339 in UTC, for example `2026-05-08T12:00:00Z`.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// The longest identifier that any path or body accepts, in characters.
pub const IDENTIFIER_MAX_LENGTH: usize = 128;

/// An opaque identifier as it appears in a path: 1 to 128 characters out of letters, digits and
/// `. _ : ~ -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

impl Identifier {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Identifier {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:~-".contains(&b);
        if text.is_empty() || text.len() > IDENTIFIER_MAX_LENGTH || !text.bytes().all(allowed) {
            return Err(format!(
                "an identifier has 1 to {IDENTIFIER_MAX_LENGTH} characters out of letters, digits and . _ : ~ -"
            ));
        }
        Ok(Self(text))
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> String {
        identifier.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Identifier {
    fn schema_name() -> String {
        "Identifier".to_owned()
    }

    // Inline: a path parameter reads better with its pattern in place than behind a reference.
    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            instance_type: Some(InstanceType::String.into()),
            string: Some(Box::new(StringValidation {
                min_length: Some(1),
                max_length: Some(IDENTIFIER_MAX_LENGTH as u32),
                pattern: Some("^[A-Za-z0-9._:~-]+$".to_owned()),
            })),
            ..SchemaObject::default()
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
            pattern: Some(format!("^[0-9a-f]{{{digits}}}$")),
        })),
        ..SchemaObject::default()
    }
    .into()
}

wire_enum! {
    /// Secrecy of a record, in rising order. A caller sees what is at or below its own clearance; a
    /// job inherits its creator's level and never exceeds it.
    #[derive(Default, PartialOrd, Ord, JsonSchema)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(range(min = 1, max = "PAGE_LIMIT_MAX"))]
    pub limit: Option<u32>,
    /// The `next_cursor` of the previous page; absent for the first page. Opaque: do not build or
    /// change one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 1024))]
    pub cursor: Option<String>,
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

//! Uploads: bytes that a partner sends ahead, for a job to work on.

use super::checked_text::{Published, checked_text};
use super::common::{IDENTIFIER_MAX_LENGTH, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the reference of an upload begins with.
pub const UPLOAD_PREFIX: &str = "upl_";

/// For how many seconds the URL of an upload takes its bytes.
pub const URL_LIFETIME_SECONDS: u32 = 3_600;

checked_text! {
    /// The reference of an upload: `upl_` and letters and digits. Whether there is such an upload is not the
    /// type's business.
    pub struct UploadRef {
        check: check,
        published: Published {
            format: None,
            max_length: IDENTIFIER_MAX_LENGTH,
            pattern: Some(format!("^{UPLOAD_PREFIX}[A-Za-z0-9]+$")),
        },
    }
}

fn check(text: &str) -> Result<(), &'static str> {
    let rest = text.strip_prefix(UPLOAD_PREFIX).unwrap_or_default();
    if rest.is_empty()
        || text.len() > IDENTIFIER_MAX_LENGTH
        || !rest.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return Err("an upload reference is `upl_` and letters and digits, at most 128 characters in all");
    }
    Ok(())
}

/// Where to send the bytes of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upload {
    /// What a job names as its `upload_ref`.
    pub upload_ref: String,
    /// URL that takes the bytes with one PUT, at most 1 GiB. Treat it as a credential.
    #[schemars(url)]
    pub upload_url: String,
    /// When the URL stops working.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use schemars::r#gen::SchemaGenerator;

    #[test]
    fn a_reference_is_taken_exactly_if_its_schema_takes_it() {
        let schema = UploadRef::json_schema(&mut SchemaGenerator::default());
        let schema = serde_json::to_value(schema).expect("it is JSON");
        let schema = jsonschema::draft202012::new(&schema).expect("a schema");
        let long = format!("upl_{}", "a".repeat(124));
        for (text, taken) in [
            ("upl_01HFXYZ9A7Q3M5N8P2R4T6V8WB", true),
            ("upl_a", true),
            (&long, true),
            (&format!("{long}a"), false),
            ("upl_", false),
            ("upl", false),
            ("", false),
            ("upl_a_b", false),
            ("upl_\u{e9}", false),
            (" upl_a", false),
            ("upl_a\n", false),
            ("https://partner.example/profiles.ndjson", false),
        ] {
            assert_eq!(text.parse::<UploadRef>().is_ok(), taken, "{text:?}");
            assert_eq!(schema.is_valid(&text.into()), taken, "{text:?}");
        }
    }
}

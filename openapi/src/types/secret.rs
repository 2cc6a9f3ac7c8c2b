//! Texts that must not be shown: client secrets, tokens, signing secrets.

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use subtle::ConstantTimeEq;
use validator::ValidateLength;
use zeroize::Zeroizing;

/// A text that must not be shown. It goes over the wire as it is; anywhere else it has to be asked for
/// with [`SecretText::expose`]. It is wiped from memory when it goes, shows nothing when it is
/// formatted, takes the same time to compare whatever it is compared with, and has no way into a
/// digest or a log by accident: no `Display`, no `AsRef`, no `Deref`, no `Hash`.
#[derive(Clone, Default)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// In a time that depends on the lengths alone.
impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretText {}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// In characters.
impl ValidateLength<u64> for SecretText {
    fn length(&self) -> Option<u64> {
        self.0.length()
    }
}

impl JsonSchema for SecretText {
    fn schema_name() -> String {
        "SecretText".to_owned()
    }

    // Inline: bounds of the member join the format.
    fn is_referenceable() -> bool {
        false
    }

    // The format tells documentation tools and the SDK generator to hide it.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            instance_type: Some(InstanceType::String.into()),
            format: Some("password".to_owned()),
            ..SchemaObject::default()
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::SecretText;

    fn secret(text: &str) -> SecretText {
        SecretText::from(text.to_owned())
    }

    #[test]
    fn nothing_of_it_is_shown() {
        assert_eq!(
            format!("{:?} {:#?}", secret("hunter2"), Some(secret(""))),
            "[redacted] Some(\n    [redacted],\n)"
        );
    }

    #[test]
    fn it_goes_over_the_wire_as_it_is() {
        let read: SecretText = serde_json::from_str("\"sch\\u00f6n\"").expect("a text");
        assert_eq!(read.expose(), "schön");
        assert_eq!(serde_json::to_string(&read).expect("a text"), "\"schön\"");
        let error = serde_json::from_str::<SecretText>("5").expect_err("no text").to_string();
        assert!(error.starts_with("invalid type: integer `5`, expected a string"), "{error}");
    }

    #[test]
    fn it_is_compared_as_a_whole() {
        assert_eq!(secret("a secret"), secret("a secret"));
        for other in ["", "a", "a secreT", "a secret "] {
            assert_ne!(secret("a secret"), secret(other));
        }
    }
}

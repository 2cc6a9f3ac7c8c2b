//! Texts that are checked when they are read, so that a value of the type is a valid one: one macro gives
//! the type, serde, and the published schema. What is valid stands beside each type.

use schemars::schema::{InstanceType, Schema, SchemaObject, StringValidation};

/// What the schema of a checked text says.
pub(crate) struct Published {
    /// `format`, where there is one.
    pub(crate) format: Option<&'static str>,
    /// `maxLength`, in characters.
    pub(crate) max_length: usize,
    /// `pattern`, where any text is not good enough. It keeps to what the regular expressions of every language have, without look-around and
    /// classes by property, because not all of them read more than that.
    pub(crate) pattern: Option<String>,
}

impl From<Published> for Schema {
    fn from(published: Published) -> Self {
        SchemaObject {
            instance_type: Some(InstanceType::String.into()),
            format: published.format.map(str::to_owned),
            string: Some(Box::new(StringValidation {
                min_length: Some(1),
                max_length: u32::try_from(published.max_length).ok(),
                pattern: published.pattern,
            })),
            ..SchemaObject::default()
        }
        .into()
    }
}

/// Declares a text type. `check` says what to change in a text that is not valid, `published` what the
/// schema says of it; both must agree.
macro_rules! checked_text {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident { check: $check:expr, published: $published:expr $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                $check(&text).map(|()| Self(text))
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(checked: $name) -> String {
                checked.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> String {
                stringify!($name).to_owned()
            }

            // Inline: a member or parameter reads better with its pattern in place than behind a reference.
            fn is_referenceable() -> bool {
                false
            }

            fn json_schema(_: &mut ::schemars::r#gen::SchemaGenerator) -> ::schemars::schema::Schema {
                $published.into()
            }
        }
    };
}

pub(crate) use checked_text;

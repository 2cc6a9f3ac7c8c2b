//! Enums whose values are texts on the wire: one macro gives the texts, serde, parsing, and what a
//! database column needs. The meaning of each value is its doc comment, which the schema publishes.

use std::fmt;

/// A text that is no value of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    /// Name of the enum.
    pub of: &'static str,
    /// The text.
    pub text: String,
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no value of `{}`", self.text, self.of)
    }
}

impl std::error::Error for UnknownValue {}

/// Declares an enum with the text of each value behind it, and further attributes behind the text.
macro_rules! wire_enum {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $($(#[doc = $doc:literal])+ $variant:ident = $text:literal $(#[$more:meta])*,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $(#[$more])* $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$variant),+];

            /// The text on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What the value means.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::types::wire_enum::UnknownValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::types::wire_enum::UnknownValue {
                        of: stringify!($name),
                        text: text.to_owned(),
                    }),
                }
            }
        }
    };
}

pub(crate) use wire_enum;

#[cfg(test)]
mod tests {
    use super::UnknownValue;
    use crate::types::common::SecrecyLevel;
    use crate::types::error::ErrorCode;
    use crate::types::jobs::JobKind;
    use crate::types::traces::SpanStatus;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    fn assert_one_text<T>(all: &[T], texts: &[&str])
    where
        T: Copy + Debug + Display + PartialEq + Serialize + DeserializeOwned + FromStr<Err = UnknownValue>,
    {
        assert_eq!(all.iter().map(T::to_string).collect::<Vec<_>>(), texts);
        for (value, text) in all.iter().zip(texts) {
            assert_eq!(serde_json::to_value(value).expect("a text"), *text);
            assert_eq!(serde_json::from_value::<T>((*text).into()).expect("a value"), *value);
            assert_eq!(text.parse::<T>().as_ref(), Ok(value));
        }
    }

    #[test]
    fn a_value_has_one_text_everywhere() {
        assert_one_text(&SecrecyLevel::ALL, &["standard", "restricted", "confidential", "secret"]);
        assert_one_text(&SpanStatus::ALL, &["UNSET", "OK", "ERROR"]);
        assert_one_text(
            &JobKind::ALL,
            &["intelligence.enrich.bulk", "export.bulk", "import.bulk", "graph.compute"],
        );
    }

    #[test]
    fn a_text_of_no_value_is_named() {
        let error = "export.Bulk".parse::<JobKind>().expect_err("texts are exact");
        assert_eq!(error.to_string(), "`export.Bulk` is no value of `JobKind`");
    }

    #[test]
    fn a_description_is_the_documentation_as_one_line() {
        assert_eq!(JobKind::ExportBulk.description(), "Exports records in bulk.");
        for code in ErrorCode::ALL {
            let text = code.description();
            assert!(text.ends_with('.') && !text.contains('\n') && !text.contains("  "), "{text}");
        }
    }
}

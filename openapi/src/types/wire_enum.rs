//! Enums whose values are texts on the wire: one macro gives the texts, serde, the published schema, parsing,
//! and what a database column needs. The meaning of each value is its doc comment, which the schema publishes.

use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;

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

/// An enum whose values are texts on the wire.
pub trait WireEnum: Copy + 'static {
    /// Whether values may be added within a contract version, so that a client must take any text.
    const EXTENSIBLE: bool = false;

    /// What the enum is about.
    const MEANING: &'static str;

    /// Every value that the contract publishes, in order.
    fn published() -> impl Iterator<Item = Self>;

    /// The text on the wire.
    fn text(self) -> &'static str;

    /// The name in code.
    fn name(self) -> &'static str;

    /// What the value means.
    fn meaning(self) -> &'static str;
}

/// Reads a value from its text and from nothing else: serde's own enums would also take an object whose one
/// member is named after a value.
pub(crate) fn read<'de, T: WireEnum, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(Texts(PhantomData))
}

struct Texts<T>(PhantomData<T>);

impl<T: WireEnum> Visitor<'_> for Texts<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = T::published().map(|value| format!("`{}`", value.text())).collect();
        match texts.as_slice() {
            [only] => f.write_str(only),
            several => write!(f, "one of {}", several.join(", ")),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::published()
            .find(|value| value.text() == text)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// The schema of an enum.
pub(crate) fn schema<T: WireEnum>() -> Schema {
    if T::EXTENSIBLE {
        extensible::<T>()
    } else {
        described(values(T::published()), T::MEANING.to_owned()).into()
    }
}

/// The schema of a text that is one of `values`, without a description.
pub(crate) fn values<T: WireEnum>(values: impl IntoIterator<Item = T>) -> SchemaObject {
    one_of(values.into_iter().map(|value| (value.text(), value.name(), value.meaning())))
}

/// The schema of an enum where a form has it: in place, since openapi-generator's Rust does not compile what a member of a
/// form refers to.
pub(crate) fn in_form<T: WireEnum>(_: &mut SchemaGenerator) -> Schema {
    values(T::published()).into()
}

/// The schema of a text that is one of these, each with its name in code and its meaning. A list of texts with
/// names and meanings beside it is the one form of an enum that every usual generator reads.
pub(crate) fn one_of<T: Into<Value>>(values: impl IntoIterator<Item = (T, T, T)>) -> SchemaObject {
    let mut schema = open(values);
    schema.enum_values = match schema.extensions.remove(EXTENSIBLE) {
        Some(Value::Array(texts)) => Some(texts),
        _ => None,
    };
    schema
}

/// The member that lists the values of a text that may have others.
const EXTENSIBLE: &str = "x-extensible-enum";

/// The schema of any text, with known values, their names and their meanings as extensions.
fn open<T: Into<Value>>(values: impl IntoIterator<Item = (T, T, T)>) -> SchemaObject {
    let (mut texts, mut names, mut meanings) = (Vec::new(), Vec::new(), Vec::new());
    for (text, name, meaning) in values {
        texts.push(text.into());
        names.push(name.into());
        meanings.push(meaning.into());
    }
    let extensions = [(EXTENSIBLE, texts), ("x-enum-varnames", names), ("x-enum-descriptions", meanings)];
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        extensions: extensions.map(|(name, list)| (name.to_owned(), Value::Array(list))).into(),
        ..SchemaObject::default()
    }
}

/// Any text, with the values of today as an extension: a client of today must still read a value of tomorrow,
/// and no form that names the known values as an `enum` has every generator let others pass.
fn extensible<T: WireEnum>() -> Schema {
    let mut description = format!("{} New values may be added; those of this version are:\n", T::MEANING);
    for value in T::published() {
        description.push_str(&format!("\n- `{}`: {}", value.text(), value.meaning()));
    }
    let values = T::published().map(|value| (value.text(), value.name(), value.meaning()));
    described(open(values), description).into()
}

fn described(mut schema: SchemaObject, description: String) -> SchemaObject {
    schema.metadata().description = Some(description);
    schema
}

/// Declares an enum with the text of each value behind it, and further attributes behind the text. A value that
/// is named as `unpublished` is in no request and no schema; an `extensible` enum is published as any text.
macro_rules! wire_enum {
    (
        $(#[doc = $description:literal])+
        $(#[derive($($derive:ident),+)])?
        pub enum $name:ident {
            $($(#[doc = $doc:literal])+ $variant:ident = $text:literal $(#[$more:meta])*,)+
        }
        $(unpublished = $hidden:ident)?
        $(extensible = $extensible:literal)?
    ) => {
        $(#[doc = $description])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash $($(, $derive)+)?)]
        pub enum $name {
            $($(#[doc = $doc])+ $(#[$more])* $variant,)+
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

        impl $crate::types::wire_enum::WireEnum for $name {
            $(const EXTENSIBLE: bool = $extensible;)?

            const MEANING: &'static str = concat!($($description),+).trim_ascii();

            fn published() -> impl Iterator<Item = Self> {
                let hidden: &[Self] = &[$(Self::$hidden)?];
                Self::ALL.into_iter().filter(|value| !hidden.contains(value))
            }

            fn text(self) -> &'static str {
                self.as_str()
            }

            fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }

            fn meaning(self) -> &'static str {
                self.description()
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::types::wire_enum::read(deserializer)
            }
        }

        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> String {
                stringify!($name).to_owned()
            }

            fn json_schema(_: &mut ::schemars::r#gen::SchemaGenerator) -> ::schemars::schema::Schema {
                $crate::types::wire_enum::schema::<Self>()
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
    use super::{UnknownValue, WireEnum};
    use crate::types::common::SecrecyLevel;
    use crate::types::error::ErrorCode;
    use crate::types::jobs::JobKind;
    use crate::types::scopes::Scope;
    use crate::types::traces::SpanStatus;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::json;
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
            let tagged = json!({ *text: null });
            for other in [tagged, json!([text]), json!(0), json!(null), json!(format!("{text} "))] {
                let error = serde_json::from_value::<T>(other.clone()).expect_err("no value").to_string();
                assert!(error.contains(&format!("expected one of `{}`", texts[0])), "{other}: {error}");
            }
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
    fn a_value_that_is_not_published_is_not_read() {
        assert!(
            Scope::ALL.contains(&Scope::InternalOperate)
                && !Scope::published().any(|scope| scope == Scope::InternalOperate)
        );
        let error = serde_json::from_value::<Scope>(json!("argus:internal:operate")).expect_err("kept back");
        assert!(!error.to_string().contains("`argus:internal"), "{error}");
        assert_eq!("argus:internal:operate".parse(), Ok(Scope::InternalOperate), "tokens carry it");
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

//! Parts of replies whose JSON was rendered before, as it is kept in the store, so that it need not be read to be shown.

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A value, or the JSON of one. Both are shown alike.
#[derive(Clone, Debug)]
pub enum Rendered<T> {
    /// The value.
    Value(T),
    /// Its JSON.
    Json(Box<RawValue>),
}

impl<T> Rendered<T> {
    /// What a text says that was rendered from a `T`.
    ///
    /// # Errors
    ///
    /// When the text is not JSON.
    pub fn from_json(text: String) -> serde_json::Result<Self> {
        RawValue::from_string(text).map(Self::Json)
    }
}

impl<T> From<T> for Rendered<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Serialize> Serialize for Rendered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rendered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Value)
    }
}

impl<T: JsonSchema> JsonSchema for Rendered<T> {
    fn schema_name() -> String {
        T::schema_name()
    }

    fn is_referenceable() -> bool {
        T::is_referenceable()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_and_its_json_are_shown_alike() {
        let value = vec![Some("a \"quoted\" word"), None];
        let json = serde_json::to_string(&value).expect("JSON");
        let kept = Rendered::<Vec<Option<&str>>>::from_json(json.clone()).expect("JSON");
        for shown in [kept, Rendered::from(value)] {
            assert_eq!(serde_json::to_string(&shown).expect("JSON"), json);
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "[", "[1,]", "{} {}", "[1]\n]"] {
            assert!(Rendered::<Vec<u8>>::from_json(text.to_owned()).is_err(), "{text}");
        }
    }
}

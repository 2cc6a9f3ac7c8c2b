//! Free-form JSON objects in requests. A member that stands twice is refused at every depth, as the contract's
//! own members are: readers differ in which of the two they keep, and canonical JSON (RFC 8785, section 3.1)
//! has no form for both.

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};
use std::fmt;
use std::ops::Deref;

/// A JSON object whose members the contract does not know, each of them once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct JsonObject(Map<String, Value>);

impl JsonObject {
    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Map<String, Value>> for JsonObject {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

impl Deref for JsonObject {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl JsonSchema for JsonObject {
    fn schema_name() -> String {
        <Map<String, Value>>::schema_name()
    }

    fn is_referenceable() -> bool {
        <Map<String, Value>>::is_referenceable()
    }

    // A schema speaks of members that a parser has already read, so that it cannot tell of two.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Map<String, Value>>::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members).map(Self)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            match members.entry(name) {
                Entry::Occupied(first) => {
                    return Err(A::Error::custom(format_args!("duplicate member `{}`", first.key())));
                }
                Entry::Vacant(place) => {
                    let Any(value) = access.next_value()?;
                    place.insert(value);
                }
            }
        }
        Ok(members)
    }
}

/// Any value; objects in it have each member once.
struct Any(Value);

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor).map(Self)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Any(value)) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        Members.visit_map(access).map(Value::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<JsonObject, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_an_object_is_read_as_it_is() {
        for text in [
            "{}",
            r#"{"a":null,"b":[true,-1,18446744073709551615,1.5,"x",[],{}],"c":{"a":{"a":"\u00e9"}}}"#,
            r#"{"a":1e300,"b":-9223372036854775808,"c":{"a":1,"b":2},"d":[{"a":1},{"a":1}]}"#,
        ] {
            let expected: Map<String, Value> = serde_json::from_str(text).expect("JSON");
            assert_eq!(*read(text).expect(text), expected);
        }
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_every_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[0,[{"y":{"a":null,"a":null}}]]}"#,
        ] {
            let error = read(text).expect_err(text);
            assert!(error.starts_with("duplicate member `a` at line 1 column"), "{error}");
        }
    }

    #[test]
    fn nothing_but_an_object_is_read() {
        for text in ["[]", "null", "1", "\"a\"", r#"{"a":1e400}"#, r#"{"a":"\ud800"}"#] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert!(read(&deep).expect_err("too deep").contains("recursion"));
    }
}

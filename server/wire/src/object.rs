//! JSON objects that are read as objects alone. serde's derived readers also take an array for a struct,
//! member by member, which no RFC and no schema of ours means.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A value that was read from a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// Makes structs readable from objects alone, wherever they stand. They derive `Serialize` and
/// `Deserialize` and carry `#[serde(remote = "Self")]`, which leaves the derived functions to be called
/// from here.
#[macro_export]
macro_rules! objects {
    ($($object:ident),* $(,)?) => {$(
        impl<'de> ::serde::Deserialize<'de> for $object {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                struct Derived($object);
                impl<'de> ::serde::Deserialize<'de> for Derived {
                    fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                        $object::deserialize(deserializer).map(Self)
                    }
                }
                let $crate::object::Object(Derived(read)) = ::serde::Deserialize::deserialize(deserializer)?;
                ::std::result::Result::Ok(read)
            }
        }
        impl ::serde::Serialize for $object {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                $object::serialize(self, serializer)
            }
        }
    )*};
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Plain {
        a: u8,
        b: Option<String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(remote = "Self")]
    struct Strict {
        a: u8,
        more: Vec<Strict>,
    }

    objects!(Strict);

    #[test]
    fn an_object_is_read_as_its_struct_with_every_rule_of_the_struct() {
        let read = |text| serde_json::from_str::<Object<Plain>>(text);
        assert_eq!(read(r#"{"a":1,"b":"x"}"#).ok(), Some(Object(Plain { a: 1, b: Some("x".to_owned()) })));
        for refused in [r#"{"a":1,"a":1}"#, r#"{"a":1,"c":1}"#, r#"{"b":"x"}"#, r#"{"a":1} x"#] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn an_array_does_not_stand_for_an_object_at_any_depth() {
        assert!(serde_json::from_str::<Plain>(r#"[1,"x"]"#).is_ok(), "what serde takes by itself");
        let error = serde_json::from_str::<Object<Plain>>(r#"[1,"x"]"#).expect_err("no object").to_string();
        assert_eq!(error, "invalid type: sequence, expected an object at line 1 column 0");
        for refused in ["[1,[]]", r#"{"a":1,"more":[[1,[]]]}"#, "null", "1"] {
            assert!(serde_json::from_str::<Strict>(refused).is_err(), "{refused}");
        }
        let strict = Strict { a: 1, more: vec![Strict { a: 2, more: Vec::new() }] };
        let text = serde_json::to_string(&strict).expect("it is JSON");
        assert_eq!(text, r#"{"a":1,"more":[{"a":2,"more":[]}]}"#);
        assert_eq!(serde_json::from_str::<Strict>(&text).ok(), Some(strict));
    }
}

//! Canonical JSON (RFC 8785) of values that are already parsed. Written out by hand because it is
//! the greater part of a mocked `job_create`'s time; a property test holds it against the crate
//! `serde_json_canonicalizer` on arbitrary input.

use serde_json::{Map, Number, Value};
use std::io::Write as _;

/// The largest integer up to which doubles hold every integer; RFC 8785 writes numbers as doubles.
const EXACT: u64 = 1 << 53;

/// The canonical text of a value.
pub fn to_string(value: &Value) -> String {
    let mut out = Vec::new();
    write_value(&mut out, value);
    // Only whole strings and ASCII are written; the fallback is there to have no panic.
    String::from_utf8(out).unwrap_or_default()
}

/// Appends the canonical text of an object.
pub fn write_object(out: &mut Vec<u8>, object: &Map<String, Value>) {
    out.push(b'{');
    if in_order(object) {
        write_members(out, object.iter());
    } else {
        let mut members: Vec<(&String, &Value)> = object.iter().collect();
        members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
        write_members(out, members.into_iter());
    }
    out.push(b'}');
}

/// Whether the members already stand in canonical order. Bytes sort like UTF-16 code units as long
/// as they are ASCII.
fn in_order(object: &Map<String, Value>) -> bool {
    let mut previous: Option<&String> = None;
    object.keys().all(|key| {
        key.is_ascii() && previous.replace(key).is_none_or(|previous| previous.as_bytes() < key.as_bytes())
    })
}

fn write_members<'a>(out: &mut Vec<u8>, members: impl Iterator<Item = (&'a String, &'a Value)>) {
    for (index, (key, value)) in members.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, key);
        out.push(b':');
        write_value(out, value);
    }
}

/// Appends the canonical text of a value. The depth is bounded by the JSON parser's own limit.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(out, item);
            }
            out.push(b']');
        }
        Value::Object(object) => write_object(out, object),
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // serde_json escapes exactly what RFC 8785 escapes, in the same way.
        let _ = serde_json::to_writer(out, text);
    }
}

fn write_number(out: &mut Vec<u8>, number: &Number) {
    // The integer's own digits and not the number's text, which may be `-0` or `1e2` in builds that
    // keep numbers as they were written.
    let integer = number.as_u64().filter(|integer| *integer <= EXACT);
    if let Some(integer) = integer {
        let _ = write!(out, "{integer}");
    } else if let Some(integer) = number.as_i64().filter(|integer| integer.unsigned_abs() <= EXACT) {
        let _ = write!(out, "{integer}");
    } else if let Some(double) = number.as_f64().filter(|number| number.is_finite()) {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(double).as_bytes());
    } else {
        // Beyond every double, which the parser of this build already refuses: as it was written.
        out.extend_from_slice(number.to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1000i64..1000).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[ -~\\x00-\\x1f\"\\\\/é\u{fffd}\u{10000}]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key =
                prop_oneof!["[a-c]{0,2}", "[\u{e000}-\u{f8ff}\u{10000}-\u{10010}a]{1,2}", any::<String>()];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_text_equals_that_of_the_reference_crate(value in json()) {
            prop_assert_eq!(to_string(&value), serde_json_canonicalizer::to_string(&value).expect("canonical"));
        }
    }

    proptest! {
        #[test]
        fn canonical_text_is_its_own_canonical_text(value in json()) {
            let text = to_string(&value);
            let read: Value = serde_json::from_str(&text).expect("canonical text is JSON");
            prop_assert_eq!(to_string(&read), text);
        }

        /// Which wants a parser that rounds correctly.
        #[test]
        fn a_double_survives_being_read(double in any::<f64>()) {
            let text = to_string(&double.into());
            let read: Value = serde_json::from_str(&text).expect("canonical text is JSON");
            if double.is_finite() {
                prop_assert_eq!(read.as_f64(), Some(double));
            }
        }
    }

    #[test]
    fn members_sort_by_utf_16_and_not_by_utf_8() {
        let value: Value = serde_json::from_str("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"a\":1e2}").expect("JSON");
        assert_eq!(to_string(&value), "{\"a\":100,\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }
}

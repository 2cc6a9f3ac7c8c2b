//! Last step: the one order of keys and the one way of writing a document.

use super::{PublishError, yaml};
use serde_json::{Map, Value};

/// The same value with the keys of every object in order. Said aloud, because a dependency may
/// switch on insertion order.
pub fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Object(
                members.into_iter().map(|(key, member)| (key, sorted(member))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Indented JSON with a line feed at the end.
pub fn json(value: &Value) -> Result<String, PublishError> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|error| PublishError::Shape(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// The same content as YAML.
pub fn yaml(value: &Value) -> String {
    yaml::write(value)
}

//! Placeholders in fixtures. `{id}` is the id of what is shown, `{hours}` a number of hours that depends
//! on the id, `{last_seen}` the moment so many hours before the start of time. A string that is
//! nothing but `{hours}` becomes a number.

use crate::engine::clock::at;
use argus_openapi::types::common::Timestamp;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value};

const ID: &str = "{id}";
const HOURS: &str = "{hours}";
const LAST_SEEN: &str = "{last_seen}";

/// What placeholders stand for in one reply.
pub(crate) struct Values<'a> {
    pub(crate) id: &'a str,
    pub(crate) hours: u32,
}

impl Values<'_> {
    /// The text with its placeholders filled in.
    pub(crate) fn text(&self, template: &str) -> String {
        if !template.contains('{') {
            return template.to_owned();
        }
        // The id comes from outside and goes in last, so that it cannot bring placeholders.
        template
            .replace(HOURS, &self.hours.to_string())
            .replace(LAST_SEEN, &last_seen(self.hours).to_rfc3339_opts(SecondsFormat::AutoSi, true))
            .replace(ID, self.id)
    }

    /// The object with its placeholders filled in and its members sorted, so that its bytes do not
    /// depend on how serde_json orders its maps.
    pub(crate) fn object(&self, template: &Map<String, Value>) -> Map<String, Value> {
        let mut members: Vec<_> = template.iter().collect();
        members.sort_by_key(|(name, _)| name.as_str());
        members.into_iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
    }

    fn value(&self, template: &Value) -> Value {
        match template {
            Value::String(text) if text == HOURS => Value::from(self.hours),
            Value::String(text) => Value::from(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(object) => Value::Object(self.object(object)),
            other => other.clone(),
        }
    }

    /// A moment that was written as RFC 3339 or as `{last_seen}`.
    pub(crate) fn moment(&self, template: &str) -> Timestamp {
        moment(template, self.hours).unwrap_or_else(|_| at(0))
    }
}

/// A moment, or why the text is none.
pub(crate) fn moment(template: &str, hours: u32) -> Result<Timestamp, String> {
    if template == LAST_SEEN {
        return Ok(last_seen(hours));
    }
    match DateTime::parse_from_rfc3339(template) {
        Ok(moment) => Ok(moment.to_utc().into()),
        Err(error) => Err(format!("must be RFC 3339 or {LAST_SEEN}: {error}")),
    }
}

fn last_seen(hours: u32) -> Timestamp {
    at(-3600 * i64::from(hours))
}

/// Refuses placeholders that do not exist.
pub(crate) fn check_text(text: &str) -> Result<(), String> {
    let rest = [ID, HOURS, LAST_SEEN].iter().fold(text.to_owned(), |rest, known| rest.replace(known, ""));
    if rest.contains(['{', '}']) {
        return Err(format!("unknown placeholder in {text:?}; there are {ID}, {HOURS} and {LAST_SEEN}"));
    }
    Ok(())
}

/// Refuses placeholders that do not exist, anywhere in an object.
pub(crate) fn check_object(object: &Map<String, Value>) -> Result<(), String> {
    object.values().try_for_each(check_value)
}

fn check_value(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => check_text(text),
        Value::Array(items) => items.iter().try_for_each(check_value),
        Value::Object(object) => check_object(object),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholders_are_filled_in() {
        let values = Values { id: "{hours}", hours: 5 };
        assert_eq!(values.text("{id} {hours} h, {last_seen}"), "{hours} 5 h, 2026-05-08T07:00:00Z");
        let object = json!({ "b": ["{hours}", "in {hours}"], "a": { "x": 1 } });
        let filled = values.object(object.as_object().expect("object"));
        assert_eq!(Value::Object(filled), json!({ "a": { "x": 1 }, "b": [5, "in 5"] }));
        assert_eq!(values.moment("{last_seen}"), at(-5 * 3600));
    }

    #[test]
    fn unknown_placeholders_are_refused() {
        assert!(check_text("{id} {hours} {last_seen}").is_ok());
        assert!(check_text("{name}").is_err());
        assert!(check_object(json!({ "a": [{ "b": "{oops" }] }).as_object().expect("object")).is_err());
        assert!(moment("yesterday", 1).is_err());
    }
}

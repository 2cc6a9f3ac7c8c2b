//! Schemas that are one of several forms (`oneOf`, `anyOf`). Each form is compared with the one of the same name or
//! type; a form that has none is looked for among all.

use super::flat::{flat, merge};
use super::types::types_of;
use crate::compatibility::change::{Direction, Effect, Rule};
use crate::compatibility::walk::Walk;
use crate::publish::document::Object;
use serde_json::{Value, json};

const LISTS: [&str; 2] = ["oneOf", "anyOf"];

/// The forms of a schema that has any.
pub(super) fn of(schema: &Object) -> Option<Vec<Value>> {
    let list = LISTS.into_iter().find_map(|list| schema.get(list))?;
    list.as_array().cloned()
}

/// What holds whichever form it is.
pub(super) fn beside(schema: &Object) -> Object {
    schema.iter().filter(|(keyword, _)| !LISTS.contains(&keyword.as_str())).map(owned).collect()
}

fn owned((keyword, value): (&String, &Value)) -> (String, Value) {
    (keyword.clone(), value.clone())
}

/// The forms with what holds for each of them. A form that is a reference alone stays one, by whose name it is known.
pub(super) fn with_all(schema: &Object) -> Vec<Value> {
    let beside = beside(schema);
    let says_nothing = beside.keys().all(|keyword| is_annotation(keyword));
    of(schema)
        .unwrap_or_default()
        .into_iter()
        .map(|form| if says_nothing { form } else { json!({ "allOf": [form, beside] }) })
        .collect()
}

/// A schema without forms as forms: one for each of its types.
pub(super) fn split(written: &Value, schema: &Object) -> Vec<Value> {
    let types = schema.get("type").and_then(Value::as_array).filter(|types| types.len() > 1);
    let Some(types) = types else { return vec![written.clone()] };
    let of_type = |one: &Value| {
        let mut form = schema.clone();
        form.insert("type".to_owned(), one.clone());
        Value::Object(form)
    };
    types.iter().map(of_type).collect()
}

/// Says nothing of which values fit.
pub(super) fn is_annotation(keyword: &str) -> bool {
    const ANNOTATIONS: [&str; 11] = [
        "title",
        "description",
        "example",
        "examples",
        "deprecated",
        "externalDocs",
        "xml",
        "$comment",
        "readOnly",
        "writeOnly",
        "default",
    ];
    ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-")
}

/// Compares forms.
pub(super) fn compare(walk: &mut Walk<'_>, base: &[Value], next: &[Value], direction: Direction, part: &str) {
    let (mut before, mut now): (Vec<&Value>, Vec<&Value>) = (base.iter().collect(), next.iter().collect());
    let mut pairs = Vec::new();
    let (documents, mut pair) = ((walk.base, walk.next), |is_pair: &dyn Fn(&Value, &Value) -> bool| {
        before.retain(|form| match now.iter().position(|now| is_pair(form, now)) {
            Some(position) => {
                pairs.push(((*form).clone(), now.remove(position).clone()));
                false
            }
            None => true,
        });
    });
    pair(&|form, now| form.get("$ref").is_some() && form.get("$ref") == now.get("$ref"));
    pair(&|form, now| flat(documents.0, form) == flat(documents.1, now));
    pair(&|form, now| {
        let (form, now) = (flat(documents.0, form), flat(documents.1, now));
        let (form, now) = (types_of(&form), types_of(&now));
        form == now && form.len() == 1 && form.iter().all(|one| *one != "object")
    });
    // One object left on each side is the same under another name.
    if let ([form], [other]) = (before.as_slice(), now.as_slice())
        && types_of(&flat(documents.0, form)) == types_of(&flat(documents.1, other))
    {
        pairs.push(((*form).clone(), (*other).clone()));
        (before, now) = (Vec::new(), Vec::new());
    }
    for (form, now) in &pairs {
        super::compare(walk, form, now, direction, part);
    }
    for form in before {
        let has_one = next.iter().any(|now| fits(walk, form, now, direction, part));
        if direction == Direction::Received || !has_one {
            let detail = format!("a form is gone: {}", shown(walk.base, form));
            walk.affect(Rule::Form, Effect::Narrower, direction, part, detail);
        }
    }
    for form in now {
        let has_one = base.iter().any(|before| fits(walk, before, form, direction, part));
        if direction == Direction::Sent || !has_one {
            let detail = format!("a form is new: {}", shown(walk.next, form));
            walk.affect(Rule::Form, Effect::Wider, direction, part, detail);
        }
    }
}

/// Whether one form can follow another.
fn fits(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction, part: &str) -> bool {
    walk.is_harmless(|walk| super::compare(walk, base, next, direction, part))
}

/// What a form is called.
fn shown(document: &Value, form: &Value) -> String {
    if let Some(target) = form.get("$ref").and_then(Value::as_str) {
        return format!("`{}`", target.rsplit('/').next().unwrap_or(target));
    }
    let mut schema = Object::new();
    merge(&mut schema, flat(document, form));
    match schema.get("title").and_then(Value::as_str) {
        Some(title) => format!("`{title}`"),
        None => types_of(&schema).into_iter().collect::<Vec<_>>().join(" or "),
    }
}

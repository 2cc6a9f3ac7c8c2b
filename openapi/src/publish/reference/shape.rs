//! A schema as readers want it: the rows of a table, the shapes that it can have, or its values.

use serde_json::Value;

/// How deep members of members are shown that have no schema of their own.
const DEPTH: usize = 3;

/// The longest pattern that people read. What a longer one means stands in the description, and all of it in the
/// descriptor.
const PATTERN_MAX_LENGTH: usize = 100;

/// A part of what is written for a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands.
    Text(String),
    /// The name of a component schema.
    Schema(String),
}

/// What bounds a value, in the order in which it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// How many characters, as `1–128`.
    Length(String),
    /// How many items.
    Items(String),
    /// Which numbers.
    Range(String),
    /// A regular expression.
    Pattern(String),
    /// The value when it is absent.
    Default(String),
    /// The values that there are.
    Values(Vec<String>),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Name of the member; that of a member of a member has a dot.
    pub(super) name: String,
    pub(super) is_required: bool,
    pub(super) is_deprecated: bool,
    pub(super) kind: Vec<Piece>,
    pub(super) bounds: Vec<Bound>,
    /// Markdown.
    pub(super) description: String,
}

/// What a schema is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object with these members.
    Members(Vec<Row>),
    /// One of these.
    Variants(Vec<Piece>),
    /// One of these values, each with what it means (Markdown, maybe empty).
    Values(Vec<(String, String)>),
    /// Something else.
    Other(Vec<Piece>, Vec<Bound>),
}

impl Shape {
    /// The shape of a schema.
    pub(super) fn of(schema: &Value) -> Self {
        if let Some(variants) = list(schema, "oneOf").or_else(|| list(schema, "anyOf")) {
            return Self::Variants(joined(variants.iter().map(kind)));
        }
        if let Some(values) = list(schema, "enum") {
            let about = |at: usize| schema["x-enum-descriptions"][at].as_str().unwrap_or_default().to_owned();
            let values = values.iter().enumerate();
            return Self::Values(values.map(|(at, value)| (plain(value), about(at))).collect());
        }
        match rows(schema) {
            rows if rows.is_empty() => Self::Other(kind(schema), bounds(schema)),
            rows => Self::Members(rows),
        }
    }
}

/// The name of the component schema that a schema is, if it is one.
pub(super) fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The rows of an object's members.
fn rows(schema: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    collect(schema, "", DEPTH, &mut rows);
    rows
}

fn collect(schema: &Value, above: &str, depth: usize, rows: &mut Vec<Row>) {
    let required = list(schema, "required").map(Vec::as_slice).unwrap_or_default();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{above}{name}");
        rows.push(Row { is_required: required.iter().any(|one| one == name), ..row(&path, member) });
        // An array's items have the members of their own object.
        let (inner, step) =
            if member["items"].is_object() { (&member["items"], "[].") } else { (member, ".") };
        if depth > 0 {
            collect(inner, &format!("{path}{step}"), depth - 1, rows);
        }
    }
}

/// The row of a value, of which nobody has said whether it must be there.
pub(super) fn row(name: &str, schema: &Value) -> Row {
    Row {
        name: name.to_owned(),
        is_required: false,
        is_deprecated: schema["deprecated"] == true,
        kind: kind(schema),
        bounds: bounds(schema),
        description: schema["description"].as_str().unwrap_or_default().to_owned(),
    }
}

/// What a type is called, in a notation that needs no language.
pub(super) fn kind(schema: &Value) -> Vec<Piece> {
    if let Some(name) = referred(schema) {
        return vec![Piece::Schema(name.to_owned())];
    }
    if let Some(variants) = ["oneOf", "anyOf"].iter().find_map(|word| list(schema, word)) {
        return joined(variants.iter().map(kind));
    }
    if let Some([all]) = list(schema, "allOf").map(Vec::as_slice) {
        return kind(all);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return vec![text("any")],
    };
    joined(types.into_iter().map(|name| match name {
        "array" => {
            let items = kind(&schema["items"]);
            let is_several = items.len() > 1;
            let (open, close) = if is_several { ("(", ")[]") } else { ("", "[]") };
            [vec![text(open)], items, vec![text(close)]].concat()
        }
        "object" if schema["additionalProperties"].is_object() => {
            [vec![text("{ string: ")], kind(&schema["additionalProperties"]), vec![text(" }")]].concat()
        }
        _ => match schema["format"].as_str().filter(|_| name != "null") {
            Some(format) => vec![text(&format!("{name} <{format}>"))],
            None => vec![text(name)],
        },
    }))
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

/// Types with a bar between two.
fn joined(kinds: impl Iterator<Item = Vec<Piece>>) -> Vec<Piece> {
    let mut joined = Vec::new();
    for kind in kinds {
        if !joined.is_empty() {
            joined.push(text(" | "));
        }
        joined.extend(kind.into_iter().filter(|piece| *piece != text("")));
    }
    joined
}

fn bounds(schema: &Value) -> Vec<Bound> {
    // What bounds the items is said of the list.
    let items = &schema["items"];
    let items = if items.is_object() && items["properties"].is_null() { bounds(items) } else { Vec::new() };
    let own = [
        between(schema, "minLength", "maxLength").map(Bound::Length),
        between(schema, "minItems", "maxItems").map(Bound::Items),
        between(schema, "minimum", "maximum").map(Bound::Range),
        schema["pattern"]
            .as_str()
            .filter(|pattern| pattern.len() <= PATTERN_MAX_LENGTH)
            .map(|pattern| Bound::Pattern(pattern.to_owned())),
        schema.get("default").map(|value| Bound::Default(plain(value))),
        list(schema, "enum")
            .or_else(|| list(schema, "x-extensible-enum"))
            .map(|values| Bound::Values(values.iter().map(plain).collect())),
    ];
    own.into_iter().flatten().chain(items).collect()
}

/// What lies between two bounds, of which either may be absent.
fn between(schema: &Value, least: &str, most: &str) -> Option<String> {
    match (number(schema, least), number(schema, most)) {
        (Some(least), Some(most)) if least == most => Some(least),
        (Some(least), Some(most)) => Some(format!("{least}–{most}")),
        (Some(least), None) => Some(format!("≥ {least}")),
        (None, Some(most)) => Some(format!("≤ {most}")),
        (None, None) => None,
    }
}

fn number(schema: &Value, name: &str) -> Option<String> {
    let number = schema[name].as_number()?;
    let whole = number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() < 1e15);
    Some(whole.map_or_else(|| number.to_string(), |whole| format!("{whole:.0}")))
}

/// A value as it is written in a sentence.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn list<'s>(schema: &'s Value, name: &str) -> Option<&'s Vec<Value>> {
    schema[name].as_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(schema: &Value) -> String {
        let pieces = kind(schema).into_iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Schema(name) => format!("[{name}]"),
        });
        pieces.collect()
    }

    #[test]
    fn types_are_written_in_a_notation_that_needs_no_language() {
        for (schema, expected) in [
            (json!({"type": "string", "format": "date-time"}), "string <date-time>"),
            (json!({"type": ["string", "null"], "format": "uri"}), "string <uri> | null"),
            (json!({"$ref": "#/components/schemas/Job"}), "[Job]"),
            (json!({"anyOf": [{"$ref": "#/components/schemas/Job"}, {"type": "null"}]}), "[Job] | null"),
            (json!({"type": "array", "items": {"$ref": "#/components/schemas/Job"}}), "[Job][]"),
            (json!({"type": "array", "items": {"type": ["string", "null"]}}), "(string | null)[]"),
            (json!({"type": "object", "additionalProperties": {"type": "integer"}}), "{ string: integer }"),
            (json!({}), "any"),
        ] {
            assert_eq!(written(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn rows_say_what_must_be_there_and_what_bounds_it() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^x"},
            "b": {"type": "array", "maxItems": 3, "items": {"type": "object", "properties": {"c": {"type": "null"}}}},
        }});
        let Shape::Members(rows) = Shape::of(&schema) else { panic!("{schema} has members") };
        let names: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.is_required)).collect();
        assert_eq!(names, [("a", true), ("b", false), ("b[].c", false)]);
        assert_eq!(rows[0].bounds, [Bound::Length("1–5".to_owned()), Bound::Pattern("^x".to_owned())]);
        assert_eq!(rows[1].bounds, [Bound::Items("≤ 3".to_owned())]);
    }
}

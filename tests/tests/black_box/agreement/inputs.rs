//! JSON bodies: the sample of an operation with changes, valid and invalid.

use super::{INPUTS, STRIDE};
use argus_tests::published::{request_body, request_examples, resolve, shape_of};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::iter::once;

/// JSON texts for any place: of each type, of each way to write it, and nearly right.
const VALUES: [&str; 69] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "1.0",
    "1e2",
    "1.5",
    "-1.5",
    "1e-7",
    "59",
    "60",
    "3600.0",
    "36e2",
    "3600.5",
    "86401",
    "1e300",
    "-1e300",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    r#""""#,
    r#"" ""#,
    r#""a""#,
    r#""1""#,
    r#""null""#,
    r#""true""#,
    r#""a b""#,
    r#"" a""#,
    r#""a ""#,
    r#""a\u0000""#,
    r#""a\nb""#,
    r#""\u202ea""#,
    r#""a\u200db""#,
    r#""\u0645\u200c\u062e""#,
    r#""\ud83d\udcc1 \u00e9""#,
    r#""a\udb40\udc01b""#,
    r#""\udb40\udd00a""#,
    r#""\u845b\udb40\udd00""#,
    r#""\ud83d""#,
    r#""https://a.example/""#,
    r#""https://a.example:8443/b?c=%20""#,
    r#""https:///x""#,
    r#""https:a.example""#,
    r#""https://@a.example/""#,
    r#""https://a.example/\n""#,
    r#""https://a.example/%zz""#,
    r#""http://127.0.0.1:1/""#,
    r#""http://localhost/""#,
    r#""http://0177.0.0.1/""#,
    "[]",
    "[null]",
    "[[]]",
    "[1]",
    r#"[""]"#,
    r#"["a"]"#,
    r#"["a","a"]"#,
    "[{}]",
    r#"["https://a.example/"]"#,
    "{}",
    r#"{"a":1}"#,
    r#"{"a":{"b":[1.5,null,{"c":"\u0000"}]}}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"a":[{"b":1,"\u0062":2}]}"#,
    "nonsense",
];

/// A member of a body as it is written; none where it is left out.
type Member = (String, Option<String>);

/// What an operation's body is made from.
pub(super) struct Shape {
    properties: BTreeMap<String, &'static Value>,
    sample: BTreeMap<String, String>,
}

impl Shape {
    pub(super) fn of(schema: &'static Value, sample: &Value) -> Self {
        let properties = shape_of(schema, sample)["properties"].as_object().unwrap();
        let sample = sample.as_object().unwrap();
        Self {
            properties: properties.iter().map(|(name, schema)| (name.clone(), schema)).collect(),
            sample: sample.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        }
    }

    /// Every single change of the sample.
    fn changes(&self) -> Vec<Member> {
        let mut changes: Vec<Member> = vec![("colour".to_owned(), Some("1".to_owned()))];
        for (name, schema) in &self.properties {
            changes.extend([(name.clone(), None), (name.clone(), self.sample.get(name).cloned())]);
            let lists = lists(resolve(schema), INPUTS / self.properties.len());
            let numbers = numbers(resolve(schema), INPUTS / self.properties.len());
            let inside = inside(schema, self.sample.get(name));
            let values = VALUES.iter().map(ToString::to_string).chain(near(schema));
            let values = values.chain(lists).chain(numbers).chain(inside);
            changes.extend(values.map(|value| (name.clone(), Some(value))));
            changes.push((name.to_uppercase(), self.sample.get(name).cloned()));
        }
        changes
    }

    /// The sample with these changes.
    fn with(&self, changes: &[&Member]) -> String {
        let mut members = self.sample.clone();
        for (name, value) in changes {
            match value {
                Some(value) => members.insert(name.clone(), value.clone()),
                None => members.remove(name),
            };
        }
        written(members.iter())
    }

    /// The sample with each of its members twice.
    fn twice(&self) -> Vec<String> {
        self.sample.iter().map(|again| written(self.sample.iter().chain(once(again)))).collect()
    }
}

fn written<'a>(members: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let members: Vec<String> = members.map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// The shapes of an operation's body, one for each of its samples.
pub(super) fn shapes(id: &str, sample: &Value) -> Vec<Shape> {
    let examples = request_examples(id);
    let samples = if examples.is_empty() { vec![sample] } else { examples };
    samples.into_iter().map(|sample| Shape::of(request_body(id).unwrap(), sample)).collect()
}

/// What is changed inside of a member: of an object, or of the first object of a list.
fn inside(schema: &'static Value, sample: Option<&String>) -> Vec<String> {
    let sample = sample.map(|text| serde_json::from_str::<Value>(text).unwrap());
    let first = match &sample {
        Some(object @ Value::Object(_)) if resolve(schema).get("properties").is_some() => {
            let shape = Shape::of(schema, object);
            return shape.changes().iter().map(|change| shape.with(&[change])).chain(shape.twice()).collect();
        }
        Some(Value::Array(items)) if items.first().is_some_and(Value::is_object) => items[0].to_string(),
        _ => return Vec::new(),
    };
    let changed = inside(&schema["items"], Some(&first));
    let bounds = ["minItems", "maxItems"].into_iter().filter_map(|bound| schema[bound].as_u64());
    let counts = bounds.flat_map(|bound| [bound.saturating_sub(1), bound, bound + 1]);
    let lists = counts.map(|count| format!("[{}]", vec![first.as_str(); count as usize].join(",")));
    changed.into_iter().map(|item| format!("[{item}]")).chain(lists).collect()
}

/// Values at the bounds of a schema, on both sides.
pub(super) fn near(schema: &'static Value) -> Vec<String> {
    let schema = resolve(schema);
    let mut values = Vec::new();
    let bound = |name: &str| schema[name].as_u64().map(|bound| usize::try_from(bound).unwrap());
    let around = |bound: usize| [bound.saturating_sub(1), bound, bound + 1];
    for length in ["minLength", "maxLength"].into_iter().filter_map(bound).flat_map(around) {
        values.push(json!("\u{1f5c2}".repeat(length)).to_string());
        values.push(
            json!("https://a.example/".to_owned() + &"a".repeat(length.saturating_sub(18))).to_string(),
        );
    }
    for bound in ["minimum", "maximum"].into_iter().filter_map(|name| schema[name].as_f64()) {
        values.extend([-1.0, 0.0, 1.0].map(|step| format!("{:.0}", bound + step)));
    }
    for value in schema["enum"].as_array().into_iter().flatten() {
        values.extend([value.to_string(), value.to_string().to_uppercase(), json!([value]).to_string()]);
        values.push(json!({ value.as_str().unwrap(): null }).to_string());
    }
    for branch in schema["anyOf"].as_array().into_iter().flatten() {
        values.extend(near(branch));
    }
    if let Some(items) = schema.get("items") {
        let items = near(items);
        values.extend(items.iter().map(|item| format!("[{item}]")));
        for (index, count) in
            ["minItems", "maxItems"].into_iter().filter_map(bound).flat_map(around).enumerate()
        {
            let item = items.get(index % items.len().max(1)).map_or("\"a\"", String::as_str);
            values.push(format!("[{}]", vec![item; count].join(",")));
        }
    }
    values
}

/// Different lists of two and three items, of all kinds.
fn lists(schema: &'static Value, most: usize) -> impl Iterator<Item = String> {
    let items: Vec<String> = schema.get("items").map_or(Vec::new(), |items| {
        // Those at the bounds of the schema fit more often.
        VALUES.iter().map(ToString::to_string).chain(near(items)).chain(near(items)).collect()
    });
    let many = items.len();
    let list = move |turn: usize| {
        let pick = turn * STRIDE;
        let places = [pick, pick / many, pick / many / many];
        let items: Vec<&str> =
            places[..2 + turn % 2].iter().map(|place| items[place % many].as_str()).collect();
        format!("[{}]", items.join(","))
    };
    let mut known = HashSet::new();
    let turns = if many == 0 { 0 } else { 20 * INPUTS };
    (0..turns).map(list).filter(move |list| known.insert(list.clone())).take(most)
}

/// Different numbers from below the bounds of a schema to above them: whole ones, written in two ways, and others.
fn numbers(schema: &'static Value, most: usize) -> impl Iterator<Item = String> {
    let bounds = schema["minimum"].as_i64().zip(schema["maximum"].as_i64());
    let mut known = HashSet::new();
    let numbers = bounds.into_iter().flat_map(move |(least, greatest)| {
        let span = greatest - least + 1;
        (0..most).map(move |turn| {
            let number = least - span / 2 + (turn * STRIDE) as i64 % (2 * span);
            format!("{number}{}", ["", ".0", ".5"][turn % 3])
        })
    });
    numbers.filter(move |number| known.insert(number.clone()))
}

/// Different bodies: every single change first, then pairs of them: both fitting, one, or any.
pub(super) fn inputs(shape: &Shape, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let changes: Vec<Member> = shape.changes();
    let mut inputs = shape.twice();
    inputs.extend(["[]", "null", "\"a\"", "1", "", "{", "{} {}", "{}"].map(str::to_owned));
    inputs.extend(changes.iter().map(|change| shape.with(&[change])));
    let any: Vec<&Member> = changes.iter().collect();
    let fitting: Vec<&Member> = changes.iter().filter(|change| fits(&shape.with(&[change]))).collect();
    let mut known: HashSet<String> = inputs.iter().cloned().collect();
    for turn in 0..50 * INPUTS {
        if known.len() >= INPUTS {
            break;
        }
        let (first, second) = match turn % 3 {
            0 => (&fitting, &fitting),
            1 => (&fitting, &any),
            _ => (&any, &any),
        };
        let pair = turn / 3 * STRIDE % (first.len() * second.len());
        let (first, second) = (first[pair % first.len()], second[pair / first.len()]);
        let input = shape.with(&[first, second]);
        if known.insert(input.clone()) {
            inputs.push(input);
        }
    }
    inputs
}

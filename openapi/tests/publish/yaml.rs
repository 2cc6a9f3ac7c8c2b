//! The YAML document says the same to readers of YAML 1.1 and of YAML 1.2: each plain scalar is resolved by the
//! rules of both, and the outcome is the JSON document.

use argus_openapi::publish::sort;
use argus_openapi::published::{DESCRIPTOR_JSON, DESCRIPTOR_YAML, HOST_DESCRIPTORS};
use proptest::prelude::*;
use regress::Regex;
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// What YAML 1.1 (<https://yaml.org/type/>) and the core schema of YAML 1.2 take a plain scalar for, if not for a
/// text, as one pattern: PyYAML, Psych, SnakeYAML and go-yaml know parts of this and nothing beyond it.
static NO_TEXT: LazyLock<Regex> = LazyLock::new(|| {
    let patterns = [
        // null, booleans, merge and value keys
        "~|null|Null|NULL|",
        "y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
        "<<|=",
        // integers: binary, octal of 1.1 and of 1.2, decimal, hexadecimal, sexagesimal
        "[-+]?0b[01_]+|[-+]?0[0-7_]+|0o[0-7]+|[-+]?[0-9][0-9_]*|[-+]?0x[0-9a-fA-F_]+",
        "[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\\.[0-9_]*)?",
        // floats; the exponent of 1.2 needs neither point nor sign
        "[-+]?([0-9][0-9_]*)?\\.[0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+",
        "[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)",
        // timestamps
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \\t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\\.[0-9]*)?.*",
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    ];
    Regex::new(&format!("^({})$", patterns.join("|"))).unwrap()
});

/// A number that 1.1 and 1.2 read in the same way.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^-?(0|[1-9][0-9]*)(\\.[0-9]+(e[-+][0-9]+)?)?$").unwrap());

/// The value of a plain scalar, which must be the same by both versions.
fn resolve(plain: &str) -> Value {
    match plain {
        "null" => Value::Null,
        "true" => json!(true),
        "false" => json!(false),
        number if NUMBER.find(number).is_some() => serde_json::from_str(number).unwrap(),
        text => {
            assert!(NO_TEXT.find(text).is_none(), "a reader takes `{text}` for no text");
            json!(text)
        }
    }
}

/// Reads a document, event by event.
fn read(text: &str) -> Value {
    // Containers that are open, each with the key that waits for its value.
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    let mut whole = None;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.unwrap_or_else(|error| panic!("{error}\n{text}"));
        let done = match event {
            Event::MappingStart(..) => {
                open.push((json!({}), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push((json!([]), None));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => open.pop().unwrap().0,
            Event::Scalar(text, ScalarStyle::Plain, ..) => resolve(&text),
            Event::Scalar(text, ..) => json!(text),
            _ => continue,
        };
        match open.last_mut() {
            None => whole = Some(done),
            Some((Value::Array(items), _)) => items.push(done),
            Some((Value::Object(members), key)) => match key.take() {
                Some(key) => drop(members.insert(key, done)),
                None => *key = Some(done.as_str().expect("a key is a text").to_owned()),
            },
            Some(_) => unreachable!(),
        }
    }
    whole.unwrap()
}

#[test]
fn the_published_yaml_says_what_the_json_says_to_readers_of_either_version() {
    let parts = HOST_DESCRIPTORS.iter().map(|part| (part.json, part.yaml));
    for (json, yaml) in parts.chain([(DESCRIPTOR_JSON, DESCRIPTOR_YAML)]) {
        assert_eq!(read(yaml), serde_json::from_str::<Value>(json).unwrap());
        assert!(!yaml.lines().any(|line| line.starts_with("---") || line.starts_with("...")));
    }
}

/// Texts that some reader takes for something else, and texts that begin like an indicator.
const TRAPS: [&str; 72] = [
    "",
    " ",
    "~",
    "null",
    "Null",
    "y",
    "Y",
    "n",
    "yes",
    "Yes",
    "no",
    "NO",
    "on",
    "On",
    "off",
    "OFF",
    "true",
    "True",
    "false",
    "FALSE",
    "<<",
    "=",
    "0",
    "-1",
    "+1",
    "012",
    "0o14",
    "0b11",
    "0x1f",
    "1_000",
    "1:20",
    "190:20:30.15",
    "1e3",
    "1E3",
    "1.",
    ".5",
    "1.5e+3",
    "6.8523015e+5",
    ".inf",
    "-.Inf",
    ".NaN",
    "nan",
    "Infinity",
    "2026-05-08",
    "2026-5-8",
    "2026-05-08T12:00:00Z",
    "2026-05-08 12:00:00 +2",
    "---",
    "...",
    "--- a",
    "... a",
    "- a",
    "-",
    "? a",
    "?",
    ": a",
    ":",
    "a: b",
    "a:",
    "a #b",
    "#a",
    "&a",
    "*a",
    "!a",
    "!!str a",
    "|",
    ">-",
    "'a'",
    "\"a\"",
    "%YAML 1.1",
    "@a",
    "`a`",
];

#[test]
fn a_text_that_a_reader_could_take_for_something_else_stays_a_text() {
    for trap in
        TRAPS.iter().copied().chain(["[a]", "{a: b}", "a, b", "a\tb", "\ta", " a", "a ", "\\", "a\u{85}b"])
    {
        let document = json!({ trap: trap, "list": [trap, [trap], { trap: [trap] }], "text": format!("{trap}\n{trap}") });
        assert_eq!(read(&sort::yaml(&document)), document, "{trap:?}");
        assert_eq!(read(&sort::yaml(&json!(trap))), json!(trap));
    }
}

#[test]
fn the_reader_of_this_test_knows_a_trap_when_it_stands_there_unquoted() {
    for trap in
        ["yes", "2026-05-08", "2026-05-08T12:00:00Z", "012", "1:20", "~", "1e3", "=", "<<", ".inf", "0x1f"]
    {
        let outcome = std::panic::catch_unwind(|| read(&format!("a: {trap}\n")));
        assert!(outcome.is_err(), "{trap}");
    }
}

fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => "[ -~]{0,12}",
        2 => prop::sample::select(&TRAPS[..]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-z]{0,3}[\u{7f}-\u{a1}\u{2028}\u{2029}\u{feff}\u{10000}\r\t]{1,3}",
    ];
    prop_oneof![
        4 => line.clone(),
        1 => prop::collection::vec(line, 2..5).prop_map(|lines| lines.join("\n")),
        1 => "[a-z]{1100}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_filter_map("finite", |number| number.is_finite().then(|| json!(number))),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    // A failure prints its smallest case; a test leaves no file behind.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_read_as_it_was_written(value in value()) {
        let text = sort::yaml(&value);
        prop_assert_eq!(read(&text), value.clone());
        // libyaml, which most readers of YAML 1.1 are made of.
        prop_assert_eq!(serde_yaml_ng::from_str::<Value>(&text).unwrap(), value);
    }
}

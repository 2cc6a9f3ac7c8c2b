//! Texts for a path, a query or a header.

use super::STRIDE;
use super::inputs::near;
use serde_json::Value;
use std::collections::HashSet;

/// Enough for combinations of several parameters.
pub(super) const MANY: usize = 200;

/// Texts for any place.
const TEXTS: [&str; 32] = [
    "",
    " ",
    "0",
    "1",
    "7",
    "200",
    "201",
    "-1",
    "+1",
    "01",
    "1.0",
    "1e2",
    " 1",
    "1 ",
    "0x1",
    "4294967296",
    "many",
    "null",
    "true",
    "false",
    "True",
    "[]",
    "a",
    "a.b_c:d~e-f",
    "a%b",
    "a/b",
    "..",
    "a b",
    "a\tb",
    "\0",
    "\u{e9}",
    "\u{1f5c2}",
];

/// What a character is replaced by.
const REPLACEMENTS: [char; 8] = ['0', 'a', 'Z', '~', ' ', '%', '\u{e9}', '\0'];

/// Different texts for a schema, as many as that: usual ones, those at its bounds and these, each of them with one
/// character changed, and pairs of them.
pub(super) fn texts(schema: &'static Value, these: &[String], many: usize) -> Vec<String> {
    let near = near(schema).into_iter().filter_map(|value| match serde_json::from_str(&value).ok()? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let usual = TEXTS.iter().map(ToString::to_string);
    let first: Vec<String> = usual.chain(these.iter().cloned()).chain(near).collect();
    let pairs = first.len() * first.len();
    let pair = |turn: usize| {
        let pair = turn * STRIDE % pairs;
        first[pair % first.len()].clone() + &first[pair / first.len()]
    };
    let changed = these.iter().flat_map(|text| changed(text));
    let mut known = HashSet::new();
    let all = first.iter().cloned().chain(changed).chain((0..pairs).map(pair));
    all.filter(|text| known.insert(text.clone())).take(many).collect()
}

/// The text with each of its characters left out, doubled, and replaced.
fn changed(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let with = |place: usize, middle: &[char]| -> String {
        [&characters[..place], middle, &characters[place + 1..]].concat().into_iter().collect()
    };
    let places = 0..characters.len();
    places
        .flat_map(|place| {
            let own = characters[place];
            let others = REPLACEMENTS.map(|other| with(place, &[other]));
            [with(place, &[]), with(place, &[own, own])].into_iter().chain(others)
        })
        .collect()
}

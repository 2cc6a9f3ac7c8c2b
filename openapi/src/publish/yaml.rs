//! YAML that every reader takes for the same content, whether it resolves plain scalars as YAML 1.1 or as
//! YAML 1.2 does. A text stands without quotes only where no reader could see anything else in it.

use serde_json::{Number, Value};
use std::fmt::Write;

/// Spaces by which a level lies deeper than the one around it.
const STEP: usize = 2;

/// Readers may refuse a longer key that is not marked as one.
const KEY_LENGTH: usize = 1000;

/// What YAML 1.1 or 1.2, or a reader of either, takes for something other than a text although it begins with a
/// letter; in lower case.
const WORDS: [&str; 12] =
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];

/// The value as a YAML document.
pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    match is_block(value) {
        true => block(&mut text, value, 0, false),
        // Only inside of something else has a text of several lines a form of its own.
        false => text.push_str(&inline(value)),
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Whether a value takes lines of its own.
fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// Writes a mapping or a list line by line. Its first line may have begun already.
fn block(text: &mut String, value: &Value, indent: usize, mut begun: bool) {
    let mut line = |text: &mut String| {
        if !std::mem::take(&mut begun) {
            text.extend(std::iter::repeat_n(' ', indent));
        }
    };
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                line(text);
                text.push_str(&key_of(key, indent));
                match is_block(member) {
                    true => {
                        text.push('\n');
                        block(text, member, indent + STEP, false);
                    }
                    false => scalar(text, member, indent + STEP),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                line(text);
                text.push('-');
                match is_block(item) {
                    true => {
                        text.push(' ');
                        block(text, item, indent + STEP, true);
                    }
                    false => scalar(text, item, indent + STEP),
                }
            }
        }
        _ => {}
    }
}

/// A key with its colon.
fn key_of(key: &str, indent: usize) -> String {
    let written = string(key);
    if written.len() <= KEY_LENGTH { format!("{written}:") } else { format!("? {written}\n{:indent$}:", "") }
}

/// Writes what follows a key or a dash: on the same line, or as the lines of a text.
fn scalar(text: &mut String, value: &Value, indent: usize) {
    match value.as_str().and_then(literal) {
        Some((header, lines)) => {
            let _ = writeln!(text, " {header}");
            for line in lines.split('\n') {
                let indent = if line.is_empty() { 0 } else { indent };
                let _ = writeln!(text, "{:indent$}{line}", "");
            }
        }
        None => {
            let _ = writeln!(text, " {}", inline(value));
        }
    }
}

/// A text of several lines with the header under which it stands as it is, if there is such a header.
fn literal(text: &str) -> Option<(&'static str, &str)> {
    let (header, lines) = match text.strip_suffix('\n') {
        Some(lines) => ("|", lines),
        None => ("|-", text),
    };
    let readable = text.contains('\n')
        && !lines.ends_with('\n')
        && text.chars().all(|letter| letter == '\n' || is_printable(letter))
        // The indentation of the first line is that of all.
        && !text.starts_with([' ', '\n'])
        && !lines.is_empty();
    readable.then_some((header, lines))
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Number(number) => number_text(number),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        Value::Bool(_) | Value::Null => value.to_string(),
    }
}

/// YAML 1.1 knows a number with an exponent by its point and by the exponent's sign.
fn number_text(number: &Number) -> String {
    let text = number.to_string();
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{digits}{point}e{sign}{exponent}")
}

fn string(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Whether a text is one to every reader, without quotes: numbers, dates, merge keys and indicators begin with
/// neither a letter, nor a slash, nor a dollar sign.
fn is_plain(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || first == '$');
    begins
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(is_printable)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Between double quotes, with an escape for what cannot stand there as it is.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if is_printable(letter) => quoted.push(letter),
            letter => {
                let _ = match u32::from(letter) {
                    code @ 0..=0xff => write!(quoted, "\\x{code:02X}"),
                    code @ 0x100..=0xffff => write!(quoted, "\\u{code:04X}"),
                    code => write!(quoted, "\\U{code:08X}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

/// What YAML 1.1 and 1.2 both call printable, without tabs, line breaks, the byte order mark and what lies beyond
/// the basic plane, which some readers do not take.
fn is_printable(letter: char) -> bool {
    matches!(letter, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

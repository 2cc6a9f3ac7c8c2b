//! What the comparisons share: the two documents, the operation that they are at, and what they have found.

use super::change::{Change, Direction, Effect, Rule};
use serde_json::Value;
use std::fmt::Display;

/// A way through two documents at once.
pub(super) struct Walk<'d> {
    /// The document that clients were built from.
    pub(super) base: &'d Value,
    /// The document that is to follow it.
    pub(super) next: &'d Value,
    /// The operation whose parts are compared.
    pub(super) operation: String,
    /// What was found.
    pub(super) changes: Vec<Change>,
    /// The pairs of schemas that are being compared, by their names: a schema may hold itself.
    pub(super) open: Vec<(String, String)>,
}

impl<'d> Walk<'d> {
    pub(super) fn new(base: &'d Value, next: &'d Value) -> Self {
        Self { base, next, operation: String::new(), changes: Vec::new(), open: Vec::new() }
    }

    /// A change that breaks or does not, whichever way it goes.
    pub(super) fn report(&mut self, rule: Rule, breaks: bool, part: &str, detail: impl Display) {
        self.report_value(rule, breaks, part, None, detail);
    }

    /// The same of one value.
    pub(super) fn report_value(
        &mut self,
        rule: Rule,
        breaks: bool,
        part: &str,
        value: Option<&Value>,
        detail: impl Display,
    ) {
        self.changes.push(Change {
            rule,
            breaks,
            operation: self.operation.clone(),
            part: part.to_owned(),
            value: value.cloned(),
            detail: detail.to_string(),
        });
    }

    /// A change of which values fit.
    pub(super) fn affect(
        &mut self,
        rule: Rule,
        effect: Effect,
        direction: Direction,
        part: &str,
        detail: impl Display,
    ) {
        self.report(rule, effect.breaks(direction), part, detail);
    }

    /// Whether a comparison finds nothing that breaks. What it finds is forgotten.
    pub(super) fn is_harmless(&mut self, compare: impl FnOnce(&mut Self)) -> bool {
        let before = self.changes.len();
        compare(self);
        let breaks = self.changes.drain(before..).any(|change| change.breaks);
        !breaks
    }
}

/// The value, or what it refers to in its document.
pub(super) fn resolve<'d>(document: &'d Value, mut value: &'d Value) -> &'d Value {
    for _ in 0..16 {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        match target.and_then(|pointer| document.pointer(pointer)) {
            Some(target) => value = target,
            None => break,
        }
    }
    value
}

/// A part within another.
pub(super) fn within(part: &str, name: &str) -> String {
    if part.is_empty() { name.to_owned() } else { format!("{part}.{name}") }
}

/// Members of an object by name; none of anything else.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Texts of a list.
pub(super) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

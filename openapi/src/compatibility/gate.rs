//! Whether what breaks was announced. An announcement counts once a release has told it and its sunset has come:
//! what is written into the matrix together with the break has told nobody.

use super::change::{Change, Rule};
use super::compare;
use crate::deprecations::Deprecation;
use crate::types::common::Timestamp;
use serde_json::Value;

/// What became of a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing breaks by it.
    Harmless,
    /// The base announced it, and its time has come.
    Announced,
    /// The base announced it for later.
    TooEarly(Timestamp),
    /// The base announced it without a sunset: not that, nor when, it goes.
    WithoutSunset,
    /// Only the next document announces it.
    NotYetReleased,
    /// Nobody announced it.
    Unannounced,
}

impl Verdict {
    /// Whether the change may be published.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Harmless | Self::Announced)
    }
}

/// A change and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What changed.
    pub change: Change,
    /// What is to be said of it.
    pub verdict: Verdict,
}

/// Judges every change from a base, which is the last release, to the next document.
///
/// # Errors
///
/// One of them is no descriptor, or has announcements that cannot be read.
pub fn judge(base: &Value, next: &Value, now: Timestamp) -> Result<Vec<Judged>, String> {
    let (told, to_tell) = (announcements(base, "the base")?, announcements(next, "the next document")?);
    let verdict = |change: &Change| {
        if !change.breaks {
            return Verdict::Harmless;
        }
        let covering = |entries: &[Deprecation]| entries.iter().find(|entry| covers(entry, change)).cloned();
        match (covering(&told), covering(&to_tell)) {
            (Some(Deprecation { sunset_at: Some(sunset), .. }), _) if sunset <= now => Verdict::Announced,
            (Some(Deprecation { sunset_at: Some(sunset), .. }), _) => Verdict::TooEarly(sunset),
            (Some(_), _) => Verdict::WithoutSunset,
            (None, Some(_)) => Verdict::NotYetReleased,
            (None, None) => Verdict::Unannounced,
        }
    };
    let judged = compare(base, next)?.into_iter();
    let mut judged: Vec<Judged> = judged.map(|change| Judged { verdict: verdict(&change), change }).collect();
    judged.extend(told.iter().filter_map(|entry| brought_forward(entry, &to_tell)));
    Ok(judged)
}

/// A sunset that was told is a promise: it may be put off, and not brought forward.
fn brought_forward(told: &Deprecation, to_tell: &[Deprecation]) -> Option<Judged> {
    let now = to_tell.iter().find(|entry| entry.is_about_the_same(told))?.sunset_at?;
    let before = told.sunset_at.filter(|before| now < *before)?;
    let detail = format!("its sunset was told for {}, and is {}", before.to_rfc3339(), now.to_rfc3339());
    let change = Change {
        rule: Rule::Deprecation,
        breaks: true,
        operation: told.operation.clone(),
        part: told.part.clone().unwrap_or_default(),
        value: told.value.clone(),
        detail,
    };
    Some(Judged { change, verdict: Verdict::Unannounced })
}

/// What a document announces.
fn announcements(document: &Value, which: &str) -> Result<Vec<Deprecation>, String> {
    let members = document.as_object().into_iter().flatten();
    let matrices = members.filter(|(name, _)| name.starts_with("x-") && name.ends_with("-deprecations"));
    let mut all = Vec::new();
    for (name, matrix) in matrices {
        let lines: Vec<Deprecation> = serde_json::from_value(matrix.clone())
            .map_err(|error| format!("`{name}` of {which}: {error}"))?;
        all.extend(lines);
    }
    Ok(all)
}

/// Whether a change is of what a line announces: the operation, the part or what is below it, the value if it names
/// one.
fn covers(entry: &Deprecation, change: &Change) -> bool {
    let is_part = entry.part.as_deref().is_none_or(|part| {
        let below = change.part.strip_prefix(part);
        below.is_some_and(|below| below.is_empty() || below.starts_with(['.', '[', '{']))
    });
    let is_value = entry.value.is_none() || entry.value == change.value;
    entry.operation == change.operation && is_part && is_value
}

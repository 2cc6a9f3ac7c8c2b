//! Everything that is wrong with the files of scenarios, not only the first thing: members that do not fit the schema,
//! what makes no sense, and replies that would not be what is published.

use super::ScenarioError;
use super::replies;
use argus_sandbox::{Fault, FixtureError, Sandbox, partner};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

/// The mocks with these scenarios, each the name and the text of a file.
///
/// # Errors
///
/// Every fault of every file.
pub fn check(files: &[(String, String)]) -> Result<Sandbox, ScenarioError> {
    let mut faults = misfits(files);
    // The type that a file is read as stops at the first thing that the schema lists in full.
    let is_listed = |fault: &Fault| faults.iter().any(|listed: &Fault| listed.file == fault.file);
    let sandbox = match Sandbox::with_fixtures(files.to_vec()) {
        Ok(sandbox) => Some(sandbox),
        Err(error) => {
            let further = error.faults.into_iter();
            let further: Vec<_> = further.filter(|fault| fault.member == "id" || !is_listed(fault)).collect();
            faults.extend(further.into_iter().filter(|fault| !faults.contains(fault)).collect::<Vec<_>>());
            None
        }
    };
    match sandbox {
        Some(sandbox) if faults.is_empty() => {
            let faults = replies::misfits(&sandbox, files);
            if faults.is_empty() { Ok(sandbox) } else { Err(FixtureError { faults }.into()) }
        }
        _ => {
            let order = |fault: &Fault| files.iter().position(|(name, _)| *name == fault.file);
            faults.sort_by_key(|fault| (order(fault), fault.place));
            Err(FixtureError { faults }.into())
        }
    }
}

/// What does not fit the schema of a scenario.
fn misfits(files: &[(String, String)]) -> Vec<Fault> {
    let Ok(validator) = jsonschema::validator_for(&partner::schema()) else { return Vec::new() };
    let mut faults = Vec::new();
    for (name, text) in files {
        // What is no JSON at all is told by whoever reads it.
        let Ok(value) = serde_json::from_str::<Value>(text) else { continue };
        for error in validator.iter_errors(&value) {
            tell(&error, &mut |pointer, message| faults.push(Fault::at(name, text, pointer, message)));
        }
    }
    faults
}

/// Tells what to change, and where: a pointer.
pub(super) fn tell(error: &ValidationError<'_>, note: &mut dyn FnMut(&str, String)) {
    let at = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let step = name.replace('~', "~0").replace('/', "~1");
                note(&format!("{at}/{step}"), "there is no such member; take it away".to_owned());
            }
        }
        ValidationErrorKind::Required { property } => {
            note(at, format!("the member {property} is missing; add it"));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let values: Vec<String> = context.iter().flatten().flat_map(values).collect();
            let is_choice =
                context.iter().all(|errors| errors.iter().any(|error| !values_of(error).is_empty()));
            // Of an optional member: what is wrong with it, and not that it is there.
            let meant = context.iter().find(|errors| !errors.iter().any(|error| is_type(error, at)));
            match meant {
                _ if is_choice => note(at, format!("must be one of {}", values.join(", "))),
                Some(errors) => errors.iter().for_each(|error| tell(error, note)),
                None => note(at, error.to_string()),
            }
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
            note(at, format!("must be one of {}", values_of(error).join(", ")));
        }
        _ => note(at, error.to_string()),
    }
}

/// Whether the value at this place is of another type than the schema wants.
fn is_type(error: &ValidationError<'_>, at: &str) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { .. }) && error.instance_path().as_str() == at
}

fn values<'e>(error: &'e ValidationError<'_>) -> impl Iterator<Item = String> + use<'e> {
    values_of(error).into_iter()
}

/// The values that would have fitted.
fn values_of(error: &ValidationError<'_>) -> Vec<String> {
    match error.kind() {
        ValidationErrorKind::Enum { options } => match &**options {
            Value::Array(options) => options.iter().map(Value::to_string).collect(),
            other => vec![other.to_string()],
        },
        ValidationErrorKind::Constant { expected_value } => vec![expected_value.to_string()],
        _ => Vec::new(),
    }
}

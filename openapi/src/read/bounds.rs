//! Bounds of values that are already parsed.

use super::invalid;
use crate::types::error::Error;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

/// How many broken bounds a message names: a list can have thousands of items, each with its own.
const NAMED: usize = 10;

/// Where broken rules between members stand. The code of each is the member that does not fit the others.
const BETWEEN_MEMBERS: &str = "__all__";

/// The value, if it keeps its bounds.
///
/// # Errors
///
/// `invalid_request`, with the bounds that are broken, each with its place: `payload.profiles[3].relations`.
pub fn within_bounds<T: Validate>(value: T) -> Result<T, Error> {
    within_bounds_as(value, str::to_owned)
}

/// The value, if it keeps its bounds. `on_the_wire` is how a field is called in the request.
pub(super) fn within_bounds_as<T: Validate>(
    value: T,
    on_the_wire: impl Fn(&str) -> String,
) -> Result<T, Error> {
    match value.validate() {
        Ok(()) => Ok(value),
        Err(errors) => Err(invalid(explain(&errors, on_the_wire))),
    }
}

/// The broken bounds by place, in a stable order.
fn explain(errors: &ValidationErrors, on_the_wire: impl Fn(&str) -> String) -> String {
    let mut parts = Vec::new();
    collect(errors, &|field| on_the_wire(field), &mut parts);
    parts.sort();
    let more = parts.len().saturating_sub(NAMED);
    parts.truncate(NAMED);
    let mut message = parts.join("; ");
    if more > 0 {
        message.push_str(&format!("; and {more} more"));
    }
    message
}

/// The broken bounds of a value and of what is in it. `place` says where a field of the value stands.
fn collect(errors: &ValidationErrors, place: &dyn Fn(&str) -> String, parts: &mut Vec<String>) {
    for (field, kind) in errors.errors() {
        let own = place(field);
        match kind {
            ValidationErrorsKind::Field(errors) if field == BETWEEN_MEMBERS => {
                parts.extend(errors.iter().map(|error| explain_one(&place(&error.code), error)));
            }
            ValidationErrorsKind::Field(errors) => {
                parts.extend(errors.iter().map(|error| explain_one(&own, error)));
            }
            ValidationErrorsKind::Struct(inside) => {
                collect(inside, &|field| format!("{own}.{field}"), parts);
            }
            ValidationErrorsKind::List(items) => {
                for (index, inside) in items {
                    collect(inside, &|field| format!("{own}[{index}].{field}"), parts);
                }
            }
        }
    }
}

fn explain_one(field: &str, error: &ValidationError) -> String {
    if let Some(message) = &error.message {
        return format!("`{field}` {message}");
    }
    let bound = |name: &str| error.params.get(name).map(ToString::to_string);
    let unit = if error.code == "length" { " in length" } else { "" };
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => format!("`{field}` must be {min} to {max}{unit}"),
        (Some(min), None) => format!("`{field}` must be at least {min}{unit}"),
        (None, Some(max)) => format!("`{field}` must be at most {max}{unit}"),
        (None, None) => format!("`{field}` does not fit the contract"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::MediaType;
    use crate::types::common::PageQuery;
    use crate::types::jobs::JobCreate;
    use serde_json::json;

    #[test]
    fn every_broken_bound_is_named_in_a_stable_order() {
        let page = PageQuery { limit: Some(0), cursor: Some(String::new()) };
        let error = within_bounds(page).expect_err("out of bounds");
        assert_eq!(error.message, "`cursor` must be 1 to 1024 in length; `limit` must be 1 to 200");
        assert!(within_bounds(PageQuery::default()).is_ok());
    }

    fn import(relations: &[usize]) -> Result<JobCreate, Error> {
        let relation = json!({ "to": "p1", "label": "owner" });
        let profile = |count: &usize| {
            let relations = vec![&relation; *count];
            json!({ "id": "p2", "kind": "entity", "display_name": "P", "relations": relations })
        };
        let profiles: Vec<_> = relations.iter().map(profile).collect();
        let job = json!({ "kind": "import.bulk", "payload": { "profiles": profiles } });
        within_bounds(MediaType::Json.parse(job.to_string().as_bytes())?)
    }

    #[test]
    fn a_broken_bound_deep_in_a_body_is_named_with_its_path() {
        assert!(import(&[0, 100]).is_ok());
        assert_eq!(
            import(&[0, 101]).expect_err("too many").message,
            "`payload.profiles[1].relations` must be at most 100 in length"
        );
        assert_eq!(
            import(&[]).expect_err("too few").message,
            "`payload.profiles` must be 1 to 1000 in length"
        );
    }

    #[test]
    fn a_member_that_goes_with_others_alone_is_named_with_its_path() {
        let profile = |kind: &str| {
            let incident = json!({ "status": "on scene", "severity": "high" });
            json!({ "id": "p1", "kind": kind, "display_name": "P", "incident": incident })
        };
        let import = |kind: &str| {
            let job = json!({ "kind": "import.bulk", "payload": { "profiles": [profile("incident"), profile(kind)] } });
            within_bounds(MediaType::Json.parse::<JobCreate>(job.to_string().as_bytes())?)
        };
        assert!(import("incident").is_ok());
        for kind in ["wallet", "entity", "device"] {
            assert_eq!(
                import(kind).expect_err(kind).message,
                "`payload.profiles[1].incident` goes with the kind `incident` alone"
            );
        }
    }

    #[test]
    fn a_message_names_a_few_of_many_broken_bounds() {
        let message = import(&[101; 13]).expect_err("too many").message;
        assert_eq!(message.matches("must be at most 100 in length").count(), 10);
        assert!(message.ends_with("; and 3 more"), "{message}");
    }
}

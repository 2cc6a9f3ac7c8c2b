//! Bounds of values that are already parsed.

use super::invalid;
use crate::types::error::Error;
use validator::{Validate, ValidationError, ValidationErrors};

/// The value, if it keeps its bounds.
///
/// # Errors
///
/// `invalid_request`, with every bound that is broken.
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

/// The broken bounds by field, in a stable order.
fn explain(errors: &ValidationErrors, on_the_wire: impl Fn(&str) -> String) -> String {
    let mut parts: Vec<String> = errors
        .field_errors()
        .iter()
        .flat_map(|(field, errors)| {
            let field = on_the_wire(field);
            errors.iter().map(move |error| explain_one(&field, error))
        })
        .collect();
    parts.sort();
    parts.join("; ")
}

fn explain_one(field: &str, error: &ValidationError) -> String {
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
    use crate::types::common::PageQuery;

    #[test]
    fn every_broken_bound_is_named_in_a_stable_order() {
        let page = PageQuery { limit: Some(0), cursor: Some(String::new()) };
        let error = within_bounds(page).expect_err("out of bounds");
        assert_eq!(error.message, "`cursor` must be 1 to 1024 in length; `limit` must be 1 to 200");
        assert!(within_bounds(PageQuery::default()).is_ok());
    }
}

//! What a caller reads whose parameters or body do not fit the contract: which one, and what would.

use super::problem::{Outcome, Problem};
use schemars::JsonSchema;
use schemars::schema::{InstanceType, RootSchema, SchemaObject, SingleOrVec};
use serde::de::DeserializeOwned;
use validator::Validate;

/// The value, if it keeps its bounds. `on_the_wire` is how a field is called in the request.
pub(super) fn within_bounds<T: Validate>(value: T, on_the_wire: impl Fn(&str) -> String) -> Outcome<T> {
    match value.validate() {
        Ok(()) => Ok(value),
        Err(errors) => Err(Problem::invalid(explain(&errors, on_the_wire))),
    }
}

/// The broken bounds by field, in a stable order.
fn explain(errors: &validator::ValidationErrors, on_the_wire: impl Fn(&str) -> String) -> String {
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

fn explain_one(field: &str, error: &validator::ValidationError) -> String {
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

/// Why a query does not fit, with the parameter's name; none when it fits.
pub(super) fn query<T: DeserializeOwned + JsonSchema>(sent: &str) -> Option<String> {
    let deserializer = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(sent.as_bytes()));
    let error = serde_path_to_error::deserialize::<_, T>(deserializer).err()?;
    let (name, plain) = (error.path().to_string(), error.inner().to_string());
    if plain.contains(&format!("`{name}`")) || name == "." {
        return Some(plain);
    }
    // Only now, because it is not cheap.
    let schema = schemars::r#gen::SchemaGenerator::default().into_root_schema_for::<T>();
    Some(match expected(&schema, &name) {
        Some(expected) => format!("`{name}` must be {expected}"),
        None => format!("`{name}` does not fit: {plain}"),
    })
}

/// What a whole number's parameter takes, where its own error would only tell of digits.
fn expected(schema: &RootSchema, name: &str) -> Option<String> {
    let parameter: &SchemaObject = match schema.schema.object.as_ref()?.properties.get(name)? {
        schemars::schema::Schema::Object(parameter) => parameter,
        schemars::schema::Schema::Bool(_) => return None,
    };
    let whole = match parameter.instance_type.as_ref()? {
        SingleOrVec::Single(one) => **one == InstanceType::Integer,
        SingleOrVec::Vec(several) => several.contains(&InstanceType::Integer),
    };
    let bounds = parameter.number.as_ref();
    let bounds = bounds.map(|bounds| (bounds.minimum, bounds.maximum)).unwrap_or_default();
    whole.then(|| match bounds {
        (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
        (Some(min), None) => format!("a whole number of at least {min}"),
        (None, Some(max)) => format!("a whole number of at most {max}"),
        (None, None) => "a whole number".to_owned(),
    })
}

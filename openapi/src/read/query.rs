//! Query strings.

use super::quotation::{explained, quoted};
use super::{invalid, within_bounds};
use crate::types::error::Error;
use schemars::JsonSchema;
use schemars::schema::{InstanceType, RootSchema, Schema, SchemaObject, SingleOrVec};
use serde::de::DeserializeOwned;
use url::form_urlencoded;
use validator::Validate;

/// The parameters of a query string, which begins after the `?`, within their bounds.
///
/// # Errors
///
/// `invalid_request`, with the parameter that does not fit.
pub fn query<T: DeserializeOwned + JsonSchema + Validate>(sent: &str) -> Result<T, Error> {
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(sent.as_bytes()));
    match serde_path_to_error::deserialize(deserializer) {
        Ok(query) => within_bounds(query),
        Err(error) => Err(invalid(misfit::<T>(&error.path().to_string(), explained(error.inner())))),
    }
}

/// Why a query does not fit, with the parameter's name.
fn misfit<T: JsonSchema>(name: &str, plain: String) -> String {
    if plain.contains(&format!("`{}`", quoted(name))) || name == "." {
        return plain;
    }
    // Only now, because it is not cheap.
    let schema = schemars::r#gen::SchemaGenerator::default().into_root_schema_for::<T>();
    match expected(&schema, name) {
        Some(expected) => format!("`{name}` must be {expected}"),
        None => format!("`{}` does not fit: {plain}", quoted(name)),
    }
}

/// What a whole number's parameter takes, where its own error would only tell of digits.
fn expected(schema: &RootSchema, name: &str) -> Option<String> {
    let parameter: &SchemaObject = match schema.schema.object.as_ref()?.properties.get(name)? {
        Schema::Object(parameter) => parameter,
        Schema::Bool(_) => return None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::jobs::{JobKind, JobQuery};

    fn refused(sent: &str) -> String {
        query::<JobQuery>(sent).expect_err("it does not fit").message
    }

    #[test]
    fn a_query_that_fits_is_read() {
        let read: JobQuery = query("limit=7&kind=export.bulk&cursor=a%2Bb+c").expect("it fits");
        assert_eq!(
            (read.limit, read.kind, read.cursor.as_deref()),
            (Some(7), Some(JobKind::ExportBulk), Some("a+b c"))
        );
        assert_eq!(query::<JobQuery>("").expect("it may be empty").limit(), 50);
    }

    #[test]
    fn the_parameter_that_does_not_fit_is_named_with_what_would() {
        for limit in ["many", "", "+1", "01", "-1", "1.0", "1e2", "4294967296"] {
            let sent = format!("limit={}", limit.replace('+', "%2B"));
            assert_eq!(refused(&sent), "`limit` must be a whole number from 1 to 200", "{limit}");
        }
        assert_eq!(refused("limit=0"), "`limit` must be 1 to 200");
        let kind = refused("kind=nonsense");
        assert!(
            kind.starts_with("`kind` does not fit: invalid value: string \"nonsense\", expected one of `int"),
            "{kind}"
        );
        assert!(refused("colour=1").starts_with("unknown field `colour`"));
        assert_eq!(refused("limit=1&limit=2"), "duplicate field `limit`");
    }
}

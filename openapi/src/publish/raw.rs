//! Step 1: what dropshot says about the trait, as OpenAPI 3.0.3, internal routes included.

use super::PublishError;
use crate::CONTRACT_VERSION;
use crate::api::argus_api_mod;
use serde_json::Value;

/// The description of every route of the trait.
pub fn raw() -> Result<Value, PublishError> {
    let version = semver::Version::parse(CONTRACT_VERSION)
        .map_err(|error| PublishError::Description(error.to_string()))?;
    let api = argus_api_mod::stub_api_description()
        .map_err(|error| PublishError::Description(error.to_string()))?;
    api.openapi(super::TITLE, version).json().map_err(|error| PublishError::Description(error.to_string()))
}

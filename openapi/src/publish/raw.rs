//! Step 1: what dropshot says about the trait, as OpenAPI 3.0.3, internal routes included.

use super::PublishError;
use crate::Contract;
use serde_json::Value;

/// The description of every route of the trait.
pub fn raw(contract: &Contract) -> Result<Value, PublishError> {
    let version = semver::Version::parse(contract.version)
        .map_err(|error| PublishError::Description(error.to_string()))?;
    let api =
        (contract.publication.describe)().map_err(|error| PublishError::Description(error.to_string()))?;
    api.openapi(contract.title, version).json().map_err(|error| PublishError::Description(error.to_string()))
}

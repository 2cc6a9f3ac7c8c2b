//! Everything that is published, and the files that hold it.

use super::denylist::Denylist;
use super::{PublishError, catalog, descriptor_of, raw, sort};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that is published.
pub struct Published {
    /// The descriptor, OpenAPI 3.1.0.
    pub descriptor: Value,
    /// The API catalogue (RFC 9727).
    pub catalog: Value,
}

/// Runs the pipeline.
pub fn publish() -> Result<Published, PublishError> {
    Ok(Published {
        descriptor: descriptor_of(raw::raw()?, &Denylist::committed()?)?,
        catalog: catalog::catalog()?,
    })
}

impl Published {
    /// The generated files, by their path below `openapi`.
    pub fn files(&self) -> Result<BTreeMap<String, String>, PublishError> {
        Ok(BTreeMap::from([
            ("argus.json".to_owned(), sort::json(&self.descriptor)?),
            ("argus.yaml".to_owned(), sort::yaml(&self.descriptor)?),
            ("api-catalog.json".to_owned(), sort::json(&sort::sorted(self.catalog.clone()))?),
        ]))
    }
}

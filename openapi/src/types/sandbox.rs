//! The sandbox's scenario catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A set of canned data that a sandbox token can be pinned to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scenario {
    /// The value that `scenarios` takes when a sandbox token is minted.
    pub id: String,
    /// Short name.
    pub label: String,
    /// What the sandbox returns under this scenario.
    pub description: String,
}

/// The scenario catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioList {
    /// Every scenario, in catalogue order.
    pub scenarios: Vec<Scenario>,
}

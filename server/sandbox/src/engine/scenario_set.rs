//! The set of scenarios that a token is pinned to.

use argus_openapi::read::quoted;
use std::fmt;

/// Scenarios that a token is pinned to: sorted, without repetition, known to the catalogue. The
/// empty set asks for the mixed rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScenarioSet {
    ids: Vec<String>,
}

impl ScenarioSet {
    /// Sorts and deduplicates ids that the catalogue has.
    pub(crate) fn new(mut ids: Vec<String>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self { ids }
    }

    /// The ids, sorted.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Whether nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// A scenario id that the catalogue does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownScenario {
    /// The id that was asked for.
    pub id: String,
    /// The ids that the catalogue has, in its order.
    pub valid: Vec<String>,
}

impl fmt::Display for UnknownScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown scenario {:?}; the valid ids are {}", quoted(&self.id), self.valid.join(", "))
    }
}

impl std::error::Error for UnknownScenario {}

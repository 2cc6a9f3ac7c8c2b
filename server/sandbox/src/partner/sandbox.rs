//! The partner sandbox: what is prepared once for all replies.

use crate::engine::answer;
use crate::engine::documented::Documented;
use crate::engine::mock::{self, Caller, Mock};
use crate::engine::reply::{MockReply, json};
use crate::engine::scenario_set::{ScenarioSet, UnknownScenario};
use crate::partner::fixture::{self, Fixture, FixtureError, FixtureView};
use crate::partner::graphql::documents::ApprovedDocuments;
use crate::partner::jobs::listed::{ListedJob, listed};
use argus_openapi::types::error::Error;
use argus_openapi::types::sandbox::{Scenario, ScenarioList};
use argus_openapi::{Host, Operation, published};
use bytes::Bytes;
use std::fmt;

/// Everything that replies are made from: fixtures, approved documents, documented statuses. It
/// never changes after it was built, and can be shared freely.
#[derive(Clone)]
pub struct Sandbox {
    /// What signed URLs begin with.
    pub(crate) base_url: String,
    pub(crate) documents: ApprovedDocuments,
    pub(crate) jobs: Vec<ListedJob>,
    /// The rendered scenario catalogue.
    pub(crate) scenario_list: Bytes,
    fixtures: Vec<Fixture>,
    scenarios: Vec<Scenario>,
    documented: Documented,
}

/// What the mocks of this product are given.
pub(crate) type Context<'a> = mock::Context<'a, Sandbox>;

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("scenarios", &self.scenarios).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// The sandbox with the scenarios that ship with it.
    ///
    /// # Panics
    ///
    /// Never: the shipped fixtures are part of the program, and a test loads them.
    pub fn load() -> Self {
        Self::with_fixtures([]).expect("the shipped fixtures are valid")
    }

    /// The sandbox with an operator's own scenarios after the shipped ones. Each item is a file's
    /// name, for messages, and its text.
    ///
    /// # Errors
    ///
    /// When a text is not a fixture, or its scenario id is taken; the error names file and place.
    pub fn with_fixtures(more: impl IntoIterator<Item = (String, String)>) -> Result<Self, FixtureError> {
        let fixtures = fixture::all(more)?;
        let scenarios: Vec<Scenario> = fixtures.iter().map(|fixture| fixture.scenario.clone()).collect();
        Ok(Self {
            base_url: Host::Sandbox.public_url().to_owned(),
            documents: ApprovedDocuments::load(),
            jobs: listed(),
            scenario_list: json(&ScenarioList { scenarios: scenarios.clone() }).into(),
            documented: Documented::from_descriptor(published::DESCRIPTOR_JSON),
            scenarios,
            fixtures,
        })
    }

    /// The same sandbox, reached under this base URL. Replies name it, so that every node has to be given the
    /// same one.
    #[must_use]
    pub fn under(&self, base_url: String) -> Self {
        Self { base_url, ..self.clone() }
    }

    /// What the URLs begin with that replies name.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The scenarios, in catalogue order.
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// The scenarios that do not ship.
    pub fn own_scenarios(&self) -> &[Scenario] {
        &self.scenarios[fixture::ROTATED..]
    }

    /// Whether an operation documents a status, so that `Prefer: code` can ask for it.
    ///
    /// # Errors
    ///
    /// `preference_not_supported`, with the statuses that it documents.
    pub fn check_forced(&self, operation: Operation, status: u16) -> Result<(), Error> {
        let documented = self.documented.response(operation, status);
        documented.map(|_| ()).ok_or_else(|| self.documented.unsupported(operation, status))
    }

    /// The set of these scenarios, as a token pins it.
    ///
    /// # Errors
    ///
    /// When an id is not in the catalogue; the error names the valid ones.
    pub fn scenario_set(&self, ids: &[String]) -> Result<ScenarioSet, UnknownScenario> {
        match ids.iter().find(|id| self.scenarios.iter().all(|scenario| scenario.id != **id)) {
            None => Ok(ScenarioSet::new(ids.to_vec())),
            Some(unknown) => Err(UnknownScenario {
                id: unknown.clone(),
                valid: self.scenarios.iter().map(|scenario| scenario.id.clone()).collect(),
            }),
        }
    }

    /// Whether the catalogue has every scenario of a set.
    pub fn has(&self, scenarios: &ScenarioSet) -> bool {
        scenarios.ids().iter().all(|id| self.scenarios.iter().any(|scenario| scenario.id == *id))
    }

    /// Answers a request: the same bytes for the same request, for ever.
    pub fn answer(&self, caller: &Caller<'_>, mock: &impl Mock<Data = Self>) -> MockReply {
        answer::answer(&self.documented, self, caller, mock)
    }

    /// The fixtures, as a caller sees them.
    pub(crate) fn fixtures<'a>(&'a self, caller: &Caller<'a>) -> FixtureView<'a> {
        self.every_fixture(caller.scenarios)
    }

    /// The fixtures, under these scenarios.
    pub(crate) fn every_fixture<'a>(&'a self, scenarios: &'a ScenarioSet) -> FixtureView<'a> {
        FixtureView { all: &self.fixtures, scenarios }
    }
}

//! The sandbox as an environment, and how a call in it is answered.

use super::call::Call;
use super::problem::Outcome;
use super::render::Mocked;
use argus_core::Context;
use argus_core::context::Environment;
use argus_openapi::headers::PREFER;
use argus_sandbox::{Mock, Preferences, ScenarioSet};
use std::sync::Arc;

/// Made-up data and no effects.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The scenarios that the token is pinned to.
    pub scenarios: Arc<ScenarioSet>,
    /// What answers.
    pub mocks: Arc<argus_sandbox::Sandbox>,
}

impl Environment for Sandbox {}

impl<B> Call<'_, Context<Sandbox>, B> {
    /// What the sandbox answers to this caller, its preferences considered.
    pub fn mock(&self, mock: &impl Mock<Data = argus_sandbox::Sandbox>) -> Outcome<Mocked> {
        // A list, so that it may be repeated (RFC 7240, section 2).
        let preferences = Preferences::parse(PREFER.list(self.request().headers())?)?;
        let (principal, environment) = (&self.caller.principal, self.caller.environment());
        let caller = argus_sandbox::Caller {
            tenant_id: principal.tenant_id.as_str(),
            organization_id: principal.organization_id.as_str(),
            secrecy_level: principal.secrecy_level,
            scenarios: &environment.scenarios,
            preferences: &preferences,
        };
        Ok(Mocked(environment.mocks.answer(&caller, mock)))
    }
}

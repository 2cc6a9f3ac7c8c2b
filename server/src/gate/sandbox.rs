//! The sandbox as an environment, and how a call in it is answered.

use super::call::Call;
use super::header;
use super::problem::Outcome;
use super::render::Mocked;
use super::sandbox_calls::Session;
use argus_core::Context;
use argus_core::context::Environment;
use argus_sandbox::{Mock, Preferences};
use std::sync::Arc;

/// Made-up data and no effects.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The token: the scenarios that it is pinned to, and what is called with it.
    pub(super) session: Arc<Session>,
}

impl Environment for Sandbox {}

impl<B> Call<'_, Context<Sandbox>, B> {
    /// What the sandbox answers to this caller, its preferences considered.
    pub fn mock(&self, mock: &impl Mock<Data = argus_sandbox::Sandbox>) -> Outcome<Mocked> {
        // A list, so that it may be repeated (RFC 7240, section 2).
        let preferences = Preferences::parse(header::PREFER.list(self.request())?)?;
        let principal = &self.caller.principal;
        let caller = argus_sandbox::Caller {
            tenant_id: principal.tenant_id.as_str(),
            organization_id: principal.organization_id.as_str(),
            secrecy_level: principal.secrecy_level,
            scenarios: &self.caller.environment().session.scenarios,
            preferences: &preferences,
        };
        Ok(Mocked(self.app().sandbox.answer(&caller, mock)))
    }
}

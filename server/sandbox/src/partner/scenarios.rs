//! The scenario catalogue.

use crate::engine::digest::Frame;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::sandbox::{Context, Sandbox};
use argus_openapi::Operation;

/// `sandbox_scenario_list`
pub struct SandboxScenarioList;

impl Mock for SandboxScenarioList {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::SandboxScenarioList;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, _: &mut Frame) {
        let Self = self;
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        Ok(Reply::rendered(200, context.data.scenario_list.clone()))
    }
}

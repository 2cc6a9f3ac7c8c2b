//! What an operation's mock says of itself, and what it is given. What it answers with lives in
//! [`super::reply`], the way from one to the other in [`super::answer`].

use crate::engine::digest::{Digest, Frame};
use crate::engine::preferences::Preferences;
use crate::engine::reply::Answer;
use crate::engine::scenario_set::ScenarioSet;
use argus_openapi::Operation;
use argus_openapi::types::common::SecrecyLevel;

/// One operation of the sandbox. The implementor holds the inputs of a request that the gate has let
/// through and whose parts fit the contract types.
pub trait Mock {
    /// What replies are made from besides the request. The product's, so that the engine does not
    /// know it.
    type Data;

    /// The operation that is asked for.
    const OPERATION: Operation;

    /// Whether the virtual clock has a say in the reply.
    const SHOWS_TIME: bool;

    /// Whether the reply shows the caller's tenant, so that it belongs into the digest.
    const SHOWS_TENANT: bool;

    /// Adds path, query and body to the digest input, field by field in canonical form. Inputs are
    /// taken apart exhaustively, so that none is forgotten and a secret that stays out is seen to.
    fn frame(&self, frame: &mut Frame);

    /// What the operation answers.
    ///
    /// # Errors
    ///
    /// Errors that the operation documents; the engine renders them.
    fn answer(&self, context: &Context<'_, Self::Data>) -> Answer;
}

/// Who asks, as far as a reply may depend on it.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Tenant of the token.
    pub tenant_id: &'a str,
    /// Organisation of the token.
    pub organization_id: &'a str,
    /// Clearance of the token.
    pub secrecy_level: SecrecyLevel,
    /// Scenarios that the token is pinned to.
    pub scenarios: &'a ScenarioSet,
    /// The request's `Prefer` values.
    pub preferences: &'a Preferences,
}

/// What a mock is given besides its inputs.
pub struct Context<'a, D> {
    pub(crate) data: &'a D,
    pub(crate) caller: &'a Caller<'a>,
    /// Stands for the whole request.
    pub(crate) digest: Digest,
    /// Where `argus-clock` puts the clock, in seconds after the start.
    pub(crate) clock: Option<u32>,
    /// A success status that the caller wants.
    pub(crate) forced: Option<u16>,
}

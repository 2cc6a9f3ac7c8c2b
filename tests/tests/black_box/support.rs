//! What several suites need: tokens, and a tenant for the samples.

use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Samples, TestServer, audience, claims};

/// The binary under test.
pub(crate) fn binary() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_BIN_EXE_argus-under-test"))
}

/// A token of a host's audience with these scopes.
pub(crate) fn token(server: &TestServer, host: Host, tenant_id: &str, scopes: &[Scope]) -> String {
    server.sign(&claims(audience(host), tenant_id, scopes))
}

/// Every scope that there is, the operator's included.
pub(crate) fn every_scope() -> Vec<Scope> {
    Scope::catalogue().chain([Scope::InternalOperate]).collect()
}

/// The samples of the contract for a new tenant.
pub(crate) async fn samples(server: &TestServer) -> Samples {
    let tenancy = server.tenant().await;
    Samples::new(&ARGUS, &tenancy.tenant_id, &tenancy.organization_id)
}

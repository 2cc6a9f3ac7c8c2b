//! What several suites need: tokens, and a tenant for the samples.

use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Names, TestServer, audience, claims};

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

/// A tenant whose requests the samples are.
pub(crate) async fn names(server: &TestServer) -> Names {
    let tenancy = server.tenant().await;
    Names { tenant_id: tenancy.tenant_id, organization_id: tenancy.organization_id }
}

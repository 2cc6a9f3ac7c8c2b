//! What several suites need: a tenant with its apps, and names for the samples.

use argus_openapi::types::scopes::Scope;
use argus_openapi::{Host, Operation};
use argus_partner::claims::{AUDIENCE_LIVE, AUDIENCE_SANDBOX};
use argus_tests::{Names, Tenancy, TestServer, claims};
use serde_json::json;

/// The binary under test.
pub(crate) fn binary() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_BIN_EXE_argus-under-test"))
}

/// The audience of a host's tokens.
pub(crate) fn audience(host: Host) -> &'static str {
    if host == Host::Sandbox { AUDIENCE_SANDBOX } else { AUDIENCE_LIVE }
}

/// A token of a host's audience with these scopes.
pub(crate) fn token(server: &TestServer, host: Host, tenant_id: &str, scopes: &[Scope]) -> String {
    server.sign(&claims(audience(host), tenant_id, scopes))
}

/// Every scope that there is, the operator's included.
pub(crate) fn every_scope() -> Vec<Scope> {
    Scope::catalogue().chain([Scope::InternalOperate]).collect()
}

/// Real names for the samples.
pub(crate) async fn names(server: &TestServer, tenancy: &Tenancy) -> Names {
    let scopes: Vec<Scope> = Scope::catalogue().collect();
    let app = tenancy.app(&scopes).await;
    tenancy.govern(&app.client_id, &json!({"allow_service_tokens": true})).await.expect(200);
    let token = token(server, Host::Sandbox, &tenancy.tenant_id, &scopes);
    let mut names = Names {
        client_id: app.client_id,
        credentials: tenancy.app(&scopes).await,
        tenant_id: tenancy.tenant_id.clone(),
        organization_id: tenancy.organization_id.clone(),
        job_id: String::new(),
        webhook_id: String::new(),
    };
    let create = |operation, names: &Names| {
        let request = argus_tests::sample(operation, names).request(server, Host::Sandbox);
        server.send(request.bearer_auth(&token))
    };
    names.job_id = create(Operation::JobCreate, &names).await.expect(201).text("id");
    names.webhook_id = create(Operation::WebhookCreate, &names).await.expect(201).text("id");
    names
}

//! Profiles on the live host: who may see them, and what an enrichment leaves behind. What the connectors do is tested
//! in `connectors`.

use argus_core::audit;
use argus_core::context::Context;
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Caller, TestServer, on_both_engines};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    a_profile_is_viewed_as_it_was_imported
    a_profile_that_a_caller_may_not_see_is_like_none
    without_connectors_an_enrichment_says_so_of_each_source_and_makes_nothing_up
    an_enrichment_stands_in_the_audit_trail
}

const PROFILES: [Scope; 2] = [Scope::ProfilesRead, Scope::ProfilesWrite];

async fn put(server: &TestServer, caller: &Caller, id: &str, kind: ProfileKind, secrecy_level: SecrecyLevel) {
    server.put_profile(&caller.tenancy.tenant_id, id, kind, secrecy_level).await;
}

async fn a_profile_is_viewed_as_it_was_imported(server: TestServer) {
    let caller = server.caller(Host::Api, &PROFILES).await;
    put(&server, &caller, "p1", ProfileKind::Device, SecrecyLevel::Standard).await;
    let profile = caller.get("/v1/profiles/p1").await.expect(200).json();
    let expected = json!({
        "id": "p1", "kind": "device", "display_name": "Profile p1", "secrecy_level": "standard",
        "risk": {"score": 10, "level": "low"}, "finding_codes": [], "incident": null,
        "created_at": profile["created_at"], "updated_at": profile["updated_at"],
    });
    assert_eq!(profile, expected);
}

async fn a_profile_that_a_caller_may_not_see_is_like_none(server: TestServer) {
    let (caller, stranger) =
        (server.caller(Host::Api, &PROFILES).await, server.caller(Host::Api, &PROFILES).await);
    put(&server, &caller, "open", ProfileKind::Wallet, SecrecyLevel::Standard).await;
    put(&server, &caller, "closed", ProfileKind::Wallet, SecrecyLevel::Restricted).await;
    for (who, id) in [(&caller, "nobody"), (&caller, "closed"), (&stranger, "open"), (&stranger, "closed")] {
        let path = format!("/v1/profiles/{id}");
        let viewed = who.get(&path).await;
        let enriched = who.post(&format!("{path}/enrich"), &json!({})).await;
        for answer in [viewed, enriched] {
            assert_eq!(answer.expect_error(404, "not_found"), "no such profile", "{id}");
        }
    }
    let mut claims = server.claims(Host::Api, &caller.tenancy.tenant_id, &PROFILES);
    claims.secrecy_level = SecrecyLevel::Restricted;
    let cleared = Caller { token: server.sign(&claims), ..caller };
    for id in ["open", "closed"] {
        cleared.get(&format!("/v1/profiles/{id}")).await.expect(200);
        cleared.post(&format!("/v1/profiles/{id}/enrich"), &json!({})).await.expect(200);
    }
}

/// The outcomes of an enrichment, by their sources.
fn statuses(enrichment: &Value) -> Vec<String> {
    let outcomes = enrichment["outcomes"].as_array().unwrap();
    outcomes.iter().map(|outcome| format!("{} {}", outcome["source"], outcome["status"])).collect()
}

async fn without_connectors_an_enrichment_says_so_of_each_source_and_makes_nothing_up(server: TestServer) {
    let caller = server.caller(Host::Api, &PROFILES).await;
    put(&server, &caller, "p1", ProfileKind::Wallet, SecrecyLevel::Standard).await;
    // The body is optional.
    let request = caller.request(Method::POST, "/v1/profiles/p1/enrich");
    let answer = caller.send(request).await.expect(200);
    let enrichment = answer.json();
    assert_eq!(
        statuses(&enrichment),
        [
            "\"osint\" \"not_configured\"",
            "\"finance\" \"not_configured\"",
            "\"dispatch\" \"not_applicable\"",
            "\"epcr\" \"not_applicable\"",
            "\"telemetry\" \"not_applicable\"",
        ]
    );
    assert_eq!((&enrichment["findings"], &enrichment["risk"]["score"]), (&json!([]), &json!(10)));
    assert_eq!(enrichment["trace_id"], answer.header("x-argus-trace-id"));
    let chosen = json!({"sources": ["telemetry", "finance", "telemetry"]});
    let enrichment = caller.post("/v1/profiles/p1/enrich", &chosen).await.expect(200).json();
    assert_eq!(enrichment["sources"], json!(["finance", "telemetry"]));
    assert_eq!(statuses(&enrichment), ["\"finance\" \"not_configured\"", "\"telemetry\" \"not_applicable\""]);
}

async fn an_enrichment_stands_in_the_audit_trail(server: TestServer) {
    let caller = server.caller(Host::Api, &PROFILES).await;
    put(&server, &caller, "p1", ProfileKind::Entity, SecrecyLevel::Standard).await;
    caller.post("/v1/profiles/p1/enrich", &json!({})).await.expect(200);
    caller.post("/v1/profiles/p2/enrich", &json!({})).await.expect(404);
    let (app, tenancy) = (server.state(), &caller.tenancy);
    let (tenant_id, organization_id) =
        (tenancy.tenant_id.parse().unwrap(), tenancy.organization_id.parse().unwrap());
    let context = Context::of_operator(tenant_id, organization_id, app.clock.clone());
    let events =
        app.database.requests.read(&context, |reader| Ok::<_, argus_core::Error>(audit::list(reader, 100)?));
    let events: Vec<String> = events
        .await
        .unwrap()
        .into_iter()
        .filter(|event| event.action.starts_with("profile."))
        .map(|event| format!("{} {} {}", event.actor, event.action, event.subject))
        .collect();
    assert_eq!(events, ["app_of_a_test profile.enrich p1"]);
}

//! Scopes beyond a tenant's allowance: pending, and in no token, until an administrator approves them.

use super::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, Tenancy, TestServer, on_both_engines, sql};
use serde_json::{Value, json};

on_both_engines! {
    a_scope_beyond_the_allowance_is_pending_and_in_no_token_until_it_is_approved
    every_scope_but_those_of_the_platform_is_allowed_until_the_operator_says_otherwise
    an_app_whose_scopes_all_wait_gets_no_token
    only_what_the_app_has_requested_is_approved_and_a_refused_approval_changes_nothing
    two_administrators_at_a_time_do_not_undo_each_others_approval
    an_allowance_counts_for_its_tenant_alone_and_from_then_on
    what_the_operator_says_wrongly_is_refused
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// Has the operator say which scopes a tenant's apps get.
fn allow(server: &TestServer, tenancy: &Tenancy, scopes: &str) {
    let said =
        server.command(binary(), &["tenant", "set", "--tenant", &tenancy.tenant_id, "--scopes", scopes]);
    assert!(said.status.success(), "{said:?}");
    let line = format!("{}  scopes {scopes}\n", tenancy.tenant_id);
    assert_eq!(String::from_utf8(said.stdout).unwrap(), line);
}

/// Registers an app that asks for these scopes.
async fn register(tenancy: &Tenancy, scopes: &[Scope]) -> Value {
    let registration =
        json!({"name": "App", "grant_types": ["client_credentials"], "requested_scopes": scopes});
    tenancy.post("/v1/platform/apps", &registration).await.expect(201).json()
}

async fn approve(tenancy: &Tenancy, app: &Value, scopes: &[Scope]) -> Answer {
    tenancy.govern(text(app, "client_id"), &json!({"approve_scopes": scopes})).await
}

fn text<'a>(app: &'a Value, member: &str) -> &'a str {
    app[member].as_str().unwrap()
}

/// What the app asked for and what waits of it, which the view and the list say alike.
async fn scopes(tenancy: &Tenancy, app: &Value) -> (Value, Value) {
    let path = format!("/v1/platform/apps/{}", text(app, "client_id"));
    let viewed = tenancy.get(&path).await.expect(200).json();
    let listed = tenancy.get("/v1/platform/apps").await.expect(200).json();
    assert!(listed["apps"].as_array().unwrap().contains(&viewed), "{listed} {viewed}");
    (viewed["requested_scopes"].clone(), viewed["pending_scopes"].clone())
}

/// Asks for a token with these scopes, or with all.
async fn ask(server: &TestServer, app: &Value, scope: &str) -> Answer {
    let basic = Some((text(app, "client_id"), text(app, "client_secret")));
    server.token_request(&[GRANT, ("scope", scope)], basic).await
}

async fn a_scope_beyond_the_allowance_is_pending_and_in_no_token_until_it_is_approved(server: TestServer) {
    let tenancy = server.tenant().await;
    allow(&server, &tenancy, "webhooks:read argus:jobs:read");
    let asked = [Scope::JobsRead, Scope::WebhooksWrite, Scope::GraphqlExecute];
    let app = register(&tenancy, &asked).await;
    let pending = json!([Scope::WebhooksWrite, Scope::GraphqlExecute]);
    assert_eq!((&app["requested_scopes"], &app["pending_scopes"]), (&json!(asked), &pending));
    assert_eq!(scopes(&tenancy, &app).await, (json!(asked), pending));

    tenancy.govern(text(&app, "client_id"), &json!({"allow_service_tokens": true})).await.expect(200);
    let path = format!("/v1/platform/apps/{}", text(&app, "client_id"));
    let service = async || {
        let body = json!({"scopes": [Scope::WebhooksWrite]});
        tenancy.post(&format!("{path}/service-token"), &body).await
    };
    assert_eq!(ask(&server, &app, "").await.expect(200).text("scope"), "argus:jobs:read");
    let refused = ask(&server, &app, "webhooks:write").await.expect(400);
    assert_eq!(refused.text("error"), "invalid_scope");
    service().await.expect_error(400, "scope_not_approved");
    let sandbox = tenancy.post(&format!("{path}/sandbox-token"), &json!({})).await.expect(200).json();
    for scope in [Scope::WebhooksWrite, Scope::GraphqlExecute] {
        assert!(!sandbox["scopes"].as_array().unwrap().contains(&json!(scope)), "{sandbox}");
    }

    let governed = approve(&tenancy, &app, &[Scope::WebhooksWrite]).await.expect(200).json();
    assert_eq!(governed["pending_scopes"], json!([Scope::GraphqlExecute]));
    let expected = json!({
        "allow_service_tokens": true, "enforce_pkce": true, "suspended": false, "tokens_not_before": null,
        "approved_bundles": [],
    });
    assert_eq!(governed["governance"], expected);
    assert_eq!(scopes(&tenancy, &app).await, (json!(asked), json!([Scope::GraphqlExecute])));
    assert_eq!(ask(&server, &app, "").await.expect(200).text("scope"), "argus:jobs:read webhooks:write");
    service().await.expect(200);
    // Said again it is as it was.
    approve(&tenancy, &app, &[Scope::WebhooksWrite, Scope::JobsRead]).await.expect(200);

    let audited = "SELECT action || ' ' || subject AS line FROM audit_events \
        WHERE action IN ('tenant.scopes.set', 'app.scopes.approve') ORDER BY id";
    let audited = sql::lines(&mut server.connect(), audited).unwrap();
    let expected = [
        format!("tenant.scopes.set {}", tenancy.tenant_id),
        format!("app.scopes.approve {}", text(&app, "client_id")),
    ];
    assert_eq!(audited, expected);
}

async fn every_scope_but_those_of_the_platform_is_allowed_until_the_operator_says_otherwise(
    server: TestServer,
) {
    let tenancy = server.tenant().await;
    let every: Vec<Scope> = Scope::catalogue().collect();
    let app = register(&tenancy, &every).await;
    assert_eq!(app["pending_scopes"], json!([Scope::PlatformRead, Scope::PlatformAdmin]));
    let granted = ask(&server, &app, "").await.expect(200);
    assert!(!granted.text("scope").contains("platform"), "{granted:?}");
    let token = granted.text("access_token");
    let refused = server.get(Host::Auth, "/v1/platform/scopes", Some(&token)).await;
    refused.expect_error(403, "insufficient_scope");
    approve(&tenancy, &app, &[Scope::PlatformRead]).await.expect(200);
    let token = ask(&server, &app, "argus:platform:read").await.expect(200).text("access_token");
    server.get(Host::Auth, "/v1/platform/scopes", Some(&token)).await.expect(200);
}

async fn an_app_whose_scopes_all_wait_gets_no_token(server: TestServer) {
    let tenancy = server.tenant().await;
    let app = register(&tenancy, &[Scope::PlatformAdmin]).await;
    for scope in ["", "argus:platform:admin", "argus:platform:read"] {
        assert_eq!(ask(&server, &app, scope).await.expect(400).text("error"), "invalid_scope", "{scope}");
    }
}

async fn only_what_the_app_has_requested_is_approved_and_a_refused_approval_changes_nothing(
    server: TestServer,
) {
    let tenancy = server.tenant().await;
    let app = register(&tenancy, &[Scope::JobsRead, Scope::PlatformRead]).await;
    let change =
        json!({"allow_service_tokens": true, "approve_scopes": ["argus:platform:read", "webhooks:read"]});
    let refused = tenancy.govern(text(&app, "client_id"), &change).await;
    let message = refused.expect_error(409, "conflict");
    assert!(message.contains("`approve_scopes`") && message.contains("webhooks:read"), "{message}");
    for (scopes, named) in [
        (json!([]), "approve_scopes"),
        (json!(["argus:everything"]), "argus:everything"),
        (json!(["argus:internal:operate"]), "argus:internal:operate"),
    ] {
        let refused = tenancy.govern(text(&app, "client_id"), &json!({"approve_scopes": scopes})).await;
        let message = refused.expect_error(400, "invalid_request");
        assert!(message.contains(named), "{message}");
    }
    let stranger = server.tenant().await;
    approve(&stranger, &app, &[Scope::PlatformRead]).await.expect_error(404, "not_found");
    let path = format!("/v1/platform/apps/{}", text(&app, "client_id"));
    let viewed = tenancy.get(&path).await.expect(200).json();
    assert_eq!(viewed["pending_scopes"], json!([Scope::PlatformRead]));
    assert_eq!(viewed["governance"]["allow_service_tokens"], false);
}

async fn two_administrators_at_a_time_do_not_undo_each_others_approval(server: TestServer) {
    let tenancy = server.tenant().await;
    allow(&server, &tenancy, "argus:jobs:read");
    let every: Vec<Scope> = Scope::catalogue().collect();
    let app = register(&tenancy, &every).await;
    let approvals = every.iter().map(|scope| approve(&tenancy, &app, std::slice::from_ref(scope)));
    for answer in futures::future::join_all(approvals).await {
        answer.expect(200);
    }
    assert_eq!(scopes(&tenancy, &app).await.1, json!([]));
    let granted = ask(&server, &app, "").await.expect(200).text("scope");
    assert_eq!(granted.split(' ').count(), every.len());
}

async fn an_allowance_counts_for_its_tenant_alone_and_from_then_on(server: TestServer) {
    let [tenancy, other] = [server.tenant().await, server.tenant().await];
    let before = register(&tenancy, &[Scope::WebhooksRead]).await;
    allow(&server, &tenancy, "argus:jobs:read");
    let after = register(&tenancy, &[Scope::WebhooksRead]).await;
    let theirs = register(&other, &[Scope::WebhooksRead]).await;
    assert_eq!(scopes(&tenancy, &before).await.1, json!([]));
    assert_eq!(scopes(&other, &theirs).await.1, json!([]));
    assert_eq!(scopes(&tenancy, &after).await.1, json!([Scope::WebhooksRead]));
    allow(&server, &tenancy, "webhooks:read argus:jobs:read");
    assert_eq!(scopes(&tenancy, &after).await.1, json!([Scope::WebhooksRead]), "nobody has approved it");
    let app = register(&tenancy, &[Scope::WebhooksRead]).await;
    assert_eq!(scopes(&tenancy, &app).await.1, json!([]));
}

async fn what_the_operator_says_wrongly_is_refused(server: TestServer) {
    let tenancy = server.tenant().await;
    let known = tenancy.tenant_id.as_str();
    for (tenant, scopes, said) in [
        (known, "argus:everything", "argus:jobs:read"),
        (known, "argus:internal:operate", "argus:jobs:read"),
        (known, "", "argus:jobs:read"),
        ("tnt_that_nobody_has", "argus:jobs:read", "tenant"),
    ] {
        let refused = server.command(binary(), &["tenant", "set", "--tenant", tenant, "--scopes", scopes]);
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && told.contains(said), "{refused:?}");
    }
}

//! What an app does for a user, as the audit trail has it: both are named. What it does for itself names no user.

use super::{EMAIL, PASSWORD, Scene, register, text, tokens};
use crate::black_box::webhooks::WEBHOOKS;
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, Receiver, Tab, TestServer, on_both_engines, sql};
use serde_json::json;

on_both_engines! {
    what_an_app_does_for_a_user_names_both_in_the_audit_trail
}

/// Another user of the tenant.
const OTHER: &str = "grace@example.com";

impl Scene {
    async fn subscribe(&self, token: &str, url: &str) -> String {
        let body = json!({"url": url, "events": ["job.succeeded"]});
        let created: Answer = self.server.post(Host::Auth, "/v1/webhooks", token, &body).await;
        created.expect(201).text("id")
    }
}

async fn what_an_app_does_for_a_user_names_both_in_the_audit_trail(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let scopes = [&WEBHOOKS[..], &[Scope::ProfilesRead, Scope::ProfilesWrite]].concat();
    let grants = json!(["authorization_code", "client_credentials"]);
    let app = register(&scene.tenancy, &json!({"requested_scopes": scopes, "grant_types": grants})).await;
    (scene.client_id, scene.client_secret) = (text(&app, "client_id"), text(&app, "client_secret"));
    let receiver = Receiver::start().await;
    let tenant_id = scene.tenancy.tenant_id.clone();
    let mut expected = Vec::new();
    for (email, profile) in [(EMAIL, "p1"), (OTHER, "p2")] {
        let user = scene.server.person(&tenant_id, email).await;
        scene.tab = Tab::new(&scene.server);
        scene.tab.sign_in(email, PASSWORD).await.expect(303);
        let code = scene.allow(&[("scope", "")]).await["code"].clone();
        let token = tokens(&scene.exchange(&code).await).access;
        let webhook = scene.subscribe(&token, &receiver.url()).await;
        scene.server.put_profile(&tenant_id, profile, ProfileKind::Entity, SecrecyLevel::Standard).await;
        let path = format!("/v1/profiles/{profile}/enrich");
        scene.server.post(Host::Api, &path, &token, &json!({"sources": ["osint"]})).await.expect(200);
        for (action, subject) in [("webhook.create", webhook.as_str()), ("profile.enrich", profile)] {
            expected.push(format!("{action} {subject} by {} for {}", scene.client_id, user.id));
        }
    }
    let own = scene.token(&[("grant_type", "client_credentials")]).await.expect(200).text("access_token");
    let webhook = scene.subscribe(&own, &receiver.url()).await;
    expected.push(format!("webhook.create {webhook} by {} for nobody", scene.client_id));
    let trail = format!(
        "SELECT action || ' ' || subject || ' by ' || actor || ' for ' || coalesce(user_id, 'nobody') AS line \
         FROM audit_events WHERE tenant_id = '{tenant_id}' AND action IN ('webhook.create', 'profile.enrich') \
         ORDER BY occurred_at, id"
    );
    assert_eq!(sql::lines(&mut scene.server.connect(), &trail).unwrap(), expected);
}

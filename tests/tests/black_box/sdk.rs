//! The SDK against the real hosts: what a partner's program does in its first minutes, and the same bytes
//! as raw HTTP. How the SDK retries, caches and refuses is tested in the SDK itself.

use argus_core::limits::{Rate, Rates};
use argus_openapi::Host;
use argus_openapi::published::DESCRIPTOR_JSON;
use argus_openapi::types::scopes::Scope;
use argus_sdk::webhooks::{SANDBOX_SECRET, VerificationError, Verifier, WEBHOOK_TIMESTAMP};
use argus_sdk::{
    ArgusClient, Credentials, Environment, ErrorKind, JobFilter, ResponseExt, TokenVerifier, WaitOptions,
    types,
};
use argus_tests::{AppCredentials, Installation, TestServer, Witness};
use futures::TryStreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::json;
use std::time::Duration;

/// The hosts, with a witness of all that the SDK is answered.
fn environment(witness: &Witness) -> Environment {
    let [auth, api, sandbox] = Host::ALL.map(|host| witness.url(host));
    Environment::custom(&auth, &api, &sandbox).unwrap()
}

/// A partner with an app for everything that the sandbox serves.
async fn partner(server: &TestServer) -> AppCredentials {
    let scopes: Vec<Scope> = Scope::partner().chain([Scope::PlatformRead]).collect();
    server.app(&scopes).await
}

fn sandbox_client(witness: &Witness, app: &AppCredentials) -> ArgusClient {
    let admin = Credentials::token(app.tenancy.admin_token.clone());
    let credentials = Credentials::sandbox(admin, &app.client_id).scenarios(["wallet.high-risk"]);
    let environment = environment(witness).using_sandbox();
    ArgusClient::builder().environment(environment).credentials(credentials).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_and_raw_http_get_the_same_answer() {
    let server = TestServer::start();
    let app = partner(&server).await;
    let witness = Witness::before(&server).await;
    let client = sandbox_client(&witness, &app);
    let job = types::EnrichJob::of(["p1", "p2"]);
    let through_the_sdk = client.job_create().body(job).send().await.unwrap();
    assert!(through_the_sdk.is_sandbox());

    let token = app.sandbox_token(&["wallet.high-risk"]).await;
    let body = json!({"kind": "intelligence.enrich.bulk", "payload": {"profile_ids": ["p1", "p2"]}});
    let raw = server.json(Host::Sandbox, Method::POST, "/v1/jobs", &token, &body).await.expect(201);
    assert_eq!(raw.json(), serde_json::to_value(&*through_the_sdk).unwrap());
    assert_eq!(raw.text("trace_id"), raw.header("x-argus-trace-id"));

    let job = client.wait_for_job(&raw.text("id"), WaitOptions::default()).await.unwrap();
    let viewed = server.get(Host::Sandbox, &format!("/v1/jobs/{}", job.id), Some(&token)).await.expect(200);
    // The SDK's types leave out what is `null`, so both sides go through them.
    let viewed: types::Job = serde_json::from_slice(&viewed.body).unwrap();
    assert_eq!(serde_json::to_value(&viewed).unwrap(), serde_json::to_value(&job).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_streams_every_page() {
    let server = TestServer::start();
    let app = partner(&server).await;
    let witness = Witness::before(&server).await;
    let client = sandbox_client(&witness, &app);
    let filter = JobFilter { page_size: 7.try_into().ok(), ..JobFilter::default() };
    let streamed: Vec<_> = client.stream_jobs(filter).try_collect().await.unwrap();
    let token = app.sandbox_token(&["wallet.high-risk"]).await;
    let listed = server.get(Host::Sandbox, "/v1/jobs?limit=200", Some(&token)).await.expect(200).json();
    assert_eq!(serde_json::to_value(&streamed).unwrap(), listed["jobs"]);
    assert_eq!(listed["total_count"], streamed.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_verifies_what_the_sandbox_would_deliver() {
    let server = TestServer::start();
    let app = partner(&server).await;
    let witness = Witness::before(&server).await;
    let client = sandbox_client(&witness, &app);
    let subscription = types::WebhookCreate::builder()
        .url("https://partner.example.com/hooks")
        .events(vec![types::WebhookEvent::JobSucceeded])
        .secret(Some("a secret that nobody guesses".parse().unwrap()));
    let webhook = client.webhook_create().body(subscription).send().await.unwrap();
    let deliveries: Vec<_> = client.stream_webhook_deliveries(&webhook.id).try_collect().await.unwrap();
    assert!(!deliveries.is_empty());
    for delivery in deliveries {
        let verifier = Verifier::new(SANDBOX_SECRET);
        verifier.verify_listed(&delivery).unwrap();
        let refused = |verifier: &Verifier, delivery| verifier.verify_listed(delivery).unwrap_err();
        let another = Verifier::new("another secret altogether");
        assert_eq!(refused(&another, &delivery), VerificationError::WrongSignature);
        let mut changed = delivery.clone();
        changed.request.body.push(' ');
        assert_eq!(refused(&verifier, &changed), VerificationError::WrongSignature);
        let mut later = delivery.clone();
        later.attempted_at = later.attempted_at.map(|at| at + Duration::from_secs(301));
        assert_eq!(refused(&verifier, &later), VerificationError::TooOld);
        let mut stripped = delivery.clone();
        stripped.request.headers.remove(WEBHOOK_TIMESTAMP);
        assert_eq!(refused(&verifier, &stripped), VerificationError::MissingHeader(WEBHOOK_TIMESTAMP));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_the_sandbox_verifies_at_its_own_time_and_is_a_replay_at_the_time_of_day() {
    let server = TestServer::start();
    let app = partner(&server).await;
    let token = app.sandbox_token(&[]).await;
    let body = json!({"url": "https://partner.example.com/hooks", "events": ["job.failed"], "secret": "0123456789abcdef"});
    let webhook = server.json(Host::Sandbox, Method::POST, "/v1/webhooks", &token, &body).await.expect(201);
    let path = format!("/v1/webhooks/{}/deliveries", webhook.text("id"));
    let listed = server.get(Host::Sandbox, &path, Some(&token)).await.expect(200).json();
    for delivery in listed["deliveries"].as_array().unwrap() {
        let request = &delivery["request"];
        let headers: HeaderMap = request["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
                (name.parse::<HeaderName>().unwrap(), value)
            })
            .collect();
        let body = request["body"].as_str().unwrap().as_bytes();
        let attempted_at: chrono::DateTime<chrono::Utc> =
            delivery["attempted_at"].as_str().unwrap().parse().unwrap();
        let verifier = Verifier::new(SANDBOX_SECRET);
        verifier.verify_at(&headers, body, attempted_at.into()).unwrap();
        // Too old, or too new for a clock that is wrong.
        let today = verifier.verify(&headers, body);
        assert!(matches!(today, Err(VerificationError::TooOld | VerificationError::TooNew)), "{today:?}");
    }
}

#[test]
fn the_secret_that_the_contract_tells_is_the_sdk_s() {
    let descriptor: serde_json::Value = serde_json::from_str(DESCRIPTOR_JSON).unwrap();
    let listing = &descriptor["paths"]["/v1/webhooks/{webhook_id}/deliveries"]["get"];
    let text = listing["description"].as_str().unwrap();
    let told: Vec<&str> = text.split('`').filter(|part| part.starts_with("whsec_")).collect();
    assert_eq!(told, [SANDBOX_SECRET]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_gets_a_live_token_and_verifies_it_with_the_published_keys() {
    let server = TestServer::start();
    let app = partner(&server).await;
    let witness = Witness::before(&server).await;
    let credentials = Credentials::client(&app.client_id, app.client_secret.as_str());
    let client =
        ArgusClient::builder().environment(environment(&witness)).credentials(credentials).build().unwrap();
    let viewed = client.app_view().client_id(app.client_id.as_str()).send().await.unwrap();
    assert_eq!(viewed.tenant_id, app.tenancy.tenant_id);
    assert!(!viewed.is_sandbox());

    let token = app.live_token(&[Scope::JobsRead]).await;
    let verifier = TokenVerifier::builder(environment(&witness)).build().unwrap();
    let claims = verifier.verify(&token).await.unwrap();
    assert_eq!(
        (claims.tenant_id.as_str(), claims.client_id.as_str()),
        (&*app.tenancy.tenant_id, &*app.client_id)
    );
    assert!(claims.has_scope("argus:jobs:read") && !claims.has_scope("argus:jobs:write"));
    // A live environment takes no sandbox token.
    let sandbox_token = app.sandbox_token(&[]).await;
    assert!(verifier.verify(&sandbox_token).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_says_when_to_come_back_after_too_many_wrong_secrets() {
    let mut installation = Installation::sqlite();
    let never = Duration::from_secs(3_600);
    installation.settings.limits = Rates::of_failures(Rate::new(1, never));
    let server = TestServer::from(installation);
    let app = partner(&server).await;
    let witness = Witness::before(&server).await;
    let client = |secret: &str| {
        let credentials = Credentials::client(&app.client_id, secret);
        ArgusClient::builder().environment(environment(&witness)).credentials(credentials).build().unwrap()
    };
    let guess = async || client("a wrong secret").job_list().send().await.unwrap_err();
    let error: argus_sdk::Error = guess().await.into();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let error: argus_sdk::Error = guess().await.into();
    assert_eq!((error.kind(), error.code()), (ErrorKind::RateLimited, Some("temporarily_unavailable")));
    assert!(error.retry_after().is_some_and(|wait| wait <= never && wait > never / 2), "{error:?}");
    client(&app.client_secret).job_list().send().await.unwrap();
}

//! Two servers: one on which jobs are worked on, and one on which they wait. Each has both hosts, and one tenant
//! with the same scopes on either.

use super::cases::{Bearer, Body, Case, State};
use argus_openapi::contract::ARGUS;
use argus_openapi::row::OperationRow;
use argus_openapi::types::scopes::Scope;
use argus_openapi::{Access, Host};
use argus_partner::connectors::System;
use argus_tests::{Answer, Deed, Installation, Sample, Samples, TestProvider, TestServer, audience, claims};
use http::Method;
use serde_json::{Value, json};
use std::ops::Deref;
use std::time::Duration;
use tokio::time::Instant;

/// What no host has made.
const UNKNOWN: &str = "01HFXYZ9A7Q3M5N8P2R4T6V8WB";

pub(super) struct Scene {
    /// What the live host asks about profiles; the sandbox's scenarios take its place there.
    _provider: TestProvider,
    working: Node,
    waiting: Node,
}

/// A server and the one tenant that asks it.
struct Node {
    server: TestServer,
    samples: Samples,
}

impl Node {
    async fn of(server: TestServer) -> Self {
        let tenancy = server.tenant().await;
        Self { samples: Samples::new(&ARGUS, &tenancy.tenant_id, &tenancy.organization_id), server }
    }
}

impl Deref for Node {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

impl Scene {
    pub(super) async fn set() -> Self {
        let finding = json!({
            "code": "sanctions_match", "source": "osint", "severity": "high", "summary": "It was found.",
            "observed_at": "2026-05-08T11:58:00Z", "evidence": {"list": "OFAC SDN"},
        });
        let provider = TestProvider::start("token-of-a-test", Deed::Find(json!([finding]))).await;
        let mut installation = Installation::sqlite();
        installation.settings.connectors.providers = [(System::Osint, provider.provider())].into();
        let working = Node::of(TestServer::from(installation)).await;
        let waiting = Node::of(TestServer::without_workers()).await;
        let scene = Self { _provider: provider, working, waiting };
        // So that an export has something in it.
        let profiles = json!([{"id": "p1", "kind": "wallet", "display_name": "Cold wallet 7"}]);
        let import = json!({"kind": "import.bulk", "payload": {"profiles": profiles}});
        let id = scene.create(&scene.working, Host::Api, &import).await;
        scene.ended(&scene.working, &id, "succeeded").await;
        // So that a page of two has one behind it, as on the sandbox.
        for _ in 0..3 {
            for server in [&scene.working, &scene.waiting] {
                scene.create(server, Host::Api, &export()).await;
            }
        }
        scene
    }

    /// The server on which a case finds its state.
    fn server(&self, state: State) -> &Node {
        match state {
            State::Waiting | State::CancelledNow | State::Cancelled => &self.waiting,
            State::AsMade | State::Succeeded | State::Failed | State::Unknown | State::NoIdentifier => {
                &self.working
            }
        }
    }

    /// The sample of an operation, whose resources are made on the host.
    pub(super) async fn sample(&self, row: &'static OperationRow, state: State, host: Host) -> Sample {
        let node = self.server(state);
        let mut sample = node.samples.of(node, row, host).await;
        if row.id == "object_view" {
            self.lead_to_result(&mut sample, host).await;
        }
        let id = match state {
            State::AsMade => return sample,
            State::Unknown => UNKNOWN.to_owned(),
            State::NoIdentifier => "a%20b".to_owned(),
            _ => self.job(state, host).await,
        };
        sample.path_parameters.iter_mut().for_each(|(_, value)| value.clone_from(&id));
        sample
    }

    /// What a host answers to a case.
    pub(super) async fn answer(&self, case: &Case, host: Host) -> Answer {
        let server = self.server(case.state);
        let mut sample = self.sample(case.row, case.state, host).await;
        if let Some(method) = &case.method {
            sample.method = method.clone();
        }
        if let Some(query) = &case.query {
            sample.query.clone_from(query);
        }
        if let Some(body) = &case.body {
            sample.body = match body {
                Body::None => None,
                Body::Of(media_type, content) => Some((media_type, content.clone())),
            };
        }
        // A key that was used before is a case of its own.
        if case.times == 1 {
            sample.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("idempotency-key"));
        }
        sample.headers.extend(case.headers.iter().cloned());
        // What has to have happened before is this very request.
        for _ in 1..case.times {
            server.send(self.request(server, &sample, case, host)).await;
        }
        server.send(self.request(server, &sample, case, host)).await
    }

    fn request(&self, server: &Node, sample: &Sample, case: &Case, host: Host) -> reqwest::RequestBuilder {
        let request = server.sample(host, sample);
        let other = if host == Host::Sandbox { Host::Api } else { Host::Sandbox };
        match case.bearer {
            _ if matches!(case.row.access, Access::Public | Access::SignedUrl) => request,
            Bearer::None => request,
            Bearer::Broken => request.bearer_auth("not.a.token"),
            Bearer::Good => request.bearer_auth(self.token(server, host, &every_partner_scope())),
            Bearer::OfTheOther => request.bearer_auth(self.token(server, other, &every_partner_scope())),
            Bearer::WithoutScope => request.bearer_auth(self.token(server, host, &[Scope::PlatformRead])),
        }
    }

    fn token(&self, server: &Node, host: Host, scopes: &[Scope]) -> String {
        let mut claims = claims(audience(host), &server.samples.tenant_id, scopes);
        claims.organization_id.clone_from(&server.samples.organization_id);
        server.sign(&claims)
    }

    /// Turns the sample into the URL of an export's result.
    async fn lead_to_result(&self, sample: &mut Sample, host: Host) {
        let (server, id) = (&self.working, self.job(State::Succeeded, host).await);
        let token = self.token(server, host, &every_partner_scope());
        let result = server.get(host, &format!("/v1/jobs/{id}/result"), Some(&token)).await.expect(200);
        sample.lead_to(&result.text("signed_url"));
    }

    /// A job in a state.
    async fn job(&self, state: State, host: Host) -> String {
        let server = self.server(state);
        match (state, host) {
            (State::Cancelled, Host::Sandbox) => self.listed(server, "cancelled").await,
            (State::Failed, Host::Sandbox) => self.listed(server, "failed").await,
            (State::Failed, _) => {
                let payload = json!({"upload_ref": "upl_01HFXYZ9A7Q3M5N8P2R4T6V8WB"});
                let id = self.create(server, host, &json!({"kind": "import.bulk", "payload": payload})).await;
                self.ended(server, &id, "failed").await;
                id
            }
            (State::Succeeded, Host::Api) => {
                let id = self.create(server, host, &export()).await;
                self.ended(server, &id, "succeeded").await;
                id
            }
            (State::Cancelled, _) | (State::CancelledNow, _) => {
                let id = self.create(server, host, &export()).await;
                let token = self.token(server, host, &every_partner_scope());
                server.bare(host, Method::DELETE, &format!("/v1/jobs/{id}"), &token).await.expect(204);
                id
            }
            _ => self.create(server, host, &export()).await,
        }
    }

    async fn create(&self, server: &Node, host: Host, job: &Value) -> String {
        let token = self.token(server, host, &every_partner_scope());
        server.post(host, "/v1/jobs", &token, job).await.expect(201).text("id")
    }

    /// A job of the sandbox's list.
    async fn listed(&self, server: &Node, status: &str) -> String {
        let token = self.token(server, Host::Sandbox, &every_partner_scope());
        let path = format!("/v1/jobs?status={status}");
        let list = server.get(Host::Sandbox, &path, Some(&token)).await.expect(200).json();
        list["jobs"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a live job has ended so.
    async fn ended(&self, server: &Node, id: &str, status: &str) {
        let token = self.token(server, Host::Api, &every_partner_scope());
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let job = server.get(Host::Api, &format!("/v1/jobs/{id}"), Some(&token)).await.expect(200).json();
            if job["completed_at"] != Value::Null {
                assert_eq!(job["status"], status, "{job}");
                return;
            }
            assert!(Instant::now() < patience, "{job} does not end");
            tokio::task::yield_now().await;
        }
    }
}

fn export() -> Value {
    json!({"kind": "export.bulk", "payload": {}})
}

fn every_partner_scope() -> Vec<Scope> {
    Scope::partner().collect()
}

//! What is told of jobs that come to no good end: events to those who subscribed, and the callback that a job asked for.

use super::jobs::{JOBS, cancel, ended, enqueue, import, profile};
use super::standard_webhooks;
use super::webhooks::{WEBHOOKS, subscribe, text, verify};
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use argus_partner::connectors::System;
use argus_tests::{
    AppCredentials, Caller, Deed, Delivery, Installation, Receiver, TestProvider, TestServer, look_for,
    on_both_engines, published,
};
use serde_json::{Value, json};

on_both_engines! {
    a_job_that_fails_is_told_and_called_back
    jobs_that_are_cancelled_while_they_wait_or_run_are_told_and_called_back
}

/// An app whose jobs call back, and receivers of its events and its callbacks.
struct Scene {
    server: TestServer,
    app: AppCredentials,
    worker: Caller,
    events: Receiver,
    callbacks: Receiver,
    secret: String,
}

impl Scene {
    async fn set(server: TestServer) -> Self {
        let app = server.app(&[JOBS, WEBHOOKS].concat()).await;
        let token = app.live_token(&[]).await;
        let worker = Caller { host: Host::Api, token, tenancy: app.tenancy.clone() };
        let (events, callbacks) = (Receiver::start().await, Receiver::start().await);
        let subscriber = Caller { host: Host::Auth, ..worker.clone() };
        let ends = ["job.succeeded", "job.failed", "job.cancelled"];
        let secret = text(&subscribe(&subscriber, &events, &ends).await, "secret").to_owned();
        Self { server, app, worker, events, callbacks, secret }
    }

    /// Accepts a job that calls back, and returns its identifier.
    async fn enqueue(&self, mut job: Value) -> String {
        job["callback_url"] = json!(self.callbacks.url());
        enqueue(&self.worker, &job).await
    }

    /// Fails unless exactly these jobs were told, once each, in either way, as jobs that ended so.
    async fn assert_told(&self, status: &str, jobs: &[&str]) {
        let event = format!("job.{status}");
        let events = self.events.wait_for(jobs.len()).await;
        let callbacks = self.callbacks.wait_for(jobs.len()).await;
        assert_eq!((events.len(), callbacks.len()), (jobs.len(), jobs.len()));
        for id in jobs {
            let job = self.worker.get(&format!("/v1/jobs/{id}")).await.expect(200).json();
            let notice = json!({
                "id": id, "kind": job["kind"], "status": status, "trace_id": job["trace_id"], "result_ref": null,
            });
            let told = about(&events, id);
            assert_eq!((&told.json()["type"], &told.json()["data"]), (&json!(event), &notice));
            published::assert_delivers(&event, &told.headers, &told.body);
            assert_signed(told, &self.secret);
            let called_back = about(&callbacks, id);
            assert_eq!(called_back.json(), notice);
            published::assert_calls_back("job_create", &called_back.headers, &called_back.body);
            assert_signed(called_back, &self.app.callback_secret);
        }
    }
}

/// The delivery about a job.
fn about<'d>(deliveries: &'d [Delivery], job: &str) -> &'d Delivery {
    let found = deliveries.iter().find(|delivery| delivery.header("x-argus-job-id") == job);
    found.unwrap_or_else(|| panic!("nothing is told of {job}: {deliveries:?}"))
}

fn assert_signed(delivery: &Delivery, secret: &str) {
    assert_eq!(verify(delivery, secret), Ok(()));
    standard_webhooks::check(delivery, secret).unwrap();
}

async fn a_job_that_fails_is_told_and_called_back(server: TestServer) {
    let scene = Scene::set(server).await;
    let payload = json!({"upload_ref": "upl_01jx0000000000000000000000"});
    let id = scene.enqueue(json!({"kind": "import.bulk", "payload": payload})).await;
    assert_eq!(ended(&scene.worker, &id).await["status"], "failed");
    scene.assert_told("failed", &[&id]).await;
}

async fn jobs_that_are_cancelled_while_they_wait_or_run_are_told_and_called_back(
    mut installation: Installation,
) {
    let provider = TestProvider::start("t", Deed::Hang).await;
    installation.settings.connectors.providers = [(System::Osint, provider.provider())].into_iter().collect();
    // Behind the one that runs every other one waits.
    installation.settings.workers.slots = 1;
    let scene = Scene::set(installation.into()).await;
    let tenant_id = &scene.app.tenancy.tenant_id;
    scene.server.put_profile(tenant_id, "p1", ProfileKind::Entity, SecrecyLevel::Standard).await;
    let payload = json!({"profile_ids": ["p1"], "sources": ["osint"]});
    let running = scene.enqueue(json!({"kind": "intelligence.enrich.bulk", "payload": payload})).await;
    look_for(|| (provider.busy() == 1).then_some(())).expect("the first job asks");
    let waiting = scene.enqueue(import(&json!([profile("p2")]))).await;
    for id in [&waiting, &running] {
        cancel(&scene.worker, id).await.expect(204);
        assert_eq!(ended(&scene.worker, id).await["status"], "cancelled");
    }
    scene.assert_told("cancelled", &[&waiting, &running]).await;
}

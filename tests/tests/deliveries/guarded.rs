//! Whatever a caller asks for, what is sent goes out by one way that leads to the public internet alone: nothing is
//! sent elsewhere, and the caller is told a fixed reason and nothing that came back.

use super::{Depot, PATIENCE, SETTINGS, until};
use crate::dialler::{LOOPBACK, Names, SECOND, Trap};
use argus_core::Clock;
use argus_core::deliveries::couriers::Couriers;
use argus_core::dialler::{Dialler, DiallerSettings};
use argus_core::ids::{DeliveryId, WebhookId};
use argus_core::outbox::Happenings;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::webhooks::WebhookReplay;
use argus_partner::webhooks::{self, Webhooks};
use argus_tests::{Authority, Caller, Installation, Receiver, TestServer, Treatment, on_both_engines};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

on_both_engines! {
    create_and_update_refuse_what_is_not_public_with_a_fixed_reason
    test_retry_and_replay_send_nothing_to_a_stored_address_that_is_not_public
    a_name_that_turns_private_when_it_is_connected_to_is_sent_nothing_whatever_asks_for_it
    a_redirect_to_what_is_not_public_is_an_answer_and_leads_nowhere
}

/// What is said of every such address.
const REASON: &str = "`url`: The host of the URL has no address on the public internet.";

/// Addresses of this machine, of private networks, of the link, and those under which clouds tell secrets. A trap
/// listens at the first one.
fn not_public(port: u16) -> Vec<String> {
    let here = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"].map(|host| format!("https://{host}:{port}/"));
    let elsewhere = [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "[fd00::1]",
        "169.254.1.1",
        "[fe80::1]",
        "169.254.169.254",
        "[fd00:ec2::254]",
    ];
    here.into_iter().chain(elsewhere.map(|host| format!("https://{host}/latest/meta-data"))).collect()
}

/// A server as in production: nothing of this machine is delivered to.
async fn serve(mut installation: Installation) -> (TestServer, Caller) {
    installation.settings.dialler.loopback = false;
    let server = TestServer::from(installation);
    let caller = server.caller(Host::Auth, &[Scope::WebhooksRead, Scope::WebhooksWrite]).await;
    (server, caller)
}

async fn subscribe(caller: &Caller) -> String {
    let body = json!({"url": "https://receiver.example/", "events": ["profile.enriched"]});
    caller.post("/v1/webhooks", &body).await.expect(201).text("id")
}

async fn create_and_update_refuse_what_is_not_public_with_a_fixed_reason(installation: Installation) {
    let (_server, caller) = serve(installation).await;
    let trap = Trap::at(LOOPBACK, 0).unwrap();
    let path = format!("/v1/webhooks/{}", subscribe(&caller).await);
    for url in not_public(trap.port()) {
        let create = json!({"url": url, "events": ["profile.enriched"]});
        let refused = caller.post("/v1/webhooks", &create).await;
        assert_eq!(refused.expect_error(400, "invalid_request"), REASON, "{url}");
        let update = caller.request(Method::PUT, &path).json(&json!({"url": url}));
        let refused = caller.send(update).await;
        assert_eq!(refused.expect_error(400, "invalid_request"), REASON, "{url}");
    }
    assert!(trap.is_untouched());
    assert_eq!(caller.get(&path).await.expect(200).text("url"), "https://receiver.example/");
}

async fn test_retry_and_replay_send_nothing_to_a_stored_address_that_is_not_public(
    installation: Installation,
) {
    let (server, caller) = serve(installation).await;
    let trap = Trap::at(LOOPBACK, 0).unwrap();
    for url in not_public(trap.port()) {
        let id = subscribe(&caller).await;
        let path = |below: &str| format!("/v1/webhooks/{id}{below}");
        // As if it had been accepted once.
        let sql = |statement: &str| {
            argus_tests::sql::execute(
                &mut server.connect(),
                &format!("{statement} WHERE webhook_id = '{id}'"),
            )
            .unwrap();
        };
        let stored = format!("UPDATE webhooks SET url = '{url}' WHERE id = '{id}'");
        argus_tests::sql::execute(&mut server.connect(), &stored).unwrap();
        let list = async || caller.get(&path("/deliveries")).await.expect(200);
        let attempted = async |attempts: usize| {
            until(&url, async || {
                let shown = list().await.json();
                shown["deliveries"][0]["attempts"].as_array().is_some_and(|made| made.len() == attempts)
            })
            .await;
        };
        let post = async |below: &str| caller.send(caller.request(Method::POST, &path(below))).await;
        let delivery_id = post("/test").await.expect(202).text("delivery_id");
        attempted(1).await;
        post(&format!("/deliveries/{delivery_id}/retry")).await.expect(202);
        attempted(2).await;
        sql("UPDATE deliveries SET status = 'failed', due_at = NULL");
        let range =
            json!({"since": "2026-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z", "statuses": ["failed"]});
        let replayed = caller.post(&path("/replay"), &range).await.expect(202).json();
        assert_eq!(replayed, json!({"queued": 1}), "{url}");
        attempted(3).await;
        let shown = list().await.json()["deliveries"][0]["attempts"].clone();
        for attempt in shown.as_array().unwrap() {
            assert_eq!(attempt["failure"], "address_not_allowed", "{url}: {attempt}");
            let nothing = [&attempt["response_status"], &attempt["response_excerpt"]];
            assert!(nothing.into_iter().all(Value::is_null), "{url}: {attempt}");
        }
    }
    assert!(trap.is_untouched());
}

/// Subscriptions and couriers with one way to receivers, on which 127.0.0.2 stands for what is public; a receiver
/// there, and a trap at the same port of 127.0.0.1.
struct Scene {
    dialler: Dialler,
    webhooks: Webhooks,
    couriers: Couriers,
    receiver: Receiver,
    trap: Trap,
    // Last: it looks at what was left.
    depot: Depot,
}

impl Scene {
    async fn set(installation: Installation, names: &Arc<Names>) -> Self {
        let authority = Authority::fresh();
        let (receiver, trap) = loop {
            let receiver = Receiver::named("receiver.example", SECOND, &authority).await;
            // Unless another test has it.
            if let Ok(trap) = Trap::at(LOOPBACK, receiver.port()) {
                break (receiver, trap);
            }
        };
        let settings = DiallerSettings {
            allowed: vec!["127.0.0.2/32".parse().unwrap()],
            certificates: Some(authority.file().to_owned()),
            ..DiallerSettings::new("argus-webhooks/test")
        };
        let dialler = Dialler::new(&settings, Arc::clone(names), Clock::system()).unwrap();
        let (depot, happenings) = (Depot::open(installation).await, Happenings::default());
        let webhooks = depot.webhooks(&dialler, &happenings);
        let couriers = depot.couriers(&dialler, &happenings, SETTINGS);
        Self { dialler, webhooks, couriers, receiver, trap, depot }
    }

    /// Has something sent by a test, by a retry of it and by a replay of both; returns each attempt.
    async fn send_in_every_way(&self, id: &WebhookId) -> Vec<Value> {
        let (webhooks, caller) = (&self.webhooks, &self.depot.caller);
        let queued = webhooks::test(webhooks, caller, id).await.unwrap();
        self.attempted(id, 1).await;
        let delivery_id: DeliveryId = queued.delivery_id.parse().unwrap();
        webhooks::delivery_retry(webhooks, caller, id, &delivery_id).await.unwrap();
        self.attempted(id, 2).await;
        self.depot.sql("UPDATE deliveries SET status = 'failed', due_at = NULL");
        let range =
            json!({"since": "2026-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z", "statuses": ["failed"]});
        let range: WebhookReplay = serde_json::from_value(range).unwrap();
        assert_eq!(webhooks::replay(webhooks, caller, id, &range).await.unwrap().queued, 1);
        self.attempted(id, 3).await;
        self.depot.attempts(id)
    }

    async fn attempted(&self, id: &WebhookId, attempts: usize) {
        until("an attempt", async || self.depot.attempts(id).len() == attempts).await;
    }

    async fn end(self) {
        assert!(self.trap.is_untouched());
        assert_eq!(self.couriers.stop(PATIENCE).await, 0);
    }
}

async fn a_name_that_turns_private_when_it_is_connected_to_is_sent_nothing_whatever_asks_for_it(
    installation: Installation,
) {
    let names = Names::new([&[SECOND], &[LOOPBACK]]);
    let scene = Scene::set(installation, &names).await;
    // So that each attempt has to ask what the name means.
    scene.receiver.treats_all(Treatment::AnswerAndClose);
    let (id, _) = scene.depot.subscribe(&scene.dialler, &scene.receiver.url()).await;
    webhooks::test(&scene.webhooks, &scene.depot.caller, &id).await.unwrap();
    scene.attempted(&id, 1).await;
    assert_eq!(scene.depot.attempts(&id)[0]["response_status"], 200);
    scene.depot.sql("DELETE FROM deliveries");
    // The name is accepted as before: what it means is nobody's business yet.
    let change = serde_json::from_value(json!({"url": format!("{}/2", scene.receiver.url())})).unwrap();
    webhooks::update(&scene.webhooks, &scene.depot.caller, &id, &change).await.unwrap();
    for attempt in scene.send_in_every_way(&id).await {
        assert_eq!(attempt["failure"], "address_not_allowed", "{attempt}");
        assert!(attempt["response_status"].is_null() && attempt["response_excerpt"].is_null(), "{attempt}");
    }
    assert_eq!(scene.receiver.came().len(), 1);
    scene.end().await;
}

async fn a_redirect_to_what_is_not_public_is_an_answer_and_leads_nowhere(installation: Installation) {
    let scene = Scene::set(installation, &Names::new([&[SECOND]])).await;
    let here = format!("http://127.0.0.1:{}/", scene.trap.port());
    let elsewhere = ["https://169.254.169.254/latest/meta-data", "https://10.0.0.1/"].map(str::to_owned);
    for (round, target) in
        [here].into_iter().chain(elsewhere).chain(not_public(scene.trap.port())).enumerate()
    {
        scene.receiver.treats_all(Treatment::Redirect(target.clone()));
        let (id, _) = scene.depot.subscribe(&scene.dialler, &scene.receiver.url()).await;
        for attempt in scene.send_in_every_way(&id).await {
            assert_eq!(attempt["response_status"], 307, "{target}: {attempt}");
            // Its own words, and nothing of what it leads to.
            assert_eq!(attempt["response_excerpt"], "the receiver says 307 Temporary Redirect", "{attempt}");
        }
        assert_eq!(scene.receiver.came().len(), 3 * (round + 1), "{target}");
    }
    scene.end().await;
}

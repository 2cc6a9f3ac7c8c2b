//! The deliveries of `argus-core`: claimed under leases, attempted by couriers over real sockets, ended once. Receivers
//! listen on this machine.

mod backlog;
mod guarded;
mod holders;
mod later;
mod leases;
mod reasons;
mod waking;

use argus_core::context::Live;
use argus_core::deliveries::attempt::Attempts;
use argus_core::deliveries::couriers::{CourierSettings, Couriers};
use argus_core::deliveries::fan_out::fan_out;
use argus_core::dialler::{Dialler, DiallerSettings};
use argus_core::ids::WebhookId;
use argus_core::outbox::{self, Happened, Happenings};
use argus_core::store::{Database, Tx};
use argus_core::{Clock, Context, Objects};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::webhooks::WebhookEvent;
use argus_partner::Identity;
use argus_partner::webhooks::{self, Webhooks};
use argus_tests::{Installation, sql};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use crate::dialler::Names;
use crate::identity::support::admin;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);
/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(60);

/// Couriers that look for nothing by themselves in the time of a test, and keep what they have claimed.
const SETTINGS: CourierSettings = CourierSettings { slots: 50, lease: LONG, poll: LONG };

/// A way to receivers on this machine, whose attempts may take so long.
pub(crate) fn dialler(attempt: Duration) -> Dialler {
    let mut settings = DiallerSettings { loopback: true, ..DiallerSettings::new("argus-webhooks/test") };
    settings.limits.attempt = attempt;
    Dialler::new(&settings, Names::new([]), Clock::system()).unwrap()
}

/// A database with subscriptions, and somebody who has them.
pub(crate) struct Depot {
    database: Database,
    identity: Identity,
    caller: Context<Live>,
    objects: Objects,
    // Last: it looks at what was left.
    installation: Installation,
}

impl Depot {
    pub(crate) async fn open(installation: Installation) -> Self {
        Self::open_by(installation, Clock::system()).await
    }

    /// The same by this clock.
    async fn open_by(installation: Installation, clock: Clock) -> Self {
        installation.place_keys();
        let (database, identity) = installation.open(clock.clone()).unwrap();
        let caller = admin(&identity).await;
        let objects =
            Objects::open(&installation.settings.objects, Arc::clone(identity.pepper()), clock).unwrap();
        Self { database, identity, caller, objects, installation }
    }

    /// What callers may do, by this way to receivers.
    fn webhooks(&self, dialler: &Dialler, happenings: &Happenings) -> Webhooks {
        Webhooks {
            store: self.database.requests.clone(),
            envelope: Arc::clone(self.identity.envelope()),
            pepper: Arc::clone(self.identity.pepper()),
            dialler: dialler.clone(),
            happenings: happenings.clone(),
        }
    }

    /// The couriers of a node, with connections of their own.
    pub(crate) fn couriers(
        &self,
        dialler: &Dialler,
        happenings: &Happenings,
        settings: CourierSettings,
    ) -> Couriers {
        let (database, _) = self.installation.open(self.identity.clock().clone()).unwrap();
        let attempts = Attempts {
            dialler: dialler.clone(),
            envelope: Arc::clone(self.identity.envelope()),
            clock: self.identity.clock().clone(),
        };
        Couriers::start(database.deliveries, self.objects.clone(), attempts, happenings.clone(), settings)
    }

    /// Subscribes to enrichments, and returns the subscription with its secret.
    pub(crate) async fn subscribe(&self, dialler: &Dialler, url: &str) -> (WebhookId, String) {
        let webhooks = self.webhooks(dialler, &Happenings::default());
        let request = serde_json::from_value(json!({"url": url, "events": ["profile.enriched"]})).unwrap();
        let created = webhooks::create(&webhooks, &self.caller, &request).await.unwrap();
        let secret = created.secret.unwrap().expose().to_owned();
        (created.webhook.id.as_str().parse().unwrap(), secret)
    }

    /// Something happens that is told.
    pub(crate) async fn tell(&self, subject: &str) {
        let (subject, data) = (subject.to_owned(), json!({"subject": subject}));
        let work = move |tx: &mut Tx<'_>| {
            let (event, secrecy_level) = (WebhookEvent::ProfileEnriched, SecrecyLevel::Standard);
            outbox::append(tx, &Happened { event, subject: &subject, secrecy_level, data: &data })
        };
        self.database.requests.write(&self.caller, work).await.unwrap();
    }

    /// Makes deliveries of what has happened, for those who have no couriers.
    async fn fan_out(&self) {
        let (clock, objects) = (self.identity.clock().clone(), self.objects.clone());
        let fanned =
            self.database.deliveries.transaction(move |connection| fan_out(connection, &clock, &objects));
        fanned.await.unwrap();
    }

    pub(crate) fn sql(&self, statements: &str) {
        sql::execute(&mut self.installation.connect(), statements).unwrap();
    }

    fn lines(&self, query: &str) -> Vec<String> {
        sql::lines(&mut self.installation.connect(), query).unwrap()
    }

    /// Lets what waits for its next attempt be attempted as soon as somebody looks.
    fn make_due(&self) {
        self.sql("UPDATE deliveries SET due_at = NULL WHERE due_at IS NOT NULL");
    }

    /// The state of each delivery of a subscription: its status, its attempts, whether a next one is due at a time,
    /// and whether one has it.
    fn states(&self, webhook_id: &WebhookId) -> Vec<String> {
        self.lines(&format!(
            "SELECT status || ' ' || CAST(attempts AS TEXT) || CASE WHEN due_at IS NULL THEN '' ELSE ' later' END \
             || CASE WHEN lease IS NULL THEN '' ELSE ' held' END AS line FROM deliveries \
             WHERE webhook_id = '{webhook_id}' ORDER BY created_at, id"
        ))
    }

    /// Every attempt at the deliveries of a subscription, as it is kept.
    fn attempts(&self, webhook_id: &WebhookId) -> Vec<Value> {
        let kept = format!(
            "SELECT history AS line FROM deliveries WHERE webhook_id = '{webhook_id}' ORDER BY created_at, id"
        );
        let kept = self.lines(&kept).concat();
        kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Looks again and again, as long as only a broken courier would need.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let patience = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < patience, "it does not come: {what}");
        tokio::task::yield_now().await;
    }
}

//! Whether this node can serve. It is looked at, and not remembered from what requests have met: one look
//! at a time however many ask, and not more often than its time.

use crate::hosts::App;
use argus_core::Objects;
use argus_core::store::Database;
use argus_openapi::Host;
use argus_partner::Identity;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// For how long a look at the database and the keys counts.
const FRESH: Duration = Duration::from_secs(1);
/// For how long a look at the objects counts: something is written for it, in a bucket for money.
const OBJECTS_FRESH: Duration = Duration::from_secs(5);
/// How long a look may take.
const LOOK_TIME: Duration = Duration::from_secs(2);

/// What was last seen.
#[derive(Default)]
pub struct Readiness {
    node: Seen,
    objects: Seen,
}

impl Readiness {
    /// Whether the node can serve a host, or what it lacks. Only the live API needs the objects.
    pub async fn look(&self, app: &App, host: Host) -> Result<(), String> {
        let node = look_at_node(&app.database, Arc::clone(&app.identity));
        self.node.unless_fresh(FRESH, "the database", node).await?;
        if host == Host::Api {
            let objects = look_at_objects(&app.jobs.objects);
            self.objects.unless_fresh(OBJECTS_FRESH, "the store of objects", objects).await?;
        }
        Ok(())
    }
}

/// What was seen, and when.
#[derive(Default)]
struct Seen(Mutex<Option<(Instant, Result<(), String>)>>);

impl Seen {
    /// What was seen last, or what is seen now if that is too old.
    async fn unless_fresh(
        &self,
        fresh: Duration,
        what: &str,
        look: impl Future<Output = Result<(), String>>,
    ) -> Result<(), String> {
        let mut last = self.0.lock().await;
        if let Some((when, seen)) = &*last
            && when.elapsed() < fresh
        {
            return seen.clone();
        }
        let seen = match timeout(LOOK_TIME, look).await {
            Ok(seen) => seen,
            Err(_) => Err(format!("{what} did not answer within {LOOK_TIME:?}")),
        };
        *last = Some((Instant::now(), seen.clone()));
        seen
    }
}

async fn look_at_node(database: &Database, identity: Arc<Identity>) -> Result<(), String> {
    // A disk can make this wait.
    let keys = tokio::task::spawn_blocking(move || identity.keys().refresh());
    let keys = keys.await.map_err(|panic| panic.to_string())?;
    keys.map_err(|error| format!("the signing keys cannot be read: {error}"))?;
    database.check().await.map_err(|error| error.to_string())
}

async fn look_at_objects(objects: &Objects) -> Result<(), String> {
    objects.check().await.map_err(|error| format!("no objects can be written: {error}"))
}

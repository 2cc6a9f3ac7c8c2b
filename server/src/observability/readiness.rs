//! Whether this node can serve. It is looked at, and not remembered from what requests have met: one look
//! at a time however many ask, and not more often than once a second.

use argus_core::store::Database;
use argus_partner::Identity;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// For how long a look counts.
const FRESH: Duration = Duration::from_secs(1);
/// How long a look may take.
const LOOK_TIME: Duration = Duration::from_secs(2);

/// What was last seen, and when.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Instant, Result<(), String>)>>);

impl Readiness {
    /// Whether the node can serve, or what it lacks.
    pub async fn look(&self, database: &Database, identity: &Arc<Identity>) -> Result<(), String> {
        let mut last = self.0.lock().await;
        if let Some((when, seen)) = &*last
            && when.elapsed() < FRESH
        {
            return seen.clone();
        }
        let seen = match timeout(LOOK_TIME, look(database, Arc::clone(identity))).await {
            Ok(seen) => seen,
            Err(_) => Err(format!("the database did not answer within {LOOK_TIME:?}")),
        };
        *last = Some((Instant::now(), seen.clone()));
        seen
    }
}

async fn look(database: &Database, identity: Arc<Identity>) -> Result<(), String> {
    // A disk can make this wait.
    let keys = tokio::task::spawn_blocking(move || identity.keys().refresh());
    let keys = keys.await.map_err(|panic| panic.to_string())?;
    keys.map_err(|error| format!("the signing keys cannot be read: {error}"))?;
    database.check().await.map_err(|error| error.to_string())
}

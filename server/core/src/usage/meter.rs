//! What one node counts in memory, and how that gets to the database. Nothing here asks the database for a call.

use super::call::MeteredCall;
use super::quota::{Exceeded, QuotaRow, QuotaState, Quotas};
use super::rows::{Batch, Increment, write_batch};
use crate::context::{Actor, Principal};
use crate::ids::{self, TenantId};
use crate::store::{Error, EveryTenant};
use crate::{Clock, Fault};
use argus_openapi::OperationRow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

/// After how many rows a batch is full: what is beyond waits for the next one, so that none takes long.
const BATCH_MAX: usize = 2_000;

/// Counts the live calls of this node. Share it behind an `Arc`.
pub struct Meter {
    operations: &'static [OperationRow],
    clock: Clock,
    /// What this process is called in the database.
    node: String,
    /// One for each app that has called, for as long as the process lives: some 8 bytes an operation. Whoever is no
    /// app of this service has none.
    accounts: RwLock<HashMap<TenantId, HashMap<Actor, Arc<Account>>>>,
    quotas: RwLock<Quotas>,
    /// The batch that is on its way, and the number of the last one.
    outgoing: Mutex<Outgoing>,
}

#[derive(Default)]
struct Outgoing {
    last: i64,
    batch: Option<Batch>,
}

/// What an app has called and nobody has written yet.
pub(super) struct Account {
    tenant_id: TenantId,
    actor: String,
    operations: &'static [OperationRow],
    calls: Box<[AtomicU64]>,
}

impl Account {
    pub(super) fn actor(&self) -> &str {
        &self.actor
    }

    pub(super) fn operation(&self, position: usize) -> &'static str {
        self.operations.get(position).map_or("", |row| row.id)
    }

    pub(super) fn count(&self, position: usize) {
        if let Some(calls) = self.calls.get(position) {
            calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes what was counted.
    fn take(&self, day: &str, into: &mut Vec<Increment>) {
        for (position, calls) in self.calls.iter().enumerate() {
            // Most are zero, and reading one is cheaper than taking it.
            if calls.load(Ordering::Relaxed) == 0 {
                continue;
            }
            into.push(Increment {
                tenant_id: self.tenant_id.clone(),
                actor: self.actor.clone(),
                operation: self.operation(position).to_owned(),
                day: day.to_owned(),
                calls: i64::try_from(calls.swap(0, Ordering::Relaxed)).unwrap_or(i64::MAX),
            });
        }
    }
}

impl Meter {
    /// A meter of these operations.
    pub fn new(operations: &'static [OperationRow], clock: Clock) -> Result<Self, Fault> {
        Ok(Self {
            operations,
            node: ids::ulid(&clock).map_err(Fault::new)?.to_string(),
            clock,
            accounts: RwLock::default(),
            quotas: RwLock::default(),
            outgoing: Mutex::default(),
        })
    }

    /// Lets a call through, or says which quota stands against it. `position` is where the operation stands in the
    /// contract.
    pub fn admit(&self, principal: &Principal, position: usize) -> Result<Arc<MeteredCall>, Exceeded> {
        let quotas = self.quotas_of(principal);
        let now = self.clock.now();
        for (taken, quota) in quotas.iter().enumerate() {
            if let Err(exceeded) = quota.take(now) {
                quotas[..taken].iter().for_each(|quota| quota.give_back());
                return Err(exceeded);
            }
        }
        Ok(Arc::new(MeteredCall::new(self.account(principal), position, quotas)))
    }

    /// The quotas of an app and its tenant. Most have none, which costs nothing but the look.
    pub fn quotas_of(&self, principal: &Principal) -> Vec<Arc<QuotaState>> {
        let quotas = self.quotas.read().unwrap_or_else(PoisonError::into_inner);
        quotas.of(&principal.tenant_id, principal.actor.as_str())
    }

    fn account(&self, principal: &Principal) -> Arc<Account> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let found = accounts.get(&principal.tenant_id).and_then(|actors| actors.get(&principal.actor));
        if let Some(account) = found {
            return Arc::clone(account);
        }
        drop(accounts);
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        let actors = accounts.entry(principal.tenant_id.clone()).or_default();
        let account = actors.entry(principal.actor.clone()).or_insert_with(|| {
            Arc::new(Account {
                tenant_id: principal.tenant_id.clone(),
                actor: principal.actor.as_str().to_owned(),
                operations: self.operations,
                calls: self.operations.iter().map(|_| AtomicU64::new(0)).collect(),
            })
        });
        Arc::clone(account)
    }

    /// Writes what was counted. A batch whose writing failed is kept as it is, with its number, and comes first.
    pub async fn flush(&self, database: &EveryTenant) -> Result<(), Error> {
        let mut outgoing = self.outgoing.lock().await;
        loop {
            let batch = match outgoing.batch.take() {
                Some(batch) => batch,
                None => {
                    let increments = self.take();
                    if increments.is_empty() {
                        return Ok(());
                    }
                    outgoing.last += 1;
                    Batch { node: self.node.clone(), number: outgoing.last, increments }
                }
            };
            // Before it is known whether it was written, so that nothing is lost when this is given up.
            outgoing.batch = Some(batch.clone());
            database.transaction(move |connection| Ok::<_, Error>(write_batch(connection, &batch)?)).await?;
            outgoing.batch = None;
        }
    }

    fn take(&self) -> Vec<Increment> {
        let day = self.clock.now().date_naive().to_string();
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let mut increments = Vec::new();
        for account in accounts.values().flat_map(HashMap::values) {
            if increments.len() < BATCH_MAX {
                account.take(&day, &mut increments);
            }
        }
        increments
    }

    /// Writes what was counted, and reads what the quotas are and how much of them all nodes have used.
    pub async fn refresh(&self, database: &EveryTenant) -> Result<(), Error> {
        // What was taken before is in the totals; what comes meanwhile is this node's to remember.
        let marks = self.quotas.read().unwrap_or_else(PoisonError::into_inner).marks();
        self.flush(database).await?;
        let today = self.clock.now().date_naive();
        let rows: Vec<QuotaRow> = database
            .run(move |connection| Ok::<_, Error>(super::quota::with_totals(connection, today)?))
            .await?;
        let mut quotas = self.quotas.write().unwrap_or_else(PoisonError::into_inner);
        quotas.replace(rows, &marks, self.clock.now());
        Ok(())
    }
}

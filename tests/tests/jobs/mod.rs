//! The jobs of `argus-core`: accepted once, claimed in turns, kept by leases, ended once. The kinds here are
//! the tests' own.

mod accepting;
mod ending;
mod isolation;
mod lists;
mod turns;
mod waking;
mod working;

use argus_core::Context;
use argus_core::context::Live;
use argus_core::ids::JobId;
use argus_core::jobs::lease::{self, Claim, Claimed, Ending, Lease, Turn};
use argus_core::jobs::view::{Job, Viewer};
use argus_core::jobs::{Enqueued, NewJob, Receipt, enqueue};
use argus_core::store::{Database, Reader, Tx};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::JobStatus;
use argus_tests::{Installation, sql};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use crate::identity::support::admin;

/// Longer than any test.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// A database with jobs, and somebody who has them.
pub(crate) struct Desk {
    pub(crate) database: Database,
    pub(crate) caller: Context<Live>,
    // Last: it looks at what was left.
    pub(crate) installation: Installation,
}

/// The sessions of PostgreSQL that have begun to listen for jobs. Their last statement tells of it for a moment only,
/// so that they are kept.
#[derive(Default)]
pub(crate) struct Listening(Mutex<BTreeSet<String>>);

impl Listening {
    /// How many there have been so far.
    pub(crate) fn sessions(&self, installation: &Installation) -> usize {
        let begun = "SELECT CAST(pid AS TEXT) AS line FROM pg_stat_activity WHERE query LIKE '%LISTEN%argus_probe%' \
            AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()";
        let mut seen = self.0.lock().unwrap();
        seen.extend(sql::lines(&mut installation.connect(), begun).unwrap());
        seen.len()
    }
}

impl Desk {
    pub(crate) async fn open(installation: Installation) -> Self {
        let (database, identity) = installation.database_and_identity();
        let caller = admin(&identity).await;
        Self { database, caller, installation }
    }

    /// Somebody in another tenant.
    pub(crate) async fn stranger(&self) -> Context<Live> {
        let name = "Another tenant".parse().unwrap();
        let tenant = argus_core::tenants::create(&self.database.requests, &self.caller.clock, &name).await;
        tenant.unwrap().operator(&self.caller.clock)
    }

    pub(crate) async fn enqueue_as(&self, caller: &Context<Live>, job: NewJob) -> Enqueued {
        let work = move |tx: &mut Tx<'_>| enqueue(tx, &job);
        self.database.requests.write(caller, work).await.unwrap()
    }

    /// A new job of this caller.
    pub(crate) async fn job_of(&self, caller: &Context<Live>) -> Receipt {
        match self.enqueue_as(caller, job()).await {
            Enqueued::New(receipt) => receipt,
            Enqueued::Replayed(receipt) => panic!("{receipt:?} was there already"),
        }
    }

    /// A new job.
    pub(crate) async fn job(&self) -> Receipt {
        self.job_of(&self.caller).await
    }

    pub(crate) async fn claim_for(&self, limit: u32, time: Duration, turn: &Turn) -> Claim {
        let turn = turn.clone();
        let claim =
            self.database.every_tenant.run(move |connection| lease::claim(connection, limit, time, &turn));
        claim.await.unwrap()
    }

    pub(crate) async fn claim(&self, limit: u32) -> Vec<Claimed> {
        self.claim_for(limit, LONG, &Turn::default()).await.jobs
    }

    pub(crate) async fn end(&self, lease: &Lease, ending: Ending) -> bool {
        let endings = [(lease.clone(), ending)];
        let held = self
            .database
            .every_tenant
            .run(move |connection| Ok::<_, argus_core::Error>(lease::end(connection, &endings)?));
        held.await.unwrap() == [lease.id.clone()]
    }

    pub(crate) async fn reap(&self) -> (usize, usize) {
        let reaped =
            self.database.every_tenant.run(|connection| Ok::<_, argus_core::Error>(lease::reap(connection)?));
        let reaped = reaped.await.unwrap();
        (reaped.requeued, reaped.failed)
    }

    /// Lets every lease run out.
    pub(crate) fn end_all_leases(&self) {
        self.sql("UPDATE jobs SET lease_until = 0 WHERE lease_until IS NOT NULL");
    }

    pub(crate) async fn view(&self, id: &JobId) -> Job {
        let key = (id.clone(), Viewer::of(&self.caller));
        let job = self
            .database
            .requests
            .read_row(&self.caller, move |reader: &mut Reader<'_>| reader.load::<Job>(&key));
        job.await.unwrap()
    }

    pub(crate) async fn status(&self, id: &JobId) -> JobStatus {
        self.view(id).await.status
    }

    pub(crate) fn sql(&self, statements: &str) {
        sql::execute(&mut self.installation.connect(), statements).unwrap();
    }

    pub(crate) fn lines(&self, query: &str) -> Vec<String> {
        sql::lines(&mut self.installation.connect(), query).unwrap()
    }

    /// What the outbox tells of a job.
    pub(crate) fn told(&self, id: &JobId) -> Vec<String> {
        self.lines(&format!("SELECT event AS line FROM outbox WHERE subject = '{id}' ORDER BY sequence"))
    }
}

pub(crate) fn job() -> NewJob {
    NewJob {
        kind: "test.nothing",
        payload: "{}".to_owned(),
        secrecy_level: SecrecyLevel::Standard,
        callback_url: None,
        idempotency_key: None,
        max_attempts: 3,
    }
}

pub(crate) fn failed() -> Ending {
    Ending::Failed { code: "broken".to_owned(), message: "it broke".to_owned() }
}

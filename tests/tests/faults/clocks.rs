//! Nodes whose clocks are wrong: the database's clock alone decides whose lease is over and what is due.

use super::{Counted, until};
use crate::jobs::Desk;
use argus_core::Clock;
use argus_core::jobs::lease::{Ending, Turn};
use argus_core::jobs::signals::Signals;
use argus_core::jobs::work::Registry;
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_core::outbox::Happenings;
use argus_openapi::types::jobs::JobStatus;
use argus_tests::{Installation, on_both_engines};
use chrono::{TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

on_both_engines! {
    a_node_whose_clock_is_wrong_takes_no_lease_and_starts_no_job_early
}

/// Less than every clock is wrong by.
const AHEAD: Duration = Duration::from_secs(540);

async fn a_node_whose_clock_is_wrong_takes_no_lease_and_starts_no_job_early(installation: Installation) {
    let desk = Desk::open(installation).await;
    let held = desk.job().await;
    let lease = desk.claim_for(1, AHEAD, &Turn::default()).await.jobs.remove(0).lease;
    let due_later = desk.job().await;
    let tried = desk.claim(1).await.remove(0).lease;
    let again = Ending::Again { after: AHEAD, code: "later".to_owned(), message: "not now".to_owned() };
    assert!(desk.end(&tried, again).await);
    let of_them = format!(
        "SELECT id || status || CAST(coalesce(lease_until, due_at) AS TEXT) AS line FROM jobs \
         WHERE id IN ('{}', '{}') ORDER BY id",
        held.id, due_later.id
    );
    let before = desk.lines(&of_them);
    for wrong in [TimeDelta::minutes(10), TimeDelta::hours(1), TimeDelta::minutes(-10), TimeDelta::hours(-1)]
    {
        // A job whose lease is over: once it has ended, this node has looked at all of them.
        let lost = desk.job().await;
        assert_eq!(desk.claim(1).await[0].lease.id, lost.id);
        desk.sql(&format!("UPDATE jobs SET lease_until = 1 WHERE id = '{}'", lost.id));
        let (clock, done) = (Clock::standing(Utc::now() + wrong), Counted::default());
        let (database, _) = desk.installation.open(clock.clone()).unwrap();
        let registry = Arc::new(Registry::default().with(done.clone()));
        let settings =
            WorkerSettings { slots: 4, lease: Duration::from_secs(3), poll: Duration::from_millis(20) };
        let workers = Workers::start(
            database.every_tenant.clone(),
            registry,
            Signals::default(),
            Happenings::default(),
            clock,
            settings,
        );
        until("the end of a lost job", async || desk.status(&lost.id).await == JobStatus::Succeeded).await;
        // A job that is accepted by this clock is as due as any other.
        let mut invocation = desk.caller.invocation().clone();
        invocation.clock = Clock::standing(Utc::now() + wrong);
        let caller = argus_core::Context::new(invocation, argus_core::context::Live);
        let accepted = desk.job_of(&caller).await;
        until("its end", async || desk.status(&accepted.id).await == JobStatus::Succeeded).await;
        assert!((accepted.created_at - Utc::now()).abs() < TimeDelta::minutes(2), "{wrong}: {accepted:?}");
        assert_eq!(workers.stop(super::PATIENCE).await, 0);
        assert_eq!((desk.lines(&of_them), done.times()), (before.clone(), 2), "{wrong}");
    }
    assert!(desk.end(&lease, Ending::Succeeded(None)).await, "the lease holds");
}

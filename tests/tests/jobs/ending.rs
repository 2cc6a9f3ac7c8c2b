//! How jobs end: once, by whoever holds the lease, and told in the outbox by the same statement.

use super::{Desk, failed};
use argus_core::jobs::lease::{self, Ending, StoredResult};
use argus_core::jobs::{Cancelled, cancel};
use argus_core::store::Tx;
use argus_openapi::types::jobs::JobStatus;
use argus_tests::{Installation, on_both_engines};
use std::time::Duration;

on_both_engines! {
    each_end_is_told_once
    who_has_lost_the_lease_can_write_nothing
    a_lease_that_is_kept_is_not_reaped
    a_job_whose_workers_all_fall_silent_fails_after_its_last_attempt
    a_job_that_is_cancelled_stays_so_whoever_finishes_first
    a_job_that_ended_cannot_be_cancelled
    a_released_job_is_as_if_it_had_not_been_claimed
    a_job_that_may_succeed_later_waits_for_its_time
    many_end_in_one_statement_each_in_its_own_way
}

fn result() -> Option<StoredResult> {
    Some(StoredResult { key: "results/a.json".to_owned(), length: 2, sha256: "ab".repeat(32) })
}

async fn each_end_is_told_once(installation: Installation) {
    let desk = Desk::open(installation).await;
    for (ending, status, event) in [
        (Ending::Succeeded(result()), JobStatus::Succeeded, "job.succeeded"),
        (Ending::Succeeded(None), JobStatus::Succeeded, "job.succeeded"),
        (failed(), JobStatus::Failed, "job.failed"),
    ] {
        let receipt = desk.job().await;
        let claimed = desk.claim(1).await;
        assert_eq!(desk.status(&receipt.id).await, JobStatus::Running);
        assert!(desk.told(&receipt.id).is_empty());
        assert!(desk.end(&claimed[0].lease, ending.clone()).await);
        // A second time nothing is written.
        assert!(!desk.end(&claimed[0].lease, failed()).await);
        let job = desk.view(&receipt.id).await;
        assert_eq!((job.status, desk.told(&receipt.id)), (status, vec![event.to_owned()]));
        assert_eq!(job.progress_pct == 100, status == JobStatus::Succeeded);
        assert_eq!(job.error.is_some(), status == JobStatus::Failed);
        assert!(job.completed_at.is_some_and(|at| at >= job.created_at));
        let kept = matches!(ending, Ending::Succeeded(Some(_)));
        assert_eq!(job.result_key.is_some(), kept);
    }
}

async fn who_has_lost_the_lease_can_write_nothing(installation: Installation) {
    let desk = Desk::open(installation).await;
    let receipt = desk.job().await;
    let lost = desk.claim(1).await.remove(0).lease;
    desk.end_all_leases();
    assert_eq!(desk.reap().await, (1, 0));
    let holder = desk.claim(1).await.remove(0);
    assert_eq!((holder.lease.id.clone(), holder.attempt), (receipt.id.clone(), 2));
    for ending in [Ending::Succeeded(result()), failed(), Ending::Released, again(Duration::ZERO)] {
        assert!(!desk.end(&lost, ending.clone()).await, "{ending:?}");
    }
    let (leases, report) = (vec![lost.clone(), holder.lease.clone()], lost.clone());
    let held = desk.database.every_tenant.run(move |connection| {
        assert!(!lease::progress(connection, &report, 50)?);
        Ok::<_, argus_core::Error>(lease::extend(connection, &leases, super::LONG)?)
    });
    assert_eq!(held.await.unwrap(), std::slice::from_ref(&receipt.id), "that of the holder alone");
    let job = desk.view(&receipt.id).await;
    assert_eq!((job.status, job.progress_pct), (JobStatus::Running, 0));
    assert!(desk.end(&holder.lease, Ending::Succeeded(None)).await);
    assert_eq!(desk.told(&receipt.id), ["job.succeeded"]);
}

async fn a_lease_that_is_kept_is_not_reaped(installation: Installation) {
    let desk = Desk::open(installation).await;
    desk.job().await;
    let lease = desk.claim(1).await.remove(0).lease;
    assert_eq!(desk.reap().await, (0, 0));
    desk.end_all_leases();
    // A heartbeat that comes late but before the reaper is in time.
    let held = desk.database.every_tenant.run(move |connection| {
        Ok::<_, argus_core::Error>(lease::extend(connection, std::slice::from_ref(&lease), super::LONG)?)
    });
    assert_eq!(held.await.unwrap().len(), 1);
    assert_eq!(desk.reap().await, (0, 0));
}

async fn a_job_whose_workers_all_fall_silent_fails_after_its_last_attempt(installation: Installation) {
    let desk = Desk::open(installation).await;
    let receipt = desk.job().await;
    for attempt in 1..=3 {
        assert_eq!(desk.claim(5).await.len(), 1, "attempt {attempt}");
        desk.end_all_leases();
        assert_eq!(desk.reap().await, if attempt < 3 { (1, 0) } else { (0, 1) });
    }
    let job = desk.view(&receipt.id).await;
    assert_eq!((job.status, job.error.unwrap().0.as_str()), (JobStatus::Failed, lease::LEASE_LOST));
    assert_eq!(desk.told(&receipt.id), ["job.failed"]);
    assert!(desk.claim(5).await.is_empty());
}

async fn cancelled(desk: &Desk, id: &argus_core::ids::JobId) -> Cancelled {
    let id = id.clone();
    desk.database.requests.write(&desk.caller, move |tx: &mut Tx<'_>| cancel(tx, &id)).await.unwrap()
}

async fn a_job_that_is_cancelled_stays_so_whoever_finishes_first(installation: Installation) {
    let desk = Desk::open(installation).await;
    let receipt = desk.job().await;
    let lease = desk.claim(1).await.remove(0).lease;
    assert_eq!(cancelled(&desk, &receipt.id).await, Cancelled::Now { ran: true });
    for ending in [Ending::Succeeded(result()), failed(), Ending::Released, again(Duration::ZERO)] {
        assert!(!desk.end(&lease, ending.clone()).await, "{ending:?}");
    }
    desk.end_all_leases();
    assert_eq!(desk.reap().await, (0, 0));
    let job = desk.view(&receipt.id).await;
    assert_eq!((job.status, job.result_key), (JobStatus::Cancelled, None));
    assert_eq!(desk.told(&receipt.id), ["job.cancelled"]);
    assert_eq!(cancelled(&desk, &receipt.id).await, Cancelled::Before);
    assert_eq!(desk.told(&receipt.id), ["job.cancelled"]);

    let queued = desk.job().await;
    assert_eq!(cancelled(&desk, &queued.id).await, Cancelled::Now { ran: false });
    assert!(desk.claim(5).await.is_empty(), "nobody begins with a cancelled job");
}

async fn a_job_that_ended_cannot_be_cancelled(installation: Installation) {
    let desk = Desk::open(installation).await;
    for (ending, status) in [(Ending::Succeeded(None), JobStatus::Succeeded), (failed(), JobStatus::Failed)] {
        let receipt = desk.job().await;
        let lease = desk.claim(1).await.remove(0).lease;
        assert!(desk.end(&lease, ending).await);
        assert_eq!(cancelled(&desk, &receipt.id).await, Cancelled::TooLate(status));
        assert_eq!(desk.status(&receipt.id).await, status);
    }
}

async fn a_released_job_is_as_if_it_had_not_been_claimed(installation: Installation) {
    let desk = Desk::open(installation).await;
    let receipt = desk.job().await;
    for _ in 0..5 {
        let claimed = desk.claim(1).await.remove(0);
        assert_eq!(claimed.attempt, 1);
        assert!(desk.end(&claimed.lease, Ending::Released).await);
        assert_eq!(desk.status(&receipt.id).await, JobStatus::Queued);
    }
}

fn again(after: Duration) -> Ending {
    Ending::Again { after, code: "later".to_owned(), message: "not now".to_owned() }
}

async fn a_job_that_may_succeed_later_waits_for_its_time(installation: Installation) {
    let desk = Desk::open(installation).await;
    let receipt = desk.job().await;
    let lease = desk.claim(1).await.remove(0).lease;
    assert!(desk.end(&lease, again(super::LONG)).await);
    assert_eq!(desk.status(&receipt.id).await, JobStatus::Queued);
    let wake =
        || desk.database.every_tenant.run(|connection| Ok::<_, argus_core::Error>(lease::wake(connection)?));
    assert_eq!(wake().await.unwrap(), 0);
    assert!(desk.claim(1).await.is_empty());
    desk.sql("UPDATE jobs SET due_at = 1");
    assert_eq!(wake().await.unwrap(), 1);
    assert_eq!(desk.claim(1).await.remove(0).attempt, 2);
}

async fn many_end_in_one_statement_each_in_its_own_way(installation: Installation) {
    let desk = Desk::open(installation).await;
    for _ in 0..4 {
        desk.job().await;
    }
    let claimed = desk.claim(4).await;
    let endings = [Ending::Succeeded(result()), failed(), again(super::LONG), Ending::Released];
    let endings: Vec<_> = claimed.iter().map(|job| job.lease.clone()).zip(endings).collect();
    let ended = endings.clone();
    let held = desk
        .database
        .every_tenant
        .run(move |connection| Ok::<_, argus_core::Error>(lease::end(connection, &ended)?));
    assert_eq!(held.await.unwrap().len(), 4);
    let mut statuses = Vec::new();
    for (lease, _) in &endings {
        statuses.push(desk.status(&lease.id).await);
    }
    let expected = [JobStatus::Succeeded, JobStatus::Failed, JobStatus::Queued, JobStatus::Queued];
    assert_eq!(statuses, expected);
    assert_eq!(desk.view(&endings[0].0.id).await.result_key.as_deref(), Some("results/a.json"));
    assert_eq!(desk.lines("SELECT event AS line FROM outbox").len(), 2);
}

//! Leases: nobody has a delivery that another one has, and a result that comes after its lease is over changes nothing.

use super::{Depot, LONG, dialler};
use argus_core::deliveries::lease::{self, Claimed, Ending, Lease, Record, Room, Turn};
use argus_tests::{Installation, on_both_engines};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

on_both_engines! {
    a_result_that_comes_when_another_one_has_the_delivery_changes_nothing
    a_result_that_comes_after_its_lease_and_before_anybody_else_s_claim_changes_nothing
    claimers_at_the_same_time_never_get_the_same_delivery
}

/// Enough for everything.
fn room() -> Room {
    Room { limit: 100, each: 100, lanes: HashMap::new() }
}

async fn claim(depot: &Depot, room: Room, time: Duration) -> Vec<Claimed> {
    let claimed = depot
        .database
        .deliveries
        .run(move |connection| lease::claim(connection, &room, time, &Turn::default()));
    claimed.await.unwrap().deliveries
}

/// Writes an end, and says whether the lease held.
async fn settle(depot: &Depot, lease: &Lease, ending: Ending) -> bool {
    let endings = [(lease.clone(), ending)];
    let settled = depot
        .database
        .deliveries
        .run(move |connection| Ok::<_, argus_core::Error>(lease::settle(connection, &endings)?));
    settled.await.unwrap() == [lease.id.clone()]
}

async fn reap(depot: &Depot) -> usize {
    let reaped =
        depot.database.deliveries.run(|connection| Ok::<_, argus_core::Error>(lease::reap(connection)?));
    reaped.await.unwrap()
}

fn record(what: &str) -> Record {
    let attempt =
        format!("{{\"attempted_at\":\"2026-11-30T12:00:00Z\",\"duration_ms\":1,\"what\":\"{what}\"}}\n");
    Record { attempted_at: 1, attempt, sent: format!("{{\"sent-by\":\"{what}\"}}") }
}

/// Every way in which an attempt can end.
fn endings(what: &str) -> [Ending; 6] {
    [
        Ending::Succeeded(record(what)),
        Ending::Again(record(what), LONG),
        Ending::Failed(record(what)),
        Ending::Skipped,
        Ending::Dropped,
        Ending::Released,
    ]
}

/// A depot with so many deliveries.
async fn with_deliveries(installation: Installation, count: usize) -> Depot {
    let depot = Depot::open(installation).await;
    depot.subscribe(&dialler(LONG), "http://127.0.0.1:9/").await;
    for number in 0..count {
        depot.tell(&format!("p{number}")).await;
    }
    depot.fan_out().await;
    depot
}

/// Everything that there is of the deliveries.
fn rows(depot: &Depot) -> Vec<String> {
    depot.lines(
        "SELECT id || ' ' || status || ' ' || CAST(attempts AS TEXT) || ' ' || history || ' ' || coalesce(sent, '-') \
         || ' ' || coalesce(CAST(due_at AS TEXT), '-') || ' ' || coalesce(CAST(lease AS TEXT), '-') \
         || ' ' || coalesce(CAST(lease_until AS TEXT), '-') || ' ' || coalesce(CAST(attempted_at AS TEXT), '-') AS line \
         FROM deliveries",
    )
}

fn end_all_leases(depot: &Depot) {
    depot.sql("UPDATE deliveries SET lease_until = 0 WHERE lease_until IS NOT NULL");
}

async fn a_result_that_comes_when_another_one_has_the_delivery_changes_nothing(installation: Installation) {
    let depot = with_deliveries(installation, 1).await;
    let first = claim(&depot, room(), LONG).await.remove(0);
    assert_eq!(reap(&depot).await, 0, "a lease that is not over is nobody else's");
    assert!(claim(&depot, room(), LONG).await.is_empty());
    end_all_leases(&depot);
    assert_eq!(reap(&depot).await, 1);
    let second = claim(&depot, room(), LONG).await.remove(0);
    assert_eq!(
        (&second.lease.id, second.attempts),
        (&first.lease.id, 0),
        "nobody knows of the first attempt"
    );
    let before = rows(&depot);
    for ending in endings("the first") {
        assert!(!settle(&depot, &first.lease, ending.clone()).await, "{ending:?}");
        assert_eq!(rows(&depot), before, "{ending:?}");
    }
    assert!(settle(&depot, &second.lease, Ending::Succeeded(record("the second"))).await);
    let after = rows(&depot);
    assert!(after[0].contains(" succeeded 1 ") && after[0].contains("the second"), "{after:?}");
    for ending in endings("the first").into_iter().chain(endings("the second once more")) {
        for lease in [&first.lease, &second.lease] {
            assert!(!settle(&depot, lease, ending.clone()).await, "{ending:?}");
        }
        assert_eq!(rows(&depot), after, "{ending:?}");
    }
}

async fn a_result_that_comes_after_its_lease_and_before_anybody_else_s_claim_changes_nothing(
    installation: Installation,
) {
    let depot = with_deliveries(installation, 1).await;
    let first = claim(&depot, room(), LONG).await.remove(0);
    end_all_leases(&depot);
    assert_eq!(reap(&depot).await, 1);
    let before = rows(&depot);
    for ending in endings("the first") {
        assert!(!settle(&depot, &first.lease, ending.clone()).await, "{ending:?}");
        assert_eq!(rows(&depot), before, "{ending:?}");
    }
    assert_eq!(claim(&depot, room(), LONG).await.len(), 1, "it is there for the next one");
}

async fn claimers_at_the_same_time_never_get_the_same_delivery(installation: Installation) {
    const DELIVERIES: usize = 300;
    let depot = with_deliveries(installation, DELIVERIES).await;
    let claimers = (0..8).map(|_| async {
        let mut ids = Vec::new();
        loop {
            let claimed = claim(&depot, Room { limit: 7, ..room() }, LONG).await;
            assert!(claimed.len() <= 7);
            if claimed.is_empty() {
                return ids;
            }
            ids.extend(claimed.into_iter().map(|delivery| delivery.lease.id));
        }
    });
    let claimed: Vec<_> = futures::future::join_all(claimers).await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), DELIVERIES);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), DELIVERIES);
}

//! Two nodes that deliver beside each other, with a receiver that hangs until its time is over, and one of them
//! killed.

use super::{Depot, PATIENCE, dialler, until};
use argus_core::deliveries::couriers::CourierSettings;
use argus_core::outbox::Happenings;
use argus_tests::{Installation, Receiver, Treatment, on_both_engines};
use chrono::Utc;
use std::collections::BTreeSet;
use std::time::Duration;

on_both_engines! {
    beside_a_receiver_that_hangs_every_other_one_gets_each_event_once_and_in_time
    a_delivery_of_a_node_that_was_killed_is_attempted_again_after_its_lease_and_not_before
}

/// How long an attempt may take.
const ATTEMPT: Duration = Duration::from_secs(4);
/// In how much time an event is told to those that answer: far less than what an attempt takes that hangs.
const IN_TIME: Duration = Duration::from_secs(2);
const EVENTS: usize = 24;
const OTHERS: usize = 3;

const SETTINGS: CourierSettings =
    CourierSettings { slots: 8, lease: Duration::from_secs(20), poll: Duration::from_millis(50) };

async fn beside_a_receiver_that_hangs_every_other_one_gets_each_event_once_and_in_time(
    installation: Installation,
) {
    let depot = Depot::open(installation).await;
    let dialler = dialler(ATTEMPT);
    let hanging = Receiver::start().await;
    hanging.treats_all(Treatment::Hang);
    depot.subscribe(&dialler, &hanging.url()).await;
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        let other = Receiver::start().await;
        depot.subscribe(&dialler, &other.url()).await;
        others.push(other);
    }
    let happenings = [Happenings::default(), Happenings::default()];
    let couriers = happenings.each_ref().map(|happenings| depot.couriers(&dialler, happenings, SETTINGS));
    for number in 0..EVENTS {
        let began = Utc::now();
        depot.tell(&format!("p{number}")).await;
        happenings[number % 2].told();
        for other in &others {
            let came = other.wait_for(number + 1).await.pop().unwrap();
            let took = came.came_at - began;
            assert!(took.to_std().unwrap_or_default() < IN_TIME, "event {number} came after {took}");
        }
        // Those that have timed out are attempted again at once.
        depot.make_due();
    }
    until("a second attempt at one that hangs", async || {
        depot.make_due();
        let came = hanging.came();
        came.len() > came.iter().map(|delivery| delivery.header("webhook-id")).collect::<BTreeSet<_>>().len()
    })
    .await;
    for other in &others {
        let came = other.came();
        let ids: BTreeSet<&str> = came.iter().map(|delivery| delivery.header("webhook-id")).collect();
        assert_eq!((came.len(), ids.len()), (EVENTS, EVENTS), "each event once");
    }
    assert_eq!(hanging.most_attempts_of_one(), 1, "attempts at one delivery at a time");
    drop(hanging);
    for couriers in couriers {
        couriers.stop(PATIENCE).await;
    }
}

async fn a_delivery_of_a_node_that_was_killed_is_attempted_again_after_its_lease_and_not_before(
    installation: Installation,
) {
    const LEASE: Duration = Duration::from_secs(6);
    let depot = Depot::open(installation).await;
    let (dialler, happenings) = (dialler(LEASE), Happenings::default());
    let receiver = Receiver::start().await;
    receiver.treats_next([Treatment::Hang]);
    let (id, _) = depot.subscribe(&dialler, &receiver.url()).await;
    let settings = CourierSettings { lease: LEASE, ..SETTINGS };
    let killed = depot.couriers(&dialler, &happenings, settings);
    depot.tell("p1").await;
    happenings.told();
    receiver.wait_for(1).await;
    assert_eq!(depot.states(&id), ["queued 0 held"]);
    let lease_until =
        depot.lines("SELECT CAST(lease_until AS TEXT) AS line FROM deliveries")[0].parse::<i64>();
    // Nobody writes how its attempt ends.
    drop(killed);
    let other = depot.couriers(&dialler, &Happenings::default(), settings);
    let came = receiver.wait_for(2).await;
    assert!(came[1].came_at.timestamp_micros() >= lease_until.unwrap(), "the lease was not over yet");
    assert_eq!(came[0].header("webhook-id"), came[1].header("webhook-id"));
    assert_eq!(came[0].body, came[1].body);
    until("its end", async || depot.states(&id) == ["succeeded 1"]).await;
    assert_eq!(other.stop(PATIENCE).await, 0);
    assert_eq!(receiver.came().len(), 2);
}

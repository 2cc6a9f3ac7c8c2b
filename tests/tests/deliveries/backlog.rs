//! Deliveries that have piled up: they all come although nobody looks for them again, those of one receiver in good
//! parts, and those of others between them.

use super::{Depot, PATIENCE, SETTINGS, dialler, until};
use argus_core::deliveries::couriers::CourierSettings;
use argus_core::outbox::Happenings;
use argus_tests::{Installation, Receiver, Statements, Treatment, on_both_engines};
use std::time::Duration;

on_both_engines! {
    what_has_piled_up_for_one_receiver_comes_in_few_claims_however_few_slots_there_are
    receivers_with_a_backlog_do_not_keep_one_waiting_that_has_none
}

/// What every claim sets, and nothing else.
const CLAIM: &str = "lease_until = argus_now() + ";
const PILED_UP: usize = 300;

async fn what_has_piled_up_for_one_receiver_comes_in_few_claims_however_few_slots_there_are(
    installation: Installation,
) {
    let claims = Statements::with(CLAIM, &installation);
    let depot = Depot::open(installation).await;
    let dialler = dialler(PATIENCE);
    let receiver = Receiver::start().await;
    let (id, _) = depot.subscribe(&dialler, &receiver.url()).await;
    // Fewer than the lane would take, and more.
    for (round, slots) in [20, 512].into_iter().enumerate() {
        for number in 0..PILED_UP {
            depot.tell(&format!("p{round}-{number}")).await;
        }
        depot.fan_out().await;
        let before = claims.asked();
        let settings = CourierSettings { slots, ..SETTINGS };
        let couriers = depot.couriers(&dialler, &Happenings::default(), settings);
        let expected = (round + 1) * PILED_UP;
        receiver.wait_for(expected).await;
        until("their ends", async || {
            depot.states(&id).iter().filter(|state| *state == "succeeded 1").count() == expected
        })
        .await;
        assert_eq!(couriers.stop(PATIENCE).await, 0);
        let claimed = claims.asked() - before;
        assert!(claimed <= PILED_UP / 2, "{PILED_UP} deliveries took {claimed} claims with {slots} slots");
    }
    assert_eq!(receiver.came().len(), 2 * PILED_UP, "each came once");
}

async fn receivers_with_a_backlog_do_not_keep_one_waiting_that_has_none(installation: Installation) {
    const BUSY: usize = 5;
    let depot = Depot::open(installation).await;
    let dialler = dialler(PATIENCE);
    let mut busy = Vec::new();
    for _ in 0..BUSY {
        let receiver = Receiver::start().await;
        receiver.treats_all(Treatment::Take(Duration::from_millis(10)));
        depot.subscribe(&dialler, &receiver.url()).await;
        busy.push(receiver);
    }
    for number in 0..PILED_UP / 3 {
        depot.tell(&format!("p{number}")).await;
    }
    depot.fan_out().await;
    // The last one by any order.
    let other = Receiver::start().await;
    depot.subscribe(&dialler, &other.url()).await;
    depot.tell("last").await;
    depot.fan_out().await;
    // Not more slots than those who are busy would take all the time.
    let settings = CourierSettings { slots: 20, ..SETTINGS };
    let couriers = depot.couriers(&dialler, &Happenings::default(), settings);
    other.wait_for(1).await;
    let before: usize = busy.iter().map(|receiver| receiver.came().len()).sum();
    assert!(before <= BUSY * PILED_UP / 6, "{before} others came before it");
    for receiver in &busy {
        receiver.wait_for(PILED_UP / 3 + 1).await;
    }
    assert_eq!(couriers.stop(PATIENCE).await, 0);
}

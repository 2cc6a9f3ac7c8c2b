//! What an event costs a node that has nothing else to do: however many slots are free, it looks a few times.

use super::{Depot, PATIENCE, SETTINGS, dialler, until};
use crate::jobs::Listening;
use argus_core::deliveries::couriers::CourierSettings;
use argus_core::jobs::signals::Signals;
use argus_core::outbox::Happenings;
use argus_tests::{Installation, Receiver, Statements, on_both_engines, run_on_postgres};

on_both_engines! {
    an_event_with_fifty_free_slots_costs_a_few_claims
}

/// What a claim begins with that nobody has prepared: a look for the receivers that something waits for.
const CLAIM: &str = "WITH RECURSIVE turn (lane, place)";
/// What everybody begins with who makes deliveries of events.
const TAKE: &str = "FROM outbox WHERE fault IS NULL";
/// How many an event may cost: one finds it, one looks again when the attempt has ended, and a signal may be there
/// twice.
const FEW: usize = 4;

async fn an_event_with_fifty_free_slots_costs_a_few_claims(installation: Installation) {
    let claims = Statements::with(CLAIM, &installation);
    let takes = Statements::with(TAKE, &installation);
    let depot = Depot::open(installation).await;
    let (dialler, happenings) = (dialler(PATIENCE), Happenings::default());
    let receiver = Receiver::start().await;
    let (id, _) = depot.subscribe(&dialler, &receiver.url()).await;
    // Two nodes, of which the second one is told of nothing, as it would be elsewhere.
    let slots = CourierSettings { slots: 25, ..SETTINGS };
    let couriers = [happenings.clone(), Happenings::default()]
        .map(|happenings| depot.couriers(&dialler, &happenings, slots));
    // As long as they begin, they look.
    let mut ended = 0;
    let mut deliver = async || {
        ended += 1;
        depot.tell(&format!("p{ended}")).await;
        happenings.told();
        receiver.wait_for(ended).await;
        until("its end", async || {
            depot.states(&id).iter().filter(|state| *state == "succeeded 1").count() == ended
        })
        .await;
    };
    deliver().await;
    let (claims_before, takes_before) = (claims.asked(), takes.asked());
    assert!(claims_before > 0 && takes_before > 0, "they are counted");
    const EVENTS: usize = 10;
    for _ in 0..EVENTS {
        deliver().await;
    }
    let (claimed, taken) = (claims.asked() - claims_before, takes.asked() - takes_before);
    assert!(claimed <= FEW * EVENTS, "{EVENTS} events cost {claimed} claims");
    assert!(taken <= 2 * EVENTS, "{EVENTS} events were looked for {taken} times");
    for couriers in couriers {
        assert_eq!(couriers.stop(PATIENCE).await, 0);
    }
}

#[test]
fn an_event_of_a_node_without_couriers_is_told_by_another_one_at_once() {
    run_on_postgres(async |installation: Installation| {
        let depot = Depot::open(installation).await;
        let dialler = dialler(PATIENCE);
        let receiver = Receiver::start().await;
        depot.subscribe(&dialler, &receiver.url()).await;
        let happenings = [Happenings::default(), Happenings::default()];
        let exchanges = happenings.each_ref().map(|happenings| {
            let (database, _) = depot.installation.database_and_identity();
            let (signals, listener) = (Signals::beside(happenings.clone()), database.listener.unwrap());
            tokio::spawn(async move { signals.exchange(&listener).await })
        });
        let listening = Listening::default();
        until("both listen", async || listening.sessions(&depot.installation) >= 2).await;
        // They look for nothing by themselves in the time of a test.
        let couriers = depot.couriers(&dialler, &happenings[1], SETTINGS);
        for number in 1..=3 {
            depot.tell(&format!("p{number}")).await;
            happenings[0].told();
            receiver.wait_for(number).await;
        }
        exchanges.iter().for_each(|exchange| exchange.abort());
        assert_eq!(couriers.stop(PATIENCE).await, 0);
    });
}

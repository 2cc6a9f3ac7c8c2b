//! Attempts that come to nothing: each is kept with its reason and leaves a next one; one that a shutdown breaks off
//! was none.

use super::{Depot, PATIENCE, SETTINGS, dialler, until};
use crate::dialler::{LOOPBACK, Names};
use argus_core::Clock;
use argus_core::dialler::{Dialler, DiallerSettings};
use argus_core::outbox::Happenings;
use argus_tests::{Authority, Installation, Receiver, Treatment, on_both_engines};
use serde_json::Value;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::task::AbortHandle;

on_both_engines! {
    each_failure_is_kept_with_its_reason_and_leaves_a_next_attempt
    a_shutdown_in_the_middle_of_an_attempt_uses_none_up
}

/// A receiver that resets its connections: a socket that is closed with something unread in it does.
async fn resetting() -> (u16, AbortHandle) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read_u8().await;
        }
    });
    (port, serving.abort_handle())
}

/// A way to this machine, by https and by http, on which only the name of a receiver is known.
fn knowing(names: &Arc<Names>, attempt: Duration) -> Dialler {
    let mut settings = DiallerSettings { loopback: true, ..DiallerSettings::new("argus-webhooks/test") };
    settings.limits.attempt = attempt;
    Dialler::new(&settings, Arc::clone(names), Clock::system()).unwrap()
}

async fn each_failure_is_kept_with_its_reason_and_leaves_a_next_attempt(installation: Installation) {
    const ATTEMPT: Duration = Duration::from_secs(1);
    let depot = Depot::open(installation).await;
    let (knows, knows_none) = (Names::new([&[LOOPBACK]]), Names::new([]));
    let (resetting_port, serving) = resetting().await;
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Of an authority that nobody trusts.
    let untrusted = Receiver::behind_tls(&Authority::fresh()).await;
    let hanging = Receiver::start().await;
    hanging.treats_all(Treatment::Hang);
    let cases = [
        ("name_not_resolved", "https://receiver.example/".to_owned(), &knows_none, LONGER),
        ("connection_refused", format!("https://receiver.example:{refusing}/"), &knows, LONGER),
        ("connection_failed", format!("http://127.0.0.1:{resetting_port}/"), &knows, LONGER),
        ("tls_failed", untrusted.url(), &knows, LONGER),
        ("timed_out", hanging.url(), &knows, ATTEMPT),
    ];
    for (reason, url, names, attempt) in cases {
        let (dialler, happenings) = (knowing(names, attempt), Happenings::default());
        let (id, _) = depot.subscribe(&dialler, &url).await;
        let couriers = depot.couriers(&dialler, &happenings, SETTINGS);
        depot.tell(reason).await;
        for attempts in 1..=2 {
            happenings.told();
            until(reason, async || depot.states(&id) == [format!("queued {attempts} later")]).await;
            let kept = depot.attempts(&id);
            assert_eq!(kept.len(), attempts, "{kept:?}");
            let last = &kept[attempts - 1];
            assert_eq!(last["failure"], reason, "{last}");
            assert!(
                last["response_status"] == Value::Null && last["response_excerpt"] == Value::Null,
                "{last}"
            );
            depot.make_due();
        }
        assert_eq!(couriers.stop(PATIENCE).await, 0);
        // What it left is no other case's.
        depot.sql("UPDATE webhooks SET status = 'disabled'; DELETE FROM deliveries");
    }
    assert_eq!(untrusted.came().len(), 0);
    serving.abort();
}

/// More than any attempt takes that fails by itself.
const LONGER: Duration = Duration::from_secs(30);

async fn a_shutdown_in_the_middle_of_an_attempt_uses_none_up(installation: Installation) {
    let depot = Depot::open(installation).await;
    let (dialler, happenings) = (dialler(LONGER), Happenings::default());
    let receiver = Receiver::start().await;
    receiver.treats_next([Treatment::Hang]);
    let (id, _) = depot.subscribe(&dialler, &receiver.url()).await;
    let couriers = depot.couriers(&dialler, &happenings, SETTINGS);
    depot.tell("p1").await;
    happenings.told();
    receiver.wait_for(1).await;
    assert_eq!(depot.states(&id), ["queued 0 held"]);
    assert_eq!(couriers.stop(Duration::from_millis(10)).await, 1, "it is given back");
    assert_eq!(depot.states(&id), ["queued 0"], "it is there for the next one, at once");
    assert_eq!(depot.attempts(&id), [Value::Null; 0]);
    let next = depot.couriers(&dialler, &happenings, SETTINGS);
    let came = receiver.wait_for(2).await;
    assert_eq!(came[0].header("webhook-id"), came[1].header("webhook-id"));
    until("its end", async || depot.states(&id) == ["succeeded 1"]).await;
    assert_eq!(depot.attempts(&id).len(), 1);
    assert_eq!(next.stop(PATIENCE).await, 0);
}

//! Attempts hours after the first one: the same delivery, signed anew. What signs is checked as the documents say, with
//! nothing of the service's own.

use super::{Depot, LONG, PATIENCE, SETTINGS, dialler, until};
use argus_core::Clock;
use argus_core::outbox::Happenings;
use argus_partner::webhooks;
use argus_tests::{Delivery, Installation, Receiver, Treatment, on_both_engines};
use argus_wire::hex;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use serde_json::json;
use std::collections::BTreeSet;

on_both_engines! {
    the_fifth_attempt_hours_later_is_signed_anew_over_the_same_bytes_and_either_secret_accepts_it
}

/// Checks `webhook-signature` as the specification of Standard Webhooks has it: one of the signatures after `v1,` is
/// the Base64 of HMAC-SHA256 over `id.timestamp.body`, under the bytes that the secret has in Base64 after `whsec_`.
fn is_standard(delivery: &Delivery, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let head = format!("{}.{}.", delivery.header("webhook-id"), delivery.header("webhook-timestamp"));
    let tag = sign(&Key::new(HMAC_SHA256, &key), &[head.as_bytes(), &delivery.body].concat());
    let expected = format!("v1,{}", STANDARD.encode(tag));
    delivery.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

/// Checks `X-Argus-Signature` as the contract has it: one of the values, which commas separate, is `sha256=` and the
/// HMAC-SHA256 of the body in hexadecimal digits, under the secret as it is written.
fn is_argus(delivery: &Delivery, secret: &str) -> bool {
    let tag = sign(&Key::new(HMAC_SHA256, secret.as_bytes()), &delivery.body);
    let expected = format!("sha256={}", hex::encode(tag.as_ref()));
    delivery.header("x-argus-signature").split(',').any(|signature| signature.trim() == expected)
}

async fn the_fifth_attempt_hours_later_is_signed_anew_over_the_same_bytes_and_either_secret_accepts_it(
    installation: Installation,
) {
    const ATTEMPTS: usize = 5;
    let clock = Clock::standing(Utc::now());
    let depot = Depot::open_by(installation, clock.clone()).await;
    let (dialler, happenings) = (dialler(LONG), Happenings::default());
    let receiver = Receiver::start().await;
    receiver.treats_next(vec![Treatment::Answer(500); ATTEMPTS - 1]);
    let (id, first_secret) = depot.subscribe(&dialler, &receiver.url()).await;
    let couriers = depot.couriers(&dialler, &happenings, SETTINGS);
    depot.tell("p1").await;
    let mut moments = Vec::new();
    for attempt in 1..ATTEMPTS {
        moments.push(clock.now().timestamp());
        happenings.told();
        receiver.wait_for(attempt).await;
        until("its end", async || depot.states(&id) == [format!("queued {attempt} later")]).await;
        clock.advance(TimeDelta::minutes(75));
        depot.make_due();
    }
    let rotate = serde_json::from_value(json!({"rotate_secret": true})).unwrap();
    let rotated =
        webhooks::update(&depot.webhooks(&dialler, &happenings), &depot.caller, &id, &rotate).await.unwrap();
    let second_secret = rotated.secret.unwrap().expose().to_owned();
    moments.push(clock.now().timestamp());
    happenings.told();
    let came = receiver.wait_for(ATTEMPTS).await;
    until("its end", async || depot.states(&id) == [format!("succeeded {ATTEMPTS}")]).await;
    assert_eq!(couriers.stop(PATIENCE).await, 0);

    assert!(moments[ATTEMPTS - 1] - moments[0] >= 5 * 3600, "{moments:?}");
    let mut signatures = BTreeSet::new();
    for (delivery, moment) in came.iter().zip(&moments) {
        assert_eq!(delivery.header("webhook-id"), came[0].header("webhook-id"));
        assert_eq!(delivery.body, came[0].body);
        assert_eq!(delivery.header("webhook-timestamp"), moment.to_string(), "the time of this attempt");
        assert!(is_standard(delivery, &first_secret) && is_argus(delivery, &first_secret), "{delivery:?}");
        signatures.insert(delivery.header("webhook-signature"));
    }
    assert_eq!(signatures.len(), ATTEMPTS, "each attempt has a signature of its own");
    let (first, fifth) = (&came[0], &came[ATTEMPTS - 1]);
    assert!(is_standard(fifth, &second_secret) && is_argus(fifth, &second_secret), "{fifth:?}");
    assert!(!is_standard(first, &second_secret) && !is_argus(first, &second_secret), "{first:?}");
    assert!(!is_standard(fifth, "whsec_AAAA") && !is_argus(fifth, "whsec_AAAA"));
}

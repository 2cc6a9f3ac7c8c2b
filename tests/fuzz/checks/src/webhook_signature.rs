//! The SDK's verifier of deliveries. The lines are `webhook-id`, `webhook-timestamp`,
//! `webhook-signature`, `x-argus-signature` and the body; an empty line is an absent header, and `SIGNED`
//! stands for the signature that is right for the rest.
//!
//! A delivery is accepted only with the signature that the server would make, and in time; one that
//! the server signed is accepted, and not under another body.

use crate::edits::parts;
use argus_sdk::reqwest::header::{HeaderMap, HeaderValue};
use argus_sdk::webhooks::{ARGUS_SIGNATURE, Verifier, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use argus_wire::signature::{argus_signature, standard_signature};
use std::time::{Duration, UNIX_EPOCH};

const SECRET: &str = "whsec_dGhlIHNlY3JldCBvZiB0aGUgY2hlY2tz";
const NOW: i64 = 1_000_000;
const TOLERANCE: i64 = 300;
const PLACEHOLDER: &str = "SIGNED";

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let [id, timestamp, signatures, argus, body] = parts::<5>(input);
    let text = |line| std::str::from_utf8(line).unwrap_or_default();
    let (id, timestamp) = (text(id), text(timestamp));
    let seconds: i64 = timestamp.parse().unwrap_or_default();
    let right = standard_signature(SECRET, id, seconds, body);
    let signatures = text(signatures).replacen(PLACEHOLDER, &right, 1);
    let right_argus = argus_signature(SECRET, body);
    let argus = text(argus).replacen(PLACEHOLDER, &right_argus, 1);

    let mut headers = HeaderMap::new();
    for (name, value) in [
        (WEBHOOK_ID, id),
        (WEBHOOK_TIMESTAMP, timestamp),
        (WEBHOOK_SIGNATURE, &signatures),
        (ARGUS_SIGNATURE, &argus),
    ] {
        if let Ok(value) = HeaderValue::from_str(value)
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    }
    let now = UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs());
    let verifier = Verifier::new(SECRET);
    let result = verifier.verify_at(&headers, body, now);

    let has_standard =
        [WEBHOOK_ID, WEBHOOK_TIMESTAMP, WEBHOOK_SIGNATURE].map(|name| headers.contains_key(name));
    let has_argus = headers.contains_key(ARGUS_SIGNATURE);
    let in_time = (NOW - TOLERANCE..=NOW + TOLERANCE).contains(&seconds);
    if result.is_ok() {
        assert!(has_standard == [true; 3], "{headers:?}");
        assert!(in_time, "{seconds} is not in time");
        assert!(signatures.split(' ').any(|one| one == right), "{signatures:?} instead of {right:?}");
        if has_argus {
            assert!(argus == right_argus, "{argus:?} instead of {right_argus:?}");
        }
        let other = [body, b" "].concat();
        assert!(verifier.verify_at(&headers, &other, now).is_err(), "the signature of another body");
    }
    let is_signed = has_standard == [true; 3]
        && signatures == right
        && seconds.to_string() == timestamp
        && (!has_argus || argus == right_argus);
    // Header values other than ASCII text are refused before any signature is looked at.
    if is_signed && in_time && id.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        assert_eq!(result, Ok(()), "a delivery that the server signed: {headers:?}");
    }
}

//! Tests of the verification of signed deliveries.

use super::*;
use proptest::prelude::*;
use reqwest::header::{HeaderName, HeaderValue};

const SECRET: &str = "a signing secret of a partner";
const BODY: &[u8] = br#"{"id":"job_1","status":"succeeded"}"#;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn argus_signature(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex(&hmac(secret.as_bytes(), &[body])))
}

fn standard_signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    format!("v1,{}", STANDARD.encode(hmac(&standard_key(&Secret::from(secret)), &parts)))
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn signed(secret: &str) -> HeaderMap {
    headers(&[
        (WEBHOOK_ID, "msg_1"),
        (WEBHOOK_TIMESTAMP, "1000000"),
        (WEBHOOK_SIGNATURE, &standard_signature(secret, "msg_1", "1000000", BODY)),
        (ARGUS_SIGNATURE, &argus_signature(secret, BODY)),
    ])
}

#[test]
fn the_worked_examples_of_the_schemes_are_accepted() {
    // RFC 4231, test case 2.
    let known = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(Verifier::new("Jefe").verify_argus(known, b"what do ya want for nothing?"), Ok(()));
    // The published example of Standard Webhooks.
    let known = headers(&[
        (WEBHOOK_ID, "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        (WEBHOOK_TIMESTAMP, "1614265330"),
        (WEBHOOK_SIGNATURE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]);
    let verifier = Verifier::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert_eq!(verifier.verify_at(&known, br#"{"test": 2432232314}"#, at(1_614_265_330)), Ok(()));
}

#[test]
fn any_of_the_accepted_secrets_will_do_and_no_other() {
    let both = Verifier::new("new").accept_also(SECRET);
    assert_eq!(both.verify_at(&signed(SECRET), BODY, at(1_000_000)), Ok(()));
    assert_eq!(
        Verifier::new("new").verify_at(&signed(SECRET), BODY, at(1_000_000)),
        Err(VerificationError::WrongSignature)
    );
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let good = standard_signature(SECRET, "msg_1", "1000000", BODY);
    let other = standard_signature("other", "msg_1", "1000000", BODY);
    let list = headers(&[
        (WEBHOOK_ID, "msg_1"),
        (WEBHOOK_TIMESTAMP, "1000000"),
        (WEBHOOK_SIGNATURE, &format!("v1a,Zm9v {other} {good}")),
    ]);
    assert_eq!(Verifier::new(SECRET).verify_at(&list, BODY, at(1_000_000)), Ok(()));
}

#[test]
fn a_replayed_or_a_future_delivery_is_refused() {
    let verifier = Verifier::new(SECRET);
    let verify = |now| verifier.verify_at(&signed(SECRET), BODY, at(now));
    assert_eq!(verify(1_000_300), Ok(()));
    assert_eq!(verify(1_000_301), Err(VerificationError::TooOld));
    assert_eq!(verify(999_700), Ok(()));
    assert_eq!(verify(999_699), Err(VerificationError::TooNew));
}

#[test]
fn a_bad_argus_signature_is_refused_beside_a_good_standard_one_and_the_other_way_round() {
    let mut both = signed(SECRET);
    both.insert(ARGUS_SIGNATURE, argus_signature("other", BODY).parse().unwrap());
    let verifier = Verifier::new(SECRET);
    assert_eq!(verifier.verify_at(&both, BODY, at(1_000_000)), Err(VerificationError::WrongSignature));
    let mut both = signed(SECRET);
    both.remove(WEBHOOK_SIGNATURE);
    assert_eq!(
        verifier.verify_at(&both, BODY, at(1_000_000)),
        Err(VerificationError::MissingHeader(WEBHOOK_SIGNATURE))
    );
}

#[test]
fn a_delivery_without_its_timestamp_headers_is_refused_however_good_its_argus_signature() {
    let verifier = Verifier::new(SECRET);
    for name in [WEBHOOK_ID, WEBHOOK_TIMESTAMP, WEBHOOK_SIGNATURE] {
        let mut stripped = signed(SECRET);
        stripped.remove(name);
        let refused = verifier.verify_at(&stripped, BODY, at(1_000_000));
        assert_eq!(refused, Err(VerificationError::MissingHeader(name)));
    }
    let argus = argus_signature(SECRET, BODY);
    let only_argus = headers(&[(ARGUS_SIGNATURE, &argus)]);
    assert_eq!(verifier.verify_argus(&argus, BODY), Ok(()));
    assert_eq!(
        verifier.verify_at(&only_argus, BODY, at(1_000_000)),
        Err(VerificationError::MissingHeader(WEBHOOK_ID))
    );
}

#[test]
fn malformed_headers_are_named() {
    let verifier = Verifier::new(SECRET);
    let malformed = Err(VerificationError::MalformedHeader(ARGUS_SIGNATURE));
    for signature in ["", "sha256=", "sha1=00", "sha256=zz", &format!("sha256={}", "é".repeat(32))] {
        assert_eq!(verifier.verify_argus(signature, BODY), malformed, "{signature}");
    }
    for (name, value) in [
        (WEBHOOK_SIGNATURE, "v2,AAAA"),
        (WEBHOOK_SIGNATURE, "v1,not base64"),
        (WEBHOOK_TIMESTAMP, "+1000000"),
        (WEBHOOK_TIMESTAMP, "99999999999999999999999999"),
    ] {
        let mut changed = signed(SECRET);
        changed.insert(name, value.parse().unwrap());
        let refused = verifier.verify_at(&changed, BODY, at(1_000_000));
        assert_eq!(refused, Err(VerificationError::MalformedHeader(name)), "{value}");
    }
    assert!(!format!("{verifier:?}").contains(SECRET));
}

proptest! {
    #[test]
    fn a_body_with_any_flipped_bit_is_refused(body in prop::collection::vec(any::<u8>(), 1..200), at_bit in any::<prop::sample::Index>()) {
        let verifier = Verifier::new(SECRET);
        let signature = argus_signature(SECRET, &body);
        prop_assert_eq!(verifier.verify_argus(&signature, &body), Ok(()));
        let standard = headers(&[
            (WEBHOOK_ID, "msg_1"),
            (WEBHOOK_TIMESTAMP, "1000000"),
            (WEBHOOK_SIGNATURE, &standard_signature(SECRET, "msg_1", "1000000", &body)),
        ]);
        prop_assert_eq!(verifier.verify_at(&standard, &body, at(1_000_000)), Ok(()));
        let bit = at_bit.index(body.len() * 8);
        let mut changed = body;
        changed[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(verifier.verify_argus(&signature, &changed), Err(VerificationError::WrongSignature));
        prop_assert_eq!(verifier.verify_at(&standard, &changed, at(1_000_000)), Err(VerificationError::WrongSignature));
    }

    #[test]
    fn a_signature_with_any_flipped_bit_is_refused(at_bit in any::<prop::sample::Index>()) {
        let mut raw = hmac(SECRET.as_bytes(), &[BODY]);
        let bit = at_bit.index(raw.len() * 8);
        raw[bit / 8] ^= 1 << (bit % 8);
        let verified = Verifier::new(SECRET).verify_argus(&format!("sha256={}", hex(&raw)), BODY);
        prop_assert_eq!(verified, Err(VerificationError::WrongSignature));
    }

    #[test]
    fn no_input_panics_or_passes_unsigned(secret in ".*", values in prop::array::uniform4(prop::collection::vec(any::<u8>(), 0..80)), body in prop::collection::vec(any::<u8>(), 0..80)) {
        let names = [WEBHOOK_ID, WEBHOOK_TIMESTAMP, WEBHOOK_SIGNATURE, ARGUS_SIGNATURE];
        let map: HeaderMap = names
            .into_iter()
            .zip(&values)
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_bytes(value).ok()?)))
            .collect();
        prop_assert!(Verifier::new(secret).verify(&map, &body).is_err());
    }
}

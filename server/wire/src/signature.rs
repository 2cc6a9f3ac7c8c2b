//! How a delivery is signed, and how a receiver checks it: `X-Argus-Signature` and Standard Webhooks
//! (<https://www.standardwebhooks.com>). Which headers were received, what time it is and which
//! secrets count is the caller's to say.

use crate::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

/// Header with `sha256=` and the hex HMAC-SHA256 of the raw body; with several of them, separated by commas, while a
/// secret is being replaced.
pub const ARGUS_SIGNATURE: &str = "x-argus-signature";
/// Standard Webhooks: identifier of the delivery, the same for every attempt.
pub const WEBHOOK_ID: &str = "webhook-id";
/// Standard Webhooks: Unix time of the attempt, in seconds.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// Standard Webhooks: space-separated `v1,<base64>` signatures.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// The secret that signs every delivery that the sandbox shows. It is published, the same for
/// everybody, and **protects nothing**: it is there to test a receiver with, and must not be accepted
/// anywhere else.
pub const SANDBOX_SECRET: &str = "whsec_YXJndXMtc2FuZGJveC1wdWJsaWMtdGVzdC1zZWNyZXQ=";

const ARGUS_PREFIX: &str = "sha256=";
const STANDARD_PREFIX: &str = "v1,";
const ENCODED_SECRET_PREFIX: &str = "whsec_";
/// More than any honest sender gives; bounds the work that a forged header can cause.
const SIGNATURES_MAX: usize = 16;

type Hash = [u8; 32];

/// Why a delivery was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// A header that the scheme needs is absent or not text.
    #[error("the `{0}` header is missing or not text")]
    MissingHeader(&'static str),
    /// A header does not have the form that the scheme prescribes.
    #[error("the `{0}` header is malformed")]
    MalformedHeader(&'static str),
    /// The signature is well-formed and made with none of the accepted secrets, or over other bytes.
    #[error("no accepted secret made this signature over this body")]
    WrongSignature,
    /// The delivery is older than the tolerance allows: perhaps a replay.
    #[error("the delivery's timestamp is too old")]
    TooOld,
    /// The delivery's timestamp is further in the future than the tolerance allows.
    #[error("the delivery's timestamp lies in the future")]
    TooNew,
}

/// Value of `X-Argus-Signature`: `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits,
/// keyed with the secret as it was registered.
pub fn argus_signature(secret: &str, body: &[u8]) -> String {
    format!("{ARGUS_PREFIX}{}", hex::encode(&argus_hash(secret, body)))
}

/// Value of `webhook-signature` (Standard Webhooks): `v1,` and the HMAC-SHA256 of
/// `id.timestamp.body` in Base64, the timestamp in Unix seconds. As that specification has it, a
/// secret of the form `whsec_<base64>` is decoded; any other secret is the key itself.
pub fn standard_signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    let hash = standard_hash(secret, id, &timestamp.to_string(), body);
    format!("{STANDARD_PREFIX}{}", STANDARD.encode(hash))
}

/// Verifies that one of the first 16 signatures of `X-Argus-Signature` was made with one of the secrets. The value is
/// malformed unless it has lower-case digits. It covers no timestamp, so that a replayed delivery passes.
pub fn verify_argus<'s>(
    secrets: impl IntoIterator<Item = &'s str>,
    signature: &str,
    body: &[u8],
) -> Result<(), VerificationError> {
    let given: Vec<Hash> = signature
        .split(',')
        .take(SIGNATURES_MAX)
        .map(|signature| signature.trim_matches(' ').strip_prefix(ARGUS_PREFIX).and_then(hex::decode))
        .collect::<Option<_>>()
        .ok_or(VerificationError::MalformedHeader(ARGUS_SIGNATURE))?;
    accept(secrets, |secret| any_is(&given, &argus_hash(secret, body)))
}

/// A delivery with the headers of Standard Webhooks, as it was received.
#[derive(Clone, Copy, Debug)]
pub struct StandardDelivery<'a> {
    /// Value of `webhook-id`.
    pub id: &'a str,
    /// Value of `webhook-timestamp`.
    pub timestamp: &'a str,
    /// Value of `webhook-signature`.
    pub signatures: &'a str,
    /// The raw body.
    pub body: &'a [u8],
}

impl StandardDelivery<'_> {
    /// Verifies that one of the first 16 signatures of version 1 was made with one of the secrets, and
    /// that the timestamp lies at most `tolerance` seconds from `now`, in Unix seconds.
    pub fn verify<'s>(
        &self,
        secrets: impl IntoIterator<Item = &'s str>,
        now: u64,
        tolerance: u64,
    ) -> Result<(), VerificationError> {
        let given =
            read_signatures(self.signatures).ok_or(VerificationError::MalformedHeader(WEBHOOK_SIGNATURE))?;
        let seconds =
            read_timestamp(self.timestamp).ok_or(VerificationError::MalformedHeader(WEBHOOK_TIMESTAMP))?;
        accept(secrets, |secret| any_is(&given, &standard_hash(secret, self.id, self.timestamp, self.body)))?;
        if now.saturating_sub(seconds) > tolerance {
            return Err(VerificationError::TooOld);
        }
        if seconds.saturating_sub(now) > tolerance {
            return Err(VerificationError::TooNew);
        }
        Ok(())
    }
}

/// Compares with every signature, whether or not one has matched, so that time tells nothing.
fn any_is(given: &[Hash], expected: &Hash) -> Choice {
    given.iter().fold(Choice::from(0), |found, one| found | expected.ct_eq(one))
}

/// Tries every secret, whether or not one has matched, so that time tells nothing.
fn accept<'s>(
    secrets: impl IntoIterator<Item = &'s str>,
    matches: impl Fn(&str) -> Choice,
) -> Result<(), VerificationError> {
    let found = secrets.into_iter().fold(Choice::from(0), |found, secret| found | matches(secret));
    if found.into() { Ok(()) } else { Err(VerificationError::WrongSignature) }
}

/// The signatures of version 1, at least one; other versions are skipped, as the specification asks.
fn read_signatures(text: &str) -> Option<Vec<Hash>> {
    let given: Vec<Hash> = text
        .split(' ')
        .filter_map(|signature| signature.strip_prefix(STANDARD_PREFIX))
        .take(SIGNATURES_MAX)
        .map(|encoded| STANDARD.decode(encoded).ok()?.try_into().ok())
        .collect::<Option<_>>()?;
    (!given.is_empty()).then_some(given)
}

/// Decimal digits only: a sign or a space would be another byte sequence than the signed one.
fn read_timestamp(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn argus_hash(secret: &str, body: &[u8]) -> Hash {
    hmac(secret.as_bytes(), &[body])
}

fn standard_hash(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Hash {
    let decoded = secret
        .strip_prefix(ENCODED_SECRET_PREFIX)
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .map(Zeroizing::new);
    let key = decoded.as_deref().map_or(secret.as_bytes(), Vec::as_slice);
    hmac(key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Hash {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "a signing secret of a partner";
    const BODY: &[u8] = br#"{"id":"job_1","status":"succeeded"}"#;
    const NOW: u64 = 1_000_000;
    const TOLERANCE: u64 = 300;
    const WRONG: Result<(), VerificationError> = Err(VerificationError::WrongSignature);

    fn delivery<'a>(timestamp: &'a str, signatures: &'a str, body: &'a [u8]) -> StandardDelivery<'a> {
        StandardDelivery { id: "msg_1", timestamp, signatures, body }
    }

    fn signed(secret: &str, body: &[u8]) -> String {
        standard_signature(secret, "msg_1", 1_000_000, body)
    }

    fn verify(secrets: &[&str], signatures: &str, body: &[u8]) -> Result<(), VerificationError> {
        delivery("1000000", signatures, body).verify(secrets.iter().copied(), NOW, TOLERANCE)
    }

    #[test]
    fn the_standard_signature_matches_the_specification_s_example() {
        // The example that the Standard Webhooks libraries share as a test vector.
        let (secret, body) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", br#"{"test": 2432232314}"#);
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(standard_signature(secret, id, 1_614_265_330, body), signature);
        let received = StandardDelivery { id, timestamp: "1614265330", signatures: signature, body };
        assert_eq!(received.verify([secret], 1_614_265_330, 0), Ok(()));
    }

    #[test]
    fn the_argus_signature_matches_rfc_4231() {
        let body = b"what do ya want for nothing?";
        let signature = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(argus_signature("Jefe", body), signature);
        assert_eq!(verify_argus(["Jefe"], signature, body), Ok(()));
    }

    #[test]
    fn the_sandbox_secret_is_one_that_a_subscription_could_have() {
        assert!((16..=256).contains(&SANDBOX_SECRET.len()));
        assert_eq!(
            STANDARD.decode(&SANDBOX_SECRET[ENCODED_SECRET_PREFIX.len()..]).expect("Base64"),
            b"argus-sandbox-public-test-secret"
        );
    }

    #[test]
    fn any_of_the_accepted_secrets_will_do_and_no_other() {
        let standard = signed(SECRET, BODY);
        let argus = argus_signature(SECRET, BODY);
        for secrets in [&[SECRET][..], &["new", SECRET], &[SECRET, "old"], &["new", SECRET, "old"]] {
            assert_eq!(verify(secrets, &standard, BODY), Ok(()));
            assert_eq!(verify_argus(secrets.iter().copied(), &argus, BODY), Ok(()));
        }
        for secrets in [&[][..], &[""], &["new"], &["new", "old"]] {
            assert_eq!(verify(secrets, &standard, BODY), WRONG);
            assert_eq!(verify_argus(secrets.iter().copied(), &argus, BODY), WRONG);
        }
    }

    #[test]
    fn one_good_signature_among_the_first_sixteen_is_enough() {
        let (good, other) = (signed(SECRET, BODY), signed("other", BODY));
        assert_eq!(verify(&[SECRET], &format!("v1a,Zm9v {other} {good}"), BODY), Ok(()));
        let others = |count| format!("{other} ").repeat(count);
        assert_eq!(verify(&[SECRET], &format!("{}{good}", others(15)), BODY), Ok(()));
        assert_eq!(verify(&[SECRET], &format!("{}{good}", others(16)), BODY), WRONG);
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign_and_a_receiver_with_either_accepts() {
        let argus = format!("{}, {}", argus_signature("new", BODY), argus_signature(SECRET, BODY));
        let standard = format!("{} {}", signed("new", BODY), signed(SECRET, BODY));
        for secret in ["new", SECRET] {
            assert_eq!(verify_argus([secret], &argus, BODY), Ok(()));
            assert_eq!(verify(&[secret], &standard, BODY), Ok(()));
        }
        assert_eq!(verify_argus(["other"], &argus, BODY), WRONG);
        let many = format!("{}{argus}", format!("{}, ", argus_signature("other", BODY)).repeat(16));
        assert_eq!(verify_argus([SECRET], &many, BODY), WRONG);
    }

    #[test]
    fn a_delivery_outside_of_the_tolerance_is_refused() {
        let signatures = signed(SECRET, BODY);
        let verify = |now| delivery("1000000", &signatures, BODY).verify([SECRET], now, TOLERANCE);
        assert_eq!(verify(1_000_300), Ok(()));
        assert_eq!(verify(1_000_301), Err(VerificationError::TooOld));
        assert_eq!(verify(u64::MAX), Err(VerificationError::TooOld));
        assert_eq!(verify(999_700), Ok(()));
        assert_eq!(verify(999_699), Err(VerificationError::TooNew));
        assert_eq!(verify(0), Err(VerificationError::TooNew));
    }

    #[test]
    fn what_is_signed_is_the_id_the_timestamp_and_the_body() {
        let signatures = signed(SECRET, BODY);
        assert_eq!(delivery("1000001", &signatures, BODY).verify([SECRET], NOW, TOLERANCE), WRONG);
        let other = StandardDelivery { id: "msg_2", ..delivery("1000000", &signatures, BODY) };
        assert_eq!(other.verify([SECRET], NOW, TOLERANCE), WRONG);
        // The same number in other bytes.
        assert_eq!(delivery("01000000", &signatures, BODY).verify([SECRET], NOW, TOLERANCE), WRONG);
    }

    #[test]
    fn malformed_headers_are_named() {
        let upper = argus_signature(SECRET, BODY).to_uppercase().replace("SHA256", "sha256");
        for signature in
            ["", "sha256=", "sha1=00", "sha256=zz", &format!("sha256={}", "\u{e9}".repeat(32)), &upper]
        {
            let malformed = Err(VerificationError::MalformedHeader(ARGUS_SIGNATURE));
            assert_eq!(verify_argus([SECRET], signature, BODY), malformed, "{signature}");
        }
        let good = signed(SECRET, BODY);
        let unpadded = good.trim_end_matches('=');
        for signatures in
            ["", "v2,AAAA", "v1,not base64", "v1,", "v1,AAAA", unpadded, &format!("{good} v1,x")]
        {
            let malformed = Err(VerificationError::MalformedHeader(WEBHOOK_SIGNATURE));
            assert_eq!(verify(&[SECRET], signatures, BODY), malformed, "{signatures}");
        }
        for timestamp in ["", "+1000000", "-1", " 1000000", "1e6", "99999999999999999999999999"] {
            let malformed = Err(VerificationError::MalformedHeader(WEBHOOK_TIMESTAMP));
            let refused = delivery(timestamp, &good, BODY).verify([SECRET], NOW, TOLERANCE);
            assert_eq!(refused, malformed, "{timestamp}");
        }
    }

    fn flipped(mut bytes: Vec<u8>, bit: prop::sample::Index) -> Vec<u8> {
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    }

    proptest! {
        #[test]
        fn what_is_signed_is_accepted_and_not_with_any_bit_of_the_body_flipped(
            secret in ".{1,40}",
            id in "[ -~]{0,20}",
            timestamp in 0..i64::MAX,
            body in prop::collection::vec(any::<u8>(), 1..200),
            bit: prop::sample::Index,
        ) {
            let argus = argus_signature(&secret, &body);
            let signatures = standard_signature(&secret, &id, timestamp, &body);
            let text = timestamp.to_string();
            let standard = |body| {
                let received = StandardDelivery { id: &id, timestamp: &text, signatures: &signatures, body };
                received.verify([secret.as_str()], timestamp.unsigned_abs(), 0)
            };
            prop_assert_eq!(verify_argus([secret.as_str()], &argus, &body), Ok(()));
            prop_assert_eq!(standard(&body), Ok(()));
            let changed = flipped(body.clone(), bit);
            prop_assert_eq!(verify_argus([secret.as_str()], &argus, &changed), WRONG);
            prop_assert_eq!(standard(&changed), WRONG);
        }

        #[test]
        fn a_signature_with_any_flipped_bit_is_refused(bit: prop::sample::Index) {
            let argus = flipped(argus_hash(SECRET, BODY).to_vec(), bit);
            let argus = format!("sha256={}", hex::encode(&argus));
            prop_assert_eq!(verify_argus([SECRET], &argus, BODY), WRONG);
            let standard = flipped(standard_hash(SECRET, "msg_1", "1000000", BODY).to_vec(), bit);
            let standard = format!("v1,{}", STANDARD.encode(standard));
            prop_assert_eq!(verify(&[SECRET], &standard, BODY), WRONG);
        }

        #[test]
        fn nothing_passes_unsigned(
            secret in ".*",
            signatures in "(v1,[A-Za-z0-9+/]{43}=| ){1,4}|.*",
            argus in "sha256=[0-9a-f]{64}|.*",
            timestamp in "[0-9]{1,20}|.*",
            body in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            prop_assert!(verify_argus([secret.as_str()], &argus, &body).is_err());
            let received = delivery(&timestamp, &signatures, &body);
            prop_assert!(received.verify([secret.as_str()], NOW, u64::MAX).is_err());
        }
    }
}

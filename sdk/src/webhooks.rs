//! Verification of signed deliveries: webhooks and job callbacks, over the received headers and the
//! raw body. How a signature is made and checked lives in `argus_wire::signature`; sending lives on
//! the server.

use crate::secret::Secret;
use crate::types;
pub use argus_wire::signature::{
    ARGUS_SIGNATURE, SANDBOX_SECRET, VerificationError, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
};
use argus_wire::signature::{StandardDelivery, verify_argus};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Verifies deliveries against one or more secrets; more than one while a secret is being rotated.
///
/// Verify the raw body, before any JSON parsing.
///
/// ```
/// use argus_sdk::webhooks::{VerificationError, Verifier};
/// use reqwest::header::HeaderMap;
///
/// fn receive(headers: &HeaderMap, body: &[u8]) -> Result<(), VerificationError> {
///     let verifier = Verifier::new("the new signing secret").accept_also("the old signing secret");
///     verifier.verify(headers, body)
/// }
/// # assert_eq!(receive(&HeaderMap::new(), b"{}"), Err(VerificationError::MissingHeader("webhook-id")));
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    secrets: Vec<Secret>,
    tolerance: Duration,
}

impl Verifier {
    /// Accepts deliveries that this secret signed.
    pub fn new(secret: impl Into<Secret>) -> Self {
        Self { secrets: vec![secret.into()], tolerance: Duration::from_secs(300) }
    }

    /// Accepts another secret as well.
    #[must_use]
    pub fn accept_also(mut self, secret: impl Into<Secret>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// How far a delivery's timestamp may lie from now, five minutes by default.
    #[must_use]
    pub fn tolerance(self, tolerance: Duration) -> Self {
        Self { tolerance, ..self }
    }

    /// Verifies the Standard Webhooks headers, which are always needed, and `X-Argus-Signature` as
    /// well when it is there. The latter alone never passes: it covers no timestamp, so that whoever
    /// strips the other headers could replay the delivery for ever.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), VerificationError> {
        self.verify_at(headers, body, SystemTime::now())
    }

    /// Verifies a delivery that `webhook_delivery_list` shows, at the time of its attempt. For deliveries of
    /// the sandbox this is the way: they carry the sandbox's clock, which stands still, so that
    /// [`Verifier::verify`] takes them for replays, as every other verifier of Standard Webhooks does whose
    /// time cannot be set.
    ///
    /// ```no_run
    /// use argus_sdk::webhooks::{SANDBOX_SECRET, Verifier};
    /// use futures::TryStreamExt as _;
    ///
    /// # async fn check(client: argus_sdk::ArgusClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let verifier = Verifier::new(SANDBOX_SECRET);
    /// let mut deliveries = client.stream_webhook_deliveries("whk_1");
    /// while let Some(delivery) = deliveries.try_next().await? {
    ///     verifier.verify_listed(&delivery)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn verify_listed(&self, delivery: &types::WebhookDelivery) -> Result<(), VerificationError> {
        let request = &delivery.request;
        let headers = request.headers.iter().filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
        });
        // One that was not attempted yet has no signature either.
        let at = delivery.attempted_at.unwrap_or(delivery.created_at);
        self.verify_at(&headers.collect(), request.body.as_bytes(), at.into())
    }

    /// As [`Verifier::verify`], at a time of your choice: for tests and for stored deliveries.
    pub fn verify_at(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), VerificationError> {
        self.verify_standard(headers, body, now)?;
        if headers.contains_key(ARGUS_SIGNATURE) {
            self.verify_argus(text(headers, ARGUS_SIGNATURE)?, body)?;
        }
        Ok(())
    }

    /// Verifies the value of `X-Argus-Signature` alone, for receivers that keep their own guard against
    /// replays: it covers no timestamp, so that a replayed delivery passes.
    pub fn verify_argus(&self, signature: &str, body: &[u8]) -> Result<(), VerificationError> {
        verify_argus(self.secrets(), signature, body)
    }

    fn verify_standard(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), VerificationError> {
        let delivery = StandardDelivery {
            id: text(headers, WEBHOOK_ID)?,
            timestamp: text(headers, WEBHOOK_TIMESTAMP)?,
            signatures: text(headers, WEBHOOK_SIGNATURE)?,
            body,
        };
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        delivery.verify(self.secrets(), now, self.tolerance.as_secs())
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(Secret::expose)
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, VerificationError> {
    let value = headers.get(name).ok_or(VerificationError::MissingHeader(name))?;
    value.to_str().map_err(|_| VerificationError::MissingHeader(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use argus_wire::signature::{argus_signature, standard_signature};
    use proptest::prelude::*;

    const SECRET: &str = "a signing secret of a partner";
    const BODY: &[u8] = br#"{"id":"job_1","status":"succeeded"}"#;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
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
            (WEBHOOK_SIGNATURE, &standard_signature(secret, "msg_1", 1_000_000, BODY)),
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
        let good = standard_signature(SECRET, "msg_1", 1_000_000, BODY);
        let other = standard_signature("other", "msg_1", 1_000_000, BODY);
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
                (WEBHOOK_SIGNATURE, &standard_signature(SECRET, "msg_1", 1_000_000, &body)),
            ]);
            prop_assert_eq!(verifier.verify_at(&standard, &body, at(1_000_000)), Ok(()));
            let bit = at_bit.index(body.len() * 8);
            let mut changed = body;
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(verifier.verify_argus(&signature, &changed), Err(VerificationError::WrongSignature));
            prop_assert_eq!(verifier.verify_at(&standard, &changed, at(1_000_000)), Err(VerificationError::WrongSignature));
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
}

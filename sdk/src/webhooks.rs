//! Verification of signed deliveries: webhooks and job callbacks. Pure functions over the received
//! headers and the raw body; sending lives on the server.

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::HeaderMap;
use sha2::Sha256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// Header with `sha256=` and the hex HMAC-SHA256 of the raw body.
pub const ARGUS_SIGNATURE: &str = "x-argus-signature";
/// Standard Webhooks: identifier of the delivery, the same for every attempt.
pub const WEBHOOK_ID: &str = "webhook-id";
/// Standard Webhooks: Unix time of the attempt, in seconds.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// Standard Webhooks: space-separated `v1,<base64>` signatures.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// The secret that signs every delivery that the sandbox shows. It is public and protects nothing: it
/// is there to test a receiver with, and must not be accepted anywhere else.
pub const SANDBOX_SECRET: &str = "whsec_YXJndXMtc2FuZGJveC1wdWJsaWMtdGVzdC1zZWNyZXQ=";

const SHA256_LENGTH: usize = 32;
/// More than any honest sender gives; bounds the work that a forged header can cause.
const SIGNATURES_MAX: usize = 16;

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
        let malformed = VerificationError::MalformedHeader(ARGUS_SIGNATURE);
        let hex = signature.strip_prefix("sha256=").ok_or(malformed)?;
        let given = decode_hex(hex).ok_or(malformed)?;
        // The key of this scheme is the text of the secret as it is.
        self.accept(|secret| hmac(secret.expose().as_bytes(), &[body]).ct_eq(&given))
    }

    fn verify_standard(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), VerificationError> {
        let id = text(headers, WEBHOOK_ID)?;
        let timestamp = text(headers, WEBHOOK_TIMESTAMP)?;
        let signatures = text(headers, WEBHOOK_SIGNATURE)?;
        let malformed = VerificationError::MalformedHeader(WEBHOOK_SIGNATURE);

        // Versions other than v1 are skipped, as the specification asks.
        let given: Vec<[u8; SHA256_LENGTH]> = signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .take(SIGNATURES_MAX)
            .map(|encoded| STANDARD.decode(encoded).ok()?.try_into().ok())
            .collect::<Option<_>>()
            .ok_or(malformed)?;
        if given.is_empty() {
            return Err(malformed);
        }
        let seconds =
            parse_timestamp(timestamp).ok_or(VerificationError::MalformedHeader(WEBHOOK_TIMESTAMP))?;
        self.accept(|secret| {
            let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
            let expected = hmac(&standard_key(secret), &parts);
            given.iter().fold(Choice::from(0), |found, one| found | expected.ct_eq(one))
        })?;
        self.check_time(seconds, now)
    }

    /// Tries every secret, whether or not one has matched, so that time tells nothing.
    fn accept(&self, matches: impl Fn(&Secret) -> Choice) -> Result<(), VerificationError> {
        let found = self.secrets.iter().fold(Choice::from(0), |found, secret| found | matches(secret));
        if found.into() { Ok(()) } else { Err(VerificationError::WrongSignature) }
    }

    fn check_time(&self, seconds: u64, now: SystemTime) -> Result<(), VerificationError> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let tolerance = self.tolerance.as_secs();
        if now.saturating_sub(seconds) > tolerance {
            return Err(VerificationError::TooOld);
        }
        if seconds.saturating_sub(now) > tolerance {
            return Err(VerificationError::TooNew);
        }
        Ok(())
    }
}

/// The key of a Standard Webhooks secret: `whsec_` and base64 is decoded, any other text is its bytes.
fn standard_key(secret: &Secret) -> Zeroizing<Vec<u8>> {
    let text = secret.expose();
    let decoded = text.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
    Zeroizing::new(decoded.unwrap_or_else(|| text.as_bytes().to_vec()))
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; SHA256_LENGTH] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, VerificationError> {
    let value = headers.get(name).ok_or(VerificationError::MissingHeader(name))?;
    value.to_str().map_err(|_| VerificationError::MissingHeader(name))
}

/// Decimal digits only: a sign or a space would be another byte sequence than the signed one.
fn parse_timestamp(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn decode_hex(text: &str) -> Option<[u8; SHA256_LENGTH]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * SHA256_LENGTH {
        return None;
    }
    let mut bytes = [0; SHA256_LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "webhooks_tests.rs"]
mod tests;

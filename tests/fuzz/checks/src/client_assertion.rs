//! Client assertions and the keys of apps: the first line is edits of a valid assertion (see `edits`), the rest a key set as
//! an app is registered with it. In the set `SIGNING_KEY` stands for the key that has signed. The key is a new one in each
//! process.
//!
//! Reading ends, and so does judging. A set that is read is written as it was meant; an assertion is taken only as it was
//! signed, and only by a set that holds the right key.

use crate::edits::{edited, parts};
use argus_openapi::read::{MediaType, within_bounds};
use argus_openapi::types::client_keys::ClientJwkSet;
use argus_partner::oauth::{Assertion, Endpoint, TOKEN_PATH};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::sync::LazyLock;

const ISSUER: &str = "https://auth.knogin.com";
const ENDPOINT: Endpoint<'_> = Endpoint { base_url: ISSUER, path: TOKEN_PATH };
/// When all this happens, in seconds since 1970.
const NOW: i64 = 1_780_000_000;

/// A valid assertion, and the key that has signed it.
struct Signed {
    assertion: String,
    jwk: String,
    x: String,
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::generate().expect("a new key");
    let x = URL_SAFE_NO_PAD.encode(pair.public_key());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": x }).to_string();
    let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" });
    let claims = json!({
        "iss": "app_1", "sub": "app_1", "aud": ISSUER, "jti": "1", "exp": NOW + 60, "iat": NOW, "nbf": NOW,
    });
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    Signed { assertion: format!("{message}.{signature}"), jwk, x }
});

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let [edits, set] = parts::<2>(input);
    let set = String::from_utf8_lossy(set).replace("SIGNING_KEY", &SIGNED.jwk);
    let set =
        MediaType::Json.parse::<ClientJwkSet>(set.as_bytes()).ok().and_then(|set| within_bounds(set).ok());
    if let Some(set) = &set {
        let written = serde_json::to_vec(set).expect("a set that was read can be written");
        assert_eq!(MediaType::Json.parse::<ClientJwkSet>(&written).ok().as_ref(), Some(set));
    }
    for text in [
        std::str::from_utf8(edits).ok().map(str::to_owned),
        String::from_utf8(edited(&SIGNED.assertion, edits)).ok(),
    ]
    .into_iter()
    .flatten()
    {
        check_assertion(&text, set.as_ref());
    }
}

fn check_assertion(text: &str, set: Option<&ClientJwkSet>) {
    let is_own = text == SIGNED.assertion;
    let Ok(assertion) = Assertion::read(text) else {
        assert!(!is_own, "the assertion itself is refused");
        return;
    };
    let is_taken = assertion.judge(ISSUER, ENDPOINT, NOW).is_ok();
    let is_signed = set.is_some_and(|set| assertion.is_signed_by(set));
    let holds = |set: &ClientJwkSet| {
        set.keys.iter().any(|key| key.x.as_ref().is_some_and(|x| x.as_str() == SIGNED.x))
    };
    if is_own {
        assert!(is_taken, "the assertion itself is refused");
    }
    if is_signed {
        assert!(is_own, "another text than the signed one");
        assert!(set.is_some_and(holds), "signed by nobody of the set");
        assert_eq!(assertion.client_id(), "app_1");
    }
}

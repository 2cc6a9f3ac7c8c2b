//! Access tokens at the gate: any text, and edits of a valid token (see `edits`). The key is a new one
//! in each process, so an input stands for its edits and not for one token.
//!
//! Nothing but the exact token has a valid signature, and its claims are those that were signed.

use crate::edits::edited;
use argus_openapi::types::common::SecrecyLevel;
use argus_partner::claims::Claims;
use argus_partner::signing_keys::KeyRing;
use std::sync::LazyLock;

/// A valid token, its claims, and the keys that signed it.
pub(crate) struct Signed {
    pub(crate) keys: KeyRing,
    pub(crate) claims: Claims,
    pub(crate) token: String,
}

pub(crate) static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory for the keys");
    let keys = KeyRing::open(directory.path(), argus_core::Clock::system()).expect("a new key");
    // From here on the keys live in memory alone: nothing is left behind when the process is killed.
    drop(directory);
    let now = chrono::Utc::now().timestamp();
    let claims = Claims {
        iss: "https://auth.knogin.com".to_owned(),
        sub: "app_1".to_owned(),
        aud: "sandbox".to_owned(),
        exp: now + 86_400,
        iat: now,
        nbf: None,
        jti: "1".to_owned(),
        client_id: "app_1".to_owned(),
        scope: "argus:jobs:read".to_owned(),
        tenant_id: "tnt_1".to_owned(),
        organization_id: "org_1".to_owned(),
        secrecy_level: SecrecyLevel::Standard,
        sid: None,
        scenarios: Some(vec!["wallet.clean".to_owned()]),
    };
    let token = keys.sign(&claims).expect("the key signs");
    Signed { keys, claims, token }
});

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        check_token(text);
    }
    if let Ok(token) = String::from_utf8(edited(&SIGNED.token, input)) {
        check_token(&token);
    }
}

fn check_token(token: &str) {
    match SIGNED.keys.verify_signature(token) {
        Ok(claims) => {
            assert_eq!(token, SIGNED.token, "another text than the signed one");
            assert_eq!(claims, SIGNED.claims);
        }
        Err(error) => assert_ne!(token, SIGNED.token, "the token itself is refused: {error}"),
    }
}

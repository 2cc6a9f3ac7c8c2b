//! Tokens that this service did not sign, in every shape that a forger might try.

use super::signing_keys::{claims, ring};
use argus_core::Clock;
use argus_partner::claims::Claims;
use argus_partner::signing_keys::{KeyRing, TOKEN_MAX_LENGTH, TokenError};
use argus_tests::sign_text;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The claims in the order of their struct, in which serde alone would read them from an array.
const MEMBERS: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "client_id",
    "scope",
    "tenant_id",
    "organization_id",
    "secrecy_level",
    "sid",
    "scenarios",
];

/// A ring with a token of its own. The keys live in memory once the ring is open, so the directory can
/// go at once.
static SIGNED: LazyLock<(KeyRing, String)> = LazyLock::new(|| {
    let (directory, ring) = ring();
    let token = ring.sign(&claims()).unwrap();
    drop(directory);
    (ring, token)
});

fn with_header(token: &str, header: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}

#[test]
fn a_token_without_a_signature_is_refused() {
    let (ring, token) = &*SIGNED;
    let kid = &ring.jwks().keys[0].kid;
    let (message, _) = token.rsplit_once('.').unwrap();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = with_header(message, &format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"at+jwt"}}"#));
        for forged in [format!("{unsigned}."), unsigned.clone()] {
            let error = ring.verify_signature(&forged).unwrap_err();
            assert!(matches!(error, TokenError::Algorithm | TokenError::NotCompact), "{alg}: {error}");
        }
        assert_eq!(ring.verify_signature(&format!("{unsigned}.")), Err(TokenError::Algorithm));
    }
    assert_eq!(ring.verify_signature(&format!("{message}.")), Err(TokenError::Signature));
    assert_eq!(ring.verify_signature(message), Err(TokenError::NotCompact));
}

#[test]
fn an_hmac_keyed_with_the_public_key_is_refused() {
    let (ring, token) = &*SIGNED;
    let jwks = ring.jwks();
    let key = &jwks.keys[0];
    let payload = token.split('.').nth(1).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(&key.n).unwrap();
    let json = serde_json::to_vec(key).unwrap();
    let secrets: [&[u8]; 3] = [&modulus, key.n.as_bytes(), &json];
    for alg in ["HS256", "RS256"] {
        let header = format!(r#"{{"alg":"{alg}","kid":"{}","typ":"at+jwt"}}"#, key.kid);
        let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
        for secret in secrets {
            let hmac_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
            let tag = aws_lc_rs::hmac::sign(&hmac_key, message.as_bytes());
            let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            let expected = if alg == "HS256" { TokenError::Algorithm } else { TokenError::Signature };
            assert_eq!(ring.verify_signature(&forged), Err(expected));
        }
    }
}

#[test]
fn a_header_that_is_not_exactly_ours_is_refused() {
    let (ring, token) = &*SIGNED;
    let kid = ring.jwks().keys[0].kid.clone();
    let header = |template: &str| with_header(token, &template.replace("KID", &kid));
    let cases = [
        (header(r#"{"alg":"RS256","kid":"KID","typ":"JWT"}"#), TokenError::Type),
        (header(r#"{"alg":"RS256","kid":"KID"}"#), TokenError::Header),
        (header(r#"{"alg":"RS256","typ":"at+jwt"}"#), TokenError::Header),
        (header(r#"{"alg":"RS256","kid":"KID","typ":"at+jwt","crit":["exp"],"exp":1}"#), TokenError::Header),
        (header(r#"{"alg":"RS256","kid":"KID","typ":"at+jwt","jwk":{}}"#), TokenError::Header),
        (header(r#"{"alg":"RS256","alg":"RS256","kid":"KID","typ":"at+jwt"}"#), TokenError::Header),
        (header(r#"{"alg":"RS512","kid":"KID","typ":"at+jwt"}"#), TokenError::Algorithm),
        (header(r#"{"alg":"PS256","kid":"KID","typ":"at+jwt"}"#), TokenError::Algorithm),
        (header(r#"{"alg":"RS256","kid":"../KID","typ":"at+jwt"}"#), TokenError::UnknownKey),
        (header(r#"{"alg":"RS256","kid":"","typ":"at+jwt"}"#), TokenError::UnknownKey),
        // The same header in other bytes: the signature covers the bytes.
        (header(r#"{ "alg":"RS256","kid":"KID","typ":"at+jwt"}"#), TokenError::Signature),
        (header("[]"), TokenError::Header),
        (header(""), TokenError::Header),
    ];
    for (index, (forged, expected)) in cases.into_iter().enumerate() {
        assert_eq!(ring.verify_signature(&forged), Err(expected), "case {index}");
    }
    assert_eq!(ring.verify_signature(token), Ok(ring.verify_signature(token).unwrap()));
}

#[test]
fn an_array_is_no_header_and_no_claims_even_when_it_is_signed() {
    let (directory, ring) = ring();
    let kid = ring.list()[0].kid.clone();
    let object = format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"at+jwt"}}"#);
    let every_claim =
        Claims { nbf: Some(1), sid: Some("fam_1".to_owned()), scenarios: Some(Vec::new()), ..claims() };
    let payload = serde_json::to_string(&every_claim).unwrap();
    let signed = |header: &str, payload: &str| sign_text(directory.path(), &kid, header, payload);
    assert_eq!(ring.verify_signature(&signed(&object, &payload)), Ok(every_claim.clone()));
    let in_order = format!(r#"["RS256","{kid}","at+jwt"]"#);
    for header in [in_order.as_str(), &format!("[{object}]"), "[]", "null", "1"] {
        assert_eq!(ring.verify_signature(&signed(header, &payload)), Err(TokenError::Header), "{header}");
    }
    let members: Value = serde_json::from_str(&payload).unwrap();
    let in_order = serde_json::to_string(&MEMBERS.map(|name| &members[name])).unwrap();
    assert!(serde_json::from_str::<Claims>(&in_order).is_ok(), "what serde takes by itself");
    for payload in [in_order.as_str(), &format!("[{payload}]"), "[]", "null", "1"] {
        assert_eq!(ring.verify_signature(&signed(&object, payload)), Err(TokenError::Claims), "{payload}");
    }
}

#[test]
fn a_claim_that_is_not_of_its_type_is_refused() {
    let (directory, ring) = ring();
    let kid = ring.list()[0].kid.clone();
    let header = format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"at+jwt"}}"#);
    for (claim, value) in [
        ("nbf", json!(null)),
        ("nbf", json!("1")),
        ("nbf", json!(1.5)),
        ("exp", json!("1")),
        ("aud", json!(["api"])),
    ] {
        let mut payload = serde_json::to_value(claims()).unwrap();
        payload[claim] = value.clone();
        let token = sign_text(directory.path(), &kid, &header, &payload.to_string());
        assert_eq!(ring.verify_signature(&token), Err(TokenError::Claims), "{claim}: {value}");
    }
}

#[test]
fn other_spellings_of_a_good_token_are_refused() {
    let (ring, token) = &*SIGNED;
    let parts: Vec<_> = token.split('.').collect();
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    let mut longer = signature.clone();
    longer.push(0);
    let rebuilt = |signature: String| format!("{}.{}.{signature}", parts[0], parts[1]);
    let spellings = [
        rebuilt(URL_SAFE.encode(&signature)),
        rebuilt(format!("{} ", parts[2])),
        rebuilt(format!("{}\n", parts[2])),
        rebuilt(URL_SAFE_NO_PAD.encode(&longer)),
        rebuilt(URL_SAFE_NO_PAD.encode(&signature[1..])),
        rebuilt(STANDARD.encode(&signature)),
        format!(" {token}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{}", parts[2]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        token.to_uppercase(),
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
    ];
    for spelling in spellings {
        assert!(ring.verify_signature(&spelling).is_err(), "{spelling}");
    }
    assert_eq!(ring.verify_signature(&"a".repeat(TOKEN_MAX_LENGTH + 1)), Err(TokenError::TooLong));
}

#[test]
fn a_token_of_another_ring_is_refused() {
    let (ring, _) = &*SIGNED;
    let directory = tempfile::TempDir::new().unwrap();
    let stranger = KeyRing::open(directory.path(), Clock::system()).unwrap();
    let token = stranger.sign(&claims()).unwrap();
    assert_eq!(ring.verify_signature(&token), Err(TokenError::UnknownKey));
    let own_header = SIGNED.1.split('.').next().unwrap();
    let (_, rest) = token.split_once('.').unwrap();
    assert_eq!(ring.verify_signature(&format!("{own_header}.{rest}")), Err(TokenError::Signature));
}

proptest! {
    #[test]
    fn no_text_panics_or_passes(text in any::<String>()) {
        prop_assert!(SIGNED.0.verify_signature(&text).is_err());
    }

    #[test]
    fn no_three_parts_panic_or_pass(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), signature in any::<Vec<u8>>()) {
        let parts = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        prop_assert!(SIGNED.0.verify_signature(&parts.join(".")).is_err());
    }

    #[test]
    fn a_good_header_does_not_help(payload in "[A-Za-z0-9_.-]{0,64}", signature in any::<[u8; 32]>()) {
        let header = SIGNED.1.split('.').next().unwrap();
        let forged = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(signature.repeat(8)));
        prop_assert!(SIGNED.0.verify_signature(&forged).is_err());
    }

    #[test]
    fn a_token_with_one_character_changed_is_refused(index in any::<prop::sample::Index>(), other in "[A-Za-z0-9_-]") {
        let (ring, token) = &*SIGNED;
        let index = index.index(token.len());
        prop_assume!(token[index..=index] != other);
        let changed = format!("{}{other}{}", &token[..index], &token[index + 1..]);
        prop_assert!(ring.verify_signature(&changed).is_err());
    }
}

//! Tokens that are accepted, tokens that are refused, and how often the keys are fetched.

use crate::support::{Server, error, json};
use argus_sdk::{ErrorKind, TokenError, TokenVerifier, TokenVerifierBuilder};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKey};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ISSUER: &str = "https://auth.knogin.com";

struct Key {
    signing: EncodingKey,
    public: PublicKey,
}

fn key() -> Key {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_ref())
    );
    Key { signing: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), public: pair.public_key().clone() }
}

// Generating a key is the slow part of this suite.
static GOOD: LazyLock<Key> = LazyLock::new(key);
static OTHER: LazyLock<Key> = LazyLock::new(key);

fn jwk(kid: &str, key: &Key) -> Value {
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
        "n": number(key.public.modulus().big_endian_without_leading_zero()),
        "e": number(key.public.exponent().big_endian_without_leading_zero()),
    })
}

fn claims() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "iss": ISSUER, "sub": "app_1", "aud": "sandbox", "exp": now + 600, "iat": now, "jti": "t_1",
        "client_id": "app_1", "scope": "argus:jobs:read argus:jobs:write", "tenant_id": "tenant_1",
        "organization_id": "org_1", "secrecy_level": "sandbox", "scenarios": ["wallet.clean"],
    })
}

fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[claim] = value;
    claims
}

fn header(kid: &str) -> Header {
    Header { typ: Some("at+jwt".to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::RS256) }
}

fn sign(header: &Header, claims: &Value, key: &Key) -> String {
    jsonwebtoken::encode(header, claims, &key.signing).unwrap()
}

fn good() -> String {
    sign(&header("good"), &claims(), &GOOD)
}

fn builder(server: &Server) -> TokenVerifierBuilder {
    TokenVerifier::builder(server.environment())
}

async fn server() -> Server {
    Server::start(|_| json(200, &json!({ "keys": [jwk("good", &GOOD)] }))).await
}

#[tokio::test]
async fn a_good_token_is_read_and_the_keys_are_fetched_once() {
    let server = server().await;
    let verifier = builder(&server).build().unwrap();
    for _ in 0..3 {
        let claims = verifier.verify(&good()).await.unwrap();
        assert_eq!((claims.tenant_id.as_str(), claims.client_id.as_str()), ("tenant_1", "app_1"));
        assert_eq!(claims.scenarios.as_deref(), Some(&["wallet.clean".to_owned()][..]));
        assert!(claims.has_scope("argus:jobs:read") && !claims.has_scope("argus:jobs"));
    }
    assert_eq!(server.lines(), ["GET /auth/.well-known/jwks.json"]);
}

#[tokio::test]
async fn every_kind_of_bad_token_is_refused_for_its_own_reason() {
    let server = server().await;
    let verifier = builder(&server).build().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let rs256 = header("good");
    let plain_jwt = Header { typ: Some("JWT".to_owned()), ..header("good") };
    let untyped = Header { typ: None, ..header("good") };
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..header("good") };
    let rs512 = Header { alg: Algorithm::RS512, ..header("good") };
    let with_public_key = {
        let secret = jwk("good", &GOOD)["n"].as_str().unwrap().to_owned();
        let hs256 = Header { alg: Algorithm::HS256, ..header("good") };
        jsonwebtoken::encode(&hs256, &claims(), &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    let unsigned = {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "none", "typ": "at+jwt", "kid": "good" });
        format!("{}.{}.", part(&header), part(&claims()))
    };
    let changed = {
        let token = good();
        let mut parts: Vec<_> = token.split('.').collect();
        let payload = URL_SAFE_NO_PAD.encode(with("tenant_id", json!("tenant_2")).to_string());
        parts[1] = &payload;
        parts.join(".")
    };
    let mut no_audience = claims();
    no_audience.as_object_mut().unwrap().remove("aud");

    let sign_good = |header: &Header, claims: &Value| sign(header, claims, &GOOD);
    for (name, token, expected) in [
        ("empty", String::new(), "Malformed"),
        ("not a token", "a.b.c".to_owned(), "Malformed"),
        ("huge", "a".repeat(1_000_000), "Malformed"),
        ("unsigned", unsigned, "Malformed"),
        ("HMAC with the public key", with_public_key, "WrongAlgorithm"),
        ("another hash", sign_good(&rs512, &claims()), "WrongAlgorithm"),
        ("identity token", sign_good(&plain_jwt, &claims()), "WrongType"),
        ("critical extension", sign_good(&critical, &claims()), "Malformed"),
        ("untyped", sign_good(&untyped, &claims()), "WrongType"),
        ("changed", changed, "WrongSignature"),
        ("another key under this id", sign(&rs256, &claims(), &OTHER), "WrongSignature"),
        ("expired", sign_good(&rs256, &with("exp", json!(now - 31))), "Expired"),
        ("not yet valid", sign_good(&rs256, &with("nbf", json!(now + 60))), "NotYetValid"),
        ("another issuer", sign_good(&rs256, &with("iss", json!("https://evil.example"))), "WrongIssuer"),
        ("live token", sign_good(&rs256, &with("aud", json!("api"))), "WrongAudience"),
        ("no audience", sign_good(&rs256, &no_audience), "WrongAudience"),
        ("unknown key", sign(&header("new"), &claims(), &OTHER), "UnknownKey"),
    ] {
        let refused = verifier.verify(&token).await.unwrap_err();
        assert_eq!(format!("{refused:?}"), expected, "{name}");
    }
}

#[tokio::test]
async fn the_leeway_is_what_it_is_set_to() {
    let server = server().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let expired = sign(&header("good"), &with("exp", json!(now - 20)), &GOOD);
    builder(&server).build().unwrap().verify(&expired).await.unwrap();
    let strict = builder(&server).leeway(Duration::ZERO).build().unwrap();
    assert!(matches!(strict.verify(&expired).await, Err(TokenError::Expired)));
    let early = sign(&header("good"), &with("nbf", json!(now + 20)), &GOOD);
    builder(&server).build().unwrap().verify(&early).await.unwrap();
    assert!(matches!(strict.verify(&early).await, Err(TokenError::NotYetValid)));
}

#[tokio::test]
async fn a_moment_from_which_a_token_counts_must_be_a_number() {
    let server = server().await;
    let verifier = builder(&server).build().unwrap();
    for nbf in [Value::Null, json!("1"), json!([1]), json!({})] {
        let refused = verifier.verify(&sign(&header("good"), &with("nbf", nbf.clone()), &GOOD)).await;
        assert!(matches!(refused, Err(TokenError::Malformed)), "{nbf}: {refused:?}");
    }
}

#[tokio::test]
async fn an_array_is_no_header_and_no_claims_even_when_it_is_signed() {
    let server = server().await;
    let verifier = builder(&server).build().unwrap();
    let object = json!({ "alg": "RS256", "kid": "good", "typ": "at+jwt" });
    let signed = |header: &Value, payload: &Value| {
        let message = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &GOOD.signing, Algorithm::RS256);
        format!("{message}.{}", signature.unwrap())
    };
    verifier.verify(&signed(&object, &claims())).await.unwrap();
    let members = [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "jti",
        "client_id",
        "scope",
        "tenant_id",
        "organization_id",
        "secrecy_level",
        "scenarios",
    ];
    let claims_in_order = json!(members.map(|name| claims()[name].clone()));
    // The order in which the validation of `jsonwebtoken` would read it.
    let validated_in_order = json!([claims()["exp"], 0, "app_1", ISSUER, "sandbox"]);
    let header_in_order = json!(["at+jwt", "RS256", null, null, null, "good"]);
    let cases = [
        (&object, claims_in_order),
        (&object, validated_in_order),
        (&object, json!([claims()])),
        (&object, json!(null)),
        (&header_in_order, claims()),
        (&json!([object]), claims()),
    ];
    for (header, payload) in cases {
        let refused = verifier.verify(&signed(header, &payload)).await;
        assert!(matches!(refused, Err(TokenError::Malformed)), "{header} {payload}: {refused:?}");
    }
}

#[tokio::test]
async fn a_key_set_with_arrays_for_objects_is_no_key_set() {
    let key = jwk("good", &GOOD);
    // The order of the members in the client's type.
    let in_order = json!(["alg", "e", "kid", "kty", "n", "use"].map(|name| key[name].clone()));
    for set in [json!([[key]]), json!({ "keys": [in_order] }), json!([[in_order]]), json!([])] {
        let server = Server::start(move |_| json(200, &set)).await;
        let refused = builder(&server).build().unwrap().verify(&good()).await;
        assert!(matches!(refused, Err(TokenError::Keys(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_rotated_key_is_fetched_when_its_first_token_arrives() {
    let server = Server::start(|asked| {
        let mut keys = vec![jwk("good", &GOOD)];
        if asked.before > 0 {
            keys.push(jwk("new", &OTHER));
        }
        json(200, &json!({ "keys": keys }))
    })
    .await;
    let verifier = builder(&server).min_refresh_interval(Duration::ZERO).build().unwrap();
    verifier.verify(&good()).await.unwrap();
    verifier.verify(&sign(&header("new"), &claims(), &OTHER)).await.unwrap();
    verifier.verify(&good()).await.unwrap();
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_fetches_the_key_set_no_more_than_once() {
    let server = server().await;
    let verifier = builder(&server).build().unwrap();
    let tokens: Vec<_> = (0..50).map(|n| sign(&header(&format!("unknown-{n}")), &claims(), &OTHER)).collect();
    let outcomes = futures::future::join_all(tokens.iter().map(|token| verifier.verify(token))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(TokenError::UnknownKey))));
    verifier.verify(&good()).await.unwrap();
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_not_called_a_bad_token() {
    let server = Server::start(|_| error(404, "not_found")).await;
    let verifier = builder(&server).build().unwrap();
    for _ in 0..2 {
        match verifier.verify(&good()).await.unwrap_err() {
            TokenError::Keys(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(server.lines().len(), 1, "a failing host is left alone for a moment");
}

#[tokio::test]
async fn old_keys_are_used_on_when_a_refresh_fails() {
    let server = Server::start(|asked| {
        if asked.before == 0 {
            json(200, &json!({ "keys": [jwk("good", &GOOD)] }))
        } else {
            error(500, "internal")
        }
    })
    .await;
    let always = builder(&server).max_age(Duration::ZERO).min_refresh_interval(Duration::ZERO);
    let verifier = always.build().unwrap();
    verifier.verify(&good()).await.unwrap();
    verifier.verify(&good()).await.unwrap();
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn keys_for_other_uses_do_not_verify_tokens() {
    let server = Server::start(|_| {
        let mut key = jwk("good", &GOOD);
        key["use"] = json!("enc");
        json(200, &json!({ "keys": [key] }))
    })
    .await;
    let refused = builder(&server).build().unwrap().verify(&good()).await;
    assert!(matches!(refused, Err(TokenError::UnknownKey)), "{refused:?}");
}

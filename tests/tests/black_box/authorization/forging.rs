//! What nobody gets by an assertion: each fault is refused, and what depends on the app is refused in the same words.

use super::assertions::{GRANT, Keyed, TOKEN, jwks, post, post_form, with_keys};
use super::{register, text};
use argus_openapi::Host;
use argus_openapi::types::client_keys::SigningAlgorithm;
use argus_partner::refused_clients;
use argus_tests::{Answer, ClientKey, TestServer, on_both_engines, sql};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde_json::{Value, json};

on_both_engines! {
    each_fault_of_what_an_assertion_says_is_named
    a_forged_signature_gets_one_answer_whatever_the_app_is
    a_client_authenticates_in_one_way_and_in_its_own
    failures_are_counted_as_wrong_secrets_are
    the_metadata_say_how_and_with_what
}

#[track_caller]
fn refusal(answer: &Answer) -> String {
    assert_eq!(
        (answer.status.as_u16(), answer.text("error").as_str()),
        (401, "invalid_client"),
        "{answer:?}"
    );
    assert!(answer.header("www-authenticate").starts_with("Basic"), "{answer:?}");
    let description = answer.text("error_description");
    assert!(description.starts_with("the client could not be authenticated"), "{description}");
    // RFC 6749, section 5.2: the alphabet of a description.
    let allowed = |each: char| (' '..='~').contains(&each) && each != '"' && each != '\\';
    assert!(description.chars().all(allowed), "{description}");
    description
}

async fn each_fault_of_what_an_assertion_says_is_named(server: TestServer) {
    let app = Keyed::new(&server, server.tenant().await, SigningAlgorithm::EdDsa).await;
    let now = Utc::now().timestamp();
    for (changes, named) in [
        (json!({ "exp": null }), "has no `exp`"),
        (json!({ "exp": now - 1 }), "has expired"),
        (json!({ "exp": now }), "has expired"),
        (json!({ "exp": i64::MIN }), "has expired"),
        (json!({ "exp": now + 3_780 }), "more than an hour"),
        (json!({ "exp": i64::MAX }), "more than an hour"),
        (json!({ "exp": (now + 60).to_string() }), "whole seconds"),
        (json!({ "exp": now as f64 + 60.5 }), "whole seconds"),
        (json!({ "iat": now + 180 }), "not valid yet"),
        (json!({ "nbf": now + 180 }), "not valid yet"),
        (json!({ "nbf": i64::MAX }), "not valid yet"),
        (json!({ "nbf": "0" }), "whole seconds"),
        (json!({ "jti": null }), "needs a `jti`"),
        (json!({ "jti": "" }), "needs a `jti`"),
        (json!({ "jti": "j".repeat(129) }), "needs a `jti`"),
        (json!({ "jti": 1 }), "as texts"),
        (json!({ "iss": null }), "as texts"),
        (json!({ "sub": null }), "as texts"),
        (json!({ "iss": "app_other" }), "`iss` and the `sub`"),
        (json!({ "sub": "app_other" }), "`iss` and the `sub`"),
        (json!({ "aud": null }), "`aud`"),
        (json!({ "aud": "https://other.example" }), "`aud`"),
    ] {
        let description = refusal(&post(&server, TOKEN, &GRANT, &app.assertion(&changes)).await);
        assert!(description.contains(named), "{changes}: {description}");
    }
    // At the bounds, clocks that differ by less than a minute included.
    for changes in [
        json!({ "exp": now + 3_600, "iat": null }),
        json!({ "iat": now + 30, "nbf": now + 30, "exp": now + 3_630 }),
        json!({ "jti": "j".repeat(128), "nbf": 0, "more": { "of": [] } }),
        json!({ "jti": "\u{0}\u{1f5c2}" }),
    ] {
        post(&server, TOKEN, &GRANT, &app.assertion(&changes)).await.expect(200);
    }

    let good = app.assertion(&json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload) = (app.key.header(), app.claims(&json!({})));
    let with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        app.key.sign(&header, &payload)
    };
    for (assertion, named) in [
        ("x".to_owned(), "compact form"),
        ("..".to_owned(), ""),
        (format!("{}.{}", parts[0], parts[1]), "compact form"),
        (format!("{good}.{}", parts[2]), "compact form"),
        (format!("{good}="), "compact form"),
        (format!(" {good}"), "compact form"),
        (format!("{good}{}", "A".repeat(8192)), "longer than"),
        (app.key.sign(&json!([header]), &payload), "header"),
        (app.key.sign(&json!({ "alg": "EdDSA" }), &payload), "header"),
        (app.key.sign(&header, &json!([payload])), "must say"),
        (app.key.sign(&header, &json!("x")), "must say"),
        (with("crit", json!(["exp"])), "header"),
        (with("jwk", app.key.jwk()), "header"),
        (with("jku", json!("https://partner.example/keys")), "header"),
        (with("x5u", json!("https://partner.example/keys")), "header"),
        (with("kid", json!(null)), "header"),
        (with("typ", json!(null)), "header"),
    ] {
        let description = refusal(&post(&server, TOKEN, &GRANT, &assertion).await);
        assert!(description.contains(named), "{named}: {description}");
    }
    // Nothing of all that has used it up.
    post(&server, TOKEN, &GRANT, &good).await.expect(200);
}

async fn a_forged_signature_gets_one_answer_whatever_the_app_is(server: TestServer) {
    let app = Keyed::new(&server, server.tenant().await, SigningAlgorithm::Rs256).await;
    let other = Keyed::new(&server, app.tenancy.clone(), SigningAlgorithm::Rs256).await;
    let [with_secret, public] =
        ["client_secret_basic", "none"].map(|method| json!({ "token_endpoint_auth_method": method }));
    let with_secret = text(&register(&app.tenancy, &with_secret).await, "client_id");
    let public = text(&register(&app.tenancy, &public).await, "client_id");
    let message = |header: &Value| {
        let [header, payload] =
            [header, &app.claims(&json!({}))].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        format!("{header}.{payload}")
    };

    // Algorithms that no app has.
    for alg in ["none", "None", "", "HS256", "HS512", "ES256K", "RS1", "ES384", "rs256"] {
        let unsigned = message(&json!({ "alg": alg, "kid": app.key.kid }));
        for assertion in [format!("{unsigned}."), format!("{unsigned}.AAAA")] {
            let description = refusal(&post(&server, TOKEN, &GRANT, &assertion).await);
            assert!(description.contains("the `alg`"), "{alg}: {description}");
        }
    }

    let mut forged = Vec::new();
    // The public key as the secret of an HMAC, under its own algorithm and under HMAC's.
    let jwk = app.key.jwk();
    let modulus = URL_SAFE_NO_PAD.decode(text(&jwk, "n")).unwrap();
    for secret in [modulus, text(&jwk, "n").into_bytes(), jwk.to_string().into_bytes()] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let tagged = |alg: &str| {
            let message = message(&json!({ "alg": alg, "kid": app.key.kid }));
            let tag = hmac::sign(&key, message.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
        };
        assert!(refusal(&post(&server, TOKEN, &GRANT, &tagged("HS256")).await).contains("the `alg`"));
        forged.push(tagged("RS256"));
    }
    let claims_of = |client_id: &str| app.claims(&json!({ "iss": client_id, "sub": client_id }));
    let stranger = ClientKey::fresh("first", SigningAlgorithm::Rs256);
    let good = app.assertion(&json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    forged.extend([
        format!("{signed}."),
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 256])),
        format!("{}.{}", signed, other.assertion(&json!({})).rsplit_once('.').unwrap().1),
        stranger.sign(&stranger.header(), &app.claims(&json!({}))),
        // A good key, of another app, and the other way round.
        other.key.sign(&other.key.header(), &app.claims(&json!({}))),
        app.key.sign(&app.key.header(), &claims_of(&other.client_id)),
        // An algorithm that the key is not for, and a key that is not there.
        app.key.sign(&json!({ "alg": "PS256", "kid": app.key.kid }), &app.claims(&json!({}))),
        app.key.sign(&json!({ "alg": "EdDSA", "kid": app.key.kid }), &app.claims(&json!({}))),
        app.key.sign(&json!({ "alg": "RS256", "kid": "second" }), &app.claims(&json!({}))),
        app.key.sign(&json!({ "alg": "RS256", "kid": "" }), &app.claims(&json!({}))),
        // Apps that sign nothing, one that is not there, and what is no app's name.
        app.key.sign(&app.key.header(), &claims_of(&with_secret)),
        app.key.sign(&app.key.header(), &claims_of(&public)),
        app.key.sign(&app.key.header(), &claims_of("app_that_nobody_has")),
        app.key.sign(&app.key.header(), &claims_of("no client\u{0}")),
    ]);
    let mut answers = Vec::new();
    for assertion in &forged {
        for (path, form) in [(TOKEN, GRANT), ("/v1/oauth/introspect", [("token", "x")])] {
            answers.push(refusal(&post(&server, path, &form, assertion).await));
        }
    }
    assert!(answers[0].contains("`kid`"), "{}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    post(&server, TOKEN, &GRANT, &good).await.expect(200);
}

async fn a_client_authenticates_in_one_way_and_in_its_own(server: TestServer) {
    let app = Keyed::new(&server, server.tenant().await, SigningAlgorithm::EdDsa).await;
    let with_secret = register(&app.tenancy, &json!({ "grant_types": ["client_credentials"] })).await;
    let (id, secret) = (text(&with_secret, "client_id"), text(&with_secret, "client_secret"));
    let own = app.client_id.as_str();
    let assertion = || app.assertion(&json!({}));
    // Two at once.
    let both = [GRANT[0], ("client_id", &id), ("client_secret", &secret)];
    let refused = post(&server, TOKEN, &both, &assertion()).await.expect(400);
    assert_eq!(refused.text("error"), "invalid_request");
    let (kind, text) = ("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", assertion());
    let form = [GRANT[0], ("client_assertion_type", kind), ("client_assertion", &text)];
    let refused = server.token_request(&form, Some((&id, &secret))).await.expect(400);
    assert_eq!(refused.text("error"), "invalid_request");
    assert!(refused.text("error_description").contains("not both"), "{refused:?}");

    // One half, another kind, another name.
    for (form, named) in [
        (&[GRANT[0], ("client_assertion", &*text)][..], "`client_assertion_type` is missing"),
        (&[GRANT[0], ("client_assertion", &*text), ("client_assertion_type", "")], "is missing"),
        (&[GRANT[0], ("client_assertion_type", kind)], "`client_assertion` is missing"),
        (&[GRANT[0], ("client_id", own), ("client_assertion_type", kind)], "`client_assertion` is missing"),
        (
            &[
                GRANT[0],
                ("client_assertion", &*text),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
            ],
            "must be `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`",
        ),
        (
            &[GRANT[0], ("client_assertion", &*text), ("client_assertion_type", kind), ("client_id", &*id)],
            "`client_id` is not the `sub`",
        ),
    ] {
        let description = refusal(&post_form(&server, TOKEN, form).await);
        assert!(description.contains(named), "{named}: {description}");
    }
    // Parameters without a value count as absent.
    let blank = [form[0], form[1], form[2], ("client_secret", ""), ("client_id", "")];
    post_form(&server, TOKEN, &blank).await.expect(200);

    // By the way of another method: nothing but its name, a secret that nobody knows, one of another app.
    refusal(&post_form(&server, TOKEN, &[GRANT[0], ("client_id", own)]).await);
    for secret in ["a secret", &secret] {
        refusal(&server.token_request(&GRANT, Some((own, secret))).await);
        let form = [GRANT[0], ("client_id", own), ("client_secret", secret)];
        refusal(&post_form(&server, TOKEN, &form).await);
    }
    server.token_request(&GRANT, Some((&id, &secret))).await.expect(200);

    // Who is stopped learns so once it has signed, and not before.
    app.tenancy.govern(own, &json!({ "suspended": true })).await.expect(200);
    let stopped = app.post(&server, TOKEN, &GRANT).await.expect(400);
    assert_eq!(stopped.text("error"), "unauthorized_client");
    let stranger = ClientKey::fresh("first", SigningAlgorithm::EdDsa);
    refusal(&post(&server, TOKEN, &GRANT, &stranger.sign(&stranger.header(), &app.claims(&json!({})))).await);
}

async fn failures_are_counted_as_wrong_secrets_are(server: TestServer) {
    let app = Keyed::new(&server, server.tenant().await, SigningAlgorithm::EdDsa).await;
    let stranger = ClientKey::fresh("first", SigningAlgorithm::EdDsa);
    for _ in 0..3 {
        let forged = stranger.sign(&stranger.header(), &app.claims(&json!({})));
        refusal(&post(&server, TOKEN, &GRANT, &forged).await);
    }
    // Used twice: somebody else has got it.
    let good = app.assertion(&json!({}));
    post(&server, TOKEN, &GRANT, &good).await.expect(200);
    refusal(&post(&server, TOKEN, &GRANT, &good).await);
    refused_clients::flush(&server.state().identity).await.unwrap();
    let query = "SELECT subject || ' ' || CAST(occurrences AS TEXT) AS line FROM audit_events \
        WHERE action = 'app.authentication.refuse'";
    let entries = sql::lines(&mut server.connect(), query).unwrap();
    assert_eq!(entries, [format!("{} 4", app.client_id)]);
    let metrics = server.get(Host::Auth, "/metrics", Some(&server.operator_token())).await.expect(200);
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("\nargus_client_authentication_failures_total 4\n"), "{metrics}");
}

async fn the_metadata_say_how_and_with_what(server: TestServer) {
    let path = "/.well-known/oauth-authorization-server";
    let metadata = server.get(Host::Auth, path, None).await.expect(200).json();
    let methods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
    for endpoint in ["token", "revocation", "introspection"] {
        assert_eq!(metadata[format!("{endpoint}_endpoint_auth_methods_supported")], json!(methods));
        let algorithms = &metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
        assert_eq!(algorithms, &json!(["RS256", "PS256", "ES256", "EdDSA"]));
        // Each that is named works.
        for algorithm in algorithms.as_array().unwrap() {
            let key = ClientKey::fresh("only", algorithm.as_str().unwrap().parse().unwrap());
            let registered = register(&server.tenant().await, &with_keys(&[&key])).await;
            assert_eq!(registered["jwks"], jwks(&[&key]));
        }
    }
}

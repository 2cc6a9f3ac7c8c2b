//! Apps that authenticate with what they sign (RFC 7523).

use super::{REDIRECT, Scene, VERIFIER, register, sent_back, text, tokens};
use argus_core::Error;
use argus_openapi::Host;
use argus_openapi::types::client_keys::SigningAlgorithm;
use argus_partner::store::client_assertions;
use argus_tests::{Answer, ClientKey, Reach, Tenancy, TestServer, on_both_engines, sql};
use chrono::Utc;
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

on_both_engines! {
    every_operation_of_a_client_takes_what_another_library_has_signed_with_each_algorithm
    the_audience_is_the_issuer_the_token_endpoint_or_the_operation_itself
    an_assertion_is_good_once_however_many_nodes_are_asked_at_the_same_time
    a_key_that_is_not_named_any_more_authenticates_nobody_on_any_node
    keys_are_shown_and_belong_to_apps_that_sign_alone
    what_has_expired_is_forgotten_and_nothing_else
}

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(super) const TOKEN: &str = "/v1/oauth/token";
pub(super) const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// An app with keys of its own.
pub(super) struct Keyed {
    pub(super) tenancy: Tenancy,
    pub(super) client_id: String,
    pub(super) key: ClientKey,
    pub(super) issuer: String,
}

impl Keyed {
    pub(super) async fn new(server: &TestServer, tenancy: Tenancy, algorithm: SigningAlgorithm) -> Self {
        let key = ClientKey::fresh("first", algorithm);
        let app = register(&tenancy, &with_keys(&[&key])).await;
        let issuer = server.state().identity.issuer().to_owned();
        Self { tenancy, client_id: text(&app, "client_id"), key, issuer }
    }

    /// What an assertion says, with changes; a member that is null is left out.
    pub(super) fn claims(&self, changes: &Value) -> Value {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let now = Utc::now().timestamp();
        let mut claims = json!({
            "iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "iat": now, "exp": now + 60,
            "jti": format!("assertion {}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }

    /// An assertion, with changes of what it says.
    pub(super) fn assertion(&self, changes: &Value) -> String {
        self.key.sign(&self.key.header(), &self.claims(changes))
    }

    /// Posts a form with a fresh assertion.
    pub(super) async fn post(&self, reach: &Reach, path: &str, form: &[(&str, &str)]) -> Answer {
        post(reach, path, form, &self.assertion(&json!({}))).await
    }

    async fn introspect(&self, server: &TestServer, token: &str) -> Value {
        self.post(server, "/v1/oauth/introspect", &[("token", token)]).await.expect(200).json()
    }
}

/// A registration with the public halves of these keys.
pub(super) fn with_keys(keys: &[&ClientKey]) -> Value {
    json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(keys),
        "grant_types": ["client_credentials", "authorization_code"],
    })
}

pub(super) fn jwks(keys: &[&ClientKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

/// Posts a form with an assertion.
pub(super) async fn post(reach: &Reach, path: &str, form: &[(&str, &str)], assertion: &str) -> Answer {
    let assertion = [("client_assertion_type", TYPE), ("client_assertion", assertion)];
    post_form(reach, path, &[form, &assertion].concat()).await
}

pub(super) async fn post_form(reach: &Reach, path: &str, form: &[(&str, &str)]) -> Answer {
    let request = reach
        .request(Host::Auth, Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(serde_urlencoded::to_string(form).unwrap());
    reach.send(request).await
}

async fn every_operation_of_a_client_takes_what_another_library_has_signed_with_each_algorithm(
    server: TestServer,
) {
    let mut scene = Scene::signed_in(server).await;
    for algorithm in SigningAlgorithm::ALL {
        let app = Keyed::new(&scene.server, scene.tenancy.clone(), algorithm).await;
        scene.client_id.clone_from(&app.client_id);
        let pem = app.key.private_pem();
        let (signer, pem) = (algorithm.as_str().parse().unwrap(), pem.as_bytes());
        let private = match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => jsonwebtoken::EncodingKey::from_rsa_pem(pem),
            SigningAlgorithm::Es256 => jsonwebtoken::EncodingKey::from_ec_pem(pem),
            SigningAlgorithm::EdDsa => jsonwebtoken::EncodingKey::from_ed_pem(pem),
        };
        let (private, header) = (private.unwrap(), jsonwebtoken::Header::new(signer));
        let header = jsonwebtoken::Header { kid: Some(app.key.kid.clone()), ..header };
        let post = async |path: &str, form: &[(&str, &str)]| {
            let assertion = jsonwebtoken::encode(&header, &app.claims(&json!({})), &private).unwrap();
            post(&scene.server, path, form, &assertion).await
        };

        let own = post(TOKEN, &GRANT).await.expect(200).text("access_token");
        scene.server.get(Host::Api, "/v1/jobs", Some(&own)).await.expect(200);
        let request = scene.request(&[]);
        let pushed: Vec<(&str, &str)> = request.iter().map(|(name, value)| (&**name, &**value)).collect();
        let reference = post("/v1/oauth/par", &pushed).await.expect(201).text("request_uri");
        let opened = [("client_id", app.client_id.as_str()), ("request_uri", &reference)];
        let path = format!("/v1/oauth/authorize?{}", serde_urlencoded::to_string(opened).unwrap());
        let consent = scene.tab.get(&path).await.expect(302).header("location").to_owned();
        scene.tab.get(&consent).await.expect(200);
        let allowed = scene.tab.post(&consent, &[("decision", "allow")]).await;
        let code = sent_back(&allowed, REDIRECT)["code"].clone();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let first = tokens(&post(TOKEN, &form).await);
        // The client may be named once more.
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", first.refresh.as_str()),
            ("client_id", &app.client_id),
        ];
        let second = tokens(&post(TOKEN, &form).await);
        let is_active = async |token: &str| {
            post("/v1/oauth/introspect", &[("token", token)]).await.expect(200).json()["active"] == true
        };
        for token in [&own, &second.access, &second.refresh] {
            assert!(is_active(token).await, "{algorithm}");
        }
        post("/v1/oauth/revoke", &[("token", &second.refresh)]).await.expect(200);
        assert!(!is_active(&second.refresh).await && !is_active(&second.access).await, "{algorithm}");
    }
}

async fn the_audience_is_the_issuer_the_token_endpoint_or_the_operation_itself(server: TestServer) {
    let app = Keyed::new(&server, server.tenant().await, SigningAlgorithm::EdDsa).await;
    let url = |path: &str| format!("{}{path}", server.state().base_urls.auth);
    let introspect = "/v1/oauth/introspect";
    let paths = ["/v1/oauth/par", "/v1/oauth/revoke", introspect];
    let ask = async |aud: Value, header: Value| {
        let assertion = app.key.sign(&header, &app.claims(&json!({ "aud": aud })));
        post(&server, introspect, &[("token", "x")], &assertion).await
    };
    for aud in [app.issuer.clone(), url(TOKEN), url(introspect)] {
        ask(json!(aud), app.key.header()).await.expect(200);
    }
    let issuer = app.issuer.as_str();
    for aud in [
        json!([issuer]),
        json!([issuer, "https://other.example"]),
        json!(format!("{issuer}/")),
        json!(url(paths[0])),
        json!(url(paths[1])),
        json!(url("/v1/oauth/token/")),
        json!(url("")),
        json!(introspect),
        json!("https://other.example/v1/oauth/token"),
        json!(""),
        json!(1),
        Value::Null,
    ] {
        let refused = ask(aud.clone(), app.key.header()).await.expect(401);
        assert!(refused.text("error_description").contains("`aud`"), "{aud}: {refused:?}");
    }
    // Who types assertions as the revision of RFC 7523 has it names the issuer, as it has it.
    let typed = |typ: &str| json!({ "alg": "EdDSA", "kid": app.key.kid, "typ": typ });
    ask(json!(issuer), typed("client-authentication+jwt")).await.expect(200);
    ask(json!(url(TOKEN)), typed("client-authentication+jwt")).await.expect(401);
    ask(json!(url(TOKEN)), typed("jwt")).await.expect(200);
    for typ in ["at+jwt", "oauth-authz-req+jwt", "dpop+jwt", ""] {
        let refused = ask(json!(issuer), typed(typ)).await.expect(401);
        assert!(refused.text("error_description").contains("`typ`"), "{typ}: {refused:?}");
    }
}

async fn an_assertion_is_good_once_however_many_nodes_are_asked_at_the_same_time(server: TestServer) {
    let app = Keyed::new(&server, server.tenant().await, SigningAlgorithm::Es256).await;
    let other = Keyed::new(&server, app.tenancy.clone(), SigningAlgorithm::Es256).await;
    let node = server.another_node();
    for round in 0..10 {
        let assertion = app.assertion(&json!({ "jti": format!("round {round}") }));
        let asked = (0..8).map(|turn| {
            let reach: &Reach = if turn % 2 == 0 { &server } else { &node };
            post(reach, TOKEN, &GRANT, &assertion)
        });
        let answers = join_all(asked).await;
        let (taken, refused): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status.as_u16() == 200);
        assert_eq!((taken.len(), refused.len()), (1, 7), "{answers:?}");
        for answer in refused {
            assert_eq!((answer.status.as_u16(), answer.text("error").as_str()), (401, "invalid_client"));
            assert!(answer.text("error_description").contains("used before"), "{answer:?}");
        }
    }
    // The same `jti` in other assertions of the app, at other operations, and of another app.
    let jti = json!({ "jti": "the same" });
    post(&server, TOKEN, &GRANT, &app.assertion(&jti)).await.expect(200);
    post(&node, TOKEN, &GRANT, &app.assertion(&jti)).await.expect(401);
    post(&node, "/v1/oauth/introspect", &[("token", "x")], &app.assertion(&jti)).await.expect(401);
    post(&node, TOKEN, &GRANT, &other.assertion(&jti)).await.expect(200);
    // One that is refused for another reason is not used up by it.
    let jti = json!({ "jti": "another" });
    let far = json!({ "jti": "another", "exp": Utc::now().timestamp() + 3_780 });
    post(&server, TOKEN, &GRANT, &app.assertion(&far)).await.expect(401);
    post(&server, TOKEN, &GRANT, &app.assertion(&jti)).await.expect(200);
}

async fn a_key_that_is_not_named_any_more_authenticates_nobody_on_any_node(server: TestServer) {
    let app = Keyed::new(&server, server.tenant().await, SigningAlgorithm::EdDsa).await;
    let second = ClientKey::fresh("second", SigningAlgorithm::Es256);
    let node = server.another_node();
    let sign_second = || second.sign(&second.header(), &app.claims(&json!({})));
    post(&node, TOKEN, &GRANT, &sign_second()).await.expect(401);
    let token = app.post(&node, TOKEN, &GRANT).await.expect(200).text("access_token");

    // Both, for a change-over.
    app.tenancy.govern(&app.client_id, &json!({ "jwks": jwks(&[&app.key, &second]) })).await.expect(200);
    for reach in [&*server, &*node] {
        post(reach, TOKEN, &GRANT, &sign_second()).await.expect(200);
        app.post(reach, TOKEN, &GRANT).await.expect(200);
    }
    app.tenancy.govern(&app.client_id, &json!({ "jwks": jwks(&[&second]) })).await.expect(200);
    for reach in [&*node, &*server] {
        app.post(reach, TOKEN, &GRANT).await.expect(401);
        post(reach, TOKEN, &GRANT, &sign_second()).await.expect(200);
    }
    server.get(Host::Api, "/v1/jobs", Some(&token)).await.expect(200);

    // Another key under the name of a former one is another key.
    let third = ClientKey::fresh("first", SigningAlgorithm::EdDsa);
    app.tenancy.govern(&app.client_id, &json!({ "jwks": jwks(&[&third]) })).await.expect(200);
    app.post(&node, TOKEN, &GRANT).await.expect(401);
    post(&node, TOKEN, &GRANT, &third.sign(&third.header(), &app.claims(&json!({})))).await.expect(200);
    // A change of something else leaves the keys as they are.
    app.tenancy.govern(&app.client_id, &json!({ "enforce_pkce": false })).await.expect(200);
    post(&node, TOKEN, &GRANT, &third.sign(&third.header(), &app.claims(&json!({})))).await.expect(200);
}

async fn keys_are_shown_and_belong_to_apps_that_sign_alone(server: TestServer) {
    let tenancy = server.tenant().await;
    let keys = SigningAlgorithm::ALL.map(|algorithm| ClientKey::fresh(algorithm.as_str(), algorithm));
    let keys: Vec<&ClientKey> = keys.iter().collect();
    let app = register(&tenancy, &with_keys(&keys)).await;
    assert_eq!(
        (&app["client_secret"], &app["token_endpoint_auth_method"]),
        (&Value::Null, &json!("private_key_jwt"))
    );
    let path = format!("/v1/platform/apps/{}", text(&app, "client_id"));
    for shown in [&app, &tenancy.get(&path).await.expect(200).json()] {
        assert_eq!(shown["jwks"], jwks(&keys));
    }
    tenancy.post(&format!("{path}/rotate-secret"), &json!({})).await.expect_error(409, "conflict");
    let replaced = json!({ "jwks": jwks(&keys[2..]) });
    tenancy.govern(&text(&app, "client_id"), &replaced).await.expect(200);
    assert_eq!(tenancy.get(&path).await.expect(200).json()["jwks"], jwks(&keys[2..]));

    let with_secret = register(&tenancy, &json!({})).await;
    assert_eq!(with_secret["jwks"], Value::Null);
    let secret_id = text(&with_secret, "client_id");
    tenancy.govern(&secret_id, &replaced).await.expect_error(409, "conflict");
    let unchanged = tenancy.get(&format!("/v1/platform/apps/{secret_id}")).await.expect(200);
    assert_eq!(unchanged.json()["jwks"], Value::Null);

    // Another tenant neither sees nor replaces them.
    let stranger = server.tenant().await;
    stranger.govern(&text(&app, "client_id"), &replaced).await.expect_error(404, "not_found");

    let of_method = |method: &str, jwks: Value| {
        json!({
            "name": "An app", "grant_types": ["authorization_code"], "redirect_uris": [REDIRECT],
            "requested_scopes": ["argus:jobs:read"], "token_endpoint_auth_method": method, "jwks": jwks,
        })
    };
    let mut small = keys[0].jwk();
    small["n"] = json!(format!("{}A", "v".repeat(170)));
    let exponent = |e: &str| {
        let mut key = keys[0].jwk();
        key["e"] = json!(e);
        json!({ "keys": [key] })
    };
    let mut padded = keys[0].jwk();
    padded["n"] = json!(format!("AA{}A", &text(&padded, "n")[..339]));
    let mut off_curve = keys[2].jwk();
    off_curve["y"] = off_curve["x"].clone();
    let mut short = keys[3].jwk();
    short["x"] = json!("AAAA");
    let mut private = keys[3].jwk();
    private["d"] = json!("A".repeat(43));
    for (body, named) in [
        (of_method("private_key_jwt", Value::Null), "`jwks`"),
        (of_method("client_secret_basic", jwks(&keys)), "`jwks`"),
        (of_method("none", jwks(&keys)), "`jwks`"),
        (of_method("private_key_jwt", json!({ "keys": [] })), "`jwks.keys`"),
        (of_method("private_key_jwt", json!({ "keys": [keys[0].jwk(), keys[0].jwk()] })), "`kid` twice"),
        (of_method("private_key_jwt", json!({ "keys": [small] })), "2048"),
        (of_method("private_key_jwt", exponent("Ag")), "no RSA key"),
        (of_method("private_key_jwt", exponent("AQ")), "no RSA key"),
        (of_method("private_key_jwt", exponent("AAEAAQ")), "no RSA key"),
        (of_method("private_key_jwt", exponent("AQAAAAE")), "no RSA key"),
        (of_method("private_key_jwt", exponent("AQAC")), "no RSA key"),
        (of_method("private_key_jwt", exponent("AQAB_")), "base64url"),
        (of_method("private_key_jwt", json!({ "keys": [padded] })), "zero byte"),
        (of_method("private_key_jwt", json!({ "keys": [keys[3].jwk(), off_curve] })), "`jwks.keys[1]`"),
        (of_method("private_key_jwt", json!({ "keys": [short] })), "32 bytes"),
        (of_method("private_key_jwt", json!({ "keys": [private] })), "`d`"),
        (
            of_method(
                "private_key_jwt",
                json!({ "keys": [{ "kty": "oct", "kid": "a", "alg": "HS256", "k": "AA" }] }),
            ),
            "jwks.keys[0]",
        ),
    ] {
        let refused = tenancy.post("/v1/platform/apps", &body).await.expect_error(400, "invalid_request");
        assert!(refused.contains(named), "{named}: {refused}");
    }
}

async fn what_has_expired_is_forgotten_and_nothing_else(server: TestServer) {
    let app = Keyed::new(&server, server.tenant().await, SigningAlgorithm::EdDsa).await;
    app.post(&server, TOKEN, &GRANT).await.expect(200);
    // An hour ago, and a minute.
    let old = "UPDATE client_assertions SET expires_at = expires_at - 3720000000";
    sql::execute(&mut server.connect(), old).unwrap();
    app.introspect(&server, "x").await;
    let count =
        || sql::lines(&mut server.connect(), "SELECT CAST(count(*) AS TEXT) AS line FROM client_assertions");
    let every_tenant = &server.state().database.every_tenant;
    let sweep = || every_tenant.run(|connection| Ok::<_, Error>(client_assertions::sweep(connection)?));
    // The process's own sweeper may have been there before.
    sweep().await.unwrap();
    assert_eq!(count().unwrap(), ["1"]);
    assert_eq!(sweep().await.unwrap(), 0);
}

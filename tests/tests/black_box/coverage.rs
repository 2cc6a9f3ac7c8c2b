//! Every operation of the raw description against every way to come without the right to: what the
//! operation table says is what the sockets do.

use super::support::{every_scope, samples, token};
use argus_openapi::contract::ARGUS;
use argus_openapi::row::{Access, Caching, OperationRow};
use argus_openapi::types::scopes::Scope;
use argus_openapi::{Host, Operation};
use argus_partner::claims::{AUDIENCE_LIVE, AUDIENCE_SANDBOX};
use argus_tests::{
    Answer, Sample, Samples, TestServer, audience, claims, forge, operations_of_the_trait, public_key_pem,
    scopes_beside,
};
use http::Method;
use serde_json::json;

const SANDBOX_REASON: &str = "x-argus-sandbox-reason";

/// Every operation with each host that serves it.
fn served() -> impl Iterator<Item = (&'static OperationRow, Host)> {
    ARGUS.rows.iter().flat_map(|row| row.hosts.iter().map(move |host| (row, *host)))
}

/// Those that need a bearer token, with the scope that they need.
fn guarded() -> impl Iterator<Item = (&'static OperationRow, Host, Option<Scope>)> {
    served().filter_map(|(row, host)| match row.access {
        Access::Scope(scope) => Some((row, host, Some(scope))),
        Access::AnyToken => Some((row, host, None)),
        Access::Public | Access::Client | Access::SignedUrl | Access::Browser => None,
    })
}

struct Walk {
    server: TestServer,
    samples: Samples,
}

impl Walk {
    async fn begin() -> Self {
        let server = TestServer::without_workers();
        let samples = samples(&server).await;
        Self { server, samples }
    }

    /// Sends the operation's sample with this `Authorization`, and checks what holds for every answer.
    async fn send(&self, row: &'static OperationRow, host: Host, authorization: Option<String>) -> Answer {
        let sample = self.samples.of(&self.server, row, host).await;
        let mut request = self.server.sample(host, &sample);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let answer = self.server.send(request).await;
        answer.assert_standard_headers(host);
        answer
    }

    /// The `Authorization` that opens an operation on a host, beyond what its sample says.
    fn right_authorization(&self, row: &OperationRow, host: Host) -> Option<String> {
        match row.access {
            Access::Public | Access::Client | Access::SignedUrl | Access::Browser => None,
            Access::AnyToken | Access::Scope(_) => {
                let mut claims = claims(audience(host), &self.samples.tenant_id, &every_scope());
                claims.organization_id.clone_from(&self.samples.organization_id);
                Some(format!("Bearer {}", self.server.sign(&claims)))
            }
        }
    }

    async fn send_token(&self, row: &'static OperationRow, host: Host, token: &str) -> Answer {
        self.send(row, host, Some(format!("Bearer {token}"))).await
    }

    fn all_scopes(&self, host: Host) -> String {
        token(&self.server, host, &self.samples.tenant_id, &every_scope())
    }

    /// Sends a token to every guarded operation and expects 401 `invalid_token` from each.
    async fn assert_invalid(&self, token: impl Fn(Host) -> String) {
        for (row, host, _) in guarded() {
            let answer = self.send_token(row, host, &token(host)).await;
            assert_unauthorized(&answer, "invalid_token", row, host);
        }
    }
}

#[track_caller]
fn assert_unauthorized(answer: &Answer, error_code: &str, row: &'static OperationRow, host: Host) {
    let place = format!("{} on {}\n{answer:?}", row.id, host.name());
    assert_eq!(answer.status, 401, "{place}");
    assert_eq!(answer.text("error_code"), error_code, "{place}");
    // Without a token there is nothing that could be wrong with it (RFC 6750, section 3.1).
    let challenge = answer.header("www-authenticate");
    let reason = challenge.contains("error=\"invalid_token\"");
    assert!(challenge.starts_with("Bearer realm=") && reason == (error_code == "invalid_token"), "{place}");
}

#[test]
fn every_operation_of_the_trait_has_a_row_and_every_row_an_operation() {
    let of_the_trait: Vec<&str> =
        operations_of_the_trait(&ARGUS).into_iter().map(|(row, _, _)| row.id).collect();
    let of_the_table: Vec<&str> = Operation::ALL.iter().map(|operation| operation.id()).collect();
    assert_eq!(of_the_trait, of_the_table);
}

#[test]
fn no_operation_of_the_trait_is_of_a_method_that_follows_from_the_table() {
    for (row, method, _) in operations_of_the_trait(&ARGUS) {
        assert!(!["HEAD", "OPTIONS"].contains(&method.as_str()), "{} is {method}", row.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_answers_without_a_token() {
    let walk = Walk::begin().await;
    for (row, host, _) in guarded() {
        let answer = walk.send(row, host, None).await;
        assert_unauthorized(&answer, "missing_token", row, host);
        let answer = walk.send(row, host, Some("Basic YXBwOnNlY3JldA==".to_owned())).await;
        assert_unauthorized(&answer, "missing_token", row, host);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_takes_a_garbage_token() {
    let walk = Walk::begin().await;
    for garbage in ["garbage", "a.b.c", "...", "eyJhbGciOiJSUzI1NiJ9.e30."] {
        walk.assert_invalid(|_| garbage.to_owned()).await;
    }
    let long = "a".repeat(9000);
    walk.assert_invalid(|_| long.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_takes_a_token_with_a_broken_signature() {
    let walk = Walk::begin().await;
    walk.assert_invalid(|host| {
        let token = walk.all_scopes(host);
        let (rest, signature) = token.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        format!("{rest}.{flipped}{}", &signature[1..])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_takes_an_expired_or_a_future_token() {
    let walk = Walk::begin().await;
    walk.assert_invalid(|host| {
        let mut claims = claims(audience(host), &walk.samples.tenant_id, &every_scope());
        (claims.iat, claims.exp) = (claims.iat - 7200, claims.iat - 1);
        walk.server.sign(&claims)
    })
    .await;
    walk.assert_invalid(|host| {
        let mut claims = claims(audience(host), &walk.samples.tenant_id, &every_scope());
        claims.iat += 3000;
        walk.server.sign(&claims)
    })
    .await;
    walk.assert_invalid(|host| {
        let mut claims = claims(audience(host), &walk.samples.tenant_id, &every_scope());
        claims.nbf = Some(claims.iat + 3000);
        walk.server.sign(&claims)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_takes_a_token_of_another_issuer() {
    let walk = Walk::begin().await;
    walk.assert_invalid(|host| {
        let mut claims = claims(audience(host), &walk.samples.tenant_id, &every_scope());
        "https://auth.example.com".clone_into(&mut claims.iss);
        walk.server.sign(&claims)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_takes_a_token_of_another_audience() {
    let walk = Walk::begin().await;
    for audience in ["other", "", "API", "sandbox api"] {
        let token = walk.server.sign(&claims(audience, &walk.samples.tenant_id, &every_scope()));
        for (row, host, _) in guarded() {
            let answer = walk.send_token(row, host, &token).await;
            if host == Host::Sandbox {
                answer.expect_error(403, "live_token_on_sandbox_host");
                assert_eq!(answer.header(SANDBOX_REASON), "live-token-on-sandbox-host");
            } else {
                assert_unauthorized(&answer, "invalid_token", row, host);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_takes_an_unsigned_token() {
    let walk = Walk::begin().await;
    let kid = walk.server.kid();
    for alg in ["none", "None", "NONE", ""] {
        walk.assert_invalid(|host| {
            let claims = claims(audience(host), &walk.samples.tenant_id, &every_scope());
            forge(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}), &claims, |_| Vec::new())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_takes_a_token_whose_secret_is_the_public_key() {
    let walk = Walk::begin().await;
    let kid = walk.server.kid();
    let pem = public_key_pem(&walk.server.data_dir(), &kid);
    let jwks = walk.server.get(Host::Auth, "/.well-known/jwks.json", None).await.expect(200);
    let modulus = jwks.json()["keys"][0]["n"].as_str().unwrap().to_owned();
    for secret in [pem.as_bytes(), pem.trim_end().as_bytes(), modulus.as_bytes()] {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        for alg in ["HS256", "RS256"] {
            walk.assert_invalid(|host| {
                let claims = claims(audience(host), &walk.samples.tenant_id, &every_scope());
                forge(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}), &claims, |message| {
                    aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec()
                })
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guarded_operation_takes_a_token_without_its_scope() {
    let walk = Walk::begin().await;
    for (row, host, required) in guarded() {
        let Some(required) = required else { continue };
        let others: Vec<Scope> = every_scope().into_iter().filter(|scope| !scope.implies(required)).collect();
        for scopes in [&[][..], &others] {
            let token = token(&walk.server, host, &walk.samples.tenant_id, scopes);
            let answer = walk.send_token(row, host, &token).await;
            let message = answer.expect_error(403, "insufficient_scope");
            assert!(message.contains(required.as_str()), "{message}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
            assert!(challenge.contains(&format!("scope=\"{required}\"")), "{challenge}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_other_environment_is_refused_with_the_reason() {
    let walk = Walk::begin().await;
    for (row, host, _) in guarded() {
        let (other, code, reason) = match host {
            Host::Sandbox => (AUDIENCE_LIVE, "live_token_on_sandbox_host", "live-token-on-sandbox-host"),
            _ => (AUDIENCE_SANDBOX, "sandbox_token_on_live_host", "sandbox-token-on-live-host"),
        };
        let token = walk.server.sign(&claims(other, &walk.samples.tenant_id, &every_scope()));
        let answer = walk.send_token(row, host, &token).await;
        answer.expect_error(403, code);
        assert_eq!(answer.header(SANDBOX_REASON), reason, "{}", row.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_token_opens_every_guarded_operation() {
    let walk = Walk::begin().await;
    for (row, host, required) in guarded() {
        let scopes: Vec<Scope> = required.iter().chain(scopes_beside(row, host)).copied().collect();
        let mut claims = claims(audience(host), &walk.samples.tenant_id, &scopes);
        claims.organization_id.clone_from(&walk.samples.organization_id);
        let answer = walk.send_token(row, host, &walk.server.sign(&claims)).await;
        assert!(answer.status.is_success(), "{} on {}\n{answer:?}", row.id, host.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_operation_answers_whatever_token_comes_along() {
    let walk = Walk::begin().await;
    for (row, host) in served() {
        if row.access != Access::Public {
            continue;
        }
        for authorization in [None, Some("Bearer garbage"), Some("Basic garbage"), Some("")] {
            let answer = walk.send(row, host, authorization.map(str::to_owned)).await;
            assert_eq!(answer.status, 200, "{} on {}\n{answer:?}", row.id, host.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_success_may_be_kept_as_the_row_says() {
    let walk = Walk::begin().await;
    for (row, host) in served() {
        let answer = walk.send(row, host, walk.right_authorization(row, host)).await;
        let place = format!("{} on {}\n{answer:?}", row.id, host.name());
        assert!(answer.is_done(), "{place}");
        let public = answer.header("cache-control").starts_with("public, max-age=");
        assert_eq!(public, row.caching != Caching::Private, "{place}");
        assert_eq!(answer.header("cache-control") == "no-store", row.caching == Caching::Private, "{place}");
        // A download has one for its resumption, whoever keeps it.
        if row.access != Access::SignedUrl {
            assert_eq!(!answer.header("etag").is_empty(), row.caching == Caching::Tagged, "{place}");
        }
    }
}

/// Whether an operation that is asked for under this condition is performed.
async fn is_performed(walk: &Walk, row: &'static OperationRow, host: Host, if_match: &str) -> bool {
    let sample = walk.samples.of(&walk.server, row, host).await;
    let mut request = walk.server.sample(host, &sample).header("if-match", if_match);
    if let Some(value) = walk.right_authorization(row, host) {
        request = request.header("authorization", value);
    }
    let answer = walk.server.send(request).await;
    if answer.is_done() {
        return true;
    }
    let place = format!("{} on {}\n{answer:?}", row.id, host.name());
    assert_eq!(answer.status, 412, "{place}");
    if row.access == Access::Browser {
        assert!(answer.page().starts_with("<!DOCTYPE html>"), "{place}");
        return false;
    }
    let (member, code) = match row.access {
        Access::Client => ("error", "invalid_request"),
        _ => ("error_code", "precondition_failed"),
    };
    assert_eq!(answer.text(member), code, "{place}");
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_performed_under_the_condition_of_a_tag_that_nothing_has() {
    let walk = Walk::begin().await;
    for (row, host) in served() {
        for (if_match, performed) in [("\"a\"", false), ("W/\"a\", \"b\"", false), ("", false), ("*", true)] {
            let seen = is_performed(&walk, row, host, if_match).await;
            assert_eq!(seen, performed, "{} on {}: {if_match}", row.id, host.name());
        }
    }
    // Who may not ask is told that first.
    let job = walk.server.request(Host::Sandbox, Method::GET, "/v1/jobs").header("if-match", "\"a\"");
    walk.server.send(job).await.expect_error(401, "missing_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_condition_does_not_hold_is_not_made() {
    let server = TestServer::without_workers();
    let tenancy = server.tenant().await;
    let body = json!({
        "name": "Conditional", "grant_types": ["client_credentials"], "requested_scopes": ["webhooks:read"]
    });
    for (if_match, status, apps) in [("\"a\"", 412, 0), ("*", 201, 1)] {
        let request = server.request(Host::Auth, Method::POST, "/v1/platform/apps").json(&body);
        let request = request.bearer_auth(&tenancy.admin_token).header("if-match", if_match);
        server.send(request).await.expect(status);
        let listed = tenancy.get("/v1/platform/apps").await.expect(200).json();
        assert_eq!(listed["apps"].as_array().unwrap().len(), apps);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_wants_a_client_takes_no_token_for_it() {
    let walk = Walk::begin().await;
    for (row, host) in served() {
        if row.access != Access::Client {
            continue;
        }
        let token = walk.all_scopes(host);
        let mut anonymous = walk.samples.of(&walk.server, row, host).await;
        let form = b"grant_type=client_credentials".to_vec();
        anonymous.body = Some(("application/x-www-form-urlencoded", form));
        for authorization in [None, Some(format!("Bearer {token}")), Some("Basic !!!".to_owned())] {
            let mut request = walk.server.sample(host, &anonymous);
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let answer = walk.server.send(request).await;
            answer.assert_standard_headers(host);
            assert_eq!(answer.status, 401, "{answer:?}");
            assert_eq!(answer.text("error"), "invalid_client");
            assert!(answer.header("www-authenticate").starts_with("Basic "), "{answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_signed_url_opens_opens_for_nothing_else() {
    let walk = Walk::begin().await;
    for (row, host) in served().filter(|(row, _)| row.access == Access::SignedUrl) {
        let signed = walk.samples.of(&walk.server, row, host).await;
        let token = format!("Bearer {}", walk.all_scopes(host));
        let queries =
            ["", "expires=99999999999&signature=", &signed.query[1..], &format!("{}A", signed.query)];
        for query in queries.map(str::to_owned) {
            for authorization in [None, Some(&token)] {
                let sample = Sample { query: query.clone(), ..signed.clone() };
                let mut request = walk.server.sample(host, &sample);
                if let Some(value) = authorization {
                    request = request.header("authorization", value);
                }
                let answer = walk.server.send(request).await;
                answer.assert_standard_headers(host);
                answer.expect_error(403, "signed_url_invalid");
            }
        }
        let answer = walk.server.send(walk.server.sample(host, &signed)).await;
        assert!(answer.status.is_success(), "{} on {}\n{answer:?}", row.id, host.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_unknown_to_every_host_that_does_not_serve_it() {
    let walk = Walk::begin().await;
    for row in ARGUS.rows {
        for host in Host::ALL.into_iter().filter(|host| !row.served_by(*host)) {
            for authorization in [None, Some(format!("Bearer {}", walk.all_scopes(host)))] {
                let answer = walk.send(row, host, authorization).await;
                assert_eq!(answer.status, 404, "{} on {}\n{answer:?}", row.id, host.name());
            }
        }
    }
}

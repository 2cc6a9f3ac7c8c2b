//! The GraphQL transport as its clients meet it: what Apollo and urql send by default, and the refusals that
//! they look for `errors` in.

use super::support::every_scope;
use argus_openapi::Host;
use argus_tests::{Answer, TestServer};
use http::Method;
use serde_json::{Value, json};

const PROFILE_RISK: &str = include_str!("../../../openapi/graphql/due-diligence/profile-risk.graphql");

/// A refusal, in the shape of the contract and as GraphQL has it.
#[track_caller]
pub(super) fn assert_refusal(answer: &Answer, status: u16, error_code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error_code"], error_code, "{body}");
    let same = json!([{ "message": body["message"], "extensions": { "code": error_code } }]);
    assert_eq!(body["errors"], same, "{body}");
}

/// What urql accepts; Apollo Client the first and the third.
const ACCEPT: &str = "application/graphql-response+json, application/graphql+json, application/json, \
    text/event-stream, multipart/mixed";

#[tokio::test(flavor = "multi_thread")]
async fn what_apollo_and_urql_post_is_answered_with_the_types_that_they_ask_for() {
    let server = TestServer::start();
    let token = server.caller(Host::Sandbox, &every_scope()).await.token;
    let ask = async |mut request: Value, query: &str| {
        request["operationName"] = "ProfileRisk".into();
        request["query"] = query.into();
        request["variables"] = json!({ "id": "p1" });
        let post = server.request(Host::Sandbox, Method::POST, "/graphql").bearer_auth(&token);
        let post = post.header("accept", ACCEPT).header("content-type", "application/json");
        server.send(post.body(request.to_string())).await.expect(200).json()
    };
    // Both print the document anew, without its comment; with a cache, they ask for the types.
    let typed = "query ProfileRisk($id: ID!) {\n  profile(id: $id) {\n    id\n    kind\n    displayName\n    \
        risk {\n      score\n      level\n      __typename\n    }\n    findingCodes\n    __typename\n  }\n}";
    let printed = typed.replace("\n      __typename", "").replace("\n    __typename", "");
    let apollo =
        json!({ "extensions": { "clientLibrary": { "name": "@apollo/client", "version": "4.3.8" } } });
    let urql = json!({});
    let plain = ask(urql.clone(), PROFILE_RISK).await;
    assert_eq!(ask(urql.clone(), &printed).await, plain);
    for client in [apollo, urql] {
        let mut answer = ask(client, typed).await;
        let profile = answer["data"]["profile"].as_object_mut().unwrap();
        assert_eq!(profile.remove("__typename").unwrap(), "Profile");
        assert_eq!(profile["risk"].as_object_mut().unwrap().remove("__typename").unwrap(), "Risk");
        assert_eq!(answer, plain);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_the_errors_that_graphql_clients_look_for() {
    let server = TestServer::start();
    let token = server.caller(Host::Sandbox, &every_scope()).await.token;
    let post = |body: &str, token: Option<&str>| {
        let request = server.request(Host::Sandbox, Method::POST, "/graphql").body(body.to_owned());
        let request = request.header("content-type", "application/json");
        token.map_or_else(
            || request.try_clone().unwrap(),
            |token| request.try_clone().unwrap().bearer_auth(token),
        )
    };
    let send = async |request| server.send(request).await;
    let right = json!({ "query": PROFILE_RISK, "variables": { "id": "p1" } }).to_string();
    assert_refusal(&send(post(&right, None)).await, 401, "missing_token");
    assert_refusal(&send(post(&right, Some("garbage"))).await, 401, "invalid_token");
    let unscoped = server.caller(Host::Sandbox, &[]).await.token;
    assert_refusal(&send(post(&right, Some(&unscoped))).await, 403, "insufficient_scope");
    let other = post(&right, Some(&token)).header("x-tenant-id", "tnt_other");
    assert_refusal(&send(other).await, 403, "tenant_mismatch");
    for (body, status, code) in [
        ("{", 400, "invalid_request"),
        (r#"{"query": "{ a }", "extensions": []}"#, 400, "invalid_request"),
        (r#"{"query": "{ a }", "colour": 1}"#, 400, "invalid_request"),
        (r#"{"query": "{ a }"}"#, 403, "operation_not_approved"),
        (&*" ".repeat(2 * 1024 * 1024), 413, "body_too_large"),
    ] {
        assert_refusal(&send(post(body, Some(&token))).await, status, code);
    }
    let text =
        server.request(Host::Sandbox, Method::POST, "/graphql").bearer_auth(&token).body(right.clone());
    assert_refusal(&send(text.header("content-type", "text/plain")).await, 415, "unsupported_media_type");
    for (status, code) in [
        (400, "invalid_request"),
        (401, "invalid_token"),
        (403, "operation_not_approved"),
        (408, "request_timeout"),
        (429, "rate_limited"),
        (500, "internal"),
        (503, "unavailable"),
    ] {
        let forced = post(&right, Some(&token)).header("prefer", format!("code={status}"));
        assert_refusal(&send(forced).await, status, code);
    }
}

//! JSON bodies of every operation that takes one.
//!
//! Parsing and validation end. What parses survives writing and reading with the same verdict, and its
//! numbers stay within what the contract says.

use argus_openapi::read::{MediaType, Readable};
use argus_openapi::types::apps::{AppCreate, AppSecretRotate, GovernanceUpdate};
use argus_openapi::types::graphql::GraphqlRequest;
use argus_openapi::types::jobs::JobCreate;
use argus_openapi::types::profiles::ProfileEnrich;
use argus_openapi::types::tokens::{
    SANDBOX_TTL_MAX, SANDBOX_TTL_MIN, SandboxTokenCreate, ServiceTokenCreate,
};
use argus_openapi::types::webhooks::{WebhookCreate, WebhookReplay, WebhookUpdate};
use serde::Serialize;
use validator::Validate;

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    check_as::<AppCreate>(input);
    check_as::<AppSecretRotate>(input);
    check_as::<GovernanceUpdate>(input);
    check_as::<GraphqlRequest>(input);
    check_as::<JobCreate>(input);
    if let Ok(body) = MediaType::Json.parse::<JobCreate>(input) {
        let written = serde_json::to_value(&body).expect("a body that was read can be written");
        assert_eq!(written["kind"], body.kind().as_str(), "another kind than that of the payload");
    }
    check_as::<ProfileEnrich>(input);
    check_as::<SandboxTokenCreate>(input);
    check_as::<ServiceTokenCreate>(input);
    check_as::<WebhookCreate>(input);
    check_as::<WebhookUpdate>(input);
    check_as::<WebhookReplay>(input);
    if let Ok(body) = MediaType::Json.parse::<SandboxTokenCreate>(input) {
        assert!((SANDBOX_TTL_MIN..=SANDBOX_TTL_MAX).contains(&body.ttl_seconds()));
    }
}

fn check_as<T: Readable + Serialize + Validate>(input: &[u8]) {
    let body = match MediaType::Json.parse::<T>(input) {
        Ok(body) => body,
        Err(error) => return assert!(!error.message.is_empty(), "a misfit without a reason"),
    };
    let verdict = body.validate().is_ok();
    let written = serde_json::to_vec(&body).expect("a body that was read can be written");
    let again: T = MediaType::Json.parse(&written).expect("a body that was written can be read");
    assert_eq!(again.validate().is_ok(), verdict, "another verdict after writing and reading");
    let rewritten = serde_json::to_vec(&again).expect("a body that was read can be written");
    assert!(written == rewritten, "another body after writing and reading");
}

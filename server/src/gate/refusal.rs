//! The answers of a closed gate: RFC 6750 challenges and the sandbox reason.

use super::problem::Problem;
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderName, HeaderValue};

/// Why a token was refused by the other environment's host.
pub const SANDBOX_REASON: HeaderName = HeaderName::from_static("x-argus-sandbox-reason");

/// 401: no bearer token was sent.
pub fn missing_token() -> Problem {
    unauthorized(
        ErrorCode::MissingToken,
        "this operation needs a bearer token: `Authorization: Bearer <token>`",
    )
}

/// 401: the token cannot be trusted. The reasons are safe to tell: they say nothing of the key.
pub fn invalid_token(reason: &'static str) -> Problem {
    unauthorized(ErrorCode::InvalidToken, reason)
}

fn unauthorized(code: ErrorCode, description: &'static str) -> Problem {
    let challenge = format!(
        "Bearer realm=\"argus\", error=\"invalid_token\", error_description=\"{}\"",
        description.replace(['"', '\\'], "'")
    );
    challenged(Problem::new(code, description), &challenge)
}

/// 403: the token lacks a scope.
pub fn insufficient_scope(required: Scope) -> Problem {
    let problem =
        Problem::new(ErrorCode::InsufficientScope, format!("this operation needs the scope `{required}`"));
    challenged(
        problem,
        &format!("Bearer realm=\"argus\", error=\"insufficient_scope\", scope=\"{required}\""),
    )
}

/// 403: a token that is not a sandbox token, on the sandbox host.
pub fn live_token_on_sandbox_host() -> Problem {
    Problem::new(
        ErrorCode::LiveTokenOnSandboxHost,
        "the sandbox host takes sandbox tokens only; mint one with app_sandbox_token_create",
    )
    .with_header(SANDBOX_REASON, HeaderValue::from_static("live-token-on-sandbox-host"))
}

/// 403: a sandbox token on a live host.
pub fn sandbox_token_on_live_host() -> Problem {
    Problem::new(
        ErrorCode::SandboxTokenOnLiveHost,
        "live hosts refuse sandbox tokens; use the sandbox host or a live token",
    )
    .with_header(SANDBOX_REASON, HeaderValue::from_static("sandbox-token-on-live-host"))
}

fn challenged(problem: Problem, challenge: &str) -> Problem {
    match HeaderValue::from_str(challenge) {
        Ok(challenge) => problem.with_header(WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}

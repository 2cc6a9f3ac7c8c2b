//! The answers of a closed gate. The headers that go with an error, whoever found it, are
//! `argus_openapi::headers`'s.

use super::problem::Problem;
use argus_core::objects::NotTaken;
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;

/// 401: no bearer token was sent.
pub fn missing_token() -> Problem {
    let message = "this operation needs a bearer token: `Authorization: Bearer <token>`";
    Problem::new(ErrorCode::MissingToken, message)
}

/// 401: the token cannot be trusted. The reasons are safe to tell: they say nothing of the key.
pub fn invalid_token(reason: &'static str) -> Problem {
    Problem::new(ErrorCode::InvalidToken, reason)
}

/// 401: the token is pinned to what the catalogue had when it was minted.
pub fn scenario_is_gone() -> Problem {
    invalid_token("the token is pinned to a scenario that no longer exists")
}

/// 403: the token lacks a scope.
pub fn insufficient_scope(required: Scope) -> Problem {
    Problem::new(ErrorCode::InsufficientScope, format!("this operation needs the scope `{required}`"))
}

/// 403: a token that is not a sandbox token, on the sandbox host.
pub fn live_token_on_sandbox_host() -> Problem {
    Problem::new(
        ErrorCode::LiveTokenOnSandboxHost,
        "the sandbox host takes sandbox tokens only; mint one with app_sandbox_token_create",
    )
}

/// 403: a sandbox token on a live host.
pub fn sandbox_token_on_live_host() -> Problem {
    Problem::new(
        ErrorCode::SandboxTokenOnLiveHost,
        "live hosts refuse sandbox tokens; use the sandbox host or a live token",
    )
}

/// 403: the URL opens nothing.
pub fn signed_url(reason: NotTaken) -> Problem {
    let code = match reason {
        NotTaken::Invalid => ErrorCode::SignedUrlInvalid,
        NotTaken::Expired => ErrorCode::SignedUrlExpired,
    };
    Problem::new(code, reason.to_string())
}

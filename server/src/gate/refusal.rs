//! The answers of a closed gate, and the headers that go with an error whoever found it: RFC 6750
//! challenges, the sandbox reason, when to try again.

use super::problem::Problem;
use argus_core::objects::NotTaken;
use argus_openapi::types::error::{Error, ErrorCode, SandboxReason};
use argus_openapi::types::scopes::Scope;
use argus_openapi::{Access, OperationRow};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue};

/// Why a token was refused by the other environment's host.
pub const SANDBOX_REASON: HeaderName = HeaderName::from_static("x-argus-sandbox-reason");

/// What a caller without a token is told.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="argus""#);
/// What a client is asked to wait, in seconds: short, since what is limited or out of reach is soon back.
const WAIT: HeaderValue = HeaderValue::from_static("1");

/// 401: no bearer token was sent.
pub fn missing_token() -> Problem {
    let message = "this operation needs a bearer token: `Authorization: Bearer <token>`";
    Problem::new(ErrorCode::MissingToken, message)
}

/// 401: the token cannot be trusted. The reasons are safe to tell: they say nothing of the key.
pub fn invalid_token(reason: &'static str) -> Problem {
    Problem::new(ErrorCode::InvalidToken, reason)
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

/// The header that an error of this operation brings.
pub(super) fn header(error: &Error, row: &OperationRow) -> Option<(HeaderName, HeaderValue)> {
    match (error.error_code, row.access) {
        (ErrorCode::MissingToken, _) => Some((WWW_AUTHENTICATE, CHALLENGE)),
        (ErrorCode::InvalidToken, _) => {
            let description = error.message.replace(['"', '\\'], "'");
            Some((WWW_AUTHENTICATE, challenge("invalid_token", "error_description", &description)))
        }
        (ErrorCode::InsufficientScope, Access::Scope(scope)) => {
            Some((WWW_AUTHENTICATE, scope_challenge(scope)))
        }
        (ErrorCode::LiveTokenOnSandboxHost, _) => Some(sandbox_reason(SandboxReason::LiveTokenOnSandboxHost)),
        (ErrorCode::SandboxTokenOnLiveHost, _) => Some(sandbox_reason(SandboxReason::SandboxTokenOnLiveHost)),
        (code, _) if matches!(code.status(), 429 | 503) => Some((RETRY_AFTER, WAIT)),
        _ => None,
    }
}

fn sandbox_reason(reason: SandboxReason) -> (HeaderName, HeaderValue) {
    (SANDBOX_REASON, HeaderValue::from_static(reason.as_str()))
}

/// What a caller is told whose token lacks a scope.
pub(super) fn scope_challenge(scope: Scope) -> HeaderValue {
    challenge("insufficient_scope", "scope", scope.as_str())
}

/// A challenge with its reason (RFC 6750, section 3).
fn challenge(reason: &str, name: &str, value: &str) -> HeaderValue {
    let challenge = format!("Bearer realm=\"argus\", error=\"{reason}\", {name}=\"{value}\"");
    HeaderValue::try_from(challenge).unwrap_or(CHALLENGE)
}

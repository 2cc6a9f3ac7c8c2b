//! The header that goes with an error, whoever found it: RFC 6750 challenges, the sandbox reason, when to try again.

use crate::types::error::{Error, ErrorCode, SandboxReason};
use crate::types::scopes::Scope;
use crate::{Access, OperationRow};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue};

/// Why a token was refused by the other environment's host.
const SANDBOX_REASON: HeaderName = HeaderName::from_static("x-argus-sandbox-reason");

/// What a caller without a token is told.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="argus""#);
/// What a client is asked to wait, in seconds: short, since what is limited or out of reach is soon back.
const WAIT: HeaderValue = HeaderValue::from_static("1");

/// The header that an error of this operation brings.
pub fn of_error(error: &Error, row: &OperationRow) -> Option<(HeaderName, HeaderValue)> {
    match (error.error_code, row.access) {
        (ErrorCode::MissingToken, _) => Some((WWW_AUTHENTICATE, CHALLENGE)),
        (ErrorCode::InvalidToken, _) => {
            let description = error.message.replace(['"', '\\'], "'");
            Some((WWW_AUTHENTICATE, challenge("invalid_token", "error_description", &description)))
        }
        (ErrorCode::InsufficientScope, Access::Scope(scope)) => {
            Some((WWW_AUTHENTICATE, bearer_scope_challenge(scope)))
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
pub fn bearer_scope_challenge(scope: Scope) -> HeaderValue {
    challenge("insufficient_scope", "scope", scope.as_str())
}

/// A challenge with its reason (RFC 6750, section 3).
fn challenge(reason: &str, name: &str, value: &str) -> HeaderValue {
    let challenge = format!("Bearer realm=\"argus\", error=\"{reason}\", {name}=\"{value}\"");
    HeaderValue::try_from(challenge).unwrap_or(CHALLENGE)
}

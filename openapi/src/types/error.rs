//! The error body of every operation, and the list of codes that it may carry.

use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $status:literal;)+) => {
        wire_enum! {
            /// Stable, machine-readable reason of an error.
            pub enum ErrorCode {
                $($(#[doc = $doc])+ $variant = $code,)+
            }
            extensible = true
        }

        impl ErrorCode {
            /// The HTTP status that the code comes with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }
        }
    };
}

error_codes! {
    /// The request does not fit the contract; the message says where.
    InvalidRequest = "invalid_request", 400;
    /// The body is not of the media type that the operation takes.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// The body is larger than the operation takes.
    BodyTooLarge = "body_too_large", 413;
    /// The body did not arrive in time.
    RequestTimeout = "request_timeout", 408;
    /// No bearer token was sent.
    MissingToken = "missing_token", 401;
    /// The token is malformed, expired, not yet valid, or not signed by this service.
    InvalidToken = "invalid_token", 401;
    /// The token lacks the scope that the message names.
    InsufficientScope = "insufficient_scope", 403;
    /// A live token was used on the sandbox host.
    LiveTokenOnSandboxHost = "live_token_on_sandbox_host", 403;
    /// A sandbox token was used on a live host.
    SandboxTokenOnLiveHost = "sandbox_token_on_live_host", 403;
    /// The tenant named in the request is not the token's tenant.
    TenantMismatch = "tenant_mismatch", 403;
    /// The resource does not exist, or belongs to another tenant.
    NotFound = "not_found", 404;
    /// The path exists, but not with this method; `Allow` lists those that it has.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The resource is in a state that forbids the operation.
    Conflict = "conflict", 409;
    /// The resource existed, and its retention is over.
    Gone = "gone", 410;
    /// The resource is not the one that `If-Match` names.
    PreconditionFailed = "precondition_failed", 412;
    /// A scope was asked for that the app is not approved for.
    ScopeNotApproved = "scope_not_approved", 400;
    /// The URL is not one that this service has signed for what was asked, or it was altered.
    SignedUrlInvalid = "signed_url_invalid", 403;
    /// The signed URL has expired; ask for a new one where this one was from.
    SignedUrlExpired = "signed_url_expired", 403;
    /// The file is shorter than where the range begins; `Content-Range` says how long it is.
    RangeNotSatisfiable = "range_not_satisfiable", 416;
    /// The app's governance does not allow service tokens.
    ServiceTokensNotAllowed = "service_tokens_not_allowed", 403;
    /// A scenario id is not in the catalogue; the message names the valid ones.
    UnknownScenario = "unknown_scenario", 400;
    /// There is no operation bundle with this id; the message names those that there are.
    UnknownBundle = "unknown_bundle", 400;
    /// A secrecy level above the caller's own was asked for.
    SecrecyLevelExceeded = "secrecy_level_exceeded", 403;
    /// The GraphQL document is not in the caller's approved operation bundles.
    OperationNotApproved = "operation_not_approved", 403;
    /// The approved GraphQL document asks for too much with these variables; the message says of what.
    DocumentTooComplex = "document_too_complex", 400;
    /// A `Prefer` value asks for something that this operation does not document.
    PreferenceNotSupported = "preference_not_supported", 400;
    /// Too many requests or failures to authenticate in a short time; `Retry-After` says when to go on.
    RateLimited = "rate_limited", 429;
    /// The calls of this day or month are used up; `Retry-After` says when the next one begins.
    QuotaExceeded = "quota_exceeded", 429;
    /// A backend is out of reach; try again later.
    Unavailable = "unavailable", 503;
    /// A fault on this side; the trace id finds it in the logs.
    Internal = "internal", 500;
}

wire_enum! {
    /// Why a host refuses a token of the other environment.
    pub enum SandboxReason {
        /// A live token was used on the sandbox host.
        LiveTokenOnSandboxHost = "live-token-on-sandbox-host",
        /// A sandbox token was used on a live host.
        SandboxTokenOnLiveHost = "sandbox-token-on-live-host",
    }
}

/// What went wrong, for programs and for people.
// Published under a name that no language has for something of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ApiError")]
pub struct Error {
    /// Stable, machine-readable reason.
    pub error_code: ErrorCode,
    /// What to change, in English. The text may change; do not parse it.
    pub message: String,
}

wire_enum! {
    /// Reason of a refusal by an OAuth endpoint (RFC 6749, section 5.2).
    pub enum OauthErrorCode {
        /// The request lacks something, has it twice, or is malformed.
        InvalidRequest = "invalid_request",
        /// The client is unknown, or did not prove who it is.
        InvalidClient = "invalid_client",
        /// The authorization code or refresh token is invalid, expired or another client's.
        InvalidGrant = "invalid_grant",
        /// The client may not use this grant.
        UnauthorizedClient = "unauthorized_client",
        /// The endpoint does not have this grant.
        UnsupportedGrantType = "unsupported_grant_type",
        /// A scope is unknown, malformed, or not one that the app is approved for.
        InvalidScope = "invalid_scope",
        /// The authorization endpoint answers with codes alone.
        UnsupportedResponseType = "unsupported_response_type",
        /// The user, or the service, has refused what was asked for.
        AccessDenied = "access_denied",
        /// A fault on this side.
        ServerError = "server_error",
        /// A backend is out of reach, or authentication has failed too often; try again later.
        TemporarilyUnavailable = "temporarily_unavailable",
    }
    extensible = true
}

impl OauthErrorCode {
    /// What an OAuth endpoint calls an error that RFC 6749, section 5.2 has no word for. For too many requests it is
    /// the one that clients of OAuth know and come back after (section 4.1.2.1), not one of our own, nor
    /// `invalid_request`, after which they give up.
    pub const fn of(status: u16) -> Self {
        match status {
            429 | 502..=504 => Self::TemporarilyUnavailable,
            500.. => Self::ServerError,
            _ => Self::InvalidRequest,
        }
    }
}

/// Error of an OAuth endpoint, as RFC 6749, section 5.2 has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OauthError {
    /// Stable, machine-readable reason.
    pub error: OauthErrorCode,
    /// What to change, in English.
    pub error_description: String,
}

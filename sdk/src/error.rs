//! The one error of this crate, and how the generated client's errors become it.

use crate::generated::types::KnownErrorCode;
use crate::trace;
use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What kind of failure an [`Error`] is, and so what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request does not fit the contract, whether the server said so or this crate noticed
    /// before sending. Change the request.
    InvalidRequest,
    /// No token, or one that is not accepted even when it is fresh. Check the credentials.
    Unauthorized,
    /// Nobody is signed in, or the user's sign-in has ended. Let the user sign in again:
    /// [`ArgusClient::authorization`](crate::ArgusClient::authorization).
    SignInRequired,
    /// The store that holds a user's tokens has failed; see the error's source.
    TokenStore,
    /// The token is valid and may not do this; [`Error::code`] says why.
    Forbidden,
    /// The resource does not exist, or belongs to another tenant.
    NotFound,
    /// The resource is in a state that forbids the operation.
    Conflict,
    /// The resource existed, and its retention is over.
    Gone,
    /// Too many requests; [`Error::retry_after`] says when to come back.
    RateLimited,
    /// The service, or something in front of it, is out of reach for now. Try later.
    Unavailable,
    /// A fault on the server's side; report it with [`Error::trace_id`].
    Server,
    /// No answer: connection, TLS or timeout.
    Transport,
    /// An answer that does not fit the contract.
    InvalidResponse,
}

/// A failed call.
///
/// ```
/// use argus_sdk::{Error, ErrorKind};
///
/// fn advice(error: &Error) -> String {
///     match error.kind() {
///         ErrorKind::RateLimited => format!("come back in {:?}", error.retry_after()),
///         ErrorKind::Forbidden => format!("not allowed: {}", error.code().unwrap_or("unknown")),
///         _ => format!("{error} (trace {})", error.trace_id().unwrap_or("unknown")),
///     }
/// }
/// # let error = argus_sdk::Environment::custom("", "", "").unwrap_err();
/// # assert!(advice(&error).ends_with("(trace unknown)"));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    status: Option<StatusCode>,
    code: Option<String>,
    message: String,
    trace_id: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable `error_code` of the body (`error` on the OAuth endpoints).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The code, if it is one that this version of the contract lists.
    pub fn known_code(&self) -> Option<KnownErrorCode> {
        self.code()?.parse().ok()
    }

    /// What went wrong, in English; do not parse it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Trace of the failed request, if the answer named one.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// How long the server asks to wait, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        matches!(self.0.kind, ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Transport)
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            status: None,
            code: None,
            message: message.into(),
            trace_id: None,
            retry_after: None,
            source: None,
        }))
    }

    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    pub(crate) fn with_message_prefix(mut self, prefix: &str) -> Self {
        self.0.message = format!("{prefix}: {}", self.0.message);
        self
    }

    /// There is no sign-in of a user that holds; `reason` is what the service has said of it.
    pub(crate) fn sign_in_required(reason: Option<Self>) -> Self {
        let kind = ErrorKind::SignInRequired;
        match reason {
            None => Self::new(kind, "nobody is signed in: let the user sign in"),
            Some(mut reason) => {
                reason.0.kind = kind;
                reason.with_message_prefix("the user's sign-in has ended, let the user sign in again")
            }
        }
    }

    /// What holds the tokens of a user has failed.
    pub(crate) fn token_store(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        let mut failed = Self::new(ErrorKind::TokenStore, format!("the token store failed: {error}"));
        failed.0.source = Some(Arc::from(error));
        failed
    }

    pub(crate) fn transport(error: reqwest::Error) -> Self {
        // A URL can hold identifiers; the cause alone is what helps.
        let error = error.without_url();
        let what = if error.is_timeout() {
            "the request timed out"
        } else if error.is_connect() {
            "the server could not be reached"
        } else if error.is_body() || error.is_decode() {
            "the answer broke off"
        } else {
            "the request failed on its way"
        };
        let mut failed = Self::new(ErrorKind::Transport, what);
        failed.0.source = Some(Arc::new(error));
        failed
    }

    /// An error answer: its status and headers, and whatever its body tells.
    pub(crate) fn from_answer(status: StatusCode, headers: &HeaderMap, body: &serde_json::Value) -> Self {
        let text =
            |names: [&str; 2]| names.iter().find_map(|name| body.get(*name)?.as_str()).map(str::to_owned);
        let message = text(["message", "error_description"])
            .unwrap_or_else(|| status.canonical_reason().unwrap_or("unexpected status").to_owned());
        let mut failed = Self::new(kind_of(status), message);
        failed.0.status = Some(status);
        failed.0.code = text(["error_code", "error"]);
        failed.0.trace_id = trace::trace_id(headers).map(str::to_owned);
        failed.0.retry_after = retry_after(headers, SystemTime::now());
        failed
    }

    fn invalid_response(message: String, source: serde_json::Error) -> Self {
        let mut failed = Self::new(ErrorKind::InvalidResponse, message);
        failed.0.source = Some(Arc::new(source));
        failed
    }

    /// Wraps this error so that it passes through the generated client unharmed.
    pub(crate) fn into_response(self) -> reqwest::Response {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = self.0.status.unwrap_or(StatusCode::BAD_GATEWAY);
        response.extensions_mut().insert(self);
        response.into()
    }
}

fn kind_of(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        410 => ErrorKind::Gone,
        429 => ErrorKind::RateLimited,
        408 | 502..=504 => ErrorKind::Unavailable,
        400..=499 => ErrorKind::InvalidRequest,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::InvalidResponse,
    }
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than u64 holds is "never"; a day is as good as that and cannot overflow.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX).min(86_400)));
    }
    let when = httpdate::parse_http_date(text).ok()?;
    Some(when.duration_since(now).unwrap_or(Duration::ZERO))
}

impl<E: Serialize> From<progenitor_client::Error<E>> for Error {
    fn from(error: progenitor_client::Error<E>) -> Self {
        use progenitor_client::Error as Generated;
        match error {
            Generated::InvalidRequest(message) | Generated::Custom(message) => Self::invalid_input(message),
            Generated::CommunicationError(error)
            | Generated::InvalidUpgrade(error)
            | Generated::ResponseBodyError(error) => Self::transport(error),
            Generated::ErrorResponse(answer) => {
                let body = serde_json::to_value(&*answer).unwrap_or_default();
                Self::from_answer(answer.status(), answer.headers(), &body)
            }
            Generated::InvalidResponsePayload(_, error) => {
                Self::invalid_response("the answer does not fit the contract".to_owned(), error)
            }
            Generated::UnexpectedResponse(mut response) => {
                response.extensions_mut().remove::<Error>().unwrap_or_else(|| {
                    Self::from_answer(response.status(), response.headers(), &serde_json::Value::Null)
                })
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match (&self.0.status, &self.0.code) {
            (Some(status), Some(code)) => write!(f, " ({}, {code})", status.as_u16()),
            (Some(status), None) => write!(f, " ({})", status.as_u16()),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("status", &self.0.status)
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("trace_id", &self.0.trace_id)
            .field("retry_after", &self.0.retry_after)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::generated::types::{ApiError, ErrorCode};
    use reqwest::header::HeaderValue;

    fn after(text: &'static str, now: SystemTime) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = httpdate::parse_http_date("Fri, 08 May 2026 12:00:00 GMT").unwrap();
        assert_eq!(after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(after("Fri, 08 May 2026 12:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(after("Fri, 08 May 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(after("99999999999999999999999", now), Some(Duration::from_secs(86_400)));
        for text in ["", "-1", "soon", "1.5"] {
            assert_eq!(after(text, now), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn both_error_bodies_are_understood() {
        let none = HeaderMap::new();
        let body = serde_json::json!({"error_code": "insufficient_scope", "message": "needs x"});
        let error = Error::from_answer(StatusCode::FORBIDDEN, &none, &body);
        assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, Some("insufficient_scope")));
        assert_eq!(error.known_code(), Some(KnownErrorCode::InsufficientScope));
        assert_eq!(error.to_string(), "needs x (403, insufficient_scope)");
        let body = serde_json::json!({"error": "invalid_client", "error_description": "no"});
        let error = Error::from_answer(StatusCode::UNAUTHORIZED, &none, &body);
        assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some("invalid_client")));
    }

    #[test]
    fn a_code_of_tomorrow_is_read_as_it_is() {
        let body = serde_json::json!({"error_code": "a_code_of_tomorrow", "message": "wait"});
        let read: ApiError = serde_json::from_value(body.clone()).unwrap();
        assert!(matches!(read.error_code, ErrorCode::String(text) if text == "a_code_of_tomorrow"));
        let error = Error::from_answer(StatusCode::CONFLICT, &HeaderMap::new(), &body);
        assert_eq!((error.code(), error.known_code()), (Some("a_code_of_tomorrow"), None));
        let known: ErrorCode = serde_json::from_value("not_found".into()).unwrap();
        assert!(matches!(known, ErrorCode::KnownErrorCode(KnownErrorCode::NotFound)));
    }

    #[test]
    fn an_error_passes_through_the_generated_client_unharmed() {
        let error = Error::invalid_input("why");
        let generated = progenitor_client::Error::<()>::UnexpectedResponse(error.into_response());
        let error = Error::from(generated);
        assert_eq!((error.kind(), error.message(), error.status()), (ErrorKind::InvalidRequest, "why", None));
    }
}

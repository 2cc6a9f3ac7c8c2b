//! The one conversion from the errors of every layer below to a reply. Statuses and headers of errors
//! come about here and nowhere else.

use super::entry::Entry;
use super::page;
use super::render::{Rendered, whole};
use argus_core::{objects, store};
use argus_openapi::headers::NotSent;
use argus_openapi::types::error::{Error, ErrorCode, OauthError, OauthErrorCode};
use argus_openapi::{Access, headers, read};
use argus_partner::{graphql, oauth};
use http::header::{ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue};
use std::fmt::Display;
use std::time::Duration;

const BASIC_CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Basic realm="argus", charset="UTF-8""#);

/// Why an operation did not succeed, as its caller is told.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// For the operator's log only.
    cause: Option<String>,
}

#[derive(Debug)]
enum Kind {
    Common(Error),
    Oauth(OauthErrorCode, String),
    /// Of a page alone: what was sent is no form of this browser's, or none any more.
    ForeignForm,
}

/// Outcome of a handler.
pub type Outcome<T> = Result<T, Problem>;

impl Problem {
    /// A problem that the caller can read in full.
    pub fn new(error_code: ErrorCode, message: impl Into<String>) -> Self {
        let error = Error { error_code, message: message.into() };
        Self { kind: Kind::Common(error), headers: Vec::new(), cause: None }
    }

    /// The request does not fit the contract.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    /// The resource does not exist for this caller.
    pub fn not_found(resource: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("no such {resource}"))
    }

    /// A fault of this side, which the caller cannot mend.
    pub fn defect(cause: impl Display) -> Self {
        let message = "a fault on this side; the trace id finds it in the logs";
        Self { cause: Some(cause.to_string()), ..Self::new(ErrorCode::Internal, message) }
    }

    /// A backend is out of reach.
    pub fn unavailable(cause: impl Display) -> Self {
        let message = "a backend is out of reach; try again later";
        Self { cause: Some(cause.to_string()), ..Self::new(ErrorCode::Unavailable, message) }
    }

    /// It was done too often. The wait is told in whole seconds, and none is too short.
    pub fn limited(reason: &str, retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
        let seconds = seconds.max(1);
        let unit = if seconds == 1 { "second" } else { "seconds" };
        Self::new(ErrorCode::RateLimited, format!("{reason}; try again in {seconds} {unit}"))
            .with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The resource has another entity tag than the request wants, or none.
    pub fn precondition_failed() -> Self {
        headers::precondition_failed().into()
    }

    /// The problem of a resource that has this entity tag.
    #[must_use]
    pub fn with_tag(self, current: &HeaderValue) -> Self {
        self.with_header(ETAG, current.clone())
    }

    /// More was sent than is taken.
    pub fn too_large(most: u64) -> Self {
        read::too_large(usize::try_from(most).unwrap_or(usize::MAX)).into()
    }

    /// What was sent is no form that this browser was given, or it comes from a page of another site.
    pub fn foreign_form() -> Self {
        Self { kind: Kind::ForeignForm, headers: Vec::new(), cause: None }
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its code, where it is not one of OAuth.
    pub(super) fn code(&self) -> Option<ErrorCode> {
        match &self.kind {
            Kind::Common(error) => Some(error.error_code),
            Kind::Oauth(..) | Kind::ForeignForm => None,
        }
    }

    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The reply, in the error shape of the contract, or of OAuth at an endpoint of OAuth.
    pub(super) fn render(self, entry: &Entry<'_>) -> Rendered {
        let mut headers = self.headers;
        if let Kind::Common(error) = &self.kind {
            let usual = headers::of_error(error, entry.row);
            // What the problem itself says counts before it.
            let is_said = |name: &HeaderName| headers.iter().any(|(said, _)| said == name);
            headers.extend(usual.filter(|(name, _)| !is_said(name)));
        }
        let mut response = match (self.kind, entry.row.access) {
            (Kind::Common(error), Access::Browser) => page::refused(entry, error.error_code.status()),
            (Kind::ForeignForm, _) => page::refused(entry, 403),
            (Kind::Oauth(refusal, description), _) => {
                let status = if refusal == OauthErrorCode::InvalidClient { 401 } else { 400 };
                whole(headers::json(status, &OauthError { error: refusal, error_description: description }))
            }
            (Kind::Common(error), Access::Client) => {
                let status = error.error_code.status();
                let error =
                    OauthError { error: OauthErrorCode::of(status), error_description: error.message };
                whole(headers::json(status, &error))
            }
            (Kind::Common(error), _) => whole(headers::refused(entry.app().contract, entry.row, &error)),
        };
        response.headers_mut().extend(headers);
        Rendered::of(response)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error.error_code, error.message)
    }
}

impl From<NotSent> for Problem {
    fn from(NotSent { error, header: (name, value) }: NotSent) -> Self {
        Self::from(error).with_header(name, value)
    }
}

impl From<argus_partner::Error> for Problem {
    fn from(error: argus_partner::Error) -> Self {
        match error {
            argus_partner::Error::Refused { code, message } => Self::new(code, message),
            argus_partner::Error::Core(error) => error.into(),
        }
    }
}

impl From<graphql::Refusal> for Problem {
    fn from(refusal: graphql::Refusal) -> Self {
        match refusal {
            graphql::Refusal::Domain(error) => error.into(),
            // The row's own scope is not the one that lacks.
            graphql::Refusal::Scope(scope) => Self::new(ErrorCode::InsufficientScope, refusal.to_string())
                .with_header(WWW_AUTHENTICATE, headers::bearer_scope_challenge(scope)),
        }
    }
}

impl From<argus_core::Error> for Problem {
    fn from(error: argus_core::Error) -> Self {
        match error {
            argus_core::Error::Invalid(message) => Self::invalid(message),
            argus_core::Error::NotFound(resource) => Self::not_found(resource),
            argus_core::Error::Store(error) => error.into(),
            argus_core::Error::Fault(fault) => Self::defect(fault),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        if error.is_transient() { Self::unavailable(error) } else { Self::defect(error) }
    }
}

impl From<objects::Error> for Problem {
    fn from(error: objects::Error) -> Self {
        match error {
            objects::Error::NotFound => Self::not_found("object"),
            other => Self::unavailable(other),
        }
    }
}

impl From<oauth::Error> for Problem {
    fn from(error: oauth::Error) -> Self {
        match error {
            oauth::Error::Domain(error) => error.into(),
            oauth::Error::Refused { refusal, description } => {
                let kind = Kind::Oauth(refusal, description);
                let problem = Self { kind, headers: Vec::new(), cause: None };
                match refusal {
                    OauthErrorCode::InvalidClient => problem.with_header(WWW_AUTHENTICATE, BASIC_CHALLENGE),
                    _ => problem,
                }
            }
        }
    }
}

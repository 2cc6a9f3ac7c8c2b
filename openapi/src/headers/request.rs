//! Request headers that somebody reads: their names as HTTP compares them and as messages show them.

use crate::read;
use crate::types::error::Error;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The name of a request header.
pub struct RequestHeader {
    name: HeaderName,
    /// The name as messages show it.
    pub shown: &'static str,
}

// Statics, because a constant of a name that is not a standard one would be made anew for each request.

/// Client authentication, or a bearer token.
pub static AUTHORIZATION: RequestHeader = RequestHeader::new(http::header::AUTHORIZATION, "Authorization");
/// One job for all repetitions of a request.
pub static IDEMPOTENCY_KEY: RequestHeader =
    RequestHeader::new(HeaderName::from_static("idempotency-key"), "Idempotency-Key");
/// Preferences (RFC 7240).
pub static PREFER: RequestHeader = RequestHeader::new(HeaderName::from_static("prefer"), "Prefer");
/// The tenant that a GraphQL client means.
pub static TENANT_ID: RequestHeader =
    RequestHeader::new(HeaderName::from_static("x-tenant-id"), "X-Tenant-ID");

impl RequestHeader {
    const fn new(name: HeaderName, shown: &'static str) -> Self {
        Self { name, shown }
    }

    /// The header's value, or none where it was not sent. A header that is repeated or is not ASCII text
    /// is an `invalid_request` that names it.
    pub fn single<'r>(&self, request: &'r HeaderMap) -> Result<Option<&'r str>, Error> {
        let values = request.get_all(&self.name).iter();
        read::single_header(self.shown, values.map(HeaderValue::as_bytes))
    }

    /// Every value of a header that is a list and may be repeated.
    pub fn list<'r>(&self, request: &'r HeaderMap) -> Result<Vec<&'r str>, Error> {
        let values = request.get_all(&self.name).iter();
        let texts = values.map(|value| read::header_text(self.shown, value.as_bytes()));
        texts.collect()
    }
}

//! One document that is served as it is, and the conditional request for it (RFC 9110, section 13).

use argus_openapi::row::Caching;
use argus_openapi::row::EXPOSED_HEADERS;
use argus_wire::hex;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};

const ANYONE: HeaderValue = HeaderValue::from_static("*");
const EXPOSED: HeaderValue = HeaderValue::from_static(EXPOSED_HEADERS);

/// Lets caches keep a reply for as long as its row says. The named headers belong to one response and are
/// not reused with it (RFC 9111, section 5.2.2.4).
pub fn keep(headers: &mut HeaderMap, caching: Caching) {
    let Some(max_age) = caching.max_age() else { return };
    let value = format!(
        "public, max-age={max_age}, must-revalidate, \
         no-cache=\"X-Argus-Trace-ID, X-Argus-Span-ID, traceparent, tracestate, X-Request-ID\""
    );
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(CACHE_CONTROL, value);
    }
}

/// Lets pages of any origin read a reply.
pub fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// A document and the headers that go with it.
#[derive(Clone)]
pub struct Document {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Document {
    /// A public document with a strong entity tag from its content.
    pub fn public(media_type: &'static str, text: impl Into<Bytes>) -> Self {
        let text = text.into();
        let tag = hex::encode(&Sha256::digest(&text)[..16]);
        let mut document = Self::private(HeaderValue::from_static(media_type), text);
        let headers = &mut document.headers;
        if let Ok(etag) = HeaderValue::try_from(format!("\"{tag}\"")) {
            headers.insert(ETAG, etag);
        }
        keep(headers, Caching::Tagged);
        document
    }

    /// A document for one caller, which no cache may keep.
    pub fn private(media_type: HeaderValue, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { status: StatusCode::OK, headers, body }
    }

    /// What it holds.
    #[cfg(test)]
    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The document's entity tag, where the request's `If-Match` wants another one. The comparison is the
    /// strong one.
    pub fn unwanted_tag(&self, request: &HeaderMap) -> Option<&HeaderValue> {
        let etag = self.headers.get(ETAG).filter(|_| request.contains_key(IF_MATCH))?;
        let wanted = items(request, &IF_MATCH).any(|item| item == "*" || item == *etag);
        (!wanted).then_some(etag)
    }

    /// The document, or 304 where the request's `If-None-Match` names it. The comparison is the weak one, as
    /// section 13.1.2 asks.
    #[must_use]
    pub fn unless_current(&self, request: &HeaderMap) -> Self {
        let names = |item: &str, etag| item == "*" || item.strip_prefix("W/").unwrap_or(item) == etag;
        let etag = self.headers.get(ETAG);
        let current = etag.is_some_and(|etag| items(request, &IF_NONE_MATCH).any(|item| names(item, etag)));
        if !current {
            return self.clone();
        }
        let mut headers = self.headers.clone();
        headers.remove(CONTENT_TYPE);
        Self { status: StatusCode::NOT_MODIFIED, headers, body: Bytes::new() }
    }

    /// The response without the headers of a call.
    pub fn into_response(self) -> Response<dropshot::Body> {
        let mut response = Response::new(dropshot::Body::with_content(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Whether the request's `If-Match` lists tags, and this is none of them.
pub fn lists_others(request: &HeaderMap, tag: &str) -> bool {
    // Nearly every request has a few headers and not this one; going through them takes less than looking it up.
    request.keys().any(|name| *name == IF_MATCH)
        && !items(request, &IF_MATCH).any(|item| item == "*" || item == tag)
}

/// The entity tags of a list header, and the star. Our tags hold no comma, so that splitting at commas is
/// enough.
fn items<'r>(request: &'r HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'r str> {
    let values = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|list| list.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"a\"";

    fn document() -> Document {
        let document = Document::private(HeaderValue::from_static("text/plain"), Bytes::new());
        document.with_header(ETAG, HeaderValue::from_static(TAG))
    }

    fn asked(name: HeaderName, list: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(list))])
    }

    #[test]
    fn if_none_match_takes_lists_weak_tags_and_the_star() {
        let status = |list| document().unless_current(&asked(IF_NONE_MATCH, list)).status;
        for list in [TAG, "W/\"a\"", "\"b\", \"a\"", "*", " \"b\",W/\"a\" "] {
            assert_eq!(status(list), StatusCode::NOT_MODIFIED, "{list} names the tag");
        }
        for list in ["", "a", "\"b\"", "\"ab\"", "W/", "\"a"] {
            assert_eq!(status(list), StatusCode::OK, "{list} does not name the tag");
        }
    }

    #[test]
    fn if_match_takes_lists_and_the_star_and_no_weak_tags() {
        let document = document();
        let unwanted = |request: HeaderMap| document.unwanted_tag(&request).is_some();
        assert!(!unwanted(HeaderMap::new()));
        for list in [TAG, "\"b\", \"a\"", "*", " \"b\",\"a\" "] {
            assert!(!unwanted(asked(IF_MATCH, list)), "{list} names the tag");
        }
        for list in ["", "a", "\"b\"", "W/\"a\"", "\"a"] {
            assert!(unwanted(asked(IF_MATCH, list)), "{list} does not name the tag");
        }
    }
}

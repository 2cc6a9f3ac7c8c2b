//! One document that is served as it is, and the conditional request for it (RFC 9110, section 13).

use argus_wire::hex;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};

/// How long a client may reuse a document before it asks again.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300, must-revalidate");
const ANYONE: HeaderValue = HeaderValue::from_static("*");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("ETag, Link, X-Argus-Trace-ID, X-Argus-Span-ID, traceparent, X-Argus-Sandbox");

/// Lets anyone read a reply from anywhere, and caches keep it for a while.
pub fn publish(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, CACHE);
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
    pub fn public(media_type: &'static str, text: &'static str) -> Self {
        let tag = hex::encode(&Sha256::digest(text.as_bytes())[..16]);
        let mut document =
            Self::private(HeaderValue::from_static(media_type), Bytes::from_static(text.as_bytes()));
        let headers = &mut document.headers;
        if let Ok(etag) = HeaderValue::try_from(format!("\"{tag}\"")) {
            headers.insert(ETAG, etag);
        }
        publish(headers);
        document
    }

    /// A document for one caller, which no cache may keep.
    pub fn private(media_type: HeaderValue, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { status: StatusCode::OK, headers, body }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The document, or 304 where the request's `If-None-Match` names it.
    #[must_use]
    pub fn unless_current(&self, request: &HeaderMap) -> Self {
        let etag = self.headers.get(ETAG).and_then(|etag| etag.to_str().ok());
        let current = etag.is_some_and(|etag| {
            request
                .get_all(IF_NONE_MATCH)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .any(|list| names(list, etag))
        });
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

/// Whether an `If-None-Match` list names the entity tag. The comparison is the weak one, as section
/// 13.1.2 asks; our tags hold no comma, so that splitting at commas is enough.
fn names(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == etag)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn if_none_match_takes_lists_weak_tags_and_the_star() {
        for list in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*", " \"b\",W/\"a\" "] {
            assert!(names(list, "\"a\""), "{list} names the tag");
        }
        for list in ["", "a", "\"b\"", "\"ab\"", "W/", "\"a"] {
            assert!(!names(list, "\"a\""), "{list} does not name the tag");
        }
    }
}

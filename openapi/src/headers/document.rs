//! One document that is served as it is, and the conditional request for it (RFC 9110, section 13).

use super::conditions::items;
use super::keep;
use crate::row::Caching;
use argus_wire::hex;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};

/// A document and the headers that go with it.
#[derive(Clone, Debug)]
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

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What the request's conditions select, in the order of section 13.2.2.
    ///
    /// # Errors
    ///
    /// The document's entity tag, where the request wants another one.
    pub fn selected(&self, request: &HeaderMap) -> Result<Self, HeaderValue> {
        match self.unwanted_tag(request) {
            Some(current) => Err(current.clone()),
            None => Ok(self.unless_current(request)),
        }
    }

    /// The document's entity tag, where the request's `If-Match` wants another one. The comparison is the
    /// strong one.
    fn unwanted_tag(&self, request: &HeaderMap) -> Option<&HeaderValue> {
        let etag = self.headers.get(ETAG).filter(|_| request.contains_key(IF_MATCH))?;
        let wanted = items(request, &IF_MATCH).any(|item| item == "*" || item == *etag);
        (!wanted).then_some(etag)
    }

    /// The document, or 304 where the request's `If-None-Match` names it. The comparison is the weak one, as
    /// section 13.1.2 asks.
    fn unless_current(&self, request: &HeaderMap) -> Self {
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
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
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

//! The token endpoint: the first line is the `Authorization` header, the rest the form.
//!
//! Parsing ends. Credentials that are read are never empty, and they come out the same when a client
//! encodes them as RFC 6749 wants; the form survives writing and reading.

use crate::edits::parts;
use argus_openapi::read::MediaType;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::TokenRequest;
use argus_partner::basic;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let [authorization, form] = parts::<2>(input);
    if let Ok(authorization) = std::str::from_utf8(authorization)
        && let Some(credentials) = basic::parse(authorization)
    {
        assert!(!credentials.client_id.is_empty() && !credentials.secret.is_empty());
        check_basic(&credentials.client_id, &credentials.secret);
    }
    if let Ok(request) = MediaType::Form.parse::<TokenRequest>(form) {
        let fields = fields(&request);
        let written = serde_urlencoded::to_string(&request).expect("a form that was read can be written");
        let again: TokenRequest =
            MediaType::Form.parse(written.as_bytes()).expect("a form that was written can be read");
        assert_eq!(fields, self::fields(&again));
        if let [_, Some(id), Some(secret), _] = fields
            && !id.is_empty()
            && !secret.is_empty()
        {
            check_basic(id, secret);
        }
    }
}

fn fields(request: &TokenRequest) -> [Option<&str>; 4] {
    [
        request.grant_type.as_deref(),
        request.client.client_id.as_deref(),
        request.client.client_secret.as_ref().map(SecretText::expose),
        request.scope.as_deref(),
    ]
}

fn check_basic(id: &str, secret: &str) {
    let encoded = |half: &str| byte_serialize(half.as_bytes()).collect::<String>();
    let header = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))));
    let read = basic::parse(&header).expect("well-formed Basic");
    assert_eq!((read.client_id.as_str(), read.secret.as_str()), (id, secret));
}

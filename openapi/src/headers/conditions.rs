//! Conditional requests (RFC 9110, section 13): what every resource has in common.

use crate::row::{Access, OperationRow, RequestBody};
use crate::types::error::{Error, ErrorCode};
use http::header::IF_MATCH;
use http::{HeaderMap, HeaderName};

/// `If-Match` where a resource has no entity tag (section 13.1.1): no tag that a request lists is the resource's, so
/// the operation must not be performed. What has a tag compares it where the tag is known: a [`super::Document`] by
/// itself, a file where it is read.
///
/// # Errors
///
/// `precondition_failed`
pub fn precondition(row: &OperationRow, request: &HeaderMap) -> Result<(), Error> {
    let is_download = row.access == Access::SignedUrl && row.body == RequestBody::None;
    let has_tag = row.is_tagged() || is_download;
    if !has_tag && lists_others(request, "*") { Err(precondition_failed()) } else { Ok(()) }
}

/// The resource has another entity tag than the request wants, or none.
pub fn precondition_failed() -> Error {
    let message = "the resource is not the one that If-Match names".to_owned();
    Error { error_code: ErrorCode::PreconditionFailed, message }
}

/// Whether the request's `If-Match` lists tags, and this is none of them.
pub fn lists_others(request: &HeaderMap, tag: &str) -> bool {
    // Nearly every request has a few headers and not this one; going through them takes less than looking it up.
    request.keys().any(|name| *name == IF_MATCH)
        && !items(request, &IF_MATCH).any(|item| item == "*" || item == tag)
}

/// The entity tags of a list header, and the star. Our tags hold no comma, so that splitting at commas is
/// enough.
pub(super) fn items<'r>(request: &'r HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'r str> {
    let values = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|list| list.split(',')).map(str::trim)
}

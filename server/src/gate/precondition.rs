//! `If-Match` where a resource has no entity tag (RFC 9110, section 13.1.1): no tag that a request lists is the
//! resource's, so the operation must not be performed. What has a tag compares it where the tag is known, in
//! [`crate::discovery`] and [`crate::download`].

use super::entry::Entry;
use super::problem::{Outcome, Problem};
use crate::discovery;
use argus_openapi::Access;
use argus_openapi::row::RequestBody;

/// Whether the request's conditions let the operation be performed.
pub(super) fn check(entry: &Entry<'_>) -> Outcome<()> {
    let row = entry.row;
    let is_download = row.access == Access::SignedUrl && row.body == RequestBody::None;
    let has_tag = row.is_tagged() || is_download;
    let lists_tags = !has_tag && discovery::lists_others(entry.request().headers(), "*");
    if lists_tags { Err(Problem::precondition_failed()) } else { Ok(()) }
}

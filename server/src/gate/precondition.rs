//! `If-Match` where a resource has no entity tag (RFC 9110, section 13.1.1): no tag that a request lists is the
//! resource's, so the operation must not be performed. What has a tag compares it where the tag is known, in
//! [`crate::discovery`].

use super::entry::Entry;
use super::problem::{Outcome, Problem};
use crate::discovery;

/// Whether the request's conditions let the operation be performed.
pub(super) fn check(entry: &Entry<'_>) -> Outcome<()> {
    let lists_tags = !entry.row.is_tagged() && discovery::lists_tags(entry.request().headers());
    if lists_tags { Err(Problem::precondition_failed()) } else { Ok(()) }
}

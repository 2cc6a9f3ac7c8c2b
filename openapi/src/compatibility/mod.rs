//! Whether a descriptor can follow another without breaking the clients of the first: every change between the two
//! ([`compare`]), and whether those that break were announced ([`judge`]). Pure functions on OpenAPI 3.1 documents.
//!
//! The one law is about the set of values that fit. What clients send must not be narrowed and what they receive
//! must not be widened. Beyond it:
//!
//! - A member that is gone breaks both ways: a client that reads it finds nothing, and what it sends counts no more.
//! - A member that responses gain is harmless, because clients ignore what they do not know, unless the schema has
//!   promised that there is no other (`additionalProperties: false`).
//! - A value that a response's enum gains breaks: generated clients have a type with no room for it. A list that says
//!   that it grows (`x-extensible-enum`) may.
//! - A success or redirection with a new status breaks, since clients choose a type by it; a refusal with a new one
//!   is treated as its class (RFC 9110, section 15).
//! - What is left out means what the default says: another default, or none any more, breaks.
//! - A keyword that is not known here breaks when it changes: what is not understood is not waved through.

mod change;
mod gate;
mod inputs;
mod operations;
mod responses;
mod schema;
mod security;
mod walk;

pub use change::{Change, Rule};
pub use gate::{Judged, Verdict, judge};

use serde_json::Value;

/// Every change from a base to the document that is to follow it.
///
/// # Errors
///
/// One of them is no descriptor; the text says which.
pub fn compare(base: &Value, next: &Value) -> Result<Vec<Change>, String> {
    for (document, which) in [(base, "the base"), (next, "the next document")] {
        if !document["paths"].is_object() || !document["openapi"].is_string() {
            return Err(format!("{which} is no OpenAPI document: it has no `openapi` or no `paths`"));
        }
    }
    let mut walk = walk::Walk::new(base, next);
    operations::compare(&mut walk);
    Ok(walk.changes)
}

//! What a request and a reply of the contract carry in HTTP beside their bodies: the standard headers and the trace
//! that they continue, the headers of an error, the published documents with their entity tags and conditions. Values
//! alone: who listens, who is let in and what is answered does not live here, so that a host on a socket and one inside
//! of a program say the same.

mod conditions;
mod document;
mod error;
mod file;
mod library;
mod ranges;
mod reply;
mod request;
mod standard;
mod trace;

pub use conditions::{lists_others, precondition, precondition_failed};
pub use document::Document;
pub use error::{bearer_scope_challenge, of_error};
pub use file::{FileHead, NotSent, SIGNED_URL_INVALID, Wanted, disposition, media_type};
pub use library::Library;
pub use reply::{JSON, json, keep, open_to_all, refused, response};
pub use request::{AUTHORIZATION, IDEMPOTENCY_KEY, PREFER, RequestHeader, TENANT_ID};
pub use standard::StandardHeaders;
pub use trace::Inbound;

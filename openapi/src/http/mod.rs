//! What the trait's signatures need of HTTP: extractors that wait for the gate, and replies that
//! carry the standard headers. How a request is gated does not live here.

mod error;
mod extract;
mod reply;
mod unread;

pub use crate::headers::StandardHeaders;
pub use extract::{Body, Checked, Documented, Upload};
pub use reply::{DocumentReply, EmptyReply, FromStamped, PageReply, RedirectReply, Reply, Stamped};
pub use unread::Unread;

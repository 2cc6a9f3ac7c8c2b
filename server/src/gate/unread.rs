//! What becomes of a request body that nobody has read. A connection can only go on when the whole body has
//! arrived, and a socket that is closed while bytes wait in it is reset, reply and all. So a short body is
//! awaited for a moment, and for a longer one the reply says `Connection: close` and the rest is thrown
//! away beside it (RFC 9112, section 9.6).

use argus_openapi::http::{Body, Unread, Upload};
use argus_openapi::read::Readable;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderMap, HeaderValue, Version};
use schemars::JsonSchema;
use std::time::Duration;

/// A body of at most so many bytes is awaited, so that its connection can go on.
const AWAITED_MAX: u64 = 64 * 1024;
/// For how long.
const AWAITED_TIME: Duration = Duration::from_millis(250);
/// How much of a longer body is thrown away, so that its sender gets to read the reply.
const DISCARDED_MAX: u64 = 8 * 1024 * 1024;
/// For how long.
const DISCARDED_TIME: Duration = Duration::from_secs(5);

/// What an operation takes as a request's content: a body of a contract type, bytes as they come, or nothing.
pub trait Content: Send {
    /// What was not read of it, if anything is left.
    fn into_unread(self) -> Option<Unread>;
}

impl Content for () {
    fn into_unread(self) -> Option<Unread> {
        None
    }
}

impl<T: JsonSchema + Readable + Send + Sync + 'static> Content for Body<T> {
    fn into_unread(self) -> Option<Unread> {
        Some(Body::into_unread(self)).filter(|unread| !unread.is_over())
    }
}

impl Content for Upload {
    fn into_unread(self) -> Option<Unread> {
        Some(Upload::into_unread(self)).filter(|unread| !unread.is_over())
    }
}

/// How a request's body comes.
#[derive(Clone, Copy)]
pub struct Sender {
    /// On a connection of its own; since HTTP/2 a body has a stream.
    has_connection: bool,
    /// Only when it is asked for.
    awaits_permission: bool,
}

impl Sender {
    /// How the body of a request with this head comes.
    pub fn of(version: Version, headers: &HeaderMap) -> Self {
        Self { has_connection: version < Version::HTTP_2, awaits_permission: headers.contains_key(EXPECT) }
    }
}

/// Sees to what is left of a request's body. The reply has these headers.
pub async fn settle(mut unread: Unread, sender: Sender, headers: &mut HeaderMap) {
    if !sender.has_connection || unread.is_over() {
        return;
    }
    // A sender that was not asked to go on will not, and asking now would be a second answer.
    let is_coming = unread.is_asked_for() || !sender.awaits_permission;
    let is_short = unread.most().is_some_and(|most| most <= AWAITED_MAX);
    if is_coming && is_short {
        let _ = tokio::time::timeout(AWAITED_TIME, unread.discard(AWAITED_MAX)).await;
    }
    if !unread.is_over() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        if is_coming {
            tokio::spawn(async move {
                let _ = tokio::time::timeout(DISCARDED_TIME, unread.discard(DISCARDED_MAX)).await;
            });
        }
    }
}

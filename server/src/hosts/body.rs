//! Request bodies that a handler leaves unread. A connection can only go on when the whole body has
//! arrived, and a socket that is closed while bytes wait in it is reset, reply and all. So a short body is
//! awaited for a moment, and for a longer one the reply says `Connection: close` and the rest is thrown
//! away beside it (RFC 9112, section 9.6).

use argus_openapi::types::error::{Error, ErrorCode};
use bytes::Bytes;
use dropshot::Body;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response, Version};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// A body of at most so many bytes is awaited, so that its connection can go on.
const AWAITED_MAX: u64 = 64 * 1024;
/// For how long.
const AWAITED_TIME: Duration = Duration::from_millis(250);
/// How much of a longer body is thrown away, so that its sender gets to read the reply.
const DISCARDED_MAX: usize = 8 * 1024 * 1024;
/// For how long.
const DISCARDED_TIME: Duration = Duration::from_secs(5);

/// Answers a request that has a body, and sees to what is left of it.
pub(super) async fn attend<F, E>(
    request: Request<Body>,
    answer: impl FnOnce(Request<Body>) -> F,
) -> Result<Response<Body>, Error>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    let (parts, body) = request.into_parts();
    let has_connection = parts.version < Version::HTTP_2;
    let awaits_permission = parts.headers.contains_key(EXPECT);
    let unread = Unread::of(body);
    let request = Request::from_parts(parts, Body::wrap(unread.clone()));
    // Handlers answer with replies; what they let through here is a defect of the table.
    let outcome = answer(request).await;
    let mut response = outcome
        .map_err(|_| Error { error_code: ErrorCode::Internal, message: "a fault on this side".to_owned() })?;
    if !has_connection || unread.is_over() {
        return Ok(response);
    }
    // A sender that was not asked to go on will not, and asking now would be a second answer.
    let is_coming = !awaits_permission || unread.was_asked_for();
    if is_coming && unread.size_hint().upper().is_some_and(|most| most <= AWAITED_MAX) {
        let _ = tokio::time::timeout(AWAITED_TIME, unread.clone().discard()).await;
    }
    if !unread.is_over() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        if is_coming {
            tokio::spawn(tokio::time::timeout(DISCARDED_TIME, unread.discard()));
        }
    }
    Ok(response)
}

/// A body that a handler reads, or does not, and that can be looked at afterwards.
#[derive(Clone)]
struct Unread(Arc<Mutex<State>>);

struct State {
    body: Body,
    asked_for: bool,
    over: bool,
}

impl Unread {
    fn of(body: Body) -> Self {
        Self(Arc::new(Mutex::new(State { body, asked_for: false, over: false })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        let state = self.state();
        state.over || state.body.is_end_stream()
    }

    fn was_asked_for(&self) -> bool {
        self.state().asked_for
    }

    async fn discard(mut self) {
        let mut discarded = 0;
        while let Some(Ok(frame)) = self.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > DISCARDED_MAX {
                break;
            }
        }
    }
}

impl hyper::body::Body for Unread {
    type Data = Bytes;
    type Error = <Body as hyper::body::Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let mut state = self.state();
        state.asked_for = true;
        let frame = Pin::new(&mut state.body).poll_frame(context);
        state.over |= matches!(frame, Poll::Ready(None | Some(Err(_))));
        frame
    }

    fn size_hint(&self) -> SizeHint {
        self.state().body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.is_over()
    }
}

//! A file that is given out as it is read, whole or in part. No more than a block of it is in memory, and it
//! may take as long as its reader likes: whoever stops reading is the proxy's business.

use argus_core::objects::Blocks;
use argus_openapi::headers::FileHead;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

/// A response with a file.
pub struct Download {
    status: StatusCode,
    headers: HeaderMap,
    length: u64,
    body: dropshot::Body,
}

impl Download {
    /// The head of a response with a whole file, still without the file: what `HEAD` gets.
    pub fn new(file: &FileHead<'_>) -> Self {
        let (headers, length) = (file.headers(), file.length);
        Self { status: StatusCode::OK, headers, length, body: dropshot::Body::empty() }
    }

    /// The whole file.
    #[must_use]
    pub fn with_all(mut self, blocks: Blocks) -> Self {
        self.body = dropshot::Body::wrap(Streamed::new(blocks, self.length));
        self
    }

    /// A part of it.
    #[must_use]
    pub fn with_part(mut self, file: &FileHead<'_>, range: &Range<u64>, blocks: Blocks) -> Self {
        self.status = StatusCode::PARTIAL_CONTENT;
        file.cut(&mut self.headers, range);
        self.body = dropshot::Body::wrap(Streamed::new(blocks, range.end - range.start));
        self
    }

    /// The response without the headers of a call.
    pub fn into_response(self) -> Response<dropshot::Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// A body that is read as it is sent.
struct Streamed {
    /// Locked by nobody: dropshot wants a body that threads could share.
    blocks: Mutex<Blocks>,
    left: u64,
}

impl Streamed {
    fn new(blocks: Blocks, length: u64) -> Self {
        Self { blocks: Mutex::new(blocks), left: length }
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = argus_core::objects::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let blocks = self.blocks.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let next = std::task::ready!(blocks.poll_next_unpin(context));
        Poll::Ready(next.map(|block| match block {
            Ok(block) => {
                self.left = self.left.saturating_sub(block.len() as u64);
                Ok(Frame::data(block))
            }
            Err(error) => {
                // The head has gone out: all that can be done is to break off.
                tracing::warn!(cause = %error, "a download breaks off");
                Err(error)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

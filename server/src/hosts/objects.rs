//! What a signed URL allows with an object: to read it, or to put it there. The signature was checked at the
//! gate, and what it allows came from there; nothing else of the URL counts. On the sandbox host objects are
//! made up as they are read, and kept nowhere when they are sent; all else is the same.

use crate::discovery;
use crate::download::{Download, ranges};
use crate::gate::{Call, Outcome, Problem};
use argus_core::objects::{Action, Blocks, DownloadName, Error, Grant, Head, ObjectKey, Writer};
use argus_openapi::http::Upload;
use argus_openapi::types::internal::ObjectStored;
use argus_sandbox::SignedObject;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method};
use std::ops::Range;

/// The object, or the part of it that is asked for.
pub(super) async fn view<B>(call: &Call<'_, Grant, B>) -> Outcome<Download> {
    let Grant { key, action: Action::Read { name }, .. } = &call.caller else { return Err(other_action()) };
    let objects = &call.app().jobs.objects;
    let head = objects.head(key).await?;
    let wanted = Wanted::of(call.method(), call.headers(), &head)?;
    let blocks = match wanted.range(&head) {
        Some(range) => Some(objects.read(key, &head, range).await?),
        None => None,
    };
    Ok(wanted.answer(Download::new(key, name.as_ref(), &head), blocks))
}

/// The same of a result that the sandbox makes up.
pub(super) fn view_synthetic<B>(call: &Call<'_, SignedObject, B>) -> Outcome<Download> {
    let SignedObject::Result { key, name, bytes } = &call.caller else { return Err(other_action()) };
    let key: ObjectKey = key.parse().map_err(Problem::defect)?;
    let name: DownloadName = name.parse().map_err(Problem::defect)?;
    let head = Head::of(bytes);
    let wanted = Wanted::of(call.method(), call.headers(), &head)?;
    let part = |range: Range<u64>| bytes.slice(range.start as usize..range.end as usize);
    let blocks = wanted.range(&head).map(|range| stream::iter([Ok::<_, Error>(part(range))]).boxed());
    Ok(wanted.answer(Download::new(&key, Some(&name), &head), blocks))
}

/// Keeps what is sent, as it comes. What is too long, or breaks off, is not kept.
pub(super) async fn create(call: &mut Call<'_, Grant, Upload>) -> Outcome<ObjectStored> {
    let Action::Write { max_bytes } = call.caller.action else { return Err(other_action()) };
    let writer = call.app().jobs.objects.put(&call.caller.key);
    receive(call, max_bytes, writer).await
}

/// Takes what is sent, and keeps nothing of it.
pub(super) async fn discard(call: &mut Call<'_, SignedObject, Upload>) -> Outcome<ObjectStored> {
    let SignedObject::Upload { max_bytes } = call.caller else { return Err(other_action()) };
    receive(call, max_bytes, Writer::discarding()).await
}

async fn receive<C>(
    call: &mut Call<'_, C, Upload>,
    max_bytes: u64,
    mut writer: Writer,
) -> Outcome<ObjectStored> {
    if call.upload_least() > max_bytes {
        return Err(Problem::too_large(max_bytes));
    }
    while let Some(bytes) = call.upload_next().await? {
        if writer.length() + bytes.len() as u64 > max_bytes {
            return Err(Problem::too_large(max_bytes));
        }
        writer.write(bytes).await?;
    }
    let stored = writer.finish().await?;
    Ok(ObjectStored { length: stored.length, sha256: stored.sha256 })
}

/// How much of an object is wanted.
enum Wanted {
    /// Only what is said of it.
    Head,
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
}

impl Wanted {
    /// What a request wants, unless what it expects of the object is not so.
    fn of(method: &Method, headers: &HeaderMap, head: &Head) -> Outcome<Self> {
        let tag = ranges::entity_tag(head);
        if discovery::lists_others(headers, &tag) {
            let failed = Problem::precondition_failed();
            return Err(match HeaderValue::try_from(tag) {
                Ok(tag) => failed.with_tag(&tag),
                Err(_) => failed,
            });
        }
        // A range is defined for GET alone (RFC 9110, section 14.2).
        if *method == Method::HEAD {
            return Ok(Self::Head);
        }
        match ranges::asked(headers, head) {
            ranges::Asked::Whole => Ok(Self::Whole),
            ranges::Asked::Part(range) => Ok(Self::Part(range)),
            ranges::Asked::Beyond => Err(Problem::range_not_satisfiable(head.length)),
        }
    }

    /// What is to be read.
    fn range(&self, head: &Head) -> Option<Range<u64>> {
        match self {
            Self::Head => None,
            Self::Whole => Some(0..head.length),
            Self::Part(range) => Some(range.clone()),
        }
    }

    /// The response with what was read.
    fn answer(self, download: Download, blocks: Option<Blocks>) -> Download {
        match (self, blocks) {
            (Self::Whole, Some(blocks)) => download.with_all(blocks),
            (Self::Part(range), Some(blocks)) => download.with_part(range, blocks),
            (Self::Head, _) | (_, None) => download,
        }
    }
}

/// The signature is for a method, and the method chose the operation.
fn other_action() -> Problem {
    Problem::defect("the signed URL of another operation was let through")
}

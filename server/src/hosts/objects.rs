//! What a signed URL allows with an object: to read it, or to put it there. The signature was checked at the
//! gate, and what it allows came from there; nothing else of the URL counts. On the sandbox host objects are
//! made up as they are read, and kept nowhere when they are sent; all else is the same.

use crate::download::Download;
use crate::gate::{Call, Outcome, Problem};
use argus_core::objects::{Action, Blocks, DownloadName, Error, Grant, Head, ObjectKey, Writer};
use argus_openapi::headers::{FileHead, Wanted};
use argus_openapi::http::Upload;
use argus_openapi::types::internal::ObjectStored;
use argus_sandbox::SignedObject;
use futures::{StreamExt, stream};
use std::ops::Range;

/// The object, or the part of it that is asked for.
pub(super) async fn view<B>(call: &Call<'_, Grant, B>) -> Outcome<Download> {
    let Grant { key, action: Action::Read { name }, .. } = &call.caller else { return Err(other_action()) };
    let objects = &call.app().jobs.objects;
    let head = objects.head(key).await?;
    let file = file(key, name.as_ref(), &head);
    let wanted = wanted(call, &file)?;
    let blocks = match range(&wanted, &file) {
        Some(range) => Some(objects.read(key, &head, range).await?),
        None => None,
    };
    Ok(sent(wanted, &file, blocks))
}

/// The same of a result that the sandbox makes up.
pub(super) fn view_synthetic<B>(call: &Call<'_, SignedObject, B>) -> Outcome<Download> {
    let SignedObject::Result { key, name, bytes } = &call.caller else { return Err(other_action()) };
    let key: ObjectKey = key.parse().map_err(Problem::defect)?;
    let name: DownloadName = name.parse().map_err(Problem::defect)?;
    let head = Head::of(bytes);
    let file = file(&key, Some(&name), &head);
    let wanted = wanted(call, &file)?;
    let part = |range: Range<u64>| bytes.slice(range.start as usize..range.end as usize);
    let blocks = range(&wanted, &file).map(|range| stream::iter([Ok::<_, Error>(part(range))]).boxed());
    Ok(sent(wanted, &file, blocks))
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

/// What is known of an object, as its reader is told.
fn file<'f>(key: &'f ObjectKey, name: Option<&'f DownloadName>, head: &'f Head) -> FileHead<'f> {
    let saved_as = name.map_or(key.name(), DownloadName::as_str);
    FileHead { name: key.name(), saved_as, version: &head.version, length: head.length }
}

/// What a request wants, unless what it expects of the object is not so.
fn wanted<C, B>(call: &Call<'_, C, B>, file: &FileHead<'_>) -> Outcome<Wanted> {
    Ok(file.wanted(call.method(), call.headers())?)
}

/// What is to be read.
fn range(wanted: &Wanted, file: &FileHead<'_>) -> Option<Range<u64>> {
    match wanted {
        Wanted::Head => None,
        Wanted::Whole => Some(0..file.length),
        Wanted::Part(range) => Some(range.clone()),
    }
}

/// The response with what was read.
fn sent(wanted: Wanted, file: &FileHead<'_>, blocks: Option<Blocks>) -> Download {
    let download = Download::new(file);
    match (wanted, blocks) {
        (Wanted::Whole, Some(blocks)) => download.with_all(blocks),
        (Wanted::Part(range), Some(blocks)) => download.with_part(file, &range, blocks),
        (Wanted::Head, _) | (_, None) => download,
    }
}

/// The signature is for a method, and the method chose the operation.
fn other_action() -> Problem {
    Problem::defect("the signed URL of another operation was let through")
}

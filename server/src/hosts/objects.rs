//! What a signed URL allows with an object: to read it, or to put it there. The signature was checked at the
//! gate, and what it allows came from there; nothing else of the URL counts.

use crate::discovery;
use crate::download::{Download, ranges};
use crate::gate::{Call, Outcome, Problem};
use argus_core::Objects;
use argus_core::objects::{Action, Grant};
use argus_openapi::http::Upload;
use argus_openapi::types::internal::ObjectStored;
use http::{HeaderMap, HeaderValue, Method};

/// The object, or the part of it that is asked for.
pub(super) async fn view(
    objects: &Objects,
    grant: &Grant,
    method: &Method,
    headers: &HeaderMap,
) -> Outcome<Download> {
    let Action::Read { name } = &grant.action else { return Err(other_action()) };
    let head = objects.head(&grant.key).await?;
    let tag = ranges::entity_tag(&head);
    if discovery::lists_others(headers, &tag) {
        let failed = Problem::precondition_failed();
        return Err(match HeaderValue::try_from(tag) {
            Ok(tag) => failed.with_tag(&tag),
            Err(_) => failed,
        });
    }
    let download = Download::new(&grant.key, name.as_ref(), &head);
    // A range is defined for GET alone (RFC 9110, section 14.2).
    if *method == Method::HEAD {
        return Ok(download);
    }
    match ranges::asked(headers, &head) {
        ranges::Asked::Whole => {
            let blocks = objects.read(&grant.key, &head, 0..head.length).await?;
            Ok(download.with_all(blocks))
        }
        ranges::Asked::Part(range) => {
            let blocks = objects.read(&grant.key, &head, range.clone()).await?;
            Ok(download.with_part(range, blocks))
        }
        ranges::Asked::Beyond => Err(Problem::range_not_satisfiable(head.length)),
    }
}

/// Keeps what is sent, as it comes. What is too long, or breaks off, is not kept.
pub(super) async fn create(call: &mut Call<'_, Grant, Upload>) -> Outcome<ObjectStored> {
    let Action::Write { max_bytes } = call.caller.action else { return Err(other_action()) };
    if call.upload_least() > max_bytes {
        return Err(Problem::too_large(max_bytes));
    }
    let mut writer = call.app().jobs.objects.put(&call.caller.key);
    while let Some(bytes) = call.upload_next().await? {
        if writer.length() + bytes.len() as u64 > max_bytes {
            return Err(Problem::too_large(max_bytes));
        }
        writer.write(bytes).await?;
    }
    let stored = writer.finish().await?;
    Ok(ObjectStored { length: stored.length, sha256: stored.sha256 })
}

/// The signature is for a method, and the method chose the operation.
fn other_action() -> Problem {
    Problem::defect("the signed URL of another operation was let through")
}

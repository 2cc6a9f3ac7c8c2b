//! What a signed URL of the sandbox leads to: a result that is made up, or nowhere.

use super::Refusal;
use ::http::{HeaderMap, Method, Response, StatusCode};
use argus_openapi::headers::{self, FileHead, SIGNED_URL_INVALID, Wanted};
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::types::internal::ObjectStored;
use argus_openapi::{Operation, read};
use argus_wire::hex;
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// The URL opens nothing.
pub(super) fn not_signed() -> Refusal {
    let message = SIGNED_URL_INVALID.to_owned();
    Error { error_code: ErrorCode::SignedUrlInvalid, message }.into()
}

/// The result, or the part of it that is asked for.
pub(super) fn view(
    key: &str,
    name: &str,
    bytes: &Bytes,
    method: &Method,
    request: &HeaderMap,
) -> Result<Response<Bytes>, Refusal> {
    let version = hex::encode(&Sha256::digest(bytes)[..16]);
    let place = key.rsplit('/').next().unwrap_or_default();
    let file = FileHead { name: place, saved_as: name, version: &version, length: bytes.len() as u64 };
    let mut headers = file.headers();
    let (status, body) = match file.wanted(method, request)? {
        Wanted::Head => (StatusCode::OK, Bytes::new()),
        Wanted::Whole => (StatusCode::OK, bytes.clone()),
        Wanted::Part(range) => {
            file.cut(&mut headers, &range);
            let part = bytes.slice(range.start as usize..range.end as usize);
            (StatusCode::PARTIAL_CONTENT, part)
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Takes what is sent, and keeps nothing of it.
pub(super) fn discard(sent: &Bytes, max_bytes: u64) -> Result<Response<Bytes>, Refusal> {
    let length = sent.len() as u64;
    if length > max_bytes {
        return Err(read::too_large(usize::try_from(max_bytes).unwrap_or(usize::MAX)).into());
    }
    let stored = ObjectStored { length, sha256: hex::encode(&Sha256::digest(sent)) };
    let mut response = headers::json(StatusCode::CREATED.as_u16(), &stored);
    headers::keep(response.headers_mut(), Operation::ObjectCreate.row().caching);
    Ok(response)
}

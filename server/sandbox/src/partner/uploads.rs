//! Uploads. Nothing is remembered: the same request makes the same room, and a job takes any reference.

use crate::engine::clock::at;
use crate::engine::digest::{Digest, Frame};
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::ids::upload_ref;
use crate::partner::sandbox::{Context, Sandbox};
use argus_openapi::Operation;
use argus_openapi::types::uploads::Upload;
use argus_wire::hex;

/// Seconds for which the URL works.
const LIFETIME: i64 = 900;

/// `upload_create`
pub struct UploadCreate;

impl Mock for UploadCreate {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::UploadCreate;
    const SHOWS_TIME: bool = true;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, _: &mut Frame) {
        let Self = self;
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let upload_ref = upload_ref(&context.digest);
        let expires_at = at(i64::from(context.clock.unwrap_or(0)) + LIFETIME);
        let upload_url = signed_url(&upload_ref, expires_at.timestamp(), &context.digest);
        Ok(Reply::json(201, &Upload { upload_ref, upload_url, expires_at }))
    }
}

/// Looks like a presigned URL and leads nowhere.
fn signed_url(upload_ref: &str, expires: i64, digest: &Digest) -> String {
    let mut frame = Frame::new("signed upload url");
    frame.part(&digest.0);
    let signature = hex::encode(&frame.finish().0);
    format!(
        "https://sandbox-api.knogin.com/synthetic/argus-jobs/uploads/{upload_ref}?expires={expires}&signature={signature}"
    )
}

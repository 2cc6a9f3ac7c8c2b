//! Uploads. Nothing is remembered: the same request makes the same room, and a job takes any reference.

use crate::engine::digest::Frame;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::ids::upload_ref;
use crate::partner::sandbox::{Context, Sandbox};
use argus_openapi::Operation;
use argus_openapi::types::uploads::Upload;

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
        let asked = i64::from(context.clock.unwrap_or(0));
        let (upload_url, expires_at) = context.data.upload_url(&upload_ref, asked);
        Ok(Reply::json(201, &Upload { upload_ref, upload_url, expires_at }))
    }
}

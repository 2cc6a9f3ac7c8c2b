//! Uploads: a partner asks for a URL, sends the bytes there, and names the upload in a job. No URL of a partner's
//! is ever fetched.

use crate::error::Error;
use crate::store::uploads::{self, UploadId};
use argus_core::Store;
use argus_core::context::{Context, Live};
use argus_core::objects::{Collection, ObjectKey, Objects};
use argus_openapi::Operation;
use argus_openapi::types::uploads::{URL_LIFETIME_SECONDS, Upload};
use std::time::Duration;

/// Most bytes of an upload.
const MAX_BYTES: u64 = Operation::ObjectCreate.row().body_max_bytes as u64;
/// How long its URL takes them.
const URL_LIFETIME: Duration = Duration::from_secs(URL_LIFETIME_SECONDS as u64);

/// Offers a place to send bytes to.
pub async fn create(store: &Store, objects: &Objects, context: &Context<Live>) -> Result<Upload, Error> {
    let id = UploadId::fresh(&context.clock)?;
    let key = ObjectKey::new(Collection::Uploads, context.tenant_id(), id.as_str()).map_err(Error::fault)?;
    let url = objects.upload_url(&key, MAX_BYTES, URL_LIFETIME).map_err(Error::fault)?;
    let offered = id.clone();
    store.write(context, move |tx| Ok::<_, Error>(uploads::insert(tx, &offered)?)).await?;
    Ok(Upload {
        upload_ref: id.into(),
        upload_url: url.url.expose().to_owned(),
        expires_at: url.expires_at.into(),
    })
}

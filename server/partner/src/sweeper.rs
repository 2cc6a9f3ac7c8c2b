//! Removes what its time is over for, a little at a time, for as long as the service runs: results, leftovers of
//! attempts, uploads, idempotency keys. When that is, says `argus_core::jobs::retention`.

use crate::error::Error;
use crate::store::uploads::{self, UploadRow};
use crate::work::result::name;
use argus_core::jobs::retention::{self, Ended};
use argus_core::objects::{Collection, ObjectKey, Objects};
use argus_core::store::EveryTenant;
use argus_openapi::types::jobs::results::ResultForm;
use futures::{StreamExt, stream};
use std::time::Duration;
use tokio::time::sleep;

/// How long to rest when there was nothing to remove.
const REST: Duration = Duration::from_secs(60);
/// Of how many jobs the objects are removed at a time: a bucket is far away.
const AT_A_TIME: usize = 16;

/// Sweeps for ever.
pub async fn run(every_tenant: EveryTenant, objects: Objects) {
    loop {
        match sweep(&every_tenant, &objects).await {
            Ok(0) => {}
            Ok(swept) => {
                tracing::info!(swept, "what its time was over for is removed");
                continue;
            }
            Err(error) => tracing::warn!(cause = %error, "sweeping goes on later"),
        }
        sleep(REST).await;
    }
}

/// Removes some of what is due, and returns how much it was. What it has removed when it is interrupted stays
/// removed.
pub async fn sweep(every_tenant: &EveryTenant, objects: &Objects) -> Result<usize, Error> {
    let mut swept =
        every_tenant.run(|connection| Ok::<_, Error>(retention::forget_keys(connection)?)).await?;
    let due = every_tenant.run(|connection| Ok::<_, Error>(retention::due(connection)?)).await?;
    let removing = stream::iter(due.into_iter().map(|job| remove_objects(objects, job)));
    let outcomes: Vec<_> = removing.buffer_unordered(AT_A_TIME).collect().await;
    let removed: Vec<Ended> = outcomes.into_iter().filter_map(told).collect();
    swept += removed.len();
    if !removed.is_empty() {
        every_tenant.run(move |connection| Ok::<_, Error>(retention::done(connection, &removed)?)).await?;
    }
    for upload in every_tenant.run(|connection| Ok::<_, Error>(uploads::over(connection)?)).await? {
        swept += usize::from(told(sweep_upload(every_tenant, objects, upload).await).is_some());
    }
    Ok(swept)
}

/// One that cannot be removed keeps nothing else from it, and is tried again the next time.
fn told<T>(outcome: Result<T, Error>) -> Option<T> {
    outcome.inspect_err(|error| tracing::warn!(cause = %error, "something is removed later")).ok()
}

async fn sweep_upload(every_tenant: &EveryTenant, objects: &Objects, upload: UploadRow) -> Result<(), Error> {
    let key = ObjectKey::new(Collection::Uploads, &upload.tenant_id, upload.id.as_str());
    objects.delete(&key.map_err(Error::fault)?).await.map_err(Error::fault)?;
    every_tenant.run(move |connection| Ok(uploads::remove(connection, &upload.id)?)).await
}

/// Removes whatever the attempts of a job may have left, but not a result that is still kept; gives the job back.
async fn remove_objects(objects: &Objects, job: Ended) -> Result<Ended, Error> {
    for key in removable(&job)? {
        objects.delete(&key).await.map_err(Error::fault)?;
    }
    Ok(job)
}

/// What the attempts of a job may have left, but for a result that is still kept.
fn removable(job: &Ended) -> Result<Vec<ObjectKey>, Error> {
    // The only attempt of a job that succeeded has left nothing but its result.
    if let (1, true, Some(key)) = (job.attempts, job.is_over, &job.result_key) {
        return Ok(vec![key.parse().map_err(Error::fault)?]);
    }
    let kept = job.result_key.as_deref().filter(|_| !job.is_over);
    let mut keys = Vec::new();
    for attempt in 1..=job.attempts.unsigned_abs() {
        for form in ResultForm::ALL {
            let name = name(&job.id, attempt, form);
            let key = ObjectKey::new(Collection::Results, &job.tenant_id, &name).map_err(Error::fault)?;
            if kept != Some(key.as_str()) {
                keys.push(key);
            }
        }
    }
    Ok(keys)
}

//! Removes what its time is over for, a little at a time, for as long as the service runs: results, leftovers of
//! attempts, uploads, idempotency keys. When that is, says `argus_core::jobs::retention`.

use crate::error::Error;
use crate::store::uploads::{self, UploadRow};
use crate::work::result::name;
use argus_core::jobs::retention::{self, Ended};
use argus_core::objects::{Collection, ObjectKey, Objects};
use argus_core::store::EveryTenant;
use argus_openapi::types::jobs::results::ResultForm;
use std::time::Duration;
use tokio::time::sleep;

/// How long to rest when there was nothing to remove.
const REST: Duration = Duration::from_secs(60);

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

/// Removes some of what is due, and returns how much it was.
pub async fn sweep(every_tenant: &EveryTenant, objects: &Objects) -> Result<usize, Error> {
    let keys = every_tenant.run(|connection| Ok::<_, Error>(retention::forget_keys(connection)?)).await?;
    let mut swept = keys;
    for job in every_tenant.run(|connection| Ok::<_, Error>(retention::due(connection)?)).await? {
        swept += counted(sweep_job(every_tenant, objects, job).await);
    }
    for upload in every_tenant.run(|connection| Ok::<_, Error>(uploads::over(connection)?)).await? {
        swept += counted(sweep_upload(every_tenant, objects, upload).await);
    }
    Ok(swept)
}

/// One that cannot be removed keeps nothing else from it, and is tried again the next time.
fn counted(outcome: Result<(), Error>) -> usize {
    match outcome {
        Ok(()) => 1,
        Err(error) => {
            tracing::warn!(cause = %error, "something is removed later");
            0
        }
    }
}

async fn sweep_job(every_tenant: &EveryTenant, objects: &Objects, job: Ended) -> Result<(), Error> {
    remove_objects(objects, &job).await?;
    every_tenant.run(move |connection| Ok(retention::done(connection, &job)?)).await
}

async fn sweep_upload(every_tenant: &EveryTenant, objects: &Objects, upload: UploadRow) -> Result<(), Error> {
    let key = ObjectKey::new(Collection::Uploads, &upload.tenant_id, upload.id.as_str());
    objects.delete(&key.map_err(Error::fault)?).await.map_err(Error::fault)?;
    every_tenant.run(move |connection| Ok(uploads::remove(connection, &upload.id)?)).await
}

/// Removes whatever the attempts of a job may have left, but not a result that is still kept.
async fn remove_objects(objects: &Objects, job: &Ended) -> Result<(), Error> {
    let kept = job.result_key.as_deref().filter(|_| !job.is_over);
    for attempt in 1..=job.attempts.unsigned_abs() {
        for form in ResultForm::ALL {
            let name = name(&job.id, attempt, form);
            let key = ObjectKey::new(Collection::Results, &job.tenant_id, &name).map_err(Error::fault)?;
            if kept != Some(key.as_str()) {
                objects.delete(&key).await.map_err(Error::fault)?;
            }
        }
    }
    Ok(())
}

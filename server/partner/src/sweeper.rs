//! Removes what its time is over for, a little at a time, for as long as the service runs: results, leftovers of
//! attempts, uploads, idempotency keys, deliveries, buckets of limits, sessions, codes, refresh tokens and client
//! assertions; and adds up what was counted. When that is, say `argus_core::jobs::retention` and its neighbours.

use crate::error::Error;
use crate::store::authorizations;
use crate::store::client_assertions;
use crate::store::uploads::{self, UploadRow};
use crate::work::result::name;
use argus_core::deliveries;
use argus_core::jobs::retention::{self, Ended};
use argus_core::limits;
use argus_core::objects::{Collection, ObjectKey, Objects};
use argus_core::revocations;
use argus_core::store::{AnyConnection, EveryTenant};
use argus_core::usage;
use argus_core::users;
use argus_openapi::types::jobs::results::ResultForm;
use futures::{StreamExt, stream};
use std::time::Duration;
use tokio::time::sleep;

/// How long to rest when there was nothing to remove.
const REST: Duration = Duration::from_secs(60);
/// Of how many jobs the objects are removed at a time: a bucket is far away.
const AT_A_TIME: usize = 16;

/// What became of what was due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How much is gone.
    pub removed: usize,
    /// How much could not be removed.
    pub failed: usize,
}

/// Sweeps.
pub struct Sweeper {
    every_tenant: EveryTenant,
    objects: Objects,
    /// How much of what is due could not be removed since it last rested. It stands in front of the rest, and must not
    /// keep it from being removed.
    failed_jobs: usize,
    failed_uploads: usize,
}

impl Sweeper {
    /// Nothing is removed before it runs.
    pub fn new(every_tenant: EveryTenant, objects: Objects) -> Self {
        Self { every_tenant, objects, failed_jobs: 0, failed_uploads: 0 }
    }

    /// Sweeps for ever.
    pub async fn run(mut self) {
        loop {
            match self.sweep().await {
                Ok(Swept { removed: 0, failed: 0 }) => {}
                Ok(Swept { removed, failed }) => {
                    tracing::info!(removed, failed, "what its time was over for");
                    continue;
                }
                Err(error) => tracing::warn!(cause = %error, "sweeping goes on later"),
            }
            (self.failed_jobs, self.failed_uploads) = (0, 0);
            sleep(REST).await;
        }
    }

    /// Removes some of what is due. What it has removed when it is interrupted stays removed.
    pub async fn sweep(&mut self) -> Result<Swept, Error> {
        let forgotten =
            self.every_tenant.run(|connection| Ok::<_, Error>(retention::forget_keys(connection)?)).await?;
        let buckets = self.every_tenant.run(|connection| Ok::<_, Error>(limits::sweep(connection)?)).await?;
        let sweep_deliveries =
            |connection: &mut AnyConnection| Ok::<_, Error>(deliveries::retention::sweep(connection)?);
        // What is added up is no more than before, so that the log need not speak of it.
        let add_up = |connection: &mut AnyConnection| Ok::<_, Error>(usage::fold(connection)?);
        while self.every_tenant.run(add_up).await? > 0 {}
        let nodes =
            self.every_tenant.run(|connection| Ok::<_, Error>(usage::forget_nodes(connection)?)).await?;
        let deliveries = self.every_tenant.run(sweep_deliveries).await?;
        let revocations =
            self.every_tenant.run(|connection| Ok::<_, Error>(revocations::sweep(connection)?)).await?;
        let sweep_authorizations =
            |connection: &mut AnyConnection| Ok::<_, Error>(authorizations::retention::sweep(connection)?);
        let authorizations = self.every_tenant.run(sweep_authorizations).await?;
        let sweep_assertions =
            |connection: &mut AnyConnection| Ok::<_, Error>(client_assertions::sweep(connection)?);
        let assertions = self.every_tenant.run(sweep_assertions).await?;
        let sweep_users = |connection: &mut AnyConnection| Ok::<_, Error>(users::sweep(connection)?);
        let users = self.every_tenant.run(sweep_users).await?;
        let (jobs, uploads) = (self.sweep_jobs().await?, self.sweep_uploads().await?);
        self.failed_jobs += jobs.failed;
        self.failed_uploads += uploads.failed;
        Ok(Swept {
            removed: forgotten
                + buckets
                + nodes
                + deliveries
                + revocations
                + authorizations
                + assertions
                + users
                + jobs.removed
                + uploads.removed,
            failed: jobs.failed + uploads.failed,
        })
    }

    async fn sweep_jobs(&self) -> Result<Swept, Error> {
        let skip = self.failed_jobs;
        let look = move |connection: &mut AnyConnection| Ok::<_, Error>(retention::due(connection, skip)?);
        let due = self.every_tenant.run(look).await?;
        let count = due.len();
        let removing = stream::iter(due.into_iter().map(|job| remove_objects(&self.objects, job)));
        let outcomes: Vec<_> = removing.buffer_unordered(AT_A_TIME).collect().await;
        let done: Vec<Ended> = outcomes.into_iter().filter_map(told).collect();
        let removed = done.len();
        if removed > 0 {
            let note =
                move |connection: &mut AnyConnection| Ok::<_, Error>(retention::done(connection, &done)?);
            self.every_tenant.run(note).await?;
        }
        Ok(Swept { removed, failed: count - removed })
    }

    async fn sweep_uploads(&self) -> Result<Swept, Error> {
        let skip = self.failed_uploads;
        let look = move |connection: &mut AnyConnection| Ok::<_, Error>(uploads::over(connection, skip)?);
        let mut swept = Swept::default();
        for upload in self.every_tenant.run(look).await? {
            match told(sweep_upload(&self.every_tenant, &self.objects, upload).await) {
                Some(()) => swept.removed += 1,
                None => swept.failed += 1,
            }
        }
        Ok(swept)
    }
}

/// One that cannot be removed keeps nothing else from it, and is tried again after the next rest.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn job(attempts: i32, result: Option<&str>, is_over: bool) -> Ended {
        Ended {
            id: "01JX0000000000000000000000".parse().expect("an identifier"),
            tenant_id: "tnt_01jx0000000000000000000000".parse().expect("an identifier"),
            attempts,
            result_key: result.map(|name| format!("results/tnt_01jx0000000000000000000000/{name}")),
            is_over,
            cleanup_at: 1,
        }
    }

    fn removed(job: &Ended) -> Vec<String> {
        removable(job).expect("keys").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn of_several_attempts_all_may_have_left_something_but_the_result_that_is_kept() {
        let forms = ResultForm::ALL.len();
        let result = "01JX0000000000000000000000-2.ndjson";
        let kept = job(3, Some(result), false);
        let keys = removed(&kept);
        assert_eq!(keys.len(), 3 * forms - 1);
        assert!(!keys.contains(kept.result_key.as_ref().expect("a result")), "{keys:?}");
        let all = removed(&job(3, Some(result), true));
        assert_eq!(all.len(), 3 * forms, "after its time the result goes, too");
        assert!(keys.iter().all(|key| all.contains(key)));
        assert_eq!(removed(&job(3, None, false)), all, "without a result nothing is kept");
        assert_eq!(removed(&job(1, None, false)).len(), forms);
        assert_eq!(removed(&job(0, None, true)), [""; 0]);
    }

    #[test]
    fn of_a_job_that_succeeded_at_once_nothing_but_its_result_is_asked_for() {
        let over = job(1, Some("01JX0000000000000000000000.csv.gz"), true);
        assert_eq!(removed(&over), [over.result_key.clone().expect("a result")]);
    }
}

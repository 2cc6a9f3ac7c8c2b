//! `argus jobs`: look at the jobs of every tenant, cancel one, or accept a failed one anew.

use super::{CommandResult, print, run};
use crate::service::PRODUCTS;
use crate::settings::{DataArgs, JobsAction, Settings};
use argus_core::Clock;
use argus_core::ids::JobId;
use argus_core::jobs::operate::{self, OperatedJob};
use argus_core::store::{Database, EveryTenant};
use chrono::SecondsFormat;
use std::path::Path;

pub(super) fn jobs(action: JobsAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    run::block_on(async {
        let database = Database::open(&settings.store, PRODUCTS)?.every_tenant;
        match action {
            JobsAction::List { tenant, status, limit } => {
                let tenant = tenant.as_deref().map(super::tenant_named).transpose()?;
                let list =
                    database.run(move |connection| operate::list(connection, tenant.as_ref(), status, limit));
                list.await?.iter().try_for_each(|job| print(line(job)))
            }
            JobsAction::Cancel { id } => cancel(&database, job_named(&id)?).await,
            JobsAction::Retry { id } => retry(&database, job_named(&id)?).await,
        }
    })
}

async fn cancel(database: &EveryTenant, id: JobId) -> CommandResult {
    let wanted = id.clone();
    if !database.run(move |connection| operate::cancel(connection, &wanted)).await? {
        return Err(format!("{id} has ended already").into());
    }
    print(format!("cancelled {id}; a worker that is on it stops within a quarter of its lease"))
}

async fn retry(database: &EveryTenant, id: JobId) -> CommandResult {
    let again = database.run(move |connection| operate::retry(connection, &Clock::system(), &id)).await?;
    print(format!("accepted anew as {again}"))
}

fn job_named(text: &str) -> Result<JobId, &'static str> {
    text.parse().map_err(|_| "a job is named by its ULID, as in 01JX0000000000000000000000")
}

fn line(job: &OperatedJob) -> String {
    let OperatedJob { id, tenant_id, kind, status, attempts, created_at, last_error } = job;
    let created_at = created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let error = last_error.as_ref().map(|(code, message)| format!("  {code}: {message}")).unwrap_or_default();
    format!("{id}  {status:9}  {kind}  {tenant_id}  {created_at}  attempts {attempts}{error}")
}

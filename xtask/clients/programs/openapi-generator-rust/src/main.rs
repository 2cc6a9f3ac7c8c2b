//! What a partner does first, through the clients that openapi-generator makes for Rust.

use argus_sandbox::apis::configuration::Configuration;
use argus_sandbox::apis::jobs_api::{
    JobCreateSuccess, JobListSuccess, JobResultSuccess, JobViewError, JobViewSuccess, job_create, job_list,
    job_result, job_view,
};
use argus_sandbox::apis::webhooks_api::{WebhookListSuccess, WebhookViewSuccess, webhook_list, webhook_view};
use argus_sandbox::apis::{Error, ResponseContent};
use argus_sandbox::models::{
    EnrichJob, EnrichPayload, JobCreate, JobKind, JobProgressStatus, JobResultStatus, JobStatus, enrich_job,
};
use reqwest::header::{HeaderName, HeaderValue};
use std::collections::BTreeSet;

const PREFER: HeaderName = HeaderName::from_static("prefer");

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// The sandbox host; `prefer` is sent with every call.
fn sandbox(prefer: Option<&'static str>) -> Configuration {
    let prefer = prefer.map(|value| (PREFER, HeaderValue::from_static(value)));
    Configuration {
        base_path: variable("ARGUS_SANDBOX_URL"),
        bearer_access_token: Some(variable("ARGUS_SANDBOX_TOKEN")),
        client: reqwest::Client::builder().default_headers(prefer.into_iter().collect()).build().unwrap(),
        ..Configuration::default()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (sandbox, early) = (sandbox(None), sandbox(Some("argus-clock=10")));

    let payload = EnrichPayload::new(vec!["p1".to_owned(), "p2".to_owned()]);
    let job = EnrichJob::new(enrich_job::Kind::IntelligenceEnrichBulk, payload);
    let created = job_create(&sandbox, JobCreate::EnrichJob(Box::new(job)), None);
    // The client tells responses apart by what fits first, and 200 (a repeated key) has the same body.
    let (status, job) = match created.await.unwrap() {
        ResponseContent {
            status,
            entity: Some(JobCreateSuccess::Status200(job) | JobCreateSuccess::Status201(job)),
            ..
        } => (status, job),
        other => panic!("no job was created: {other:?}"),
    };
    assert_eq!((status.as_u16(), job.kind, job.status), (201, JobKind::IntelligenceEnrichBulk, JobStatus::Queued));

    let Some(JobViewSuccess::Status200(running)) = job_view(&early, &job.id).await.unwrap().entity else {
        panic!("the job was not found")
    };
    assert_eq!((running.status, running.completed_at), (JobStatus::Running, None));
    let Some(JobViewSuccess::Status200(ended)) = job_view(&sandbox, &job.id).await.unwrap().entity else {
        panic!("the job was not found")
    };
    assert_eq!(ended.status, JobStatus::Succeeded);
    assert!(ended.completed_at.is_some());

    let progress = job_result(&early, &job.id).await.unwrap();
    assert_eq!(progress.status.as_u16(), 202);
    let Some(JobResultSuccess::Status202(progress)) = progress.entity else { panic!("202 is {progress:?}") };
    assert_eq!(progress.status, JobProgressStatus::Running);
    let result = job_result(&sandbox, &job.id).await.unwrap();
    assert_eq!(result.status.as_u16(), 200);
    let Some(JobResultSuccess::Status200(result)) = result.entity else { panic!("200 is {result:?}") };
    assert_eq!((result.status, result.id), (JobResultStatus::Succeeded, job.id));

    let (mut pages, mut seen, mut cursor) = (0, BTreeSet::new(), None::<String>);
    loop {
        let page = job_list(&sandbox, cursor.as_deref(), None, Some(3), None).await.unwrap();
        let Some(JobListSuccess::Status200(page)) = page.entity else { panic!("a page is {page:?}") };
        pages += 1;
        seen.extend(page.jobs.into_iter().map(|job| job.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((pages, seen.len()), (40, 120));

    let Err(Error::ResponseError(missing)) = job_view(&sandbox, "no-such-job").await else {
        panic!("a job that does not exist was found")
    };
    assert_eq!(missing.status.as_u16(), 404);
    let Some(JobViewError::Status400(error) | JobViewError::Status404(error)) = missing.entity else {
        panic!("404 is {missing:?}")
    };
    assert_eq!(error.error_code, "not_found");

    let Some(WebhookListSuccess::Status200(page)) = webhook_list(&sandbox, None, Some(1)).await.unwrap().entity else {
        panic!("no subscriptions were listed")
    };
    let subscription = &page.webhooks[0];
    let Some(WebhookViewSuccess::Status200(viewed)) = webhook_view(&sandbox, &subscription.id).await.unwrap().entity
    else {
        panic!("the subscription was not found")
    };
    assert_eq!(viewed, *subscription);

    the_auth_host().await;
}

async fn the_auth_host() {
    use argus_auth::apis::identity_api::{ScopeListSuccess, scope_list};
    let configuration = argus_auth::apis::configuration::Configuration {
        base_path: variable("ARGUS_AUTH_URL"),
        oauth_access_token: Some(variable("ARGUS_ADMIN_TOKEN")),
        ..Default::default()
    };
    let scopes = scope_list(&configuration).await.unwrap();
    let Some(ScopeListSuccess::Status200(scopes)) = scopes.entity else { panic!("scopes are {scopes:?}") };
    assert!(scopes.scopes.iter().any(|entry| entry.name == argus_auth::models::Scope::JobsRead));
}

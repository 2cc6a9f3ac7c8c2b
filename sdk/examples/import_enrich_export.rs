//! Profiles in, enriched, and out again: uploads a file, imports it, enriches what was imported, exports it, and
//! downloads each result. It runs on the live API and on the sandbox alike; only these two variables change:
//!
//! - `ARGUS_URL`: base URL of the API host, or of the sandbox host
//! - `ARGUS_TOKEN`: a token for it with `argus:jobs:read` and `argus:jobs:write`
//!
//! `argus dev` (`cargo run`) prints both pairs. Files go to the directory that is given as the argument, or to the
//! current one.

#![allow(clippy::print_stdout)]

use argus_sdk::types::{EnrichJob, ExportJob, ImportJob, Job, JobCreate, JobStatus};
use argus_sdk::{ArgusClient, Credentials, Environment, WaitOptions};
use std::path::{Path, PathBuf};

type Failure = Box<dyn std::error::Error>;

const PROFILES: &str = r#"{"id":"example_wallet","kind":"wallet","display_name":"Cold wallet 7","relations":[{"to":"example_owner","label":"owner"}]}
{"id":"example_owner","kind":"entity","display_name":"Northwind Holding"}
{"id":"example_device","kind":"device","display_name":"Infusion pump 12"}
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("set {name}; `argus dev` prints it"));
    let directory = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    run(&variable("ARGUS_URL")?, &variable("ARGUS_TOKEN")?, &directory).await
}

/// All of it, against this server.
pub async fn run(url: &str, token: &str, directory: &Path) -> Result<(), Failure> {
    let client = ArgusClient::builder()
        .environment(Environment::at(url)?)
        .credentials(Credentials::token(token))
        .build()?;

    let profiles = directory.join("profiles.ndjson");
    std::fs::write(&profiles, PROFILES)?;
    let upload = client.upload_file(&profiles).await?;
    println!("uploaded {} as {}", profiles.display(), upload.upload_ref);

    job(&client, ImportJob::of_upload(&upload), &directory.join("imported.json")).await?;
    let ids = ["example_wallet", "example_owner", "example_device"];
    job(&client, EnrichJob::of(ids), &directory.join("enriched.ndjson")).await?;
    job(&client, ExportJob::of_everything(), &directory.join("exported.ndjson")).await
}

/// Runs a job to its end and downloads what it made.
async fn job(client: &ArgusClient, job: impl Into<JobCreate>, file: &Path) -> Result<(), Failure> {
    let job: JobCreate = job.into();
    let created = client.job_create().body(job).send().await?.into_inner();
    let show = |job: &Job| println!("  {} {} at {} %", job.kind, job.status, job.progress_pct);
    let ended = client.watch_job(&created.id, WaitOptions::default(), show).await?;
    if ended.status != JobStatus::Succeeded {
        return Err(format!("{} {} has {}: {:?}", ended.kind, ended.id, ended.status, ended.error).into());
    }
    let result = client.download_result(&ended.id, file).await?;
    println!("{} bytes in {}", result.length, result.path.display());
    Ok(())
}

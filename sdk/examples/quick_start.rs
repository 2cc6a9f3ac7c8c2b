//! The first minutes with the sandbox, against a running `argus dev`.
//!
//! Start the server with `cargo run`, then `cargo run -p argus-sdk --example quick_start`. With
//! `ARGUS_READY_FILE` the addresses and credentials are read from the file that `argus dev --ready-file`
//! writes; without it, `ARGUS_ADMIN_TOKEN` and `ARGUS_CLIENT_ID` are needed and the development
//! addresses are assumed.

#![allow(clippy::print_stdout)]

use argus_sdk::webhooks::{SANDBOX_SECRET, Verifier};
use argus_sdk::{
    ArgusClient, Credentials, Environment, JobFilter, ResponseExt, TokenVerifier, TraceContext, WaitOptions,
    types,
};
use futures::TryStreamExt;
use std::time::Duration;

type Failure = Box<dyn std::error::Error>;

/// Where the server is, and who we are.
#[derive(serde::Deserialize)]
struct Setup {
    auth: String,
    api: String,
    sandbox: String,
    admin_token: String,
    client_id: String,
}

impl Setup {
    fn read() -> Result<Self, Failure> {
        if let Ok(path) = std::env::var("ARGUS_READY_FILE") {
            return Ok(serde_json::from_slice(&std::fs::read(path)?)?);
        }
        let variable = |name: &str| {
            std::env::var(name)
                .map_err(|_| format!("set ARGUS_READY_FILE, or {name} as `argus dev` prints it"))
        };
        Ok(Self {
            auth: "127.0.0.1:8080".to_owned(),
            api: "127.0.0.1:8081".to_owned(),
            sandbox: "127.0.0.1:8082".to_owned(),
            admin_token: variable("ARGUS_ADMIN_TOKEN")?,
            client_id: variable("ARGUS_CLIENT_ID")?,
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let setup = Setup::read()?;
    let environment = Environment::custom(&setup.auth, &setup.api, &setup.sandbox)?.using_sandbox();
    // The client mints a sandbox token when it first needs one, and keeps it fresh.
    let credentials = Credentials::sandbox(Credentials::token(setup.admin_token), &setup.client_id)
        .scenarios(["wallet.high-risk"])
        .ttl(Duration::from_secs(900));
    let client = ArgusClient::builder().environment(environment.clone()).credentials(credentials).build()?;
    let client = client.with_trace(TraceContext::random());

    let scenarios = client.sandbox_scenario_list().send().await?;
    println!("trace {}", scenarios.trace_id().unwrap_or("unknown"));
    for scenario in &scenarios.scenarios {
        println!("scenario {:<22} {}", scenario.id, scenario.label);
    }

    run_a_job(&client).await?;
    enrich_a_profile(&client).await?;
    verify_a_token(&client, environment, &setup.client_id).await?;
    verify_a_delivery(&client).await
}

/// The same request has the same answer, for ever.
async fn run_a_job(client: &ArgusClient) -> Result<(), Failure> {
    let job = types::EnrichJob::of(["profile_1", "profile_2"]);
    let first = client.job_create().body(job.clone()).send().await?.into_inner();
    let second = client.job_create().body(job).send().await?.into_inner();
    if serde_json::to_vec(&first)? != serde_json::to_vec(&second)? {
        return Err(format!("two answers to one request: {first:?} and {second:?}").into());
    }
    println!("created twice, answered alike: {} {}", first.id, first.status);

    let job = client.wait_for_job(&first.id, WaitOptions::default()).await?;
    println!("waited for it: {} at {} %", job.status, job.progress_pct);

    let filter = JobFilter { page_size: 2.try_into().ok(), ..JobFilter::default() };
    let jobs: Vec<_> = client.stream_jobs(filter).try_collect().await?;
    println!("streamed {} jobs over pages of two", jobs.len());
    Ok(())
}

async fn enrich_a_profile(client: &ArgusClient) -> Result<(), Failure> {
    let enriched = client.profile_enrich().id("profile_1").send().await?;
    println!("enriched {}: risk {} ({})", enriched.profile_id, enriched.risk.score, enriched.risk.level);
    for finding in &enriched.findings {
        println!("  {:<24} {}", finding.code, finding.summary);
    }
    Ok(())
}

/// What a service of yours does with a token that somebody shows it.
async fn verify_a_token(
    client: &ArgusClient,
    environment: Environment,
    client_id: &str,
) -> Result<(), Failure> {
    let minted = client.app_sandbox_token_create().client_id(client_id).send().await?.into_inner();
    // A development server is named after its address; in production the default is the right one.
    let issuer = client.oauth_metadata_view().send().await?.into_inner().issuer;
    let verifier = TokenVerifier::builder(environment).issuer(issuer).build()?;
    let claims = verifier.verify(minted.token.expose()).await?;
    println!("verified a token of tenant {} for {}", claims.tenant_id, claims.client_id);
    Ok(())
}

/// What a receiver of yours does with a delivery; the sandbox shows some that it would have sent.
async fn verify_a_delivery(client: &ArgusClient) -> Result<(), Failure> {
    let subscription = types::WebhookCreate::builder()
        .url("https://partner.example/hooks")
        .events(vec![types::WebhookEvent::JobSucceeded]);
    let webhook = client.webhook_create().body(subscription).send().await?;
    let deliveries: Vec<_> = client.stream_webhook_deliveries(&webhook.id).try_collect().await?;
    if deliveries.is_empty() {
        return Err("the sandbox shows no delivery".into());
    }
    let verifier = Verifier::new(SANDBOX_SECRET);
    for delivery in &deliveries {
        // They carry the sandbox's clock; a receiver calls `verify` with what it was sent.
        verifier.verify_listed(delivery)?;
    }
    println!("verified the signatures of {} deliveries", deliveries.len());
    Ok(())
}

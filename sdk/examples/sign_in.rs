//! Access on behalf of a user: registers a native app, lets the user sign in and allow in the browser, calls with the
//! user's token, and signs out, all against a running `argus dev`.
//!
//! Start the server with `cargo run`; it prints the line that runs this example, and with what to sign in.
//! `ARGUS_READY_FILE` names the file that it writes.

#![allow(clippy::print_stdout)]

use argus_sdk::authorization::{FileTokenStore, LoopbackListener};
use argus_sdk::graphql::profile_risk;
use argus_sdk::types::{AppCreate, ClientAuthenticationMethod, GovernanceUpdate, GrantType, Scope};
use argus_sdk::{ArgusClient, Credentials, Environment};
use std::path::Path;
use std::time::Duration;

type Failure = Box<dyn std::error::Error>;

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where the server is, and who registers the app.
#[derive(serde::Deserialize)]
pub struct Setup {
    /// Base URL of the auth host.
    pub auth: String,
    /// Base URL of the API host.
    pub api: String,
    /// Base URL of the sandbox host.
    pub sandbox: String,
    /// A token of an administrator.
    pub admin_token: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let path =
        std::env::var("ARGUS_READY_FILE").map_err(|_| "set ARGUS_READY_FILE; `argus dev` prints it")?;
    let setup = serde_json::from_slice(&std::fs::read(path)?)?;
    // An app would open the browser by itself, and keep the tokens in its own directory for the next start.
    let open = |url: &str| println!("open this in your browser, and sign in as `argus dev` says:\n{url}");
    let tokens =
        std::env::temp_dir().join(format!("argus-sign-in-{}", std::process::id())).join("tokens.json");
    run(setup, &tokens, open).await
}

/// All of it. `open` is given what is to be opened in the browser.
pub async fn run(setup: Setup, tokens: &Path, open: impl FnOnce(&str)) -> Result<(), Failure> {
    let environment = Environment::custom(&setup.auth, &setup.api, &setup.sandbox)?;
    let admin = Credentials::token(setup.admin_token);
    let admin = ArgusClient::builder().environment(environment.clone()).credentials(admin).build()?;
    let client_id = register(&admin).await?;
    // A development server is named after its address; in production the default is the right one.
    let issuer = admin.oauth_metadata_view().send().await?.into_inner().issuer;

    let credentials = Credentials::user(client_id, FileTokenStore::new(tokens)).issuer(issuer);
    let client = ArgusClient::builder().environment(environment).credentials(credentials).build()?;
    if !client.is_signed_in().await? {
        sign_in(&client, open).await?;
    }
    let jobs = client.job_list().send().await?;
    println!("the user sees {} jobs", jobs.jobs.len());
    let variables = profile_risk::Variables { id: "p1".to_owned() };
    let answer = client.graphql().profile_risk(variables).send().await?.into_inner();
    match answer.into_complete()?.profile {
        Some(profile) => println!("{}: risk {}", profile.display_name, profile.risk.score),
        None => println!("there is no profile p1"),
    }
    client.sign_out().await?;
    println!("signed out");
    Ok(())
}

/// What an administrator does once: a public client, because nobody can keep a secret in a native app.
async fn register(admin: &ArgusClient) -> Result<String, Failure> {
    let app = AppCreate::builder()
        .name("Sign-in example")
        .grant_types([GrantType::AuthorizationCode])
        .redirect_uris(["http://127.0.0.1/callback".to_owned()])
        .requested_scopes([Scope::ArgusJobsRead, Scope::ArgusProfilesRead, Scope::ArgusGraphqlExecute])
        .token_endpoint_auth_method(ClientAuthenticationMethod::None);
    let client_id = admin.app_create().body(app).send().await?.into_inner().client_id;
    let approved = GovernanceUpdate::builder().approved_bundles(vec!["due-diligence".to_owned()]);
    admin.app_governance_update().client_id(client_id.as_str()).body(approved).send().await?;
    Ok(client_id)
}

async fn sign_in(client: &ArgusClient, open: impl FnOnce(&str)) -> Result<(), Failure> {
    let listener = LoopbackListener::bind("/callback").await?;
    let request = client.authorization().redirect_uri(listener.redirect_uri());
    let pending =
        request.scopes(["argus:jobs:read", "argus:profiles:read", "argus:graphql:execute"]).push().await?;
    open(pending.url());
    let callback = listener.receive(&pending, PATIENCE).await?;
    let tokens = pending.finish(client, &callback).await?;
    println!("allowed: {}", tokens.scope());
    Ok(())
}

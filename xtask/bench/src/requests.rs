//! The requests that are measured.

use crate::load::{Exchange, NUMBER};
use crate::process::{self, Ready};
use std::error::Error;
use std::path::{Path, PathBuf};

/// An operation of the sandbox host that is measured beside a bare server.
pub struct Operation {
    pub id: &'static str,
    /// The request, with this `Authorization`.
    pub exchange: fn(&str) -> Exchange,
    /// Status of the response.
    pub status: u16,
    /// The bare dropshot server that answers it.
    pub baseline: &'static str,
    /// The throughput that should be reached, as a part of that server's.
    pub throughput_goal: &'static str,
    /// The instructions that it should take.
    pub instructions_goal: &'static str,
}

/// What is measured.
pub const OPERATIONS: [Operation; 2] = [
    Operation {
        id: "job_create",
        exchange: job_create,
        status: 201,
        baseline: "dropshot-create",
        throughput_goal: "0.85",
        instructions_goal: "at most 45000",
    },
    Operation {
        id: "sandbox_scenario_list",
        exchange: scenario_list,
        status: 200,
        baseline: "dropshot-list",
        throughput_goal: "0.88",
        instructions_goal: "at most 28000",
    },
];

impl Operation {
    /// Where the response's body is kept for the bare servers.
    pub fn body(&self, data: &Path) -> PathBuf {
        data.join(format!("{}.json", self.id))
    }
}

const JOB: &str = r#"{"kind":"intelligence.enrich.bulk","payload":{"profile_ids":["p1","p2"]}}"#;

fn job_create(authorization: &str) -> Exchange {
    let headers = [("Authorization", authorization), ("Content-Type", "application/json")];
    Exchange::new("POST", "/v1/jobs", &headers, JOB, 201)
}

fn scenario_list(authorization: &str) -> Exchange {
    Exchange::new("GET", "/v1/sandbox/scenarios", &[("Authorization", authorization)], "", 200)
}

/// Mints an access token for the demo app.
pub fn token_mint(ready: &Ready) -> Exchange {
    token_mint_with(ready, "argus:jobs:write+argus:jobs:read")
}

fn token_mint_with(ready: &Ready, scopes: &str) -> Exchange {
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope={scopes}",
        ready.client_id, ready.client_secret
    );
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    Exchange::new("POST", "/v1/oauth/token", &headers, &form, 200)
}

/// An `Authorization` that the sandbox host takes.
pub async fn sandbox_authorization(ready: &Ready) -> Result<String, Box<dyn Error>> {
    let path = format!("/v1/platform/apps/{}/sandbox-token", ready.client_id);
    let authorization = format!("Bearer {}", ready.admin_token);
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let exchange = Exchange::new("POST", &path, &headers, "{}", 200);
    let response: serde_json::Value =
        serde_json::from_slice(&exchange.once(process::address(&ready.auth)?).await?)?;
    Ok(format!("Bearer {}", response["token"].as_str().ok_or("no token")?))
}

/// An `Authorization` that the api host takes for jobs.
pub async fn live_authorization(ready: &Ready) -> Result<String, Box<dyn Error>> {
    authorization(ready, &token_mint(ready)).await
}

/// An `Authorization` that the auth host takes for subscriptions.
pub async fn webhook_authorization(ready: &Ready) -> Result<String, Box<dyn Error>> {
    authorization(ready, &token_mint_with(ready, "webhooks:write+webhooks:read")).await
}

/// An `Authorization` that the api host takes for GraphQL.
pub async fn graphql_authorization(ready: &Ready) -> Result<String, Box<dyn Error>> {
    let scopes = "argus:graphql:execute+argus:profiles:read+argus:jobs:read+argus:jobs:write";
    authorization(ready, &token_mint_with(ready, scopes)).await
}

async fn authorization(ready: &Ready, exchange: &Exchange) -> Result<String, Box<dyn Error>> {
    let response: serde_json::Value =
        serde_json::from_slice(&exchange.once(process::address(&ready.auth)?).await?)?;
    Ok(format!("Bearer {}", response["access_token"].as_str().ok_or("no access token")?))
}

/// A job that is not there yet: each request has a key of its own.
pub fn new_job(authorization: &str) -> Exchange {
    let headers =
        [("Authorization", authorization), ("Content-Type", "application/json"), ("Idempotency-Key", NUMBER)];
    Exchange::new("POST", "/v1/jobs", &headers, JOB, 201).numbered()
}

//! Prints the mean time of the replies on the hot paths, and of loading:
//! `cargo run --release -p argus-sandbox --example measure`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use argus_openapi::read::MediaType;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::{JobCreate, JobQuery};
use argus_sandbox::{Caller, Mock, Preferences, Sandbox, ScenarioSet, partner};
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let start = Instant::now();
    let sandbox = Sandbox::load();
    println!("load: {:?}", start.elapsed());

    let (scenarios, preferences) = (ScenarioSet::default(), Preferences::default());
    let caller = Caller {
        tenant_id: "tnt_123",
        organization_id: "org_1",
        secrecy_level: SecrecyLevel::Standard,
        scenarios: &scenarios,
        preferences: &preferences,
    };
    let job: JobCreate = MediaType::Json.parse(
        br#"{"kind":"intelligence.enrich.bulk","payload":{"profile_ids":["p1","p2"]},"callback_url":"https://partner.example.com/argus-webhook","secrecy_level":"standard"}"#,
    )
    .expect("a job");
    let created = sandbox
        .answer(&caller, &partner::JobCreate { idempotency_key: None, body: &job })
        .body
        .expect("a body");
    let created: serde_json::Value = serde_json::from_slice(&created).expect("JSON");
    let id = created["id"].as_str().expect("an id");
    measure(&sandbox, &caller, &partner::JobCreate { idempotency_key: None, body: &job });
    measure(&sandbox, &caller, &partner::SandboxScenarioList);
    measure(&sandbox, &caller, &partner::JobView { id });
    measure(&sandbox, &caller, &partner::JobResult { id });
    measure(&sandbox, &caller, &partner::JobList { query: &JobQuery::default() });
    measure(&sandbox, &caller, &partner::ProfileView { id: "p1" });
    measure(&sandbox, &caller, &partner::ProfileEnrich { id: "p1", body: &Default::default() });
}

fn measure<M: Mock<Data = Sandbox>>(sandbox: &Sandbox, caller: &Caller<'_>, mock: &M) {
    const ROUNDS: u32 = 200_000;
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(sandbox.answer(black_box(caller), black_box(mock)));
    }
    println!("{}: {:?}", M::OPERATION.id(), start.elapsed() / ROUNDS);
}

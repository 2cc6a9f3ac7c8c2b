//! Live calls are counted once, limited, and held to quotas, and replies say how much is left; the sandbox counts
//! nothing and has a guard of its own.

use super::jobs::{JOBS, caller, enqueue, import, profile};
use super::support::{binary, token};
use argus_core::Clock;
use argus_core::limits::{Limit, Rate, Rates};
use argus_core::store::{Deadlines, Error};
use argus_core::usage::{self, Batch, Increment};
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, Caller, Installation, Reach, TestServer, on_both_engines, run_on_postgres, sql};
use futures::future::join_all;
use serde_json::{Value, json};
use sfv::{BareItem, List, ListEntry, Parser};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

on_both_engines! {
    a_call_that_was_let_through_counts_once_and_no_other
    what_is_read_is_counted_at_the_latest_when_the_node_stops
    a_batch_that_is_written_twice_counts_once
    an_app_that_calls_too_often_is_told_when_to_go_on_and_no_other_is
    a_quota_ends_the_calls_of_a_tenant_and_of_one_app
    the_sandbox_counts_nothing_and_slows_down_one_tenant_alone
    an_operator_gets_reports_in_three_forms
}

#[test]
fn nodes_share_what_an_app_may_call() {
    run_on_postgres(nodes);
}

#[test]
fn nodes_hold_to_one_quota() {
    run_on_postgres(nodes_with_a_quota);
}

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(60);
const NEVER: Duration = Duration::from_secs(3_600);

/// A server that writes what it counts at once.
fn start(mut installation: Installation, rates: Rates) -> TestServer {
    installation.settings.limits = rates;
    installation.settings.meter_interval = Duration::from_millis(20);
    installation.settings.store.deadlines = Deadlines { limits: PATIENCE, ..Deadlines::default() };
    TestServer::start_on(installation, Clock::system())
}

fn unlimited() -> Rates {
    Rates::of_failures(Rate::per_minute(1_000_000))
}

/// So many times, and no more while a test runs.
fn times(times: u32) -> Rate {
    Rate::new(times, NEVER)
}

/// What was counted of a tenant: operations with how often.
fn counted(installation: &Installation, tenant_id: &str) -> BTreeMap<String, u64> {
    let query = format!(
        "SELECT operation || ' ' || CAST(CAST(sum(calls) AS BIGINT) AS TEXT) AS line FROM \
         (SELECT tenant_id, operation, calls FROM usage_by_day UNION ALL \
         SELECT tenant_id, operation, calls FROM usage_increments) AS counted \
         WHERE tenant_id = '{tenant_id}' GROUP BY operation"
    );
    let lines = sql::lines(&mut installation.connect(), &query).unwrap();
    let pair = |line: String| {
        let (operation, calls) = line.split_once(' ').unwrap();
        (operation.to_owned(), calls.parse().unwrap())
    };
    lines.into_iter().map(pair).collect()
}

/// Waits until this was counted.
async fn await_counted(server: &TestServer, tenant_id: &str, expected: &[(&str, u64)]) {
    let expected: BTreeMap<String, u64> =
        expected.iter().map(|(operation, calls)| ((*operation).to_owned(), *calls)).collect();
    let began = Instant::now();
    loop {
        let counted = counted(server.installation(), tenant_id);
        if counted == expected {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{counted:?} and not {expected:?}");
        tokio::task::yield_now().await;
    }
}

async fn a_call_that_was_let_through_counts_once_and_no_other(installation: Installation) {
    let server = start(installation, unlimited());
    let caller = caller(&server).await;
    let job = import(&json!([profile("p1")]));
    // At once, so that some are written together.
    let accepted = join_all((0..20).map(|_| caller.post("/v1/jobs", &job))).await;
    accepted.into_iter().for_each(|answer| drop(answer.expect(201)));
    for _ in 0..3 {
        caller.get("/v1/jobs").await.expect(200);
    }
    // What fits no contract and what is not there were let through.
    caller.post("/v1/jobs", &json!({"kind": "no kind"})).await.expect(400);
    caller.get("/v1/jobs/01JX0000000000000000000000").await.expect(404);
    // These were not.
    caller.get("/v1/profiles/p1").await.expect_error(403, "insufficient_scope");
    server.get(Host::Api, "/v1/jobs", Some("garbage")).await.expect(401);
    server.get(Host::Api, "/.well-known/openapi.json", Some(&caller.token)).await.expect(200);
    let tenant_id = &caller.tenancy.tenant_id;
    let expected = [("job_create", 21), ("job_list", 3), ("job_view", 1)];
    await_counted(&server, tenant_id, &expected).await;
    // Adding up changes nothing, however often it is done.
    let fold = || server.state().database.every_tenant.run(|inner| Ok::<_, Error>(usage::fold(inner)?));
    assert!(fold().await.unwrap() > 0);
    while fold().await.unwrap() > 0 {}
    await_counted(&server, tenant_id, &expected).await;
    let left = "SELECT operation AS line FROM usage_increments WHERE operation = 'job_create'";
    assert!(sql::lines(&mut server.connect(), left).unwrap().is_empty());
}

async fn what_is_read_is_counted_at_the_latest_when_the_node_stops(mut installation: Installation) {
    installation.settings.meter_interval = NEVER;
    let server = TestServer::start_on(installation, Clock::system());
    let caller = caller(&server).await;
    for _ in 0..5 {
        caller.get("/v1/jobs").await.expect(200);
    }
    enqueue(&caller, &import(&json!([profile("p1")]))).await;
    let tenant_id = &caller.tenancy.tenant_id;
    // A write is counted by its own transaction; reads are in memory.
    await_counted(&server, tenant_id, &[("job_create", 1)]).await;
    let app = server.state();
    app.meter.flush(&app.database.every_tenant).await.unwrap();
    app.meter.flush(&app.database.every_tenant).await.unwrap();
    await_counted(&server, tenant_id, &[("job_create", 1), ("job_list", 5)]).await;
}

async fn a_batch_that_is_written_twice_counts_once(server: TestServer) {
    let tenant = server.tenant().await;
    let increment = Increment {
        tenant_id: tenant.tenant_id.parse().unwrap(),
        actor: "app_of_a_test".to_owned(),
        operation: "job_view".to_owned(),
        day: "2026-12-01".to_owned(),
        calls: 7,
    };
    let write = async |number| {
        let batch = Batch { node: "a node".to_owned(), number, increments: vec![increment.clone()] };
        let database = &server.state().database.every_tenant;
        database.transaction(move |inner| Ok::<_, Error>(usage::write_batch(inner, &batch)?)).await.unwrap()
    };
    assert!(write(1).await);
    assert!(!write(1).await);
    await_counted(&server, &tenant.tenant_id, &[("job_view", 7)]).await;
    assert!(write(2).await);
    assert!(!write(1).await, "an older one was written, too");
    await_counted(&server, &tenant.tenant_id, &[("job_view", 14)]).await;
}

/// The items of a field, each with its parameters, as a strict parser of structured fields reads them.
fn items(answer: &Answer, name: &str) -> BTreeMap<String, BTreeMap<String, i64>> {
    let list = Parser::new(answer.header(name)).parse::<List>().unwrap();
    let item = |entry: ListEntry| {
        let ListEntry::Item(item) = entry else { panic!("{answer:?}") };
        let BareItem::String(name) = item.bare_item else { panic!("{answer:?}") };
        let number = |value: BareItem| match value {
            BareItem::Integer(number) => i64::from(number),
            _ => panic!("{answer:?}"),
        };
        let parameters = item.params.into_iter().map(|(key, value)| (key.as_str().to_owned(), number(value)));
        (name.as_str().to_owned(), parameters.collect())
    };
    list.into_iter().map(item).collect()
}

async fn an_app_that_calls_too_often_is_told_when_to_go_on_and_no_other_is(installation: Installation) {
    let server = start(installation, unlimited().with(Limit::AppCalls, times(3)));
    let first = caller(&server).await;
    for left in [2, 1, 0] {
        let answer = first.get("/v1/jobs").await.expect(200);
        assert_eq!(
            items(&answer, "ratelimit-policy")["app"],
            BTreeMap::from([("q".into(), 3), ("w".into(), 10_800)])
        );
        assert_eq!(items(&answer, "ratelimit")["app"]["r"], left);
    }
    for _ in 0..2 {
        let refused = first.get("/v1/jobs").await;
        let message = refused.expect_error(429, "rate_limited");
        assert!(message.contains("the app calls too often"), "{message}");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!(wait > NEVER.as_secs() / 2 && wait <= NEVER.as_secs(), "{refused:?}");
        assert_eq!(items(&refused, "ratelimit")["app"]["r"], 0);
    }
    // The first one's wrong scope would have counted, too; another tenant has its own.
    caller(&server).await.get("/v1/jobs").await.expect(200);
    let sandbox = server.caller(Host::Sandbox, &JOBS).await.get("/v1/jobs").await.expect(200);
    assert_eq!((sandbox.header("ratelimit"), sandbox.header("ratelimit-policy")), ("", ""));
    await_counted(&server, &first.tenancy.tenant_id, &[("job_list", 3)]).await;
}

/// Says it as an operator.
fn set(server: &TestServer, tenant_id: &str, arguments: &[&str]) -> String {
    let said = [&["tenant", "set", "--tenant", tenant_id], arguments].concat();
    let output = server.command(binary(), &said);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until a node knows a quota.
async fn await_quota(caller: &Caller, path: &str, name: &str) -> u64 {
    let began = Instant::now();
    for calls in 1.. {
        let answer = caller.get(path).await;
        if answer.header("ratelimit-policy").contains(&format!("\"{name}\"")) {
            return calls;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
    }
    unreachable!()
}

async fn a_quota_ends_the_calls_of_a_tenant_and_of_one_app(installation: Installation) {
    let server = start(installation, unlimited());
    let first = caller(&server).await;
    let tenant_id = first.tenancy.tenant_id.clone();
    assert!(set(&server, &tenant_id, &["--quota", "100000/month"]).contains("quota 100000/month"));
    await_quota(&first, "/v1/jobs", "tenant-quota").await;
    let answer = first.get("/v1/jobs").await.expect(200);
    let policy = &items(&answer, "ratelimit-policy")["tenant-quota"];
    assert_eq!(policy["q"], 100_000);
    assert!((28 * 86_400..=31 * 86_400).contains(&policy["w"]), "{policy:?}");
    // Nothing is left of one that was used up before it was set.
    set(&server, &tenant_id, &["--quota", "1/month"]);
    let began = Instant::now();
    let refused = loop {
        let answer = first.get("/v1/jobs").await;
        if answer.status.as_u16() == 429 {
            break answer;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
    };
    let message = refused.expect_error(429, "quota_exceeded");
    assert!(message.contains("the tenant's quota of 1/month is used up"), "{message}");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    let left = &items(&refused, "ratelimit")["tenant-quota"];
    assert_eq!(left["r"], 0);
    assert!((wait - left["t"]).abs() <= 1 && wait <= 31 * 86_400, "{refused:?}");
    // Another tenant has none, and the sandbox has none.
    caller(&server).await.get("/v1/jobs").await.expect(200);
    let sandboxed = token(&server, Host::Sandbox, &tenant_id, &JOBS);
    server.get(Host::Sandbox, "/v1/jobs", Some(&sandboxed)).await.expect(200);
    assert!(set(&server, &tenant_id, &["--quota", "none"]).contains("quota none"));
    let began = Instant::now();
    while first.get("/v1/jobs").await.status.as_u16() == 429 {
        assert!(began.elapsed() < PATIENCE, "the quota stays");
    }
    // Whoever says nothing is told what can be said.
    for wrong in [&["--quota", "5/week"][..], &["--app-quota", "5/day"], &[]] {
        let said = [&["tenant", "set", "--tenant", &tenant_id], wrong].concat();
        let output = server.command(binary(), &said);
        assert!(!output.status.success(), "{wrong:?} {output:?}");
    }
}

async fn the_sandbox_counts_nothing_and_slows_down_one_tenant_alone(installation: Installation) {
    let server = start(installation, unlimited().with(Limit::SandboxCalls, times(2)));
    let first = server.caller(Host::Sandbox, &JOBS).await;
    for _ in 0..2 {
        first.post("/v1/jobs", &import(&json!([profile("p1")]))).await.expect(201);
    }
    let refusals = [first.get("/v1/jobs").await, first.get("/v1/jobs").await];
    for refused in &refusals {
        let message = refused.expect_error(429, "rate_limited");
        assert!(message.contains("sandbox"), "{message}");
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(refused.replayable(), refusals[0].replayable());
    }
    server.caller(Host::Sandbox, &JOBS).await.get("/v1/jobs").await.expect(200);
    // A live call behind them is counted, and they are not.
    let live = token(&server, Host::Api, &first.tenancy.tenant_id, &[Scope::JobsRead]);
    server.get(Host::Api, "/v1/jobs", Some(&live)).await.expect(200);
    await_counted(&server, &first.tenancy.tenant_id, &[("job_list", 1)]).await;
    let shared = "SELECT name AS line FROM limit_buckets WHERE name = 'sandbox_calls'";
    assert!(sql::lines(&mut server.connect(), shared).unwrap().is_empty());
}

async fn an_operator_gets_reports_in_three_forms(installation: Installation) {
    let server = start(installation, unlimited());
    let first = caller(&server).await;
    first.get("/v1/jobs").await.expect(200);
    enqueue(&first, &import(&json!([profile("p1")]))).await;
    let tenant_id = &first.tenancy.tenant_id;
    await_counted(&server, tenant_id, &[("job_create", 1), ("job_list", 1)]).await;
    let report = |arguments: &[&str]| {
        let output = server.command(binary(), &[&["usage", "--tenant", tenant_id], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let csv = format!("tenant_id,operation,calls\n{tenant_id},job_create,1\n{tenant_id},job_list,1\n");
    assert_eq!(report(&["--format", "csv"]), csv);
    let json: Value = serde_json::from_str(&report(&["--format", "json", "--by", "app"])).unwrap();
    assert_eq!(json, json!([{"tenant_id": tenant_id, "app": "app_of_a_test", "calls": 2}]));
    let by_day = report(&["--by", "day"]);
    let words: Vec<&str> = by_day.split_whitespace().collect();
    assert_eq!((words.len(), words[0], words[2]), (3, tenant_id.as_str(), "2"), "{by_day}");
    assert_eq!(report(&["--from", "2020-01-01", "--to", "2020-01-31"]), "");
    let behind = server.command(binary(), &["usage", "--from", "2020-02-01", "--to", "2020-01-01"]);
    assert!(!behind.status.success(), "{behind:?}");
}

async fn nodes(installation: Installation) {
    let server = start(installation, unlimited().with(Limit::AppCalls, times(24)));
    let node = server.another_node();
    let caller = caller(&server).await;
    let asked = (0..100).map(|number| {
        let reach: &Reach = if number % 2 == 0 { &server } else { &node };
        reach.get(Host::Api, "/v1/jobs", Some(&caller.token))
    });
    let answers = join_all(asked).await;
    let passed = answers.iter().filter(|answer| answer.status.as_u16() == 200).count();
    assert_eq!(passed, 24, "what one node has leased is nobody else's, and all of it was asked for");
}

async fn nodes_with_a_quota(installation: Installation) {
    let server = start(installation, unlimited());
    let node = server.another_node();
    let first = caller(&server).await;
    let other = first.at(&node);
    set(&server, &first.tenancy.tenant_id, &["--quota", "100000/day"]);
    await_quota(&first, "/v1/jobs", "tenant-quota").await;
    await_quota(&other, "/v1/jobs", "tenant-quota").await;
    let left = async |caller: &Caller| {
        items(&caller.get("/v1/jobs").await.expect(200), "ratelimit")["tenant-quota"]["r"]
    };
    let before = left(&other).await;
    for _ in 0..10 {
        first.get("/v1/jobs").await.expect(200);
    }
    // What one has let through, the other knows after a refresh.
    let began = Instant::now();
    let mut looked = 1;
    while before - left(&other).await < 10 + looked {
        looked += 1;
        assert!(began.elapsed() < PATIENCE, "the other node does not know");
    }
}

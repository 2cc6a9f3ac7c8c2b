//! Whoever fails to authenticate too often is told to wait, and nobody else: not those who show the right credentials
//! from the same address or for the same client, and not those on the sandbox host.

use super::support::{binary, token};
use argus_core::Clock;
use argus_core::limits::{Limit, Rate, Rates};
use argus_core::store::Deadlines;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_server::gate::TrustedProxies;
use argus_tests::{Answer, Installation, Reach, TestProcess, TestServer, on_both_engines, run_on_postgres};
use futures::future::join_all;
use std::time::Duration;
use tempfile::TempDir;

on_both_engines! {
    a_wrong_secret_is_refused_for_a_while_and_the_right_one_never
    a_wrong_token_is_refused_for_a_while_and_the_right_one_never
    one_client_or_address_does_not_use_up_what_another_has
    failures_count_for_the_address_that_the_proxy_names
    who_has_sent_no_token_has_not_failed_and_the_sandbox_refuses_nobody
}

#[test]
fn nodes_share_what_an_address_may_try() {
    run_on_postgres(nodes);
}

#[test]
fn while_the_database_is_away_tokens_are_refused_and_limited_as_ever() {
    run_on_postgres(away);
}

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];
const NEVER: Duration = Duration::from_secs(3_600);

/// So many times, and no more while a test runs.
fn times(times: u32) -> Rate {
    Rate::new(times, NEVER)
}

fn start(mut installation: Installation, rates: Rates) -> TestServer {
    installation.settings.limits = rates;
    // On a busy machine, the database takes its time.
    installation.settings.store.deadlines =
        Deadlines { limits: Duration::from_secs(60), ..Deadlines::default() };
    TestServer::start_on(installation, Clock::system())
}

async fn guess(reach: &Reach, client_id: &str) -> Answer {
    reach.token_request(&GRANT, Some((client_id, "a wrong secret"))).await
}

#[track_caller]
fn assert_invalid_client(answer: &Answer) {
    assert_eq!(
        (answer.status.as_u16(), answer.text("error").as_str()),
        (401, "invalid_client"),
        "{answer:?}"
    );
}

/// Asserts a refusal at the token endpoint. The client of the tests judges it by the descriptor.
#[track_caller]
fn assert_limited_client(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 429, "{answer:?}");
    assert_eq!(answer.text("error"), "temporarily_unavailable");
    assert!(answer.text("error_description").contains("authentication has failed too often"), "{answer:?}");
    assert_wait(answer);
}

#[track_caller]
fn assert_limited_token(answer: &Answer) {
    let message = answer.expect_error(429, "rate_limited");
    assert!(message.contains("authentication has failed too often"), "{message}");
    assert_wait(answer);
}

#[track_caller]
fn assert_wait(answer: &Answer) {
    let waits: Vec<_> = answer.headers.get_all("retry-after").iter().collect();
    assert_eq!(waits.len(), 1, "{answer:?}");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=NEVER.as_secs()).contains(&seconds) && seconds > NEVER.as_secs() / 2, "{answer:?}");
    assert_eq!(answer.header("www-authenticate"), "");
}

async fn limited(server: &TestServer, limit: Limit) -> u32 {
    let metrics = server.get(Host::Auth, "/metrics", Some(&server.operator_token())).await.expect(200);
    let metrics = String::from_utf8(metrics.body).unwrap();
    let name = format!("argus_limited_requests_total{{limit=\"{}\"}} ", limit.name());
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

async fn a_wrong_secret_is_refused_for_a_while_and_the_right_one_never(installation: Installation) {
    let server = start(installation, Rates::of_failures(times(100)).with(Limit::ClientFailures, times(3)));
    let app = server.app(&[Scope::JobsRead]).await;
    let right = async || server.token_request(&GRANT, app.basic()).await.expect(200);
    for _ in 0..3 {
        right().await;
        assert_invalid_client(&guess(&server, &app.client_id).await);
    }
    for _ in 0..3 {
        assert_limited_client(&guess(&server, &app.client_id).await);
        right().await;
    }
    let in_form = [GRANT[0], ("client_id", &app.client_id), ("client_secret", "another wrong one")];
    assert_limited_client(&server.token_request(&in_form, None).await);
    assert_eq!(limited(&server, Limit::ClientFailures).await, 4);
    assert_eq!(limited(&server, Limit::AddressFailures).await, 0);
    // What the client has asked for beyond that is its own business.
    let unknown = [("grant_type", "password")];
    let answer = server.token_request(&unknown, app.basic()).await.expect(400);
    assert_eq!(answer.text("error"), "unsupported_grant_type");
}

async fn a_wrong_token_is_refused_for_a_while_and_the_right_one_never(installation: Installation) {
    let server = start(installation, Rates::of_failures(times(4)));
    let tenancy = server.tenant().await;
    let right = token(&server, Host::Api, &tenancy.tenant_id, &[Scope::JobsRead]);
    let foreign = server.caller(Host::Sandbox, &[Scope::JobsRead]).await.token;
    let get = async |host, token: &str| {
        let path = if host == Host::Api { "/v1/jobs" } else { "/v1/platform/scopes" };
        server.get(host, path, Some(token)).await
    };
    for host in [Host::Api, Host::Auth, Host::Api, Host::Auth] {
        get(host, "garbage").await.expect_error(401, "invalid_token");
        get(Host::Api, &right).await.expect(200);
        // Good, but not here: that is no failure to authenticate, and nor is a scope that is lacking.
        get(Host::Api, &foreign).await.expect_error(403, "sandbox_token_on_live_host");
        get(Host::Auth, &right).await.expect_error(403, "insufficient_scope");
    }
    for host in [Host::Api, Host::Auth] {
        assert_limited_token(&get(host, "garbage").await);
        assert_limited_token(&get(host, &format!("{right}x")).await);
        get(Host::Api, &right).await.expect(200);
    }
    get(Host::Api, &foreign).await.expect_error(403, "sandbox_token_on_live_host");
    assert_eq!(limited(&server, Limit::BearerFailures).await, 4);
    // Clients are another matter.
    assert_invalid_client(&guess(&server, "app_that_nobody_has").await);
}

async fn one_client_or_address_does_not_use_up_what_another_has(installation: Installation) {
    let rates = Rates::of_failures(times(5)).with(Limit::ClientFailures, times(2));
    let server = start(installation, rates);
    let app = server.app(&[Scope::JobsRead]).await;
    for _ in 0..2 {
        assert_invalid_client(&guess(&server, &app.client_id).await);
    }
    for _ in 0..10 {
        assert_limited_client(&guess(&server, &app.client_id).await);
    }
    // Clients that there are none of count as those that there are.
    for client in ["app_that_nobody_has", "no client id", "app_that_nobody_has"] {
        assert_invalid_client(&guess(&server, client).await);
    }
    for client in ["app_of_another_name", &app.client_id] {
        assert_limited_client(&guess(&server, client).await);
    }
    assert_limited_client(&server.token_request(&GRANT, None).await);
    server.token_request(&GRANT, app.basic()).await.expect(200);
}

async fn failures_count_for_the_address_that_the_proxy_names(mut installation: Installation) {
    installation.settings.trusted_proxies = TrustedProxies::new(["127.0.0.0/8"]).unwrap();
    let server = start(installation, Rates::of_failures(times(2)));
    let get = async |address: &str| {
        let lines = "host: x\r\nauthorization: Bearer garbage";
        let request = format!("GET /v1/jobs HTTP/1.1\r\n{lines}\r\nx-forwarded-for: {address}\r\n\r\n");
        server.raw(Host::Api, request.as_bytes()).await
    };
    for addresses in [
        ["203.0.113.7", "198.51.100.1, 203.0.113.7", "::ffff:203.0.113.7"],
        ["203.0.113.8"; 3],
        ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff"],
    ] {
        for address in &addresses[..2] {
            get(address).await.expect_error(401, "invalid_token");
        }
        assert_limited_token(&get(addresses[2]).await);
    }
}

async fn who_has_sent_no_token_has_not_failed_and_the_sandbox_refuses_nobody(installation: Installation) {
    let server = start(installation, Rates::of_failures(times(1)));
    for _ in 0..5 {
        server.get(Host::Api, "/v1/jobs", None).await.expect_error(401, "missing_token");
        server.get(Host::Sandbox, "/v1/jobs", Some("garbage")).await.expect_error(401, "invalid_token");
    }
    server.get(Host::Api, "/v1/jobs", Some("garbage")).await.expect_error(401, "invalid_token");
    assert_limited_token(&server.get(Host::Api, "/v1/jobs", Some("garbage")).await);
    server.get(Host::Sandbox, "/v1/jobs", Some("garbage")).await.expect_error(401, "invalid_token");
}

async fn nodes(installation: Installation) {
    let server = start(installation, Rates::of_failures(times(24)));
    let node = server.another_node();
    let asked = (0..100).map(|number| {
        let reach: &Reach = if number % 2 == 0 { &server } else { &node };
        reach.get(Host::Api, "/v1/jobs", Some("garbage"))
    });
    let answers = join_all(asked).await;
    let refused = answers.iter().filter(|answer| answer.status.as_u16() == 401).count();
    assert_eq!(refused, 24);
    answers.iter().filter(|answer| answer.status.as_u16() != 401).for_each(assert_limited_token);
}

async fn away(mut installation: Installation) {
    let proxy = installation.behind_a_proxy().await;
    installation.settings.limits = Rates::of_failures(times(3));
    installation.settings.store.deadlines =
        Deadlines { limits: Duration::from_millis(50), ..Deadlines::default() };
    let server = TestServer::start_on(installation, Clock::system());
    proxy.stall();
    for _ in 0..3 {
        server.get(Host::Api, "/v1/jobs", Some("garbage")).await.expect_error(401, "invalid_token");
    }
    assert_limited_token(&server.get(Host::Api, "/v1/jobs", Some("garbage")).await);
    // That this is no client needs no database.
    for _ in 0..3 {
        assert_invalid_client(&guess(&server, "no client id").await);
    }
    assert_limited_client(&guess(&server, "no client id").await);
    proxy.go_on();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_says_how_often() {
    let arguments = ["dev", "--limit-bearer-failures", "1"];
    let process = TestProcess::start(binary(), &arguments, TempDir::new().unwrap());
    let get = || process.get(Host::Api, "/v1/jobs", Some("garbage"));
    // Two at once, and one more may have come back meanwhile.
    let answers = join_all((0..8).map(|_| get())).await;
    let refused = answers.iter().filter(|answer| answer.status.as_u16() == 401).count();
    assert!((2..8).contains(&refused), "{answers:?}");
    assert!(answers.iter().any(|answer| answer.status.as_u16() == 429), "{answers:?}");
}

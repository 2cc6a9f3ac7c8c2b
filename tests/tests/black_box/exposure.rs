//! Where the hosts may be reached, how many connections they have, and whose address a caller has when a
//! proxy stands in front.

use super::jobs::{enqueue, export};
use super::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_server::settings::Role;
use argus_tests::{Installation, Judged, TestProcess, TestServer, argus, on_both_engines, open_command, sql};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

on_both_engines! {
    the_metrics_tell_what_the_database_has_not_cleaned_up
    the_metrics_tell_what_waits_and_for_how_long
    the_metrics_tell_how_long_each_operation_took_and_what_runs
}

const GET_HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// A connection on which one request was answered.
async fn used_connection(server: &argus_tests::Reach, host: Host) -> Judged {
    let mut connection = server.open(host).await;
    connection.write(GET_HEALTH).await;
    connection.response().await.expect(200);
    connection
}

#[test]
fn a_host_that_other_machines_would_reach_is_refused_before_there_is_any_data() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    for command in ["serve", "dev"] {
        for host in Host::ALL {
            for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:192.0.2.1]:80"] {
                let flag = format!("--{}-addr", host.name());
                let output = argus(binary(), &data_dir, &[command, &flag, address]);
                let stderr = String::from_utf8(output.stderr).unwrap();
                assert_eq!(output.status.code(), Some(2), "{stderr}");
                for part in [host.name(), address, "--expose", "ARGUS_EXPOSE", "server/deploy", "loopback"] {
                    assert!(stderr.contains(part), "{stderr} names {part}");
                }
                assert_eq!(stderr.lines().count(), 1, "{stderr}");
                assert!(!data_dir.exists(), "{command} made data");
            }
        }
    }
}

#[test]
fn a_value_of_expose_that_is_neither_yes_nor_no_is_named() {
    let directory = TempDir::new().unwrap();
    for (value, code) in [("perhaps", 2), ("", 2), ("no", 2)] {
        let output = open_command(binary())
            .args(["serve", "--auth-addr", "0.0.0.0:0", "--data-dir"])
            .arg(directory.path().join("data"))
            .env("ARGUS_EXPOSE", value)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains("--expose"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_listens_anywhere_when_the_operator_says_so_and_on_loopback_always() {
    let directory = || TempDir::new().unwrap();
    let exposed = ["serve", "--expose", "--auth-addr", "0.0.0.0:0"];
    TestProcess::start(binary(), &exposed, directory()).assert_alive().await;
    let loopback = ["serve", "--auth-addr", "127.0.0.2:0"];
    TestProcess::start(binary(), &loopback, directory()).assert_alive().await;
    let by_variable = start_with("ARGUS_EXPOSE=yes", &["serve", "--api-addr", "0.0.0.0:0"]);
    by_variable.assert_alive().await;
}

/// The binary after a line of the shell's.
fn start_with(line: &str, arguments: &[&str]) -> TestProcess {
    let script = format!("{line} exec \"$0\" \"$@\"");
    let arguments = [&["-c", &script, binary().to_str().unwrap()], arguments].concat();
    TestProcess::start(Path::new("/bin/sh"), &arguments, TempDir::new().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_soft_limit_of_descriptors_does_not_bound_the_connections() {
    let process = start_with("ulimit -Sn 100;", &["serve"]);
    process.await_log("descriptor limit before=\"100\"");
    let mut connections = Vec::new();
    for _ in 0..150 {
        connections.push(used_connection(&process, Host::Api).await);
    }
    process.assert_alive().await;
}

async fn metrics(server: &TestServer) -> String {
    let metrics = server.get(Host::Auth, "/metrics", Some(&server.operator_token())).await.expect(200);
    String::from_utf8(metrics.body).unwrap()
}

async fn the_metrics_tell_what_the_database_has_not_cleaned_up(server: TestServer) {
    server.app(&[Scope::PlatformRead]).await;
    let text = metrics(&server).await;
    let told = |name| text.lines().find_map(|line| line.strip_prefix(name)?.parse::<u64>().ok());
    assert!(told("argus_database_dead_rows ").is_some(), "{text}");
    // A file's log has something in it once something was written.
    let has_log = told("argus_database_log_bytes ").is_some_and(|bytes| bytes > 0);
    assert_eq!(has_log, server.installation().is_sqlite(), "{text}");
}

/// What a series tells.
fn told(text: &str, series: &str) -> f64 {
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{series} is missing in {text}")).parse().unwrap()
}

async fn the_metrics_tell_what_waits_and_for_how_long(mut installation: Installation) {
    // Nobody works, so that what was accepted waits.
    installation.settings.role = Role::Api;
    let server = TestServer::from(installation);
    let text = metrics(&server).await;
    for queue in ["jobs", "deliveries"] {
        assert_eq!(told(&text, &format!("argus_queue_waiting{{queue=\"{queue}\"}}")), 0.0);
        assert_eq!(told(&text, &format!("argus_queue_longest_wait_seconds{{queue=\"{queue}\"}}")), 0.0);
    }
    let caller = server.caller(Host::Api, &[Scope::JobsWrite]).await;
    for _ in 0..3 {
        enqueue(&caller, &export("ndjson")).await;
    }
    let aged = "UPDATE jobs SET created_at = created_at - 3600000000";
    sql::execute(&mut server.connect(), aged).unwrap();
    let text = metrics(&server).await;
    assert_eq!(told(&text, "argus_queue_waiting{queue=\"jobs\"}"), 3.0);
    assert_eq!(told(&text, "argus_queue_waiting{queue=\"deliveries\"}"), 0.0);
    let longest = told(&text, "argus_queue_longest_wait_seconds{queue=\"jobs\"}");
    assert!((3600.0..3700.0).contains(&longest), "{longest}");
    assert!(told(&text, "argus_database_connections_max{lane=\"requests\"}") > 0.0);
    assert_eq!(told(&text, "argus_database_connections_awaited{lane=\"requests\"}"), 0.0);
    // What was tried before has waited for something else.
    sql::execute(&mut server.connect(), "UPDATE jobs SET attempts = 1").unwrap();
    let text = metrics(&server).await;
    assert_eq!(told(&text, "argus_queue_waiting{queue=\"jobs\"}"), 3.0);
    assert_eq!(told(&text, "argus_queue_longest_wait_seconds{queue=\"jobs\"}"), 0.0);
}

async fn the_metrics_tell_how_long_each_operation_took_and_what_runs(server: TestServer) {
    for _ in 0..5 {
        server.get(Host::Auth, "/.well-known/jwks.json", None).await.expect(200);
    }
    let text = metrics(&server).await;
    let labels = "host=\"auth\",operation=\"jwks_view\"";
    assert_eq!(told(&text, &format!("argus_request_duration_seconds_count{{{labels}}}")), 5.0);
    let sum = told(&text, &format!("argus_request_duration_seconds_sum{{{labels}}}"));
    assert!(sum > 0.0 && sum < 60.0, "{sum}");
    let every = format!("argus_request_duration_seconds_bucket{{le=\"+Inf\",{labels}}}");
    assert_eq!(told(&text, &every), 5.0);
    let version = argus_openapi::contract::ARGUS.version;
    assert!(
        text.lines().any(|line| line.starts_with("argus_build_info{") && line.contains(version)),
        "{text}"
    );
}

/// The number of open connections that the metrics tell for a host.
async fn open_connections(server: &TestServer, host: Host) -> usize {
    let text = metrics(server).await;
    let series = format!("argus_open_connections{{host=\"{}\"}} ", host.name());
    let value = text.lines().find_map(|line| line.strip_prefix(&series));
    value.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

/// Waits until the metrics tell this number.
async fn await_open_connections(server: &TestServer, host: Host, expected: usize) {
    let seen = async { while open_connections(server, host).await != expected {} };
    let seen = tokio::time::timeout(Duration::from_secs(60), seen).await;
    assert!(seen.is_ok(), "{} for {expected}", open_connections(server, host).await);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_tell_the_open_connections_of_each_host_silent_ones_included() {
    let (server, other) = (TestServer::start(), TestServer::start());
    let mut api = Vec::new();
    for _ in 0..5 {
        api.push(used_connection(&server, Host::Api).await);
    }
    let _sandbox =
        [used_connection(&server, Host::Sandbox).await, used_connection(&server, Host::Sandbox).await];
    let _of_another = used_connection(&other, Host::Api).await;
    assert_eq!(open_connections(&server, Host::Api).await, 5);
    assert_eq!(open_connections(&server, Host::Sandbox).await, 2);
    assert!(open_connections(&server, Host::Auth).await >= 1, "the request's own");

    api.push(server.open(Host::Api).await);
    await_open_connections(&server, Host::Api, 6).await;
    api.truncate(1);
    await_open_connections(&server, Host::Api, 1).await;
    api.clear();
    await_open_connections(&server, Host::Api, 0).await;
}

/// What the log calls the caller of a request with this header.
async fn logged_caller(process: &TestProcess, lines: &str) -> String {
    let before = process.stderr().len();
    let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
    process.raw(Host::Api, request.as_bytes()).await.expect(200);
    let answered = "answered operation=\"health_view\"";
    process.await_log_after(before, answered);
    let log = process.stderr();
    let line = log[before..].lines().find(|line| line.contains(answered)).unwrap();
    line.split("caller=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_cannot_choose_its_address() {
    let spoofed = "x-forwarded-for: 203.0.113.7\r\n";
    let direct = TestProcess::start(binary(), &["serve"], TempDir::new().unwrap());
    assert_eq!(logged_caller(&direct, spoofed).await, "127.0.0.1");

    let elsewhere = ["serve", "--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "2001:db8::/32"];
    let elsewhere = TestProcess::start(binary(), &elsewhere, TempDir::new().unwrap());
    assert_eq!(logged_caller(&elsewhere, spoofed).await, "127.0.0.1");

    // The proxy adds what it sees to what the caller wrote.
    let behind = start_with("ARGUS_TRUSTED_PROXIES=10.0.0.0/8,127.0.0.0/8", &["serve"]);
    for (lines, expected) in [
        ("", "127.0.0.1"),
        (spoofed, "203.0.113.7"),
        ("x-forwarded-for: 198.51.100.1, 203.0.113.7\r\n", "203.0.113.7"),
        ("x-forwarded-for: 198.51.100.1\r\nx-forwarded-for: 203.0.113.7, 10.2.3.4\r\n", "203.0.113.7"),
        ("x-forwarded-for: 198.51.100.1, nonsense\r\n", "127.0.0.1"),
    ] {
        assert_eq!(logged_caller(&behind, lines).await, expected, "{lines}");
    }
}

#[test]
fn a_trusted_proxy_that_is_no_network_is_refused() {
    let directory = TempDir::new().unwrap();
    for network in ["nonsense", "10.0.0.0/33", "proxy.example"] {
        let arguments = ["serve", "--trusted-proxy", network];
        let output = argus(binary(), &directory.path().join("data"), &arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("trusted_proxies") && stderr.contains("10.0.0.0/8"), "{stderr}");
    }
}

//! The commands of the binary, and how a running one starts, refuses to start, and ends.

use super::support::binary;
use argus_openapi::Host;
use argus_openapi::published::{DESCRIPTOR_JSON, DESCRIPTOR_YAML, HOST_DESCRIPTORS};
use argus_openapi::types::scopes::Scope;
use argus_tests::{TestProcess, argus, open_command, place_keys, sql};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::{Connection as _, RunQueryDsl, SqliteConnection};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A data directory that a command has used once.
fn used_data() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    place_keys(&data_dir);
    assert!(argus(binary(), &data_dir, &["token", "--scope", "argus:platform:admin"]).status.success());
    (directory, data_dir)
}

/// Every file below a directory with its content and mode.
fn files(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            found.insert(path.clone(), (std::fs::read(&path).unwrap(), mode));
        }
    }
    found
}

/// Every command that opens the data.
const COMMANDS: [&[&str]; 5] = [
    &["dev"],
    &["serve"],
    &["token", "--scope", "argus:platform:read"],
    &["keys", "list"],
    &["keys", "rotate"],
];

fn run_on_free_ports(data_dir: &Path, arguments: &[&str]) -> Output {
    open_command(binary())
        .args(arguments)
        .env("ARGUS_DATA_DIR", data_dir)
        .env("ARGUS_AUTH_ADDR", "127.0.0.1:0")
        .env("ARGUS_API_ADDR", "127.0.0.1:0")
        .env("ARGUS_SANDBOX_ADDR", "127.0.0.1:0")
        .output()
        .unwrap()
}

/// Asserts a refusal: exit 2, one line that says why, no panic, and the data as it was.
#[track_caller]
fn assert_refused(data_dir: &Path, arguments: &[&str], named: &[&str]) {
    let before = files(data_dir);
    let output = run_on_free_ports(data_dir, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    for part in named {
        assert!(stderr.contains(part), "{arguments:?}: {stderr:?} names {part}");
    }
    assert!(stderr.starts_with("argus: ") && !stderr.contains("panicked"), "{stderr}");
    assert!(output.stdout.is_empty());
    assert!(files(data_dir) == before, "{arguments:?} changed the data");
}

#[test]
fn a_corrupt_key_file_stops_every_command_and_is_left_as_it_is() {
    let (_directory, data_dir) = used_data();
    let key = files(&data_dir).into_keys().find(|path| path.extension().is_some_and(|e| e == "pem")).unwrap();
    let good = std::fs::read(&key).unwrap();
    for content in [&b""[..], b"nonsense", &good[..good.len() / 2]] {
        std::fs::write(&key, content).unwrap();
        for command in COMMANDS {
            // A rotation does not read the key that it retires.
            if command != ["keys", "rotate"] {
                assert_refused(&data_dir, command, &[key.to_str().unwrap()]);
            }
        }
    }
    std::fs::write(&key, good).unwrap();
    assert!(argus(binary(), &data_dir, &["keys", "list"]).status.success());
}

#[test]
fn a_corrupt_key_manifest_stops_every_command_and_is_left_as_it_is() {
    let (_directory, data_dir) = used_data();
    let manifest = data_dir.join("keys/manifest.json");
    for content in [
        "",
        "nonsense",
        "{}",
        "{\"active\":\"../../x\",\"keys\":[]}",
        "{\"keys\":[{\"kid\":\"../../x\",\"created_at\":\"2026-01-01T00:00:00Z\"}]}",
    ] {
        std::fs::write(&manifest, content).unwrap();
        for command in COMMANDS {
            assert_refused(&data_dir, command, &[manifest.to_str().unwrap()]);
        }
    }
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_as_it_is() {
    let (_directory, data_dir) = used_data();
    let database = data_dir.join("argus.db");
    {
        let mut connection = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
        let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
        diesel::sql_query(newer).execute(&mut connection).unwrap();
    }
    for command in [COMMANDS[0], COMMANDS[1], COMMANDS[2], &["migrate"]] {
        assert_refused(&data_dir, command, &["newer version", "99990101000000"]);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let (_directory, data_dir) = used_data();
    let database = data_dir.join("argus.db");
    for name in ["argus.db-wal", "argus.db-shm"] {
        let _ = std::fs::remove_file(data_dir.join(name));
    }
    std::fs::write(&database, "nonsense ".repeat(1000)).unwrap();
    for command in [COMMANDS[0], COMMANDS[2], &["migrate"]] {
        assert_refused(&data_dir, command, &[database.to_str().unwrap()]);
    }
}

#[test]
fn a_port_in_use_is_named_with_the_variable_that_moves_it() {
    let (_directory, data_dir) = used_data();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (host, variable) in
        [("auth", "ARGUS_AUTH_ADDR"), ("api", "ARGUS_API_ADDR"), ("sandbox", "ARGUS_SANDBOX_ADDR")]
    {
        for command in ["dev", "serve"] {
            let flag = format!("--{host}-addr");
            assert_refused(&data_dir, &[command, &flag, &address], &[host, &address, variable, "in use"]);
        }
    }
}

#[test]
fn keys_that_are_not_there_are_said_to_be_absent_and_are_not_made() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    for create in [false, true] {
        if create {
            std::fs::create_dir(&data_dir).unwrap();
        }
        for action in ["list", "rotate"] {
            let output = argus(binary(), &data_dir, &["keys", action]);
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(stderr, format!("argus: no signing keys in {}\n", data_dir.display()));
            assert!(std::fs::read_dir(&data_dir).is_ok_and(|mut entries| entries.next().is_none()) == create);
        }
    }
}

#[test]
fn a_port_in_use_is_found_before_there_is_any_data() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    for (arguments, named) in [
        (vec!["dev", "--sandbox-addr", &taken], "ARGUS_SANDBOX_ADDR"),
        (vec!["serve", "--auth-addr", &taken], "ARGUS_AUTH_ADDR"),
    ] {
        let output = run_on_free_ports(&data_dir, &arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(named) && stderr.contains("in use"), "{stderr}");
        assert!(!data_dir.exists(), "{arguments:?} made data");
    }
}

#[test]
fn a_ready_file_that_cannot_be_written_is_refused_before_there_is_any_data() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    for ready_file in [directory.path().join("absent/ready.json"), directory.path().join("file/ready.json")] {
        std::fs::write(directory.path().join("file"), "").unwrap();
        for command in ["dev", "serve"] {
            let path = ready_file.to_str().unwrap();
            let output = run_on_free_ports(&data_dir, &[command, "--ready-file", path]);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            assert!(stderr.starts_with(&format!("argus: cannot write the ready file {path}: ")), "{stderr}");
            assert!(!data_dir.exists(), "{command} made data");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_credentials_that_cannot_be_read_are_moved_aside_and_said_so() {
    let (_ended, directory) = TestProcess::dev(binary()).stop();
    let kept = directory.path().join("data/dev.json");
    std::fs::write(&kept, "{\"client_secret\": \"half a file").unwrap();
    let dev = TestProcess::start(binary(), &["dev"], directory);
    let said = dev.stderr();
    assert!(said.contains(kept.to_str().unwrap()) && said.contains("dev.json.unreadable"), "{said}");
    assert!(!said.contains("half a file"), "{said}");
    let aside = dev.data_dir().join("dev.json.unreadable");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "{\"client_secret\": \"half a file");
    dev.tenancy().get("/v1/platform/apps").await.expect(200);
}

#[test]
fn a_setting_that_does_not_fit_is_named() {
    let directory = TempDir::new().unwrap();
    for (arguments, named) in [
        (&["dev", "--auth-addr", "nonsense"][..], "--auth-addr"),
        (&["dev", "--auth-addr", "localhost:8080"], "an IP address and a port are needed"),
        (&["serve", "--sandbox-addr", "127.0.0.1"], "an IP address and a port are needed"),
        (&["token", "--scope", "nonsense"], "argus:platform:admin"),
        (&["dev", "--role", "worker"], "argus serve --role worker"),
        (&["dev", "--log", "loud"], "error, warn, info, debug or trace"),
        (&["token"], "--scope"),
        (&["token", "--scope", "nonsense"], "nonsense"),
        (&["token", "--scope", "webhooks:read", "--ttl-seconds", "1"], "60..=86400"),
        (&["dance"], "dance"),
    ] {
        let output = argus(binary(), &directory.path().join("data"), arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(named), "{arguments:?}: {stderr}");
        assert!(!directory.path().join("data").exists(), "{arguments:?} made a directory");
    }
    for (url, named) in [("mysql://root:hunter2@localhost/x", "database URL"), ("sqlite://", "database URL")]
    {
        let arguments = ["migrate", "--database-url", url];
        let output = argus(binary(), &directory.path().join("data"), &arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(named) && !stderr.contains("hunter2"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ready_file_of_a_node_that_serves_no_host_names_none() {
    let worker = TestProcess::start(binary(), &["serve", "--role", "worker"], TempDir::new().unwrap());
    assert_eq!(worker.ready(), &serde_json::json!({}));
    let (ended, _directory) = worker.stop();
    assert!(ended.status.success(), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ready_file_is_whole_private_and_says_how_to_reach_the_hosts() {
    let dev = TestProcess::dev(binary());
    let ready = dev.ready().as_object().unwrap();
    let mut members: Vec<&str> = ready.keys().map(String::as_str).collect();
    members.sort_unstable();
    let all = [
        "admin_token",
        "api",
        "auth",
        "client_id",
        "client_secret",
        "live_token",
        "sandbox",
        "sandbox_token",
        "tenant_id",
        "user_email",
        "user_password",
    ];
    assert_eq!(members, all);
    let mode = std::fs::metadata(dev.directory().join("ready.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    dev.assert_alive().await;
    let app =
        dev.tenancy().get(&format!("/v1/platform/apps/{}", dev.ready_text("client_id"))).await.expect(200);
    assert_eq!(app.text("tenant_id"), dev.ready_text("tenant_id"));
    let basic = Some((dev.ready_text("client_id"), dev.ready_text("client_secret")));
    dev.token_request(&[("grant_type", "client_credentials")], basic).await.expect(200);

    let serve = TestProcess::start(binary(), &["serve"], TempDir::new().unwrap());
    let mut members: Vec<&String> = serve.ready().as_object().unwrap().keys().collect();
    members.sort_unstable();
    assert_eq!(members, ["api", "auth", "sandbox"], "no credentials in production");
    serve.assert_alive().await;
    assert_eq!(serve.stdout(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_the_data_directory_is_for_its_owner_alone() {
    let dev = TestProcess::dev(binary());
    for (path, (_, mode)) in files(&dev.data_dir()) {
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_dev_prints_the_same_credentials_and_they_still_work() {
    let first = TestProcess::dev(binary());
    let token = |process: &TestProcess| {
        let stdout = process.stdout();
        let line = stdout.lines().find_map(|line| line.strip_prefix("export SANDBOX_TOKEN=")).unwrap();
        line.to_owned()
    };
    let members = ["admin_token", "tenant_id", "client_id", "client_secret", "user_password"];
    let credentials = |process: &TestProcess| members.map(|member| process.ready_text(member).to_owned());
    let (before, sandbox_token) = (credentials(&first), token(&first));
    let body = first.get(Host::Sandbox, "/v1/profiles/p1", Some(&sandbox_token)).await.expect(200);
    let (ended, directory) = first.stop();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");

    let second = TestProcess::start(binary(), &["dev"], directory);
    assert_eq!(credentials(&second), before);
    assert_eq!(token(&second), sandbox_token);
    for part in &before {
        assert!(second.stdout().contains(part.as_str()));
    }
    let again = second.get(Host::Sandbox, "/v1/profiles/p1", Some(&sandbox_token)).await.expect(200);
    assert_eq!(again.replayable(), body.replayable(), "a restart does not change a byte");
    second.tenancy().get("/v1/platform/apps").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_is_the_issuer_that_its_address_serves_and_keeps_its_tokens_over_a_restart() {
    let issuer = async |process: &TestProcess| {
        let path = "/.well-known/oauth-authorization-server";
        process.get(Host::Auth, path, None).await.expect(200).text("issuer")
    };
    let claim = |token: &str| {
        let payload = token.split('.').nth(1).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        claims["iss"].as_str().unwrap().to_owned()
    };
    let first = TestProcess::dev(binary());
    let own = first.ready_text("auth").to_owned();
    assert_eq!(issuer(&first).await, own);
    assert_eq!(claim(first.ready_text("admin_token")), own);
    let tenancy = first.tenancy();
    let token = tenancy.app(&[Scope::JobsRead]).await.live_token(&[Scope::JobsRead]).await;
    assert_eq!(claim(&token), own);

    // The next one is on other ports, so that it has another name.
    let (_ended, directory) = first.stop();
    let second = TestProcess::start(binary(), &["dev"], directory);
    assert_eq!(issuer(&second).await, second.ready_text("auth"));
    assert_ne!(issuer(&second).await, own);
    second.get(Host::Api, "/healthz", Some(&token)).await.expect(200);
    second.get(Host::Auth, "/v1/platform/scopes", Some(tenancy.admin_token.as_str())).await.expect(200);
    let body = serde_json::json!({});
    second.post(Host::Auth, "/v1/platform/apps", &token, &body).await.expect_error(403, "insufficient_scope");

    // An issuer that was asked for is the one that is named.
    let (_ended, directory) = second.stop();
    let named = TestProcess::start(binary(), &["dev", "--issuer", "https://auth.example"], directory);
    assert_eq!(issuer(&named).await, "https://auth.example");
    named.get(Host::Auth, "/v1/platform/scopes", Some(tenancy.admin_token.as_str())).await.expect(200);
}

/// Signals the process while it reads a request's body, and expects the request to be answered.
async fn ends_cleanly_in_the_middle_of_a_request(signal: &str) {
    let process = TestProcess::dev(binary());
    let body = br#"{"name":"In the middle","grant_types":["client_credentials"],"requested_scopes":["webhooks:read"]}"#;
    let head = format!(
        "POST /v1/platform/apps HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        process.ready_text("admin_token"),
        body.len()
    );
    let mut connection = process.open(Host::Auth).await;
    connection.write(head.as_bytes()).await;
    // The server asks for the body: the handler is at work.
    let go_on = connection.read_until(b"\r\n\r\n").await;
    assert!(go_on.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&go_on));
    process.signal(signal);
    process.await_log("beginning graceful shutdown");
    connection.write(body).await;
    let answer = connection.response().await.expect(201);
    assert_eq!(answer.text("name"), "In the middle");
    assert!(connection.is_closed().await);
    let (ended, _directory) = process.ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("cut off"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_an_open_request_end_and_exits_with_0() {
    ends_cleanly_in_the_middle_of_a_request("TERM").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_lets_an_open_request_end_and_exits_with_0() {
    ends_cleanly_in_the_middle_of_a_request("INT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_database_blocks_does_not_hold_the_process_up_beyond_its_drain_seconds() {
    let process = TestProcess::start(binary(), &["dev", "--drain-seconds", "1"], TempDir::new().unwrap());
    let printed = argus(binary(), &process.data_dir(), &["token", "--scope", "argus:internal:operate"]);
    let operator = String::from_utf8(printed.stdout).unwrap();
    let url = format!("sqlite://{}", process.data_dir().join("argus.db").display());
    let mut other = sql::connect(&url);
    sql::execute(&mut other, "BEGIN IMMEDIATE").unwrap();
    let tenancy = process.tenancy();
    // On a slow machine it is refused before the signal comes, and comes again.
    let app = serde_json::json!({"name": "App", "grant_types": ["client_credentials"], "requested_scopes": [Scope::JobsRead]});
    let blocked = tokio::spawn(async move {
        loop {
            tenancy.post("/v1/platform/apps", &app).await.expect(503);
        }
    });
    let counted = "argus_requests_in_progress{host=\"auth\",operation=\"app_create\"} 1\n";
    loop {
        let metrics = process.get(Host::Auth, "/metrics", Some(operator.trim())).await.expect(200);
        if String::from_utf8(metrics.body).unwrap().contains(counted) {
            break;
        }
    }
    let began = Instant::now();
    let (ended, _directory) = process.stop_before(|| sql::execute(&mut other, "ROLLBACK").unwrap());
    let unanswered: Result<(), _> = blocked.await;
    assert!(unanswered.is_err(), "it was not answered");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let said = "argus: stopped after 1 s; cut off: 1 app_create (auth)\n";
    assert!(ended.stderr.ends_with(said), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_drain_at_once() {
    let process = TestProcess::dev(binary());
    let mut connection = process.open(Host::Auth).await;
    connection
        .write(
            b"POST /v1/oauth/token HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n",
        )
        .await;
    connection.read_until(b"\r\n\r\n").await;
    process.signal("TERM");
    process.await_log("beginning graceful shutdown");
    let (ended, _directory) = process.stop();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("s; cut off: 1 oauth_token (auth)\n"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_does_not_hold_the_process_up() {
    let process = TestProcess::dev(binary());
    let mut idle = process.open(Host::Sandbox).await;
    idle.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    idle.response().await.expect(200);
    let (ended, _directory) = process.stop();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(idle.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_command_line_works_on_a_running_server() {
    let process = TestProcess::dev(binary());
    let mint = |arguments: &[&str]| argus(binary(), &process.data_dir(), &[&["token"], arguments].concat());
    let printed = mint(&["--scope", "argus:platform:read", "--tenant", process.ready_text("tenant_id")]);
    assert!(printed.status.success(), "{printed:?}");
    let token = String::from_utf8(printed.stdout).unwrap();
    assert_eq!(token.lines().count(), 1);
    process.get(Host::Auth, "/v1/platform/scopes", Some(token.trim())).await.expect(200);
    let answer = process.post(Host::Auth, "/v1/platform/apps", token.trim(), &serde_json::json!({})).await;
    answer.expect_error(403, "insufficient_scope");
    let unknown = mint(&["--scope", "argus:platform:read", "--tenant", "tnt_that_nobody_has"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert_eq!(String::from_utf8(unknown.stderr).unwrap(), "argus: no such tenant\n");
}

#[test]
fn openapi_prints_the_published_descriptor() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let json = argus(binary(), &data_dir, &["openapi"]);
    assert_eq!(String::from_utf8(json.stdout).unwrap(), format!("{}\n", DESCRIPTOR_JSON.trim_end()));
    let yaml = argus(binary(), &data_dir, &["openapi", "--yaml"]);
    assert_eq!(String::from_utf8(yaml.stdout).unwrap(), format!("{}\n", DESCRIPTOR_YAML.trim_end()));
    for of in HOST_DESCRIPTORS {
        let json = argus(binary(), &data_dir, &["openapi", "--host", of.host.name()]);
        assert_eq!(String::from_utf8(json.stdout).unwrap(), format!("{}\n", of.json.trim_end()));
        let yaml = argus(binary(), &data_dir, &["openapi", "--yaml", "--host", of.host.name()]);
        assert_eq!(String::from_utf8(yaml.stdout).unwrap(), format!("{}\n", of.yaml.trim_end()));
    }
    let unknown = argus(binary(), &data_dir, &["openapi", "--host", "elsewhere"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert!(!data_dir.exists(), "it needs no data");
}

#[test]
fn migrate_says_what_it_did_and_does_nothing_twice() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let first = argus(binary(), &data_dir, &["migrate"]);
    assert!(first.status.success(), "{first:?}");
    assert!(String::from_utf8(first.stdout).unwrap().lines().all(|line| line.starts_with("applied ")));
    let second = argus(binary(), &data_dir, &["migrate"]);
    assert_eq!(
        String::from_utf8(second.stdout).unwrap(),
        "the store already has the schema of this version\n"
    );
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let mut child =
        open_command(binary()).arg("openapi").stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

/// What a service logs at this level while it answers a request with these credentials.
async fn logged(level: &str, secret: &mut String) -> String {
    let process = TestProcess::start(binary(), &["dev", "--log", level], TempDir::new().unwrap());
    let basic = Some((process.ready_text("client_id"), process.ready_text("client_secret")));
    let answer = process.token_request(&[("grant_type", "client_credentials")], basic).await.expect(200);
    *secret = process.ready_text("client_secret").to_owned();
    let token = answer.text("access_token");
    process.get(Host::Auth, "/v1/platform/scopes?access_token=in_the_query", Some(&token)).await;
    let (ended, _directory) = process.stop();
    assert!(!ended.stderr.contains(&token) && !ended.stderr.contains("in_the_query"), "{}", ended.stderr);
    ended.stderr
}

#[tokio::test(flavor = "multi_thread")]
async fn each_level_of_the_log_says_more_than_the_one_above_and_none_says_a_secret() {
    let mut lines = Vec::new();
    for level in ["warn", "info", "debug"] {
        let mut secret = String::new();
        let text = logged(level, &mut secret).await;
        assert!(!text.contains(&secret), "{level}: {text}");
        let levels: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        assert!(levels.iter().all(|said| match level {
            "warn" => ["WARN", "ERRO"].contains(said),
            "info" => ["INFO", "WARN", "ERRO"].contains(said),
            _ => *said != "TRCE",
        }));
        lines.push(text.lines().count());
        let is_detailed = text.contains(" DEBG answered operation=\"oauth_token\" status=\"200\"");
        assert_eq!(is_detailed, level == "debug", "{text}");
    }
    assert!(lines[0] < lines[1] && lines[1] < lines[2], "{lines:?}");
}

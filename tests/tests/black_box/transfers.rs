//! Files between a partner's program and either host, over connections that are cut, and the program itself that
//! partners begin with. What the SDK does when a server misbehaves is tested in the SDK itself.

use super::support::{every_scope, token};
use argus_openapi::Host;
use argus_sdk::types::{ExportJob, ImportJob, JobCreate};
use argus_sdk::{ArgusClient, Credentials, Environment, Retry, WaitOptions};
use argus_tests::{Cutter, Installation, TestServer};
use http::Method;
use std::fmt::Write;
use std::time::Duration;

#[allow(dead_code, unreachable_pub, reason = "it is a program of its own")]
#[path = "../../../sdk/examples/import_enrich_export.rs"]
mod import_enrich_export;

const TENANT: &str = "tnt_01kr3qayg000nqxep345zbwwk5";
/// How much a connection brings before it is cut: more than the head of an answer, much less than a file.
const CUT: u64 = 6_000;

fn client(server: &TestServer, host: Host) -> ArgusClient {
    ArgusClient::builder()
        .environment(Environment::at(&server.url(host, "")).unwrap())
        .credentials(Credentials::token(token(server, host, TENANT, &every_scope())))
        .retry(Retry::default().base_delay(Duration::ZERO))
        .build()
        .unwrap()
}

/// Runs a job to its end and returns its identifier.
async fn done(client: &ArgusClient, job: impl Into<JobCreate>) -> String {
    let job: JobCreate = job.into();
    let created = client.job_create().body(job).send().await.unwrap();
    let options = WaitOptions { first_pause: Duration::from_millis(10), ..WaitOptions::default() };
    client.wait_for_job(&created.id, options).await.unwrap().id
}

async fn a_file_goes_there_and_comes_back(host: Host) {
    let proxy = Cutter::start().await;
    let mut installation = Installation::sqlite();
    let url = Some(format!("http://{}", proxy.address()));
    (installation.settings.api_url, installation.settings.sandbox_url) = (url.clone(), url);
    let server = TestServer::from(installation);
    proxy.lead_to(server.address(host));
    let client = client(&server, host);

    let mut profiles = String::new();
    for number in 0..500 {
        writeln!(profiles, r#"{{"id":"p{number:04}","kind":"wallet","display_name":"Wallet {number}"}}"#)
            .unwrap();
    }
    let file = server.scratch().join("profiles.ndjson");
    std::fs::write(&file, &profiles).unwrap();
    let upload = client.upload_file(&file).await.unwrap();
    done(&client, ImportJob::of_upload(&upload)).await;
    let id = done(&client, ExportJob::of_everything()).await;

    let before = proxy.accepted();
    proxy.cut_after(CUT);
    let exported = server.scratch().join("exported.ndjson");
    // The connection that the upload has left open would not be cut.
    let client = self::client(&server, host);
    let downloaded = client.download_result(&id, &exported).await.unwrap();
    let content = std::fs::read(&exported).unwrap();
    assert_eq!(downloaded.length, content.len() as u64);
    let (length, cuts) = (downloaded.length, (proxy.accepted() - before) as u64);
    assert!(length > 4 * CUT && cuts >= length / CUT, "{length} bytes, {cuts} cuts");

    // The same, past the proxy.
    let bearer = token(&server, host, TENANT, &every_scope());
    let result = server.bare(host, Method::GET, &format!("/v1/jobs/{id}/result"), &bearer).await.expect(200);
    let url = result.text("signed_url");
    let target = &url[url.find("/objects/").unwrap()..];
    assert!(server.get(host, target, None).await.expect(200).body == content);
    let lines = content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    if host == Host::Api {
        assert_eq!(lines.count(), 500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_result_is_downloaded_whole_though_each_connection_is_cut() {
    a_file_goes_there_and_comes_back(Host::Api).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_result_is_downloaded_whole_though_each_connection_is_cut() {
    a_file_goes_there_and_comes_back(Host::Sandbox).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_runs_on_either_host_with_nothing_changed_but_url_and_token() {
    let server = TestServer::start();
    for host in [Host::Api, Host::Sandbox] {
        let directory = server.scratch().join(host.name());
        std::fs::create_dir(&directory).unwrap();
        let caller = server.caller(host, &every_scope()).await;
        import_enrich_export::run(&server.url(host, ""), &caller.token, &directory).await.unwrap();
        let lines = |name: &str| {
            let text = std::fs::read_to_string(directory.join(name)).unwrap();
            text.lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .collect::<Vec<_>>()
        };
        assert!(lines("imported.json")[0]["imported"].as_u64() > Some(0), "{}", host.name());
        assert_eq!(lines("enriched.ndjson").len(), 3, "{}", host.name());
        assert!(lines("exported.ndjson").len() >= 3, "{}", host.name());
        assert!(lines("exported.ndjson").iter().all(|profile| profile["id"].is_string()));
        // The three results and what was uploaded, and no part of any.
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 4);
    }
}

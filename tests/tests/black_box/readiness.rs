//! `/readyz` says whether the node can serve now, and not whether it once could.

use super::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, TestProcess, TestServer, on_both_engines, run_on_postgres, run_on_sqlite, sql};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use tempfile::TempDir;

on_both_engines! {
    a_node_whose_tables_are_gone_is_not_ready_until_they_are_back
    a_node_whose_schema_is_older_is_not_ready_until_it_is_migrated
    a_node_whose_signing_keys_cannot_be_read_is_not_ready_until_they_can
    the_live_api_alone_is_not_ready_while_no_objects_can_be_written
}

/// For how long a look may count, and how long one may take.
const NOTICED: Duration = Duration::from_secs(20);

/// Asks a host until it answers so.
async fn until_readiness_is(server: &TestServer, status: u16) -> Answer {
    until_readiness_of(Host::Auth, server, status).await
}

async fn until_readiness_of(host: Host, server: &TestServer, status: u16) -> Answer {
    let began = Instant::now();
    loop {
        let answer = server.get(host, "/readyz", None).await;
        if answer.status == status {
            return answer;
        }
        assert!(began.elapsed() < NOTICED, "{answer:?}");
    }
}

async fn is_ready(server: &TestServer) {
    until_readiness_is(server, 200).await;
    for host in Host::ALL {
        server.get(host, "/readyz", None).await.expect(200);
    }
}

/// Nobody but `/readyz` is asked meanwhile.
async fn is_not_ready(server: &TestServer) {
    let answer = until_readiness_is(server, 503).await;
    answer.expect_error(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    for host in Host::ALL {
        server.get(host, "/readyz", None).await.expect(503);
        server.get(host, "/healthz", None).await.expect(200);
    }
}

async fn a_node_whose_tables_are_gone_is_not_ready_until_they_are_back(server: TestServer) {
    is_ready(&server).await;
    for table in ["apps", "audit_events"] {
        sql::execute(&mut server.connect(), &format!("ALTER TABLE {table} RENAME TO elsewhere")).unwrap();
        is_not_ready(&server).await;
        sql::execute(&mut server.connect(), &format!("ALTER TABLE elsewhere RENAME TO {table}")).unwrap();
        is_ready(&server).await;
    }
}

async fn a_node_whose_schema_is_older_is_not_ready_until_it_is_migrated(server: TestServer) {
    let last = "(SELECT max(version) FROM __diesel_schema_migrations)";
    let mut other = server.connect();
    let version = sql::lines(&mut other, &format!("SELECT {last} AS line")).unwrap().remove(0);
    sql::execute(&mut other, &format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"))
        .unwrap();
    is_not_ready(&server).await;
    let migrated = format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')");
    sql::execute(&mut other, &migrated).unwrap();
    is_ready(&server).await;
    // A newer node has migrated: this one serves on.
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";
    sql::execute(&mut other, newer).unwrap();
    is_ready(&server).await;
}

async fn a_node_whose_signing_keys_cannot_be_read_is_not_ready_until_they_can(server: TestServer) {
    is_ready(&server).await;
    let (keys, elsewhere) = (server.data_dir().join("keys"), server.scratch().join("elsewhere"));
    std::fs::rename(&keys, &elsewhere).unwrap();
    is_not_ready(&server).await;
    std::fs::rename(&elsewhere, &keys).unwrap();
    is_ready(&server).await;
}

async fn the_live_api_alone_is_not_ready_while_no_objects_can_be_written(server: TestServer) {
    is_ready(&server).await;
    let (objects, elsewhere) = (server.data_dir().join("objects"), server.scratch().join("elsewhere"));
    std::fs::rename(&objects, &elsewhere).unwrap();
    // Not even root can write into it.
    std::fs::write(&objects, "").unwrap();
    until_readiness_of(Host::Api, &server, 503).await.expect_error(503, "unavailable");
    for host in [Host::Auth, Host::Sandbox] {
        server.get(host, "/readyz", None).await.expect(200);
    }
    std::fs::remove_file(&objects).unwrap();
    std::fs::rename(&elsewhere, &objects).unwrap();
    until_readiness_of(Host::Api, &server, 200).await;
}

#[test]
fn the_objects_are_looked_at_every_few_seconds_however_many_ask() {
    run_on_sqlite(async |server: TestServer| {
        let probe = server.data_dir().join("objects/write-probe");
        let began = Instant::now();
        let mut written = Vec::new();
        while began.elapsed() < Duration::from_secs(3) {
            let asked = (0..20).map(|_| server.get(Host::Api, "/readyz", None));
            for answer in futures::future::join_all(asked).await {
                answer.expect(200);
            }
            written.push(probe.metadata().unwrap().modified().unwrap());
        }
        written.dedup();
        let possible = 1 + usize::try_from(began.elapsed().as_secs() / 5).unwrap();
        assert!(written.len() <= possible, "{} in {:?}", written.len(), began.elapsed());
    });
}

#[test]
fn the_database_is_looked_at_once_a_second_however_many_ask() {
    run_on_sqlite(async |server: TestServer| {
        let mut other = server.connect();
        let mut written = || {
            let probe = "SELECT value AS line FROM installation WHERE name = 'write_probe'";
            sql::lines(&mut other, probe).unwrap()
        };
        let mut looks = vec![written()];
        let began = Instant::now();
        for _ in 0..10 {
            let asked = (0..20).map(|_| server.get(Host::Auth, "/readyz", None));
            for answer in futures::future::join_all(asked).await {
                answer.expect(200);
            }
            looks.push(written());
        }
        let possible = 2 + usize::try_from(began.elapsed().as_secs()).unwrap();
        looks.dedup();
        assert!(looks.len() > 1 && looks.len() - 1 <= possible, "{} in {:?}", looks.len(), began.elapsed());
    });
}

#[test]
fn a_node_whose_postgres_does_not_answer_is_not_ready_and_says_so_in_time() {
    run_on_postgres(async |mut installation: argus_tests::Installation| {
        let proxy = installation.behind_a_proxy().await;
        let server = TestServer::from(installation);
        is_ready(&server).await;
        proxy.stall();
        is_not_ready(&server).await;
        let began = Instant::now();
        server.get(Host::Api, "/readyz", None).await.expect(503);
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        proxy.go_on();
        is_ready(&server).await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_disk_is_full_is_not_ready_and_still_reads() {
    // A limit on the size of files stands for a disk: nobody else has to do without one.
    let directory = TempDir::new().unwrap();
    let script = directory.path().join("argus");
    let text = format!("#!/bin/bash\ntrap '' XFSZ\nulimit -f 1024\nexec '{}' \"$@\"\n", binary().display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let process = TestProcess::start(&script, &["dev", "--log", "warn"], TempDir::new().unwrap());
    process.get(Host::Auth, "/readyz", None).await.expect(200);
    let tenancy = process.tenancy();
    let path = format!("/v1/platform/apps/{}/rotate-secret", tenancy.app(&[Scope::JobsRead]).await.client_id);
    let refused = loop {
        let answer = tenancy.post_nothing(&path).await;
        if answer.status != 200 {
            break answer;
        }
    };
    refused.expect_error(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    let began = Instant::now();
    while process.get(Host::Api, "/readyz", None).await.status != 503 {
        assert!(began.elapsed() < NOTICED);
    }
    tenancy.get("/v1/platform/apps").await.expect(200);
}

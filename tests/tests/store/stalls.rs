//! A database that does not answer: nobody waits for it without end, and nothing has to be restarted when
//! it answers again.

use crate::black_box::support::binary;
use crate::identity::support::admin;
use argus_core::store::{AnyConnection, Deadlines, Error, Kind, Reader, Tx};
use argus_core::{Clock, audit};
use argus_openapi::types::scopes::Scope;
use argus_tests::{
    AppCredentials, Installation, Proxy, TestServer, argus, look_for, on_both_engines, run, run_on_postgres,
    sql,
};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

on_both_engines! {
    reads_are_served_while_writers_wait
    a_look_up_and_a_read_cannot_write
    a_write_that_was_answered_with_503_is_not_committed_afterwards
}

/// Deadlines that a test can wait for.
const SHORT: Deadlines = Deadlines {
    connect: Duration::from_secs(1),
    acknowledgement: Duration::from_secs(10),
    // Connections are made one at a time in a process, which all tests share.
    check_out: Duration::from_secs(3),
    statement: Duration::from_secs(1),
    work: Duration::from_millis(1_500),
    limits: Duration::from_millis(50),
};
/// The longest that a request may take then, on a busy machine.
const ANSWERED: Duration = Duration::from_secs(20);
/// How long a node may take to be as before.
const RECOVERED: Duration = Duration::from_secs(30);
/// How much later a busy machine may be.
const LATE: Duration = Duration::from_secs(5);
/// More than there are connections.
const REQUESTS: usize = 24;

/// A server behind a proxy whose connections are all in use.
async fn server(mut installation: Installation) -> (Proxy, TestServer, AppCredentials) {
    let proxy = installation.behind_a_proxy().await;
    installation.settings.store.deadlines = SHORT;
    let server = TestServer::start_on(installation, Clock::system());
    let app = server.app(&[Scope::PlatformRead]).await;
    for status in statuses(&app).await {
        assert_eq!(status, 200);
    }
    (proxy, server, app)
}

/// The statuses of many requests at a time. Each says when to come again, if it was refused.
async fn statuses(app: &AppCredentials) -> Vec<u16> {
    let requests = (0..REQUESTS).map(|index| {
        let app = app.clone();
        async move {
            let began = Instant::now();
            let answer = match index % 2 {
                0 => app.tenancy.get("/v1/platform/apps").await,
                _ => app.tenancy.post_nothing(&app.path("/rotate-secret")).await,
            };
            assert!(began.elapsed() < ANSWERED, "{:?}", began.elapsed());
            if answer.status == 503 {
                answer.expect_error(503, "unavailable");
                assert_eq!(answer.header("retry-after"), "1");
            }
            answer.status.as_u16()
        }
    });
    futures::future::join_all(requests).await
}

/// Asks until everything is answered again.
async fn recover(app: &AppCredentials) {
    let began = Instant::now();
    while statuses(app).await.iter().any(|status| *status != 200) {
        assert!(began.elapsed() < RECOVERED, "{:?}", began.elapsed());
    }
}

#[test]
fn a_stalled_postgres_costs_503_and_the_node_is_as_before_when_it_goes_on() {
    run_on_postgres(async |installation: Installation| {
        let (proxy, _server, app) = server(installation).await;
        for _ in 0..2 {
            proxy.stall();
            let refused = statuses(&app).await;
            assert!(refused.iter().all(|status| *status == 503), "{refused:?}");
            // Nobody gets through, and nobody waits longer than the first ones.
            let refused = statuses(&app).await;
            assert!(refused.iter().all(|status| *status == 503), "{refused:?}");
            proxy.go_on();
            recover(&app).await;
        }
    });
}

#[test]
fn a_stalled_postgres_costs_503_by_the_deadlines_that_a_service_has_when_nobody_says() {
    run_on_postgres(async |mut installation: Installation| {
        let proxy = installation.behind_a_proxy().await;
        let server = TestServer::start_on(installation, Clock::system());
        let app = server.app(&[Scope::PlatformRead]).await;
        proxy.stall();
        let began = Instant::now();
        let answer = app.tenancy.get("/v1/platform/apps").await;
        answer.expect_error(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
        let Deadlines { check_out, work, .. } = Deadlines::default();
        assert!(began.elapsed() < check_out + work + LATE, "{:?}", began.elapsed());
    });
}

#[test]
fn a_write_that_finds_sqlite_locked_is_503_and_succeeds_once_it_is_free() {
    run(async {
        let mut installation = Installation::sqlite();
        installation.settings.store.deadlines = SHORT;
        let server = TestServer::start_on(installation, Clock::system());
        let app = server.app(&[Scope::PlatformRead]).await;
        let rotate = async || app.tenancy.post_nothing(&app.path("/rotate-secret")).await;
        let mut other = server.connect();
        sql::execute(&mut other, "BEGIN IMMEDIATE").unwrap();
        let began = Instant::now();
        let answer = rotate().await;
        answer.expect_error(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
        assert!(began.elapsed() < ANSWERED, "{:?}", began.elapsed());
        app.tenancy.get("/v1/platform/apps").await.expect(200);
        sql::execute(&mut other, "ROLLBACK").unwrap();
        rotate().await.expect(200);
    });
}

#[test]
fn connections_of_postgres_that_never_answer_again_are_replaced_and_closed() {
    run_on_postgres(async |installation: Installation| {
        let (proxy, _server, app) = server(installation).await;
        proxy.swallow();
        let statuses = statuses(&app).await;
        assert!(statuses.contains(&503), "{statuses:?}");
        recover(&app).await;
        // No thread is left behind with one of them: those for requests, the machinery's, and the one that listens.
        proxy.await_open_at_most(16 + 3 + 1);
    });
}

#[test]
fn a_server_that_accepts_and_never_answers_does_not_hold_a_start_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://argus@{}/argus", silent.local_addr().unwrap());
    let directory = tempfile::TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let began = Instant::now();
    let ended = argus(binary(), &data_dir, &["migrate", "--database-url", &url]);
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.starts_with("argus: cannot connect to the database") && said.contains("timeout"), "{said}");
    assert!(began.elapsed() < RECOVERED, "{:?}", began.elapsed());
}

#[test]
fn a_statement_of_postgres_ends_at_its_deadline_and_the_work_at_its_own() {
    run_on_postgres(async |mut installation: Installation| {
        // So much longer that the statement's comes first on a busy machine as well.
        installation.settings.store.deadlines = Deadlines { work: Duration::from_secs(6), ..SHORT };
        let identity = installation.identity();
        let admin = admin(&identity).await;
        let began = Instant::now();
        let long =
            |reader: &mut Reader<'_>| Ok::<_, Error>(sql::execute(reader.parts().0, "SELECT pg_sleep(60)")?);
        let error = identity.store().read(&admin, long).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.to_string().contains("statement timeout"), "{error}");
        let many = |tx: &mut Tx<'_>| {
            audit::append(tx, "app.secret.rotate", "app_1")?;
            for _ in 0..100 {
                sql::execute(tx.parts().0, "SELECT pg_sleep(0.3)")?;
            }
            Ok(())
        };
        let argus_core::Error::Store(error) = identity.store().write(&admin, many).await.unwrap_err() else {
            panic!("a fault of the store")
        };
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(began.elapsed() < ANSWERED, "{:?}", began.elapsed());
        let events = |reader: &mut Reader<'_>| Ok::<_, Error>(audit::list(reader, 100)?);
        assert_eq!(
            identity.store().read(&admin, events).await.unwrap().len(),
            1,
            "nothing of what was cut off"
        );
    });
}

#[test]
fn a_statement_of_postgres_that_takes_too_long_costs_nobody_a_connection() {
    run_on_postgres(async |mut installation: Installation| {
        installation.settings.store.deadlines = Deadlines { work: Duration::from_secs(6), ..SHORT };
        installation.settings.store.connections.requests = 1;
        let identity = installation.identity();
        let admin = admin(&identity).await;
        let session = |reader: &mut Reader<'_>| {
            Ok::<_, Error>(sql::lines(reader.parts().0, "SELECT pg_backend_pid()::text AS line")?)
        };
        let before = identity.store().read(&admin, session).await.unwrap();
        let long =
            |reader: &mut Reader<'_>| Ok::<_, Error>(sql::execute(reader.parts().0, "SELECT pg_sleep(60)")?);
        identity.store().read(&admin, long).await.unwrap_err();
        assert_eq!(identity.store().read(&admin, session).await.unwrap(), before);
        // One whose session has ended is replaced.
        let end = format!("SELECT pg_terminate_backend({})", before[0]);
        sql::execute(&mut installation.connect(), &end).unwrap();
        let lost = identity.store().read(&admin, session).await.unwrap_err();
        assert_eq!(lost.kind(), Kind::Unavailable, "{lost}");
        assert_ne!(identity.store().read(&admin, session).await.unwrap(), before);
    });
}

async fn reads_are_served_while_writers_wait(mut installation: Installation) {
    installation.settings.store.connections.requests = 4;
    let is_sqlite = installation.is_sqlite();
    let identity = installation.identity();
    let admin = admin(&identity).await;
    // On PostgreSQL writers of different rows do not wait for each other, so that one row is held.
    let mut other = installation.connect();
    sql::execute(&mut other, if is_sqlite { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE audit_events" })
        .unwrap();
    let writers: Vec<_> = (0..if is_sqlite { 8 } else { 3 })
        .map(|_| {
            let (store, admin) = (identity.store().clone(), admin.clone());
            tokio::spawn(async move {
                store.write(&admin, |tx: &mut Tx<'_>| audit::append(tx, "app.secret.rotate", "app_1")).await
            })
        })
        .collect();
    let names = |reader: &mut Reader<'_>| {
        Ok::<_, Error>(sql::lines(reader.parts().0, "SELECT name AS line FROM tenants")?)
    };
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(identity.store().read(&admin, names).await.unwrap(), ["Example tenant"]);
        assert_eq!(identity.store().read_row(&admin, names).await.unwrap(), ["Example tenant"]);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    assert!(writers.iter().all(|writer| !writer.is_finished()), "they wait");
    sql::execute(&mut other, "ROLLBACK").unwrap();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
}

async fn a_write_that_was_answered_with_503_is_not_committed_afterwards(mut installation: Installation) {
    installation.settings.store.deadlines = SHORT;
    let is_sqlite = installation.is_sqlite();
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let told = Arc::new(Barrier::new(2));
    let slow = {
        let told = Arc::clone(&told);
        move |tx: &mut Tx<'_>| {
            audit::append(tx, "app.secret.rotate", "app_1")?;
            told.wait();
            Ok::<_, argus_core::Error>(())
        }
    };
    identity.store().write(&admin, slow).await.unwrap_err();
    told.wait();
    // Granted once the transaction is over.
    let mut other = installation.connect();
    let lock = if is_sqlite { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE audit_events" };
    look_for(|| sql::execute(&mut other, lock).ok()).unwrap();
    let entries = "SELECT subject AS line FROM audit_events WHERE action = 'app.secret.rotate'";
    assert!(sql::lines(&mut other, entries).unwrap().is_empty());
}

async fn a_look_up_and_a_read_cannot_write(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let rename = "UPDATE tenants SET name = 'Another'";
    let look_up = move |connection: &mut AnyConnection| Ok::<_, Error>(sql::execute(connection, rename)?);
    let read = move |reader: &mut Reader<'_>| Ok::<_, Error>(sql::execute(reader.parts().0, rename)?);
    let store = identity.store();
    for outcome in
        [store.look_up(look_up).await, store.read(&admin, read).await, store.read_row(&admin, read).await]
    {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), Kind::Permanent);
        assert!(error.to_string().replace('-', "").contains("readonly"), "{error}");
    }
    // The connections are as good as new.
    store.write(&admin, |tx: &mut Tx<'_>| audit::append(tx, "app.secret.rotate", "app_1")).await.unwrap();
}

//! Connections: who waits for whom, for how long, and where the work runs.

use crate::identity::support::admin;
use argus_core::context::{Context, Live};
use argus_core::store::{AnyConnection, Connections, Error, Kind, Reader, Store, Tx};
use argus_core::{Clock, audit};
use argus_openapi::types::scopes::Scope;
use argus_tests::{Installation, Reach, TestServer, on_both_engines, run_on_postgres, sql};
use http::Method;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

on_both_engines! {
    when_every_connection_is_busy_the_answer_is_unavailable
    a_token_request_that_finds_no_connection_is_told_to_come_again
    requests_are_served_while_every_worker_connection_is_held
    a_read_of_a_row_runs_in_place_on_sqlite_alone
    a_read_of_a_row_goes_to_the_pool_when_the_database_is_busy
    a_read_of_a_row_goes_to_the_pool_when_no_connection_is_free
}

/// How long it may take to get every connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads that hold connections until they are told to end.
struct Held {
    end: Vec<mpsc::Sender<()>>,
    reads: Vec<JoinHandle<Result<bool, Error>>>,
}

impl Held {
    /// Holds as many connections for reading, and returns when it has them.
    async fn all(store: &Store, context: &Context<Live>, connections: u32) -> Self {
        let (started, all_started) = mpsc::channel();
        let mut held = Self { end: Vec::new(), reads: Vec::new() };
        for _ in 0..connections {
            let (end, ended) = mpsc::channel::<()>();
            let (store, context, started) = (store.clone(), context.clone(), started.clone());
            let ended = Arc::new(Mutex::new(ended));
            held.end.push(end);
            held.reads.push(tokio::spawn(async move {
                loop {
                    let (started, ended) = (started.clone(), Arc::clone(&ended));
                    let work = move |_: &mut Reader<'_>| {
                        started.send(()).unwrap();
                        Ok::<_, Error>(ended.lock().unwrap().recv().is_err())
                    };
                    match store.read(&context, work).await {
                        // Opening the connection took longer than a request waits for one.
                        Err(error) if error.is_transient() => {}
                        outcome => return outcome,
                    }
                }
            }));
        }
        drop(started);
        let wait = move || (0..connections).for_each(|_| all_started.recv_timeout(PATIENCE).unwrap());
        tokio::task::spawn_blocking(wait).await.unwrap();
        held
    }

    async fn release(self) {
        drop(self.end);
        for read in self.reads {
            assert!(read.await.unwrap().unwrap());
        }
    }
}

/// A server that does not wait long for a connection. It has a first one, which takes longer than that to make on a
/// busy machine.
async fn impatient(mut installation: Installation) -> TestServer {
    installation.settings.store.deadlines.check_out = Duration::from_millis(100);
    let server = TestServer::start_on(installation, Clock::system());
    let began = Instant::now();
    while let Err(error) = server.state().database.requests.ping().await {
        assert!(began.elapsed() < PATIENCE, "{error}");
    }
    server
}

async fn when_every_connection_is_busy_the_answer_is_unavailable(installation: Installation) {
    let server = impatient(installation).await;
    let tenancy = server.tenant().await;
    let store = &server.state().database.requests;
    let context = admin(&server.state().identity).await;
    let held = Held::all(store, &context, Connections::default().requests).await;
    let busy =
        [store.ping().await.unwrap_err(), store.read(&context, |_| Ok::<_, Error>(())).await.unwrap_err()];
    for error in busy {
        assert_eq!((error.kind(), error.is_transient()), (Kind::Unavailable, true), "{error}");
    }
    let answer = tenancy.get("/v1/platform/apps").await;
    answer.expect_error(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    held.release().await;
    store.ping().await.unwrap();
    store.read(&context, |_| Ok::<_, Error>(())).await.unwrap();
    tenancy.get("/v1/platform/apps").await.expect(200);
}

async fn a_token_request_that_finds_no_connection_is_told_to_come_again(mut installation: Installation) {
    installation.settings.store.connections.requests = 1;
    let finds_in_place = installation.is_sqlite();
    let server = impatient(installation).await;
    let app = server.app(&[Scope::PlatformRead]).await;
    let store = server.state().database.requests.clone();
    let context = admin(&server.state().identity).await;
    let held = Held::all(&store, &context, 1).await;
    let (reach, runtime) = (Reach::clone(&server), Handle::current());
    let asking = app.clone();
    let ask = move || {
        let (reach, runtime, app) = (reach.clone(), runtime.clone(), asking.clone());
        let asked = thread::spawn(move || {
            runtime.block_on(reach.token_request(&[("grant_type", "client_credentials")], app.basic()))
        });
        asked.join().unwrap()
    };
    let answer = if finds_in_place {
        // Inside of a read that has the only connection for reads in place.
        store.read_row(&context, move |_| Ok::<_, Error>(ask())).await.unwrap()
    } else {
        tokio::task::spawn_blocking(ask).await.unwrap()
    };
    assert_eq!(answer.expect(503).text("error"), "temporarily_unavailable");
    held.release().await;
    app.live_token(&[]).await;
}

async fn requests_are_served_while_every_worker_connection_is_held(installation: Installation) {
    let server = impatient(installation).await;
    let database = &server.state().database;
    let context = admin(&server.state().identity).await;
    let held = Held::all(&database.workers, &context, Connections::default().workers).await;
    assert_eq!(database.workers.ping().await.unwrap_err().kind(), Kind::Unavailable);
    let app = server.app(&[Scope::PlatformRead]).await;
    let token = app.live_token(&[]).await;
    let path = app.path("");
    app.tenancy.get(&path).await.expect(200);
    app.tenancy.get("/v1/platform/apps").await.expect(200);
    let answer = server.send(
        server.request(argus_openapi::Host::Auth, Method::GET, "/v1/platform/scopes").bearer_auth(token),
    );
    answer.await.expect(200);
    let nothing = |_: &mut AnyConnection| Ok::<_, argus_core::store::Error>(());
    database.deliveries.run(nothing).await.unwrap();
    held.release().await;
    database.workers.ping().await.unwrap();
}

#[test]
fn a_listener_has_a_postgres_connection_of_its_own_and_receives_what_others_notify() {
    run_on_postgres(async |mut installation: Installation| {
        installation.settings.store.deadlines.check_out = Duration::from_millis(500);
        let (database, identity) = installation.database_and_identity();
        let context = admin(&identity).await;
        let listener = database.listener.clone().unwrap();
        let mut notifications = listener.listen(&["jobs", "with \"quotes\""]).await.unwrap();
        let held = Held::all(&database.requests, &context, Connections::default().requests).await;
        let mut other = installation.connect();
        for (channel, payload) in [("jobs", "1"), ("with \"quotes\"", ""), ("jobs", "2")] {
            let quoted = channel.replace('"', "\"\"");
            let notify = format!("NOTIFY \"nobody's\", 'x'; NOTIFY \"{quoted}\", '{payload}'");
            sql::execute(&mut other, &notify).unwrap();
            let received = tokio::time::timeout(PATIENCE, notifications.next()).await.unwrap().unwrap();
            assert_eq!((received.channel.as_str(), received.payload.as_str()), (channel, payload));
        }
        held.release().await;
        // It is one connection, and who listens has it.
        assert_eq!(listener.listen(&["jobs"]).await.err().unwrap().kind(), Kind::Unavailable);
        drop(notifications);
        let mut notifications = listener.listen(&["more"]).await.unwrap();
        sql::execute(&mut other, "NOTIFY jobs, '3'; NOTIFY more, '4'").unwrap();
        assert_eq!(tokio::time::timeout(PATIENCE, notifications.next()).await.unwrap().unwrap().payload, "4");
        // Who is cut off learns it at once.
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE application_name = current_setting('application_name') AND query LIKE '%LISTEN \"more\"'";
        sql::execute(&mut other, end).unwrap();
        let lost = tokio::time::timeout(PATIENCE, notifications.next()).await.unwrap().unwrap_err();
        assert_eq!(lost.kind(), Kind::Unavailable, "{lost}");
    });
}

/// The threads that a read of a row ran on, one an attempt. The first attempt fails as `first` says.
async fn threads(
    store: &Store,
    context: &Context<Live>,
    first: impl Fn() -> Result<(), Error> + Send + 'static,
) -> Vec<ThreadId> {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&threads);
    let work = move |reader: &mut Reader<'_>| {
        let is_first = {
            let mut noted = noted.lock().unwrap();
            noted.push(thread::current().id());
            noted.len() == 1
        };
        if is_first {
            first()?;
        }
        Ok::<_, Error>(audit::list(reader, 1)?)
    };
    assert_eq!(store.read_row(context, work).await.unwrap().len(), 1);
    Arc::into_inner(threads).unwrap().into_inner().unwrap()
}

async fn a_read_of_a_row_runs_in_place_on_sqlite_alone(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let threads = threads(identity.store(), &admin, || Ok(())).await;
    assert_eq!(threads.len(), 1);
    assert_eq!(threads[0] == thread::current().id(), installation.is_sqlite());
}

async fn a_read_of_a_row_goes_to_the_pool_when_the_database_is_busy(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    if !installation.is_sqlite() {
        return;
    }
    let (mut writer, other) = (installation.connect(), Mutex::new(installation.connect()));
    sql::execute(&mut writer, "BEGIN IMMEDIATE").unwrap();
    // What SQLite says to a connection that does not wait.
    sql::execute(&mut other.lock().unwrap(), "PRAGMA busy_timeout = 0").unwrap();
    let busy = move || Ok(sql::execute(&mut other.lock().unwrap(), "BEGIN IMMEDIATE")?);
    let threads = threads(identity.store(), &admin, busy).await;
    assert_eq!(threads.len(), 2);
    assert_eq!(threads[0], thread::current().id());
    assert_ne!(threads[1], thread::current().id());
    sql::execute(&mut writer, "ROLLBACK").unwrap();
}

async fn a_read_of_a_row_goes_to_the_pool_when_no_connection_is_free(mut installation: Installation) {
    installation.settings.store.connections.requests = 1;
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let inner = identity.store().clone();
    let (context, runtime) = (admin.clone(), tokio::runtime::Handle::current());
    let is_sqlite = installation.is_sqlite();
    if !is_sqlite {
        return;
    }
    // Inside of a read that has the only connection for reads in place, another thread asks.
    let work = move |_: &mut Reader<'_>| {
        let (inner, context, runtime) = (inner.clone(), context.clone(), runtime.clone());
        let asked = thread::spawn(move || {
            let here = thread::current().id();
            (here, runtime.block_on(threads(&inner, &context, || Ok(()))))
        });
        let (here, threads) = asked.join().unwrap();
        assert_eq!(threads.len(), 1);
        assert_ne!(threads[0], here, "on the pool");
        Ok::<_, Error>(())
    };
    identity.store().read_row(&admin, work).await.unwrap();
    let append = |tx: &mut Tx<'_>| audit::append(tx, "app.secret.rotate", "app_1");
    identity.store().write(&admin, append).await.unwrap();
}

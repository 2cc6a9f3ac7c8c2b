//! Many writers in many processes, each of which also links, and some of whom change their minds.

use super::{Scene, append_in_vain};
use argus_core::audit::linker::Linker;
use argus_core::audit::{self, Key};
use argus_core::context::{Context, Live};
use argus_core::store::{Database, DatabaseUrl, StoreSettings, Tx};
use argus_core::{Clock, tenants};
use argus_partner::{Identity, IdentitySettings};
use argus_server::service;
use argus_tests::{Installation, on_both_engines, run, sql};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

on_both_engines! {
    fifty_writers_in_four_processes_of_whom_some_roll_back_make_one_chain_without_a_fork
    what_is_read_back_from_the_database_hashes_the_same_to_the_microsecond
    linkers_that_race_for_the_same_entries_link_each_once
}

const DATA_DIR: &str = "ARGUS_TEST_CHILD_DATA_DIR";
const DATABASE_URLS: &str = "ARGUS_TEST_CHILD_DATABASE_URLS";
const TENANT: &str = "ARGUS_TEST_CHILD_TENANT";

const PROCESSES: usize = 4;
/// 52 in all.
const WRITERS: usize = 13;
/// Transactions of each writer; every third one is rolled back.
const EACH: usize = 9;

async fn fifty_writers_in_four_processes_of_whom_some_roll_back_make_one_chain_without_a_fork(
    installation: Installation,
) {
    let scene = Scene::open(installation).await;
    let store = &scene.installation.settings.store;
    let urls = [&store.url].into_iter().chain(&store.worker_url);
    let urls = urls.map(DatabaseUrl::expose).collect::<Vec<_>>().join(" ");
    let processes: Vec<_> = (0..PROCESSES)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "audit::writers::a_process_writes_and_links", "--nocapture"])
                .env(DATA_DIR, scene.installation.data_dir())
                .env(DATABASE_URLS, &urls)
                .env(TENANT, scene.tenant_id())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    scene.link().await;
    let committed = PROCESSES * WRITERS * EACH * 2 / 3 + 1;
    let verdict = scene.verdict().await;
    assert_eq!((verdict.defects, verdict.unlinked), (Vec::new(), 0));
    assert_eq!(usize::try_from(verdict.checked).unwrap(), committed);
    let places = "SELECT CAST(sequence AS TEXT) AS line FROM audit_events ORDER BY sequence";
    let places = sql::lines(&mut scene.installation.connect(), places).unwrap();
    assert_eq!(places, (1..=committed).map(|place| place.to_string()).collect::<Vec<_>>());
    assert!(scene.command(&["audit", "verify"]).status.success());
}

/// On its own it does the same with an installation of its own.
#[test]
fn a_process_writes_and_links() {
    run(async {
        let shared =
            std::env::var_os(DATA_DIR).zip(std::env::var(DATABASE_URLS).ok()).zip(std::env::var(TENANT).ok());
        let Some(((data_dir, urls), tenant)) = shared else {
            let scene = Scene::open(Installation::sqlite()).await;
            write_and_link(&scene.database, Arc::new(scene.identity), &scene.admin).await;
            return;
        };
        let own = Installation::sqlite();
        let mut settings = own.settings.clone();
        settings.identity = IdentitySettings::new(Path::new(&data_dir));
        let mut urls = urls.split(' ').map(|url| DatabaseUrl::from(url.to_owned()));
        settings.store = StoreSettings::new(urls.next().unwrap());
        settings.store.worker_url = urls.next();
        let (database, identity) = service::open(&settings, Clock::system()).unwrap();
        let tenant = tenants::view(identity.store(), &tenant.parse().unwrap()).await.unwrap();
        let operator = tenant.operator(identity.clock());
        write_and_link(&database, Arc::new(identity), &operator).await;
    });
}

async fn write_and_link(database: &Database, identity: Arc<Identity>, context: &Context<Live>) {
    let key = Arc::new(Key::of(identity.pepper()).unwrap());
    let linking = tokio::spawn(Linker::new(database.clone(), key).run());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (identity, context) = (Arc::clone(&identity), context.clone());
            tokio::spawn(async move {
                for index in 0..EACH {
                    if index % 3 == 2 {
                        append_in_vain(&identity, &context).await;
                        continue;
                    }
                    let append = move |tx: &mut Tx<'_>| {
                        audit::append(tx, "app.secret.rotate", &format!("app_{writer}_{index}"))
                    };
                    identity.store().write(&context, append).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    linking.abort();
}

async fn what_is_read_back_from_the_database_hashes_the_same_to_the_microsecond(installation: Installation) {
    let scene = Scene::open(installation).await;
    for micros in [0, 1, 10, 500_000, 123_456, 999_999] {
        let moment = chrono::DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap();
        let mut invocation = scene.admin.invocation().clone();
        invocation.clock = Clock::standing(moment);
        let context = Context::new(invocation, Live);
        let append = |tx: &mut Tx<'_>| audit::append(tx, "app.secret.rotate", "app_\"é\\\u{1}\u{1f600}");
        scene.identity.store().write(&context, append).await.unwrap();
    }
    scene.link().await;
    assert_eq!(scene.defects().await, []);
    let exported = scene.said(&["audit", "export"]);
    for end in ["00Z", "000001Z", "000010Z", "500000Z", "123456Z", "999999Z"] {
        assert!(exported.iter().any(|line| line.contains(end)), "{end}: {exported:?}");
    }
}

async fn linkers_that_race_for_the_same_entries_link_each_once(installation: Installation) {
    let scene = Scene::open(installation).await;
    scene.append(1_200).await;
    let linkers = (0..3).map(|_| {
        let mut linker = scene.linker();
        async move { linker.link_all().await }
    });
    let linked = futures::future::try_join_all(linkers).await.unwrap();
    // One that found another at work has nothing to do; what is left is linked by whoever comes next.
    assert_eq!(linked.iter().sum::<usize>() + scene.link().await, 1_201);
    let verdict = scene.verdict().await;
    assert_eq!((verdict.defects, verdict.checked, verdict.sequence), (Vec::new(), 1_201, 1_201));
}

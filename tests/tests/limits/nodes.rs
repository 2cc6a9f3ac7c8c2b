//! Buckets that several nodes share, on PostgreSQL, and what each does while the database is away.

use super::{LIMIT, address, charge};
use argus_core::limits::{self, Limits, Rate, Rates};
use argus_core::pepper::Pepper;
use argus_core::store::{Database, Deadlines, Error};
use argus_core::{Clock, pepper};
use argus_server::service::PRODUCTS;
use argus_tests::{Installation, on_both_engines, run_on_postgres, sql};
use futures::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};

on_both_engines! {
    a_bucket_that_is_full_again_is_swept_and_no_other
}

#[test]
fn nodes_together_let_through_what_the_bucket_holds() {
    run_on_postgres(together);
}

#[test]
fn a_wait_that_one_node_tells_is_that_of_the_bucket_that_all_share() {
    run_on_postgres(waiting);
}

#[test]
fn the_database_holds_a_row_a_bucket_and_no_address() {
    run_on_postgres(stored);
}

#[test]
fn while_the_database_is_away_each_node_counts_alone_and_shares_again_when_it_is_back() {
    run_on_postgres(away);
}

/// Longer than a database takes that works, on a busy machine.
const PATIENT: Duration = Duration::from_secs(60);
const NEVER: Duration = Duration::from_secs(3_600);
const SOMEBODY: &str = "203.0.113.7";

/// A node with a connection of its own.
struct Node {
    limits: Limits,
    _database: Database,
}

fn pepper(installation: &Installation) -> Result<Arc<Pepper>, pepper::PepperError> {
    Pepper::open(&installation.data_dir()).map(Arc::new)
}

async fn node(installation: &Installation, rate: Rate) -> Node {
    installation.migrate();
    let settings = installation.settings.store.clone();
    let database = tokio::task::spawn_blocking(move || Database::open(&settings, PRODUCTS)).await.unwrap();
    let database = database.unwrap();
    let (pepper, shared) = (pepper(installation).unwrap(), database.limits.clone());
    Node {
        limits: Limits::new(&Rates::of_failures(rate), pepper, Clock::system(), shared),
        _database: database,
    }
}

async fn together(mut installation: Installation) {
    installation.settings.store.deadlines = Deadlines { limits: PATIENT, ..Deadlines::default() };
    let rate = Rate::new(40, NEVER);
    let nodes =
        [node(&installation, rate).await, node(&installation, rate).await, node(&installation, rate).await];
    let charges = (0..150).map(|number| charge(&nodes[number % 3].limits, address(SOMEBODY)));
    let passed = join_all(charges).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(passed, 40);
    // A node that starts anew has no new bucket.
    let another = node(&installation, rate).await;
    let refused = charge(&another.limits, address(SOMEBODY)).await.unwrap_err();
    assert!(refused.retry_after > NEVER / 2 && refused.retry_after <= NEVER, "{refused:?}");
    charge(&another.limits, address("203.0.113.8")).await.unwrap();
}

async fn waiting(mut installation: Installation) {
    installation.settings.store.deadlines = Deadlines { limits: PATIENT, ..Deadlines::default() };
    let interval = Duration::from_millis(200);
    let rate = Rate::new(1, interval);
    let (one, other) = (node(&installation, rate).await, node(&installation, rate).await);
    // On a busy machine a token may be back before anybody looks.
    let began = Instant::now();
    let refused = loop {
        assert!(began.elapsed() < PATIENT, "nobody is refused");
        charge(&one.limits, address(SOMEBODY)).await.ok();
        if let Err(refused) = charge(&other.limits, address(SOMEBODY)).await {
            break refused;
        }
    };
    assert!(refused.retry_after <= interval, "{refused:?}");
    let told = Instant::now();
    while charge(&other.limits, address(SOMEBODY)).await.is_err() {
        assert!(told.elapsed() < PATIENT, "no token comes");
        tokio::task::yield_now().await;
    }
    assert!(told.elapsed() + Duration::from_millis(50) > refused.retry_after, "too early");
}

async fn stored(mut installation: Installation) {
    installation.settings.store.deadlines = Deadlines { limits: PATIENT, ..Deadlines::default() };
    let node = node(&installation, Rate::new(16, NEVER)).await;
    for _ in 0..3 {
        charge(&node.limits, address(SOMEBODY)).await.unwrap();
    }
    let rows = "SELECT name || ' ' || granted || ' ' || length(key) || ' ' || key AS line FROM limit_buckets";
    let rows = sql::lines(&mut installation.connect(), rows).unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].starts_with(&format!("{} 2 32 ", LIMIT.name())), "{rows:?}");
    // The whole of it: a few digits may stand in any key.
    assert!(!rows[0].contains(SOMEBODY), "{rows:?}");
}

async fn away(mut installation: Installation) {
    let proxy = installation.behind_a_proxy().await;
    let patience = Duration::from_millis(50);
    installation.settings.store.deadlines = Deadlines { limits: patience, ..Deadlines::default() };
    let rate = Rate::new(10, NEVER);
    let nodes = [node(&installation, rate).await, node(&installation, rate).await];
    proxy.stall();
    for Node { limits, .. } in &nodes {
        let mut passed = 0;
        while charge(limits, address(SOMEBODY)).await.is_ok() {
            passed += 1;
        }
        assert_eq!(passed, 10);
    }
    proxy.go_on();
    let rows = "SELECT name AS line FROM limit_buckets";
    let mut connection = installation.connect();
    let began = Instant::now();
    let mut number = 0;
    while sql::lines(&mut connection, rows).unwrap().is_empty() {
        assert!(began.elapsed() < PATIENT, "the nodes do not share again");
        number += 1;
        charge(&nodes[0].limits, super::numbered(number)).await.ok();
    }
}

async fn a_bucket_that_is_full_again_is_swept_and_no_other(installation: Installation) {
    let (database, _identity) = installation.database_and_identity();
    let rows = "INSERT INTO limit_buckets (name, key, granted, full_at) \
        VALUES ('a', 'full', 1, 1), ('b', 'full', 1, 2), ('a', 'empty', 1, 9000000000000000)";
    let mut connection = installation.connect();
    sql::execute(&mut connection, rows).unwrap();
    let sweep = || database.every_tenant.run(|connection| Ok::<_, Error>(limits::sweep(connection)?));
    assert_eq!(sweep().await.unwrap(), 2);
    assert_eq!(sweep().await.unwrap(), 0);
    assert_eq!(sql::lines(&mut connection, "SELECT key AS line FROM limit_buckets").unwrap(), ["empty"]);
}

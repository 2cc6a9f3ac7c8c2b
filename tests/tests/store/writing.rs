//! Transactions: whole or not at all, and tried again when another one was in the way.

use crate::identity::support::admin;
use argus_core::store::{Error, Kind, Tx};
use argus_core::{audit, tenants};
use argus_tests::{Installation, on_both_engines, run_on_postgres, run_on_sqlite, sql};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};

on_both_engines! {
    a_failed_transaction_leaves_nothing_behind
    writers_that_read_first_do_not_trip_over_each_other
    work_that_met_another_transaction_is_done_again
}

/// Facts of the tests' own, which no tenant has and every role may change that writes.
const VALUES: &str = "SELECT value AS line FROM installation WHERE name LIKE 'of the test%' ORDER BY name";

const CHANGE: &str = "UPDATE installation SET value = value || '+' WHERE name = 'of the test: fact'";

/// Inserts such facts.
fn record(installation: &Installation, names: &[&str]) {
    for name in names {
        let insert = format!("INSERT INTO installation VALUES ('of the test: {name}', 'new')");
        sql::execute(&mut installation.connect(), &insert).unwrap();
    }
}

async fn a_failed_transaction_leaves_nothing_behind(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    record(&installation, &["fact"]);
    let half = |tx: &mut Tx<'_>| {
        audit::append(tx, "app.create", "app_half")?;
        sql::execute(tx.parts().0, CHANGE)?;
        assert_eq!(sql::lines(tx.parts().0, VALUES)?, ["new+"]);
        assert_eq!(audit::list(tx, 100)?.len(), 2);
        Err::<(), _>(argus_core::Error::Invalid("changed my mind".to_owned()))
    };
    let error = identity.store().write(&admin, half).await.unwrap_err();
    assert!(matches!(&error, argus_core::Error::Invalid(text) if text == "changed my mind"), "{error}");
    let events = |reader: &mut argus_core::store::Reader<'_>| Ok::<_, Error>(audit::list(reader, 100)?);
    assert_eq!(identity.store().read(&admin, events).await.unwrap().len(), 1);
    assert_eq!(sql::lines(&mut installation.connect(), VALUES).unwrap(), ["new"]);
    // The connection is as good as new.
    tenants::create(identity.store(), identity.clock(), &"Another".parse().unwrap()).await.unwrap();
}

async fn writers_that_read_first_do_not_trip_over_each_other(installation: Installation) {
    let (database, identity) = installation.database_and_identity();
    let admin = admin(&identity).await;
    let writers: Vec<_> = (0..24)
        .map(|index| {
            // Of either kind of work, which have no connection in common.
            let store = if index % 2 == 0 { database.requests.clone() } else { database.workers.clone() };
            let admin = admin.clone();
            tokio::spawn(async move {
                let work = move |tx: &mut Tx<'_>| {
                    audit::list(tx, 100)?;
                    audit::append(tx, "app.secret.rotate", &format!("app_{index}"))
                };
                store.write(&admin, work).await
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let events = |reader: &mut argus_core::store::Reader<'_>| Ok::<_, Error>(audit::list(reader, 100)?);
    assert_eq!(database.workers.read(&admin, events).await.unwrap().len(), 1 + 24);
}

async fn work_that_met_another_transaction_is_done_again(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    record(&installation, &["fact"]);
    let (attempts, other) = (Arc::new(AtomicU32::new(0)), Mutex::new(installation.connect()));
    let is_sqlite = installation.is_sqlite();
    if is_sqlite {
        sql::execute(&mut other.lock().unwrap(), "PRAGMA busy_timeout = 0").unwrap();
    }
    let counted = Arc::clone(&attempts);
    let work = move |tx: &mut Tx<'_>| {
        let is_first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        let mut other = other.lock().unwrap();
        if is_sqlite {
            audit::append(tx, "app.secret.rotate", "app_1")?;
            if is_first {
                // Real work on a second database file would meet the same: the lock of another writer.
                sql::execute(&mut other, "BEGIN IMMEDIATE")?;
            }
        } else {
            sql::execute(tx.parts().0, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
            audit::append(tx, "app.secret.rotate", "app_1")?;
            if is_first {
                sql::execute(&mut other, CHANGE)?;
            }
            sql::execute(tx.parts().0, CHANGE)?;
        }
        Ok::<_, argus_core::Error>(())
    };
    identity.store().write(&admin, work).await.unwrap();
    assert_eq!(attempts.load(Ordering::Relaxed), 2);
    let events = |reader: &mut argus_core::store::Reader<'_>| Ok::<_, Error>(audit::list(reader, 100)?);
    assert_eq!(identity.store().read(&admin, events).await.unwrap().len(), 2, "once, not twice");
}

/// Two writers that each hold what the other one wants.
#[test]
fn two_writers_that_wait_for_each_other_both_end_on_postgres() {
    run_on_postgres(async |installation: Installation| {
        let identity = installation.identity();
        let [first, second] = [admin(&identity).await, admin(&identity).await];
        record(&installation, &["one", "other"]);
        let both_have_one = Arc::new(Barrier::new(2));
        let attempts = Arc::new(AtomicU32::new(0));
        let writer = |own: &str, others: &str| {
            let change = |name: &str| {
                format!("UPDATE installation SET value = value || '+' WHERE name = 'of the test: {name}'")
            };
            let (own, others) = (change(own), change(others));
            let (barrier, attempts) = (Arc::clone(&both_have_one), Arc::clone(&attempts));
            move |tx: &mut Tx<'_>| {
                let (connection, _) = tx.parts();
                sql::execute(connection, &own)?;
                if attempts.fetch_add(1, Ordering::Relaxed) < 2 {
                    barrier.wait();
                }
                Ok::<_, Error>(sql::execute(connection, &others)?)
            }
        };
        let (one, other) = tokio::join!(
            identity.store().write(&first, writer("one", "other")),
            identity.store().write(&second, writer("other", "one")),
        );
        one.unwrap();
        other.unwrap();
        // Whoever goes again may be faster than the one that was waiting, and they meet once more.
        assert!(attempts.load(Ordering::Relaxed) >= 3, "one of them went twice");
        assert_eq!(sql::lines(&mut installation.connect(), VALUES).unwrap(), ["new++", "new++"]);
    });
}

#[test]
fn a_full_sqlite_file_is_out_of_reach_until_there_is_room() {
    run_on_sqlite(async |installation: Installation| {
        let identity = installation.identity();
        let admin = admin(&identity).await;
        let pages = |most: &str| {
            let sql = format!("PRAGMA max_page_count = {most}");
            move |connection: &mut argus_core::store::AnyConnection| sql::execute(connection, &sql)
        };
        let (no_more, many) = (pages("1"), pages("1000000"));
        let fill = move |tx: &mut Tx<'_>| {
            no_more(tx.parts().0)?;
            for index in 0..1_000 {
                audit::append(tx, "app.secret.rotate", &format!("app_{index}"))?;
            }
            Ok(())
        };
        let argus_core::Error::Store(error) = identity.store().write(&admin, fill).await.unwrap_err() else {
            panic!("a fault of the store")
        };
        assert_eq!((error.kind(), error.is_transient()), (Kind::Unavailable, true), "{error}");
        let append = move |tx: &mut Tx<'_>| {
            many(tx.parts().0)?;
            audit::append(tx, "app.secret.rotate", "app_1")
        };
        identity.store().write(&admin, append).await.unwrap();
        let events = |reader: &mut argus_core::store::Reader<'_>| Ok::<_, Error>(audit::list(reader, 2_000)?);
        assert_eq!(identity.store().read(&admin, events).await.unwrap().len(), 2, "nothing of what failed");
    });
}

/// SQLite's own lock, which another process holds for longer than anybody waits.
#[test]
fn a_writer_that_never_gets_its_turn_gives_up_and_may_try_later_on_sqlite() {
    run_on_sqlite(async |installation: Installation| {
        let (database, identity) = installation.database_and_identity();
        let admin = admin(&identity).await;
        let impatient =
            |tx: &mut Tx<'_>| Ok::<_, Error>(sql::execute(tx.parts().0, "PRAGMA busy_timeout = 0")?);
        database.workers.write(&admin, impatient).await.unwrap();
        let (other, _) = installation.database_and_identity();

        let (holds, is_held) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let ended = Mutex::new(ended);
        let holder = tokio::spawn({
            let (store, admin) = (other.requests.clone(), admin.clone());
            async move {
                let hold = move |_: &mut Tx<'_>| {
                    holds.send(()).unwrap();
                    Ok::<_, Error>(ended.lock().unwrap().recv().is_err())
                };
                store.write(&admin, hold).await
            }
        });
        tokio::task::spawn_blocking(move || is_held.recv().unwrap()).await.unwrap();
        let append = |tx: &mut Tx<'_>| audit::append(tx, "app.secret.rotate", "app_1");
        let error = database.workers.write(&admin, append).await.unwrap_err();
        let argus_core::Error::Store(error) = error else { panic!("{error}") };
        assert_eq!((error.kind(), error.is_transient()), (Kind::Conflict, true));
        drop(end);
        assert!(holder.await.unwrap().unwrap());
        database.workers.write(&admin, append).await.unwrap();
    });
}

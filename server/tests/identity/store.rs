//! The store itself: transactions, waiting for connections, and databases that cannot be opened.

use crate::engine::{Surroundings, admin, run};
use argus_openapi::types::error::ErrorCode;
use argus_server::identity::{Identity, IdentityError, tenants};
use argus_server::problem::Problem;
use argus_server::store::{Store, StoreError, tenants as rows};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

on_both_engines! {
    a_failed_transaction_leaves_nothing_behind
    writers_that_read_first_do_not_trip_over_each_other
    when_every_connection_is_busy_the_answer_is_unavailable
    a_data_directory_with_another_pepper_is_refused
}

async fn a_failed_transaction_leaves_nothing_behind(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let tenant = rows::NewTenant {
        tenant_id: "tnt_half".to_owned(),
        organization_id: "org_half".to_owned(),
        name: "Half".to_owned(),
        created_at: argus_server::store::now(),
    };
    let outcome: Result<(), Problem> = identity
        .store()
        .run(move |connection| {
            connection.write(|connection| {
                rows::insert(connection, &tenant)?;
                assert!(rows::find(connection, Some("tnt_half"))?.is_some());
                Err(Problem::invalid("changed my mind"))
            })
        })
        .await;
    assert_eq!(outcome.unwrap_err().message, "changed my mind");
    assert_eq!(tenants::first(&identity).await.unwrap(), None);
    // The connection is as good as new.
    admin(&identity).await;
}

async fn writers_that_read_first_do_not_trip_over_each_other(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let writers: Vec<_> = (0..24)
        .map(|index| {
            let store = identity.store().clone();
            tokio::spawn(async move {
                store
                    .run(move |connection| {
                        connection.write(|connection| {
                            rows::find(connection, None)?;
                            let tenant = rows::NewTenant {
                                tenant_id: format!("tnt_{index}"),
                                organization_id: format!("org_{index}"),
                                name: "Tenant".to_owned(),
                                created_at: argus_server::store::now(),
                            };
                            Ok::<_, Problem>(rows::insert(connection, &tenant)?)
                        })
                    })
                    .await
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
}

async fn when_every_connection_is_busy_the_answer_is_unavailable(surroundings: Surroundings) {
    surroundings.identity();
    let store = Store::open(&surroundings.settings.database_url).unwrap();
    let store = store.with_checkout_timeout(Duration::from_millis(20));
    let (started, all_started) = mpsc::channel();
    let mut finish = Vec::new();
    let mut busy = Vec::new();
    for _ in 0..store.connections() {
        let (send, wait) = mpsc::channel::<()>();
        finish.push(send);
        let (store, started) = (store.clone(), started.clone());
        busy.push(tokio::spawn(async move {
            store
                .run(move |_| {
                    started.send(()).unwrap();
                    Ok(wait.recv().is_err())
                })
                .await
        }));
    }
    for _ in 0..store.connections() {
        all_started.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    let problem = store.ping().await.unwrap_err();
    assert_eq!(problem.code, ErrorCode::Unavailable);
    assert!(problem.headers.iter().any(|(name, _)| name.as_str() == "retry-after"));
    assert_eq!(store.read(|_| Ok(())).await.unwrap_err().code, ErrorCode::Unavailable);
    drop(finish);
    for work in busy {
        assert!(work.await.unwrap().unwrap());
    }
    store.ping().await.unwrap();
    store.read(|_| Ok(())).await.unwrap();
}

async fn a_data_directory_with_another_pepper_is_refused(surroundings: Surroundings) {
    drop(surroundings.identity());
    let pepper = surroundings.settings.data_dir.join("secret_pepper");
    let original = fs::read(&pepper).unwrap();
    fs::remove_file(&pepper).unwrap();
    let error = Identity::open(surroundings.settings.clone()).unwrap_err();
    assert!(matches!(error, IdentityError::ForeignPepper(_)), "{error}");
    fs::write(&pepper, original).unwrap();
    drop(Identity::open(surroundings.settings.clone()).unwrap());
}

#[test]
fn a_file_that_is_not_a_database_is_named_and_left_as_it_was() {
    let surroundings = Surroundings::sqlite();
    let path = surroundings.path().join("notes.db");
    let content = "these are notes, and not a database at all\n".repeat(200);
    fs::write(&path, &content).unwrap();
    for result in
        [Store::open(path.to_str().unwrap()).map(drop), Store::migrate(path.to_str().unwrap()).map(drop)]
    {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}");
        assert!(error.to_string().contains("notes.db"), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
}

#[test]
fn a_damaged_database_is_named_and_left_as_it_was() {
    let surroundings = Surroundings::sqlite();
    let path = surroundings.path().join("argus.db");
    let url = format!("sqlite://{}", path.display());
    Store::migrate(&url).unwrap();
    let mut content = fs::read(&path).unwrap();
    content[100..].fill(0xa5);
    fs::write(&path, &content).unwrap();
    let error = Store::open(&url).unwrap_err();
    assert!(error.to_string().contains("argus.db"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), content);
}

#[test]
fn a_pepper_that_is_damaged_is_named_and_left_as_it_was() {
    let surroundings = Surroundings::sqlite();
    drop(surroundings.identity());
    let path = surroundings.settings.data_dir.join("secret_pepper");
    for content in ["", "short", "!!!!", "c2hvcnQ\n"] {
        fs::write(&path, content).unwrap();
        let error = Identity::open(surroundings.settings.clone()).unwrap_err();
        assert!(matches!(error, IdentityError::Pepper(_)), "{error}");
        assert!(error.to_string().contains("secret_pepper"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn everything_that_is_kept_is_owner_only() {
    run(async {
        let surroundings = Surroundings::sqlite();
        let identity = surroundings.identity();
        admin(&identity).await;
        let data = &surroundings.settings.data_dir;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let mut seen = Vec::new();
        for directory in [data.clone(), data.join("keys")] {
            assert_eq!(mode(&directory), 0o700, "{directory:?}");
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    assert_eq!(mode(&path), 0o600, "{path:?}");
                    seen.push(path.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        for name in ["argus.db", "argus.db-wal", "argus.db-shm", "secret_pepper", "manifest.json"] {
            assert!(seen.iter().any(|file| file == name), "{name} is not among {seen:?}");
        }
        assert!(seen.iter().any(|file| file.ends_with(".pem")));
    });
}

#[test]
fn a_database_file_that_others_could_read_is_made_owner_only() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("open.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    Store::migrate(path.to_str().unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn urls_that_name_no_usable_database_are_refused() {
    for url in ["", "sqlite://", ":memory:", "mysql://root@localhost/argus", "file:argus.db?mode=memory"] {
        let error = Store::open(url).unwrap_err();
        assert!(matches!(error, StoreError::Url(_)), "{url}: {error}");
    }
    let directory = TempDir::new().unwrap();
    let error = Store::open(directory.path().to_str().unwrap()).unwrap_err();
    assert!(matches!(error, StoreError::File { .. }), "{error}");
}

#[test]
fn a_server_out_of_reach_is_reported_without_the_password() {
    let error = Store::open("postgres://argus:open-sesame@127.0.0.1:1/argus").unwrap_err();
    assert!(matches!(error, StoreError::Connect(_)), "{error}");
    assert!(!format!("{error} {error:?}").contains("sesame"));
}

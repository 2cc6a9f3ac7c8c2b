//! Database URLs: what they name, what is refused, and that no password is ever shown.

use super::opening::open;
use crate::black_box::support::binary;
use argus_core::store::{DatabaseUrl, OpenError};
use argus_tests::open_command;
use std::fs;
use tempfile::TempDir;

#[test]
fn urls_that_name_no_usable_database_are_refused() {
    for url in ["", "sqlite://", ":memory:", "sqlite::memory:", "file:argus.db?mode=memory"] {
        let error = open(url).unwrap_err();
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error}");
    }
    let directory = TempDir::new().unwrap();
    let error = open(directory.path().to_str().unwrap()).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error}");
}

#[test]
fn a_scheme_that_is_not_known_is_refused_by_its_name() {
    for (url, scheme) in [
        ("mysql://root:hunter2@localhost/argus", "mysql"),
        ("jdbc:postgresql://localhost/argus?password=hunter2", "jdbc"),
        ("postgresql+psycopg://argus:hunter2@localhost/argus", "postgresql+psycopg"),
        ("postgre://argus:hunter2@localhost/argus", "postgre"),
        ("http:/x", "http"),
        ("sqlite3://argus.db", "sqlite3"),
        ("db.example:5432/argus", "db.example"),
    ] {
        let error = open(url).unwrap_err();
        assert!(matches!(error, OpenError::Scheme(_)), "{url}: {error}");
        assert!(error.to_string().contains(&format!("`{scheme}`")), "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
    }
}

/// URLs that name a server in a way that cannot be used, each with a password.
const UNUSABLE: [&str; 38] = [
    "postgres:/argus:hunter2@127.0.0.1:1/argus",
    "postgres:argus:hunter2@127.0.0.1:1/argus",
    "postgres:///argus:hunter2@127.0.0.1:1/argus",
    "postgres:////argus:hunter2@127.0.0.1:1/argus",
    "postgres//argus:hunter2@127.0.0.1:1/argus",
    "//argus:hunter2@127.0.0.1:1/argus",
    "argus:hunter2@127.0.0.1:1/argus",
    ":hunter2@127.0.0.1:1/argus",
    "1argus:hunter2@127.0.0.1:1/argus",
    " postgres://argus:hunter2@127.0.0.1:1/argus",
    "postgres://argus:hunter2@127.0.0.1:1/argus\n",
    "'postgres://argus:hunter2@127.0.0.1:1/argus'",
    "\"postgres://argus:hunter2@127.0.0.1:1/argus\"",
    "<postgres://argus:hunter2@127.0.0.1:1/argus>",
    "sqlite://argus:hunter2@127.0.0.1:1/argus",
    "sqlite:argus:hunter2@127.0.0.1:1/argus",
    "sqlite://argus.db?key=hunter2",
    "postgres://argus:hunter2",
    "postgres://argus:hunter2/argus",
    "postgres://argus:hunter2@hunter2@127.0.0.1:1/argus",
    "postgres://argus:hunter2/x@127.0.0.1:1/argus",
    "postgres://argus:1/hunter2@127.0.0.1:1/argus",
    "postgres://argus:1?hunter2@127.0.0.1:1/argus",
    "postgres://argus:1?password=hunter2@127.0.0.1:1/argus",
    "postgres://argus:hunter2#x@127.0.0.1:1/argus",
    "postgres://argus:hunter2 x@127.0.0.1:1/argus",
    "postgres://argus:hunter2%zz@127.0.0.1:1/argus",
    "postgres://argus:hunter2%00@127.0.0.1:1/argus",
    "postgres://argus:hunter2%@127.0.0.1:1/argus",
    "postgres://argus:hunter2@127.0.0.1:port/argus",
    "postgres://argus:hunter2@[::1/argus",
    "postgres://argus:hunter2@127.0.0.1:1/argus/more",
    "postgres://argus@127.0.0.1:1/argus?password",
    "postgres://argus@127.0.0.1:1/argus?password=hunter2=x",
    "postgres://argus@127.0.0.1:1/argus?hunter2",
    "host=127.0.0.1 port=1 user=argus password=hunter2",
    "user=argus password = hunter2 host = 127.0.0.1",
    "password='hunter2'",
];

#[test]
fn a_url_that_is_meant_for_a_server_makes_no_file_and_its_password_is_not_shown() {
    let directory = TempDir::new().unwrap();
    for url in UNUSABLE {
        let url = DatabaseUrl::from(url.to_owned());
        let error = url.check().unwrap_err();
        assert!(!format!("{error} {error:?} {url:?}").contains("hunter2"), "{}: {error}", url.expose());
        for command in ["migrate", "serve", "dev"] {
            let output = open_command(binary())
                .args([command, "--database-url", url.expose()])
                .current_dir(directory.path())
                .output()
                .unwrap();
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(said.starts_with("argus: ") && !said.contains("hunter2"), "{}: {said}", url.expose());
            assert!(
                fs::read_dir(directory.path()).unwrap().next().is_none(),
                "{} made something",
                url.expose()
            );
        }
    }
}

#[test]
fn a_server_that_cannot_be_used_is_reported_without_the_password_in_whatever_form_it_was_given() {
    for url in [
        "postgres://argus:hunter2@127.0.0.1:1/argus",
        "POSTGRES://argus:hunter2@127.0.0.1:1/argus",
        "postgresql://argus:hunter2@127.0.0.1:1,127.0.0.1:2/argus",
        "postgres://argus:%68unter2@127.0.0.1:1/argus",
        "postgres://hunter2:hunter2@127.0.0.1:1/hunter2",
        "postgres://argus:hunter2@hunter2.invalid/argus",
        "postgres://argus@127.0.0.1:1/argus?password=hunter2",
        "postgres://argus@127.0.0.1:1/argus?sslmode=hunter2&password=hunter2",
        "postgres://argus@127.0.0.1:1/argus?hunter=2&password=hunter2",
        "postgres:///argus?host=127.0.0.1&port=1&password=hunter2",
        "postgres://argus:hunter2@127.0.0.1:99999/argus",
        "postgres://argus:hunter2@127.0.0.1:1/argus?connect_timeout=x",
    ] {
        let error = open(url).unwrap_err();
        assert!(matches!(error, OpenError::Connect(_)), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
    }
}

#[test]
fn an_argument_that_is_not_expected_is_not_repeated_when_it_could_hold_a_password() {
    for arguments in [
        &["migrate", "--database-url=", "postgres://argus:hunter2@db/argus"][..],
        &["serve", "postgres://argus:hunter2@db/argus"],
        &["postgres://argus:hunter2@db/argus"],
        &["serve", "--databaseurl=postgres://argus:hunter2@db/argus"],
        &["keys", "list", "host=db", "password=hunter2"],
    ] {
        let output = open_command(binary()).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with("error: ") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_server_out_of_reach_is_reported_without_the_password() {
    let error = open("postgres://argus:open-sesame@127.0.0.1:1/argus").unwrap_err();
    assert!(matches!(error, OpenError::Connect(_)), "{error}");
    assert!(!format!("{error} {error:?}").contains("sesame"));
}

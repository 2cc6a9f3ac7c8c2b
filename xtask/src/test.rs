//! `cargo xtask test`: every test of the workspace, and no snapshot that no test looks at.

use crate::cargo::{cargo, root};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where the PostgreSQL half of the store suite connects to.
const POSTGRES_URL: &str = "ARGUS_TEST_POSTGRES_URL";
/// Set to make a run without PostgreSQL fail.
const REQUIRE_POSTGRES: &str = "ARGUS_REQUIRE_POSTGRES";

pub fn run() -> ExitCode {
    match test() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask test: {message}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), String> {
    let postgres = std::env::var_os(POSTGRES_URL).is_some();
    if !postgres && std::env::var_os(REQUIRE_POSTGRES).is_some() {
        return Err(format!("{REQUIRE_POSTGRES} is set, but {POSTGRES_URL} is not"));
    }
    let seen = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    cargo(&["test", "--workspace", "--all-features"])
        .env("INSTA_SNAPSHOT_REFERENCES_FILE", seen.path())
        .env("INSTA_UPDATE", "no")
        .env("INSTA_FORCE_PASS", "0")
        .run()?;
    reject_unreferenced(seen.path())?;
    if !postgres {
        eprintln!(
            "\nNOTE: PostgreSQL was NOT tested, only SQLite. To test both:\n  \
             {POSTGRES_URL}=postgres://user@127.0.0.1:5432/postgres cargo xtask test"
        );
    }
    Ok(())
}

/// Fails when a committed snapshot was not looked at by any test of this run.
fn reject_unreferenced(seen: &Path) -> Result<(), String> {
    let explain = |error: io::Error| format!("cannot compare the snapshots: {error}");
    let seen = std::fs::read_to_string(seen).map_err(explain)?;
    let seen: BTreeSet<PathBuf> =
        seen.lines().filter_map(|line| Path::new(line).canonicalize().ok()).collect();
    let mut unreferenced = Vec::new();
    for entry in std::fs::read_dir(root().join("snapshots")).map_err(explain)? {
        let path = entry.and_then(|entry| entry.path().canonicalize()).map_err(explain)?;
        if path.extension().is_some_and(|extension| extension == "snap") && !seen.contains(&path) {
            unreferenced.push(path.display().to_string());
        }
    }
    if unreferenced.is_empty() {
        return Ok(());
    }
    unreferenced.sort();
    Err(format!("no test looks at these snapshots; delete them:\n  {}", unreferenced.join("\n  ")))
}

//! Commands that start at the same moment on one fresh data directory.

use super::support::binary;
use argus_tests::{TestProcess, argus, place_keys};
use std::collections::BTreeSet;
use std::path::PathBuf;
use tempfile::TempDir;

/// What three of these say that run at the same time on one fresh data directory, without repetitions.
fn three_at_once(run: impl Fn(&PathBuf) -> String + Sync) -> BTreeSet<String> {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    place_keys(&data_dir);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| run(&data_dir))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn three_first_starts_of_dev_print_the_same_credentials() {
    let said = three_at_once(|data_dir| {
        let arguments = ["dev", "--data-dir", data_dir.to_str().unwrap()];
        let process = TestProcess::start(binary(), &arguments, TempDir::new().unwrap());
        let stdout = process.stdout();
        let sandbox_token = stdout.lines().find(|line| line.starts_with("export SANDBOX_TOKEN=")).unwrap();
        let members = ["tenant_id", "client_id", "client_secret", "admin_token"];
        format!("{} {sandbox_token}", members.map(|member| process.ready_text(member)).join(" "))
    });
    assert_eq!(said.len(), 1, "{said:#?}");
}

#[test]
fn three_first_tokens_are_for_the_same_tenant() {
    let said = three_at_once(|data_dir| {
        let output = argus(binary(), data_dir, &["token", "--scope", "argus:platform:read"]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let (tenant, _) = stderr.strip_prefix("tenant ").unwrap().split_once(',').unwrap();
        tenant.to_owned()
    });
    assert_eq!(said.len(), 1, "{said:#?}");
}

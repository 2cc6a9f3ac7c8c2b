//! The gate against breaking changes: the contract as it is now must be able to follow the last release.

use crate::releases::{self, Release};
use argus_openapi::compatibility::judge;
use argus_openapi::contract::Contract;
use argus_openapi::publish;
use argus_openapi::types::common::Timestamp;
use serde_json::Value;
use std::path::Path;

/// Fails unless each contract can follow its last release. The error says what breaks, and what to do.
pub(super) fn check(root: &Path, contracts: &[&'static Contract]) -> Result<(), String> {
    contracts.iter().try_for_each(|contract| {
        let next = publish::descriptor(contract).map_err(|error| error.to_string())?;
        follows(root, contract, &next, releases::now())
    })
}

/// Fails unless a document can follow the last release that is kept. Without one there is nothing to be held to,
/// which is a mistake and no freedom.
fn follows(root: &Path, contract: &Contract, next: &Value, now: Timestamp) -> Result<(), String> {
    let (directory, policy) = (contract.publication.files.releases, contract.deprecations.name);
    let Some(Release { version, descriptor }) = releases::last(root, contract)? else {
        return Err(format!("{directory} keeps no release to compare with; cut one: `cargo xtask release`"));
    };
    match releases::stopped(&judge(&descriptor, next, now)?) {
        None => Ok(()),
        Some(lines) => Err(format!(
            "clients of {} {version} would break:\n{lines}\nundo it, or announce it with a sunset in \
             openapi/policy/{policy}, release, and do it when the sunset has come",
            contract.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_openapi::contract::ARGUS;
    use serde_json::json;
    use std::fs;
    use tempfile::TempDir;

    fn descriptor() -> Value {
        serde_json::from_str(ARGUS.documents.json).expect("JSON")
    }

    /// A workspace that keeps this release.
    fn keeping(version: &str, descriptor: &Value) -> TempDir {
        let root = tempfile::tempdir().expect("a temporary directory");
        keep(&root, version, descriptor);
        root
    }

    fn keep(root: &TempDir, version: &str, descriptor: &Value) {
        let directory = root.path().join(ARGUS.publication.files.releases);
        fs::create_dir_all(&directory).expect("a writable directory");
        let mut descriptor = descriptor.clone();
        descriptor["info"]["version"] = json!(version);
        fs::write(directory.join(format!("argus-{version}.json")), descriptor.to_string()).expect("a file");
    }

    fn outcome(root: &TempDir, next: &Value) -> Result<(), String> {
        let now = serde_json::from_value(json!("2026-12-01T00:00:00Z")).expect("a moment");
        follows(root.path(), &ARGUS, next, now)
    }

    fn without_job_list() -> Value {
        let mut next = descriptor();
        next["paths"]["/v1/jobs"].as_object_mut().expect("a path").remove("get");
        next
    }

    #[test]
    fn a_missing_base_fails() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let error = outcome(&root, &descriptor()).expect_err("there is no base");
        assert!(error.contains("openapi/releases keeps no release") && error.contains("cargo xtask release"));
    }

    #[test]
    fn the_same_document_follows_and_a_break_is_named_with_what_to_do() {
        let root = keeping("2026.4.0", &descriptor());
        assert_eq!(outcome(&root, &descriptor()), Ok(()));
        let error = outcome(&root, &without_job_list()).expect_err("an operation is gone");
        for expected in
            ["clients of argus 2026.4.0", "`job_list`: it is gone", "not announced", "deprecations.json"]
        {
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn what_the_last_release_announced_may_go() {
        let mut told = descriptor();
        told["x-argus-deprecations"] = json!([{
            "operation": "job_list",
            "deprecated_at": "2026-06-01T00:00:00Z",
            "sunset_at": "2026-12-01T00:00:00Z",
            "link": "https://partner.example/changes",
            "note": "List them otherwise.",
        }]);
        assert_eq!(outcome(&keeping("2026.4.0", &told), &without_job_list()), Ok(()));
        told["x-argus-deprecations"][0]["sunset_at"] = json!("2026-12-01T00:00:01Z");
        let error = outcome(&keeping("2026.4.0", &told), &without_job_list()).expect_err("too early");
        assert!(error.contains("announced for 2026-12-01T00:00:01"), "{error}");
    }

    #[test]
    fn the_last_release_is_the_one_with_the_highest_version_and_not_the_last_name() {
        let root = keeping("2026.9.0", &descriptor());
        keep(&root, "2026.10.0", &without_job_list());
        assert_eq!(outcome(&root, &without_job_list()), Ok(()));
    }

    #[test]
    fn a_release_that_is_none_is_named() {
        let root = keeping("2026.4.0", &descriptor());
        let directory = root.path().join(ARGUS.publication.files.releases);
        fs::write(directory.join("argus-2026.5.0.json"), "{").expect("a file");
        let error = outcome(&root, &descriptor()).expect_err("no JSON");
        assert!(error.contains("argus-2026.5.0.json"), "{error}");
        fs::write(directory.join("argus-2026.5.0.json"), descriptor().to_string()).expect("a file");
        let error = outcome(&root, &descriptor()).expect_err("another version");
        assert!(error.contains("its `info.version` is"), "{error}");
        fs::remove_file(directory.join("argus-2026.5.0.json")).expect("a file");
        fs::write(directory.join("notes.txt"), "").expect("a file");
        let error = outcome(&root, &descriptor()).expect_err("another file");
        assert!(error.contains("notes.txt is no release"), "{error}");
    }
}

//! `cargo xtask release`: keeps the descriptor as the release of its version, and writes a section of the changelog
//! from what it changes. The version is that of `[workspace.package]` in `Cargo.toml`.

use crate::cargo::root;
use crate::releases::{self, Release};
use argus_openapi::compatibility::{Judged, judge};
use argus_openapi::contract::{ARGUS, Contract};
use argus_openapi::publish::{self, sort};
use argus_openapi::types::common::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

/// What the changelog begins with.
const HEAD: &str = "# Changelog\n\nWhat each release of the contract changes for partners. `cargo xtask release` writes it.\n";

/// Runs the command.
pub(crate) fn run() -> ExitCode {
    let descriptor = publish::descriptor(&ARGUS).map_err(|error| error.to_string());
    match descriptor.and_then(|descriptor| cut(&root(), &ARGUS, &descriptor, releases::now())) {
        Ok(written) if written.is_empty() => {
            eprintln!("release: {} {} is kept already", ARGUS.name, ARGUS.version);
            ExitCode::SUCCESS
        }
        Ok(written) => {
            written.iter().for_each(|path| eprintln!("written: {}", path.display()));
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("release: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Keeps a descriptor as the release of its version; the files that were written, none if it is kept already.
fn cut(root: &Path, contract: &Contract, next: &Value, now: Timestamp) -> Result<Vec<PathBuf>, String> {
    const RAISE: &str = "raise `version` below `[workspace.package]` in Cargo.toml, run `cargo xtask regen`";
    let version = releases::version(next["info"]["version"].as_str().unwrap_or_default())?;
    let path = releases::path(contract, &version);
    let text = sort::json(next).map_err(|error| error.to_string())?;
    match fs::read_to_string(root.join(&path)) {
        Ok(kept) if kept == text => return Ok(Vec::new()),
        Ok(_) => return Err(format!("{} holds another content; {RAISE}", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(format!("{}: {error}", path.display())),
    }
    let section = match releases::last(root, contract)? {
        None => format!("## {version}\n\nThe first release that is kept.\n"),
        Some(Release { version: last, .. }) if last > version => {
            return Err(format!("{last} is kept, and {version} lies before it; {RAISE}"));
        }
        Some(Release { version: last, descriptor }) => {
            let judged = judge(&descriptor, next, now)?;
            if let Some(lines) = releases::stopped(&judged) {
                return Err(format!("clients of {last} would break:\n{lines}"));
            }
            section(&version.to_string(), &judged, announced(contract, &descriptor, next))
        }
    };
    let changelog = PathBuf::from(contract.publication.files.changelog);
    let before = match fs::read_to_string(root.join(&changelog)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => HEAD.to_owned(),
        Err(error) => return Err(format!("{}: {error}", changelog.display())),
    };
    let older = before.strip_prefix(HEAD).ok_or_else(|| {
        format!("{} does not begin as this command writes it; mend its head", changelog.display())
    })?;
    // The release last: while it is not there, the command can be run again.
    write(root, &changelog, &format!("{HEAD}\n{section}{older}"))?;
    write(root, &path, &text)?;
    Ok(vec![changelog, path])
}

fn write(root: &Path, path: &Path, text: &str) -> Result<(), String> {
    let target = root.join(path);
    let outcome = target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&target, text));
    outcome.map_err(|error| format!("{}: {error}", path.display()))
}

/// What the next document announces and the base did not, a line each.
fn announced(contract: &Contract, base: &Value, next: &Value) -> Vec<String> {
    let member = format!("x-{}-deprecations", contract.name);
    let told = base[&member].as_array().cloned().unwrap_or_default();
    let lines = next[&member].as_array().into_iter().flatten().filter(|line| !told.contains(line));
    let text = |line: &Value, name: &str| line[name].as_str().map(str::to_owned);
    let shown = |line: &Value| {
        let mut shown = format!("`{}`", text(line, "operation").unwrap_or_default());
        for (name, before) in [("part", ", "), ("value", " = ")] {
            if !line[name].is_null() {
                let value = text(line, name).unwrap_or_else(|| line[name].to_string());
                shown.push_str(&format!("{before}`{value}`"));
            }
        }
        let sunset = text(line, "sunset_at").map(|at| format!(", gone from {at}")).unwrap_or_default();
        let since = text(line, "deprecated_at").unwrap_or_default();
        format!("{shown}: since {since}{sunset}. {}", text(line, "note").unwrap_or_default())
    };
    lines.map(shown).collect()
}

/// The section of a release. A change of a schema is told once, with the operations that it concerns.
fn section(version: &str, judged: &[Judged], announced: Vec<String>) -> String {
    let told = |breaks: bool| {
        let mut operations: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for Judged { change, .. } in judged.iter().filter(|judged| judged.change.breaks == breaks) {
            operations.entry((&change.part, &change.detail)).or_default().push(&change.operation);
        }
        let lines = operations.into_iter().map(|((part, detail), mut operations)| {
            operations.dedup();
            let part = if part.is_empty() { String::new() } else { format!(", `{part}`") };
            format!("`{}`{part}: {detail}", operations.join("`, `"))
        });
        lines.collect::<Vec<_>>()
    };
    let mut text = format!("## {version}\n");
    let parts =
        [("Gone, as announced", told(true)), ("Deprecated", announced), ("New and changed", told(false))];
    for (title, lines) in parts.iter().filter(|(_, lines)| !lines.is_empty()) {
        let _ = write!(text, "\n### {title}\n\n");
        lines.iter().for_each(|line| text.push_str(&format!("- {line}\n")));
    }
    if parts.iter().all(|(_, lines)| lines.is_empty()) {
        text.push_str("\nNothing changes for partners.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tempfile::TempDir;

    fn root() -> TempDir {
        tempfile::tempdir().expect("a temporary directory")
    }

    fn descriptor(version: &str) -> Value {
        let mut descriptor: Value = serde_json::from_str(ARGUS.documents.json).expect("JSON");
        descriptor["info"]["version"] = json!(version);
        descriptor
    }

    fn release(root: &TempDir, descriptor: &Value) -> Result<Vec<PathBuf>, String> {
        let now = serde_json::from_value(json!("2026-12-01T00:00:00Z")).expect("a moment");
        cut(root.path(), &ARGUS, descriptor, now)
    }

    fn changelog(root: &TempDir) -> String {
        fs::read_to_string(root.path().join("CHANGELOG.md")).expect("a changelog")
    }

    #[test]
    fn a_release_is_kept_once_and_never_with_another_content() {
        let root = root();
        let written = release(&root, &descriptor("2026.4.0")).expect("the first");
        let names = [Path::new("CHANGELOG.md"), Path::new("openapi/releases/argus-2026.4.0.json")];
        assert_eq!(written, names);
        assert!(changelog(&root).ends_with("## 2026.4.0\n\nThe first release that is kept.\n"));
        assert_eq!(release(&root, &descriptor("2026.4.0")), Ok(Vec::new()));
        let mut other = descriptor("2026.4.0");
        other["info"]["title"] = json!("Another");
        let error = release(&root, &other).expect_err("another content");
        assert!(error.contains("holds another content; raise `version`"), "{error}");
    }

    #[test]
    fn the_changelog_says_what_a_release_adds_announces_and_takes_away() {
        let root = root();
        let line = json!({
            "operation": "job_list",
            "deprecated_at": "2026-06-01T00:00:00Z",
            "sunset_at": "2026-11-01T00:00:00Z",
            "link": "https://partner.example/changes",
            "note": "List them otherwise.",
        });
        release(&root, &descriptor("2026.4.0")).expect("the first");
        let mut told = descriptor("2026.5.0");
        told["x-argus-deprecations"] = json!([line]);
        told["paths"]["/v1/jobs"]["get"]["deprecated"] = json!(true);
        told["paths"]["/v1/things"] =
            json!({ "get": { "operationId": "thing_list", "summary": "Lists things" } });
        release(&root, &told).expect("the second");
        let text = changelog(&root);
        let announced = "### Deprecated\n\n- `job_list`: since 2026-06-01T00:00:00Z, gone from 2026-11-01T00:00:00Z. \
                         List them otherwise.\n";
        assert!(text.contains(announced), "{text}");
        assert!(text.contains("- `thing_list`: new: Lists things\n"), "{text}");
        let mut gone = told.clone();
        gone["info"]["version"] = json!("2026.6.0");
        gone["x-argus-deprecations"] = json!([]);
        gone["paths"]["/v1/jobs"].as_object_mut().expect("a path").remove("get");
        release(&root, &gone).expect("the third");
        let text = changelog(&root);
        assert!(
            text.contains("## 2026.6.0\n\n### Gone, as announced\n\n- `job_list`: it is gone\n"),
            "{text}"
        );
        let versions: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(versions, ["2026.6.0", "2026.5.0", "2026.4.0"]);
    }

    #[test]
    fn a_release_that_breaks_or_lies_before_the_last_is_refused_and_writes_nothing() {
        let root = root();
        release(&root, &descriptor("2026.4.0")).expect("the first");
        let before = changelog(&root);
        let mut gone = descriptor("2026.5.0");
        gone["paths"]["/v1/jobs"].as_object_mut().expect("a path").remove("get");
        let error = release(&root, &gone).expect_err("it breaks");
        assert!(error.contains("clients of 2026.4.0 would break") && error.contains("`job_list`"), "{error}");
        let error = release(&root, &descriptor("2026.3.0")).expect_err("it lies before");
        assert!(error.contains("2026.4.0 is kept, and 2026.3.0 lies before it"), "{error}");
        assert_eq!(changelog(&root), before);
        let kept = fs::read_dir(root.path().join("openapi/releases")).expect("a directory").count();
        assert_eq!(kept, 1);
    }
}

//! `cargo xtask regen`: writes the generated files, or with `--check` says which are stale, and what would break the
//! clients of the last release ([`gate`]). What
//! the files hold is decided in `argus_openapi::publish` and in [`client`].

mod client;
mod gate;
mod proxy;

use crate::cargo::cargo;
use argus_openapi::contract::{ARGUS, Contract, Files};
use argus_openapi::graphql::SHIPPED;
use argus_openapi::publish::{self, PublishError};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

/// The command that repairs what `--check` finds.
const REPAIR: &str = "cargo xtask regen";

/// Every contract whose files are generated.
const CONTRACTS: [&Contract; 1] = [&ARGUS];

/// Exit code when generated files are stale, or would break somebody.
const STALE: u8 = 1;
/// Exit code of every other failure.
const FAILED: u8 = 100;

/// Options of `cargo xtask regen`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; list the stale files, and what breaks clients of the last release and was not announced, and
    /// exit with 1 if there are any.
    #[arg(long)]
    check: bool,
}

/// Why the files could not be made.
enum Failure {
    Publish(PublishError),
    Client(String),
    Proxy(String),
    Bundles(String),
    Io(PathBuf, io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Publish(error) => error.fmt(f),
            Self::Client(reason) => write!(f, "the SDK client cannot be generated: {reason}"),
            Self::Proxy(reason) => write!(f, "the proxy's configuration cannot be generated: {reason}"),
            Self::Bundles(reason) => write!(f, "an operation bundle does not fit the schema: {reason}"),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

/// Whether the operation bundles beside the contract still fit the schema: nothing can be generated of one that does
/// not. The server says it, as it does at its start.
fn check_bundles() -> Result<(), Failure> {
    let check = ["run", "--quiet", "--package", "argus-server", "--", "graphql", "bundle", "check"];
    cargo(&check).run().map_err(Failure::Bundles)
}

/// Looks whether the SDK's calls of the operation bundles are stale, and writes them unless it only checks. Only the
/// server knows the schema; it is built with what was generated before.
fn calls(contract: &'static Contract, check: bool) -> Result<Vec<PathBuf>, Failure> {
    check_bundles()?;
    let schema = ["run", "--quiet", "--package", "argus-server", "--", "graphql", "schema"];
    let schema = cargo(&schema).output().map_err(Failure::Bundles)?;
    let calls = crate::graphql_calls::render(&schema, &SHIPPED).map_err(Failure::Bundles)?;
    let path = PathBuf::from(contract.publication.files.client_graphql);
    let (root, files) = (workspace_root(), BTreeMap::from([(path, calls)]));
    let stale = stale(&root, &[], &files)?;
    if !check {
        repair(&root, &files, &stale)?;
    }
    Ok(stale)
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> ExitCode {
    let regenerated: Result<Vec<Vec<PathBuf>>, Failure> = CONTRACTS
        .into_iter()
        .map(|contract| Ok([regenerate(contract, options.check)?, calls(contract, options.check)?].concat()))
        .collect();
    // Also where files are stale: both want mending.
    let breaks = if options.check { gate::check(&workspace_root(), &CONTRACTS) } else { Ok(()) };
    if let Err(breaks) = &breaks {
        eprintln!("regen: {breaks}");
    }
    match regenerated {
        Err(failure) => {
            eprintln!("regen: {failure}");
            ExitCode::from(FAILED)
        }
        Ok(stale) if stale.concat().is_empty() && breaks.is_err() => ExitCode::from(STALE),
        Ok(stale) if stale.concat().is_empty() => {
            eprintln!("regen: every generated file is up to date");
            ExitCode::SUCCESS
        }
        Ok(stale) => {
            let verb = if options.check { "stale" } else { "repaired" };
            stale.concat().iter().for_each(|path| eprintln!("{verb}: {}", path.display()));
            if options.check {
                eprintln!("run `{REPAIR}`");
                return ExitCode::from(STALE);
            }
            ExitCode::SUCCESS
        }
    }
}

/// Looks which files of a contract are stale, and writes them unless it only checks.
fn regenerate(contract: &'static Contract, check: bool) -> Result<Vec<PathBuf>, Failure> {
    let (root, files) = (workspace_root(), files(contract)?);
    let Files { schemas, hosts, reference, .. } = contract.publication.files;
    let stale = stale(&root, &[schemas, hosts, reference], &files)?;
    if !check {
        repair(&root, &files, &stale)?;
    }
    Ok(stale)
}

/// The workspace, wherever the command is run from.
fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Every generated file of a contract, by its path below the workspace.
fn files(contract: &'static Contract) -> Result<BTreeMap<PathBuf, String>, Failure> {
    let published = publish::publish(contract).map_err(Failure::Publish)?;
    let client = client::generate(&published.descriptor).map_err(Failure::Client)?;
    let hosts = crate::hosts_table::render(contract, &published.descriptor).map_err(Failure::Client)?;
    let events = crate::events_table::render(&published.descriptor).map_err(Failure::Client)?;
    let proxy = proxy::render(contract).map_err(Failure::Proxy)?;
    let mut files = published.files().map_err(Failure::Publish)?;
    files.insert(contract.publication.files.client.to_owned(), client);
    files.insert(contract.publication.files.client_hosts.to_owned(), hosts);
    files.insert(contract.publication.files.client_events.to_owned(), events);
    files.insert(contract.publication.files.proxy.to_owned(), proxy);
    Ok(files.into_iter().map(|(path, text)| (PathBuf::from(path), text)).collect())
}

/// The files that are missing, differ, or should not be there: these directories hold generated files and
/// nothing else.
fn stale(
    root: &Path,
    directories: &[&str],
    files: &BTreeMap<PathBuf, String>,
) -> Result<Vec<PathBuf>, Failure> {
    let mut stale = Vec::new();
    for (path, text) in files {
        match fs::read(root.join(path)) {
            Ok(found) if found == text.as_bytes() => {}
            Ok(_) => stale.push(path.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => stale.push(path.clone()),
            Err(error) => return Err(Failure::Io(path.clone(), error)),
        }
    }
    for directory in directories {
        let found = entries(&root.join(directory))?;
        let found = found.into_iter().map(|name| Path::new(directory).join(name));
        stale.extend(found.filter(|path| !files.contains_key(path)));
    }
    stale.sort();
    Ok(stale)
}

/// The names in a directory; none where there is no such directory.
fn entries(directory: &Path) -> Result<Vec<OsString>, Failure> {
    let names = match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    names.map_err(|error| Failure::Io(directory.to_owned(), error))
}

/// Writes the stale files, and removes those that should not be there.
fn repair(root: &Path, files: &BTreeMap<PathBuf, String>, stale: &[PathBuf]) -> Result<(), Failure> {
    for path in stale {
        let target = root.join(path);
        let outcome = match files.get(path) {
            Some(text) => {
                target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&target, text))
            }
            None => fs::remove_file(&target),
        };
        outcome.map_err(|error| Failure::Io(path.clone(), error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<PathBuf, String> {
        [("openapi/argus.json", "{}\n"), ("openapi/schemas/a.json", "[]\n")]
            .map(|(path, text)| (PathBuf::from(path), text.to_owned()))
            .into()
    }

    fn paths(root: &Path) -> Vec<PathBuf> {
        stale(root, &["openapi/schemas"], &files()).unwrap_or_else(|failure| panic!("{failure}"))
    }

    fn repaired() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary directory");
        let missing = paths(root.path());
        assert_eq!(missing.len(), 2);
        repair(root.path(), &files(), &missing).unwrap_or_else(|failure| panic!("{failure}"));
        root
    }

    #[test]
    fn what_was_written_is_up_to_date() {
        assert!(paths(repaired().path()).is_empty());
    }

    #[test]
    fn a_changed_file_is_stale() {
        let root = repaired();
        fs::write(root.path().join("openapi/argus.json"), "{}").expect("a writable file");
        assert_eq!(paths(root.path()), [Path::new("openapi/argus.json")]);
    }

    #[test]
    fn a_schema_that_is_no_longer_published_is_stale_and_is_removed() {
        let root = repaired();
        let extra = root.path().join("openapi/schemas/b.json");
        fs::write(&extra, "{}").expect("a writable file");
        let found = paths(root.path());
        assert_eq!(found, [Path::new("openapi/schemas/b.json")]);
        repair(root.path(), &files(), &found).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(!extra.exists() && paths(root.path()).is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_failure_and_not_stale() {
        let root = repaired();
        fs::remove_file(root.path().join("openapi/argus.json")).expect("a removable file");
        fs::create_dir(root.path().join("openapi/argus.json")).expect("a writable directory");
        assert!(matches!(stale(root.path(), &["openapi/schemas"], &files()), Err(Failure::Io(..))));
    }
}

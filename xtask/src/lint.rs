//! `cargo xtask lint`: the usual OpenAPI linters over the published descriptors, whose rule sets and
//! versions stand in `openapi/lint` and whose warnings are failures, and cargo-machete over the dependencies.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{fs, io};

/// Options of `cargo xtask lint`.
#[derive(clap::Args)]
pub(crate) struct Options {}

/// Runs the command.
pub(crate) fn run(_: &Options) -> ExitCode {
    match dependencies() {
        Ok(()) => descriptor(),
        Err(message) => {
            eprintln!("lint: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Every dependency of a `Cargo.toml` is used. cargo-machete looks for a workspace in the folders above
/// and takes `tests/fuzz` for that of `tests/fuzz/checks`, which it says and passes over.
fn dependencies() -> Result<(), String> {
    // Itself and not through cargo: below `cargo run` it takes cargo's first argument for a folder.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match Command::new("cargo-machete").current_dir(root).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo-machete failed ({status})")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("cargo-machete is not installed: cargo install cargo-machete --locked".to_owned())
        }
        Err(error) => Err(format!("cargo-machete: {error}")),
    }
}

/// The published descriptors keep the rules.
fn descriptor() -> ExitCode {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/lint");
    let commands = match fs::read_to_string(directory.join("commands.txt")) {
        Ok(commands) => commands,
        Err(error) => {
            eprintln!("lint: openapi/lint/commands.txt: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = false;
    for command in commands.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        eprintln!("lint: npx --yes {command}");
        match Command::new("npx")
            .arg("--yes")
            .args(command.split_whitespace())
            .current_dir(&directory)
            .status()
        {
            Ok(status) => failed |= !status.success(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                eprintln!("lint: npx is not installed; the linters need Node.js with npm");
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("lint: npx: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

//! `cargo xtask lint`: the usual OpenAPI linters over the published descriptor. Rule sets and
//! versions stand in `openapi/lint`.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{fs, io};

/// Options of `cargo xtask lint`.
#[derive(clap::Args)]
pub(crate) struct Options {}

/// Runs the command.
pub(crate) fn run(_: &Options) -> ExitCode {
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

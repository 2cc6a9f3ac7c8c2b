//! `cargo xtask bench`: builds the server and the bench for release, and measures.

use crate::cargo::{Step, cargo, root};
use std::process::ExitCode;

/// Arguments for the bench, after `--`.
#[derive(clap::Args)]
pub struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub fn run(options: &Options) -> ExitCode {
    let arguments: Vec<&str> = options.arguments.iter().map(String::as_str).collect();
    let bench = root().join("target/release/argus-bench");
    let steps = [
        // One build for both, so that the libraries they share have the same features.
        cargo(&["build", "--release", "--package", "argus-server", "--package", "argus-bench"]),
        Step::new(&bench.to_string_lossy(), &arguments),
    ];
    for step in steps {
        if let Err(message) = step.run() {
            eprintln!("xtask bench: {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

//! `cargo xtask bench`: builds the server and the bench for release, and measures.

use crate::cargo::cargo;
use std::process::ExitCode;

/// Arguments for the bench, after `--`.
#[derive(clap::Args)]
pub struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub fn run(options: &Options) -> ExitCode {
    let mut arguments = vec!["run", "--release", "--package", "argus-bench", "--"];
    arguments.extend(options.arguments.iter().map(String::as_str));
    let steps = [cargo(&["build", "--release", "--package", "argus-server"]), cargo(&arguments)];
    for step in steps {
        if let Err(message) = step.run() {
            eprintln!("xtask bench: {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

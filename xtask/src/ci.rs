//! `cargo xtask ci`: everything that must hold before a change lands, cheapest first.

use crate::cargo::cargo;
use std::process::ExitCode;

pub fn run() -> ExitCode {
    let steps = [
        cargo(&["fmt", "--all", "--check"]),
        cargo(&["xtask", "regen", "--check"]),
        cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"]),
        cargo(&["xtask", "test"]),
        // As partners build it: in the workspace, other crates' features would hide one that it lacks.
        cargo(&["check", "--package", "argus-sdk", "--examples"]),
    ];
    for step in steps {
        if let Err(message) = step.run() {
            eprintln!("xtask ci: {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

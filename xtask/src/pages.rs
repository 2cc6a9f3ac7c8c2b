//! `cargo xtask pages`: the pages in Chromium and Firefox, each of them looked at by axe-core, which comes from npm. The
//! suite as a whole leaves these tests out and says so: browsers need the machine for themselves.

use crate::cargo::{Step, cargo, root};
use std::process::ExitCode;

/// What is installed from npm.
const AXE: &str = "axe-core@4.14.1";

pub fn run() -> ExitCode {
    let home = root().join("target/pages");
    let directory = home.to_string_lossy().into_owned();
    let axe = home.join("node_modules/axe-core/axe.min.js");
    let steps = [
        Step::new("npm", &["install", "--prefix", &directory, "--no-save", "--ignore-scripts", AXE]),
        cargo(&["test", "--package", "argus-tests", "--all-features", "--test", "suite", "--", "browser::"])
            .env("ARGUS_TEST_AXE", axe)
            .env("ARGUS_REQUIRE_BROWSER", "1"),
    ];
    for step in steps {
        if let Err(message) = step.run() {
            eprintln!("xtask pages: {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

//! `cargo xtask chaos`: builds the server and the attackers, and sets the one on the other. Then the
//! black-box suite, through the same proxy, and the faults at their whole size.

use crate::cargo::{Step, cargo, root};
use std::process::ExitCode;

/// Tests that nginx does not pass, each with the reason.
const NOT_THROUGH_NGINX: [(&str, &str); 6] = [
    ("a_path_is_taken_exactly_if_it_fits_the_published_parameters", NO_PATH),
    ("a_text_that_a_database_cannot_store_is_refused_wherever_it_stands", NO_PATH),
    ("an_error_is_short_however_long_the_input_is", LONG_LINE),
    ("an_authorization_request_is_taken_exactly_if_it_fits_the_published_parameters", LONG_LINE),
    ("every_sandbox_operation_answers_as_its_transcript_says", "nginx adds Connection and moves headers"),
    ("a_known_path_with_another_method_lists_the_methods_that_it_has", "its 405 for TRACE has no Allow"),
];

/// Of a path that it cannot read, nginx does not know whether pages of any origin may read the refusal.
const NO_PATH: &str = "nginx refuses %00 without the headers for pages of other origins";

/// Also where the host has an answer.
const LONG_LINE: &str = "nginx refuses request lines of more than 16 KiB";

/// The part of the suite that runs in short.
const SHORT: [&str; 4] =
    ["black_box::coverage", "black_box::headers", "black_box::methods", "black_box::traces"];

/// Options of `cargo xtask chaos`.
#[derive(clap::Args)]
pub struct Options {
    /// Leave out what takes longer than fifteen seconds.
    #[arg(long)]
    short: bool,
}

pub fn run(options: &Options) -> ExitCode {
    let binary = |name: &str| root().join("target/debug").join(name).to_string_lossy().into_owned();
    let server = binary("argus");
    let mut arguments = vec!["--server", server.as_str()];
    if options.short {
        arguments.push("--short");
    }
    let mut suite = vec!["test", "--package", "argus-tests", "--test", "suite", "--"];
    suite.extend(if options.short { &SHORT[..] } else { &["black_box::"] });
    suite.extend(NOT_THROUGH_NGINX.iter().flat_map(|(test, _)| ["--skip", test]));
    let mut steps = vec![
        cargo(&["build", "--package", "argus-server", "--package", "argus-chaos"]),
        Step::new(&binary("argus-chaos"), &arguments),
        cargo(&suite).env("ARGUS_TEST_PROXY", "nginx"),
    ];
    if !options.short {
        // One at a time: what they measure is theirs alone.
        let faults = ["--package", "argus-tests", "--test", "suite", "--", "--test-threads=1", "faults::"];
        steps.push(cargo(&[&["test"][..], &faults].concat()).env("ARGUS_CHAOS", "1"));
    }
    for step in steps {
        if let Err(message) = step.run() {
            eprintln!("xtask chaos: {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

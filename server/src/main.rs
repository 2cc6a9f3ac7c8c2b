//! The `argus` binary. What each command does lives in `argus_server::commands`.

use argus_server::{commands, settings};
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(settings::Cli::read())
}

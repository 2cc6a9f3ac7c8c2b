//! The `argus` binary. What each command does lives in `argus_server::commands`.

use argus_server::{commands, settings};
use clap::Parser;
use std::process::ExitCode;

/// A request allocates some forty times; this allocator takes about half of the system's time for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run(settings::Cli::parse())
}

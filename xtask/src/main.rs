//! Maintenance of the workspace: `cargo xtask <command>`. Each command has a file of its own.

mod bench;
mod cargo;
mod chaos;
mod ci;
mod clients;
mod events_table;
mod graphql_calls;
mod hosts_table;
mod lint;
mod pages;
mod regen;
mod release;
mod releases;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Maintenance of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes every generated file: descriptor, data schemas, API catalogue and SDK client.
    Regen(regen::Options),
    /// Keeps the descriptor as the release of its version, and writes what it changes into the changelog.
    Release,
    /// Runs every test of the workspace, and rejects snapshots that no test looks at.
    Test,
    /// Measures the server against bare servers, as ratios within one run.
    Bench(bench::Options),
    /// Attacks connections of a server behind the real nginx with the configuration of `server/deploy`.
    Chaos(chaos::Options),
    /// Generates clients with what partners use and lets them talk to `argus dev`. Needs Python and Node.js;
    /// some checks need a JDK or Go.
    Clients(clients::Options),
    /// Runs everything that must hold before a change lands.
    Ci,
    /// Runs cargo-machete over the dependencies and the usual OpenAPI linters over the published descriptor.
    /// Needs npm.
    Lint(lint::Options),
    /// Tries the pages in a headless Chromium, and looks at each with axe-core. Needs chromedriver and npm.
    Pages,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Regen(options) => regen::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Chaos(options) => chaos::run(&options),
        Command::Release => release::run(),
        Command::Test => test::run(),
        Command::Clients(options) => clients::run(&options),
        Command::Ci => ci::run(),
        Command::Lint(options) => lint::run(&options),
        Command::Pages => pages::run(),
    }
}

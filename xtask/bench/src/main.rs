//! `cargo xtask bench`: the server beside bare servers that return the same bytes, in one run on one
//! machine, as ratios, and what a request takes in instructions and allocations. Times and ratios are
//! printed and not asserted, because they depend on the machine; `--gate` asserts the counts.

mod access;
mod baseline;
mod callgrind;
mod database;
mod deliveries;
mod exchanger;
mod instructions;
mod jobs;
mod load;
mod measure;
mod place;
mod process;
mod report;
mod requests;
mod statements;

use clap::{Parser, Subcommand};
use measure::What;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The allocator of the server under test, so that the bare servers differ in nothing but what they do.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The server under test.
    #[arg(long, env = "ARGUS_BENCH_SERVER", default_value = "target/release/argus")]
    server: PathBuf,
    /// Counts instructions and allocations alone, and fails when one has risen above the kept figure
    /// by more than 3 percent.
    #[arg(long, conflicts_with = "record")]
    gate: bool,
    /// Counts instructions and allocations alone, and keeps the figures for `--gate`.
    #[arg(long)]
    record: bool,
    /// How long each of the interleaved rounds lasts, in milliseconds.
    #[arg(long, default_value_t = 1500)]
    round_ms: u64,
    /// How many rounds each server gets; the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Measures jobs alone.
    #[arg(long, conflicts_with_all = ["gate", "record"])]
    jobs: bool,
    /// Measures deliveries alone.
    #[arg(long, conflicts_with_all = ["gate", "record", "jobs"])]
    deliveries: bool,
    /// Measures what users allow and what GraphQL takes alone.
    #[arg(long, conflicts_with_all = ["gate", "record", "jobs", "deliveries"])]
    access: bool,
    /// A PostgreSQL server on which the bench may make a role and a database, as `postgres://USER@HOST:PORT/DATABASE`.
    #[arg(long, env = "ARGUS_BENCH_POSTGRES_URL", hide_env_values = true)]
    postgres: Option<String>,
    /// Connections that the load generator keeps busy.
    #[arg(long, default_value_t = 16)]
    connections: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one of the bare servers that the bench compares with, until it is killed.
    Baseline(baseline::Options),
    /// Works on jobs that do nothing until all of them are done.
    Work(jobs::work::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Baseline(options)) => baseline::serve(&options),
        Some(Command::Work(options)) => jobs::work::until_done(&options),
        None => measure::run(&measure::Plan {
            server: cli.server,
            what: match (cli.gate, cli.record, cli.jobs, cli.deliveries, cli.access) {
                (true, ..) => What::Gate,
                (_, true, ..) => What::Record,
                (_, _, true, ..) => What::Jobs,
                (_, _, _, true, _) => What::Deliveries,
                (.., true) => What::Access,
                _ => What::Table,
            },
            postgres: cli.postgres,
            round: Duration::from_millis(cli.round_ms),
            rounds: cli.rounds,
            connections: cli.connections,
        }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

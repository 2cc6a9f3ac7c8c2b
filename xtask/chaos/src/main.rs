//! `cargo xtask chaos`: attacks on connections against `argus serve` behind the real nginx with the shipped
//! configuration, while good clients are served. Everything is on loopback, bounded in number and time.
//! One line a check; the exit code says whether all held.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod attacks;
mod busy;
mod dial;
mod floods;
mod good;
mod outage;
mod refusals;
mod report;
mod scene;
mod smuggling;

use clap::Parser;
use report::Report;
use scene::Scene;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Parser)]
struct Cli {
    /// The server under test.
    #[arg(long, default_value = "target/debug/argus")]
    server: PathBuf,
    /// Leaves out what takes longer than fifteen seconds.
    #[arg(long)]
    short: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // The attackers' ends of all connections are descriptors of this process.
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let scene = Arc::new(Scene::set(&cli.server).await);
    // A check that does not hold says so in its line.
    std::panic::set_hook(Box::new(|_| ()));
    let mut report = Report::default();
    refusals::run(&scene, &mut report).await;
    smuggling::run(&scene, &mut report).await;
    floods::run(&scene, &mut report).await;
    attacks::run(&scene, &mut report, cli.short).await;
    outage::run(scene, &mut report).await;
    report.end()
}

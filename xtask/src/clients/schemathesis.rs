//! Schemathesis: requests made from the document of a host, valid and not, with each answer judged by it.
//! What it must not ask for stands in `xtask/clients/schemathesis.toml`, each with its reason.

use super::dev::DevServer;
use super::run::run;
use super::tools::{Tool, Tools, source};
use argus_openapi::Host;
use std::process::Command;

pub(super) const NEEDS: &[Tool] = &[Tool::Python];

/// Requests of each kind for an operation; with the seed, the same ones in each run.
const EXAMPLES: &str = "15";
const SEED: &str = "1";

pub(super) fn check(tools: &Tools, server: &DevServer) -> Result<(), String> {
    let findings: Vec<_> =
        Host::ALL.into_iter().filter_map(|host| judge(tools, server, host).err()).collect();
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

fn judge(tools: &Tools, server: &DevServer, host: Host) -> Result<(), String> {
    let mut command = Command::new(tools.python("schemathesis"));
    command
        .arg("--config-file")
        .arg(source().join("schemathesis.toml"))
        .args(["run", "--no-color", "--url", server.url(host), "--seed", SEED, "--max-examples", EXAMPLES])
        .arg(super::document(host))
        // Not an argument, which an error would show.
        .env("ARGUS_TOKEN", server.token(host))
        .current_dir(&tools.home);
    run(&mut command)
}

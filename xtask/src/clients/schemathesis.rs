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
    for host in Host::ALL {
        let mut command = Command::new(tools.python("schemathesis"));
        command
            .arg("--config-file")
            .arg(source().join("schemathesis.toml"))
            .args(["run", "--url", server.url(host), "--seed", SEED, "--max-examples", EXAMPLES])
            .args(["--header", &format!("Authorization: Bearer {}", server.token(host)), "--no-color"])
            .arg(super::document(host))
            .current_dir(&tools.home);
        run(&mut command)?;
    }
    Ok(())
}

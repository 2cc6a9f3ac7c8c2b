//! `argus dev` on free ports and in a folder of its own, until it is dropped.

use crate::cargo::{cargo, root};
use argus_openapi::Host;
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a start may take: it makes keys.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `argus dev`.
pub(super) struct DevServer {
    child: Child,
    ready: Value,
    _directory: TempDir,
}

impl DevServer {
    /// Builds and starts it.
    pub(super) fn start() -> Result<Self, String> {
        cargo(&["build", "--package", "argus-server", "--bin", "argus"]).run()?;
        let directory = TempDir::new().map_err(|error| error.to_string())?;
        let ready_file = directory.path().join("ready.json");
        let log = directory.path().join("log");
        let child =
            spawn(directory.path(), &ready_file, &log).map_err(|error| format!("argus dev: {error}"))?;
        let mut server = Self { child, ready: Value::Null, _directory: directory };
        server.ready = server.until_ready(&ready_file, &log)?;
        Ok(server)
    }

    fn until_ready(&mut self, ready_file: &Path, log: &Path) -> Result<Value, String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            // The file appears whole.
            if let Ok(ready) = fs::read(ready_file) {
                return serde_json::from_slice(&ready).map_err(|error| error.to_string());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("argus dev ended with {status}: {said}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("argus dev was not ready after {} s", PATIENCE.as_secs()))
    }

    /// A member of its ready file.
    pub(super) fn ready(&self, member: &str) -> &str {
        self.ready[member].as_str().unwrap_or_default()
    }

    /// The base URL of a host.
    pub(super) fn url(&self, host: Host) -> &str {
        self.ready(host.name())
    }

    /// A token for a host, with every scope that its operations ask for.
    pub(super) fn token(&self, host: Host) -> &str {
        self.ready(match host {
            Host::Auth => "admin_token",
            Host::Api => "live_token",
            Host::Sandbox => "sandbox_token",
        })
    }

    /// What programs read of it.
    pub(super) fn environment(&self) -> [(&'static str, &str); 4] {
        [
            ("ARGUS_AUTH_URL", self.url(Host::Auth)),
            ("ARGUS_SANDBOX_URL", self.url(Host::Sandbox)),
            ("ARGUS_ADMIN_TOKEN", self.token(Host::Auth)),
            ("ARGUS_SANDBOX_TOKEN", self.token(Host::Sandbox)),
        ]
    }
}

fn spawn(directory: &Path, ready_file: &Path, log: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(root().join("target/debug/argus"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ARGUS_")) {
        command.env_remove(name);
    }
    for host in Host::ALL {
        command.env(format!("ARGUS_{}_ADDR", host.name().to_uppercase()), "127.0.0.1:0");
    }
    // What clients try here they try with wrong credentials as well, all from one address.
    for limit in ["CLIENT", "ADDRESS", "BEARER"] {
        command.env(format!("ARGUS_LIMIT_{limit}_FAILURES"), "1000000");
    }
    command
        .args(["dev", "--ready-file"])
        .arg(ready_file)
        .env("ARGUS_DATA_DIR", directory.join("data"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log)?)
        .spawn()
}

impl Drop for DevServer {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

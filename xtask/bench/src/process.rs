//! The processes that the bench starts, and what the system tells about them.

use crate::callgrind::Profile;
use serde::Deserialize;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child that ends with this value.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks the process to end and waits until it has.
    pub fn end(mut self) -> Result<(), Box<dyn Error>> {
        let asked = Command::new("kill").args(["-s", "TERM", &self.0.id().to_string()]).status()?;
        if !asked.success() {
            return Err("the process could not be asked to end".into());
        }
        self.0.wait()?;
        Ok(())
    }

    /// Peak resident memory so far, in MiB.
    pub fn peak_memory(&self) -> Result<f64, Box<dyn Error>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }

    /// Processor time used so far, all threads together.
    pub fn cpu_time(&self) -> Result<Duration, Box<dyn Error>> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = fields.get(11).ok_or("no utime")?.parse::<u64>()?
            + fields.get(12).ok_or("no stime")?.parse::<u64>()?;
        // USER_HZ is 100 on every Linux that this runs on.
        Ok(Duration::from_millis(ticks * 10))
    }
}

/// How a server is run.
#[derive(Clone, Copy)]
pub enum Under<'a> {
    /// As it is.
    Nothing,
    /// Under callgrind.
    Callgrind(&'a Profile),
}

impl Under<'_> {
    fn command(self, program: &Path) -> Command {
        match self {
            Self::Nothing => Command::new(program),
            Self::Callgrind(profile) => profile.command(program),
        }
    }
}

/// Starts one of the bare servers of this binary.
pub fn baseline(
    kind: &str,
    body: &Path,
    status: u16,
    under: Under<'_>,
) -> Result<(Running, SocketAddr), Box<dyn Error>> {
    baseline_with(kind, body, under, &["--status", &status.to_string()])
}

/// The same, with other options than the body.
pub fn baseline_with(
    kind: &str,
    body: &Path,
    under: Under<'_>,
    options: &[&str],
) -> Result<(Running, SocketAddr), Box<dyn Error>> {
    let mut child = under
        .command(&std::env::current_exe()?)
        .args(["baseline", kind])
        .args(options)
        .arg("--body")
        .arg(body)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    Ok((Running(child), line.trim().parse()?))
}

/// What the ready file of `argus dev` says.
#[derive(Deserialize)]
pub struct Ready {
    pub auth: String,
    pub api: String,
    pub sandbox: String,
    pub admin_token: String,
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: String,
}

/// Starts the server under test and waits until it is ready; tells how long that took.
pub fn argus(
    server: &Path,
    data_dir: &Path,
    under: Under<'_>,
) -> Result<(Running, Ready, Duration), Box<dyn Error>> {
    argus_with(server, data_dir, under, &[])
}

/// The same, with variables of the operator's interface.
pub fn argus_with(
    server: &Path,
    data_dir: &Path,
    under: Under<'_>,
    variables: &[(&str, String)],
) -> Result<(Running, Ready, Duration), Box<dyn Error>> {
    let ready_file = data_dir.join("ready.json");
    if ready_file.exists() {
        std::fs::remove_file(&ready_file)?;
    }
    let started = Instant::now();
    let child = under
        .command(server)
        .args([
            "dev",
            "--auth-addr",
            "127.0.0.1:0",
            "--api-addr",
            "127.0.0.1:0",
            "--sandbox-addr",
            "127.0.0.1:0",
        ])
        .arg("--data-dir")
        .arg(data_dir)
        .arg("--ready-file")
        .arg(&ready_file)
        // The guard of the sandbox is at work, and refuses nobody.
        .env("ARGUS_LIMIT_SANDBOX_CALLS", "60000000")
        .envs(variables.iter().cloned())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", server.display()))?;
    let running = Running(child);
    while !ready_file.exists() {
        if started.elapsed() > Duration::from_secs(30) {
            return Err("the server is not ready after 30 seconds".into());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    let took = started.elapsed();
    Ok((running, serde_json::from_slice(&std::fs::read(&ready_file)?)?, took))
}

/// The address in a base URL of the ready file.
pub fn address(base_url: &str) -> Result<SocketAddr, Box<dyn Error>> {
    Ok(base_url.trim_start_matches("http://").parse()?)
}

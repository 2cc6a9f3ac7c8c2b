//! The `argus` binary as a child process. It is killed, awaited and its data removed when the test is
//! over, however the test ends.

use crate::patience::look_for;
use crate::{Leftovers, Reach, Tenancy, place_keys, sql};
use argus_core::limits::Limit;
use argus_server::settings::TIMES_MAX;
use serde_json::Value;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use tempfile::TempDir;

/// A running `argus dev` or `argus serve`. It reads as a [`Reach`].
pub struct TestProcess {
    child: Child,
    reach: Reach,
    ready: Value,
    directory: TempDir,
}

/// A child that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A command with none of this process's own settings.
pub fn open_command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ARGUS_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command of the binary to its end.
pub fn argus(binary: &Path, data_dir: &Path, arguments: &[&str]) -> Output {
    open_command(binary).args(arguments).env("ARGUS_DATA_DIR", data_dir).output().unwrap()
}

impl TestProcess {
    /// `argus dev` that logs everything.
    pub fn dev(binary: &Path) -> Self {
        Self::start(binary, &["dev"], TempDir::new().unwrap())
    }

    /// Any command that serves, in a directory that may hold data of an earlier process.
    pub fn start(binary: &Path, arguments: &[&str], directory: TempDir) -> Self {
        let data_dir = directory.path().join("data");
        if !data_dir.exists() {
            place_keys(&data_dir);
        }
        let ready_file = directory.path().join("ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let output = |name| std::fs::File::create(directory.path().join(name)).unwrap();
        let child = open_command(binary)
            .args(arguments)
            .arg("--ready-file")
            .arg(&ready_file)
            .env("ARGUS_DATA_DIR", &data_dir)
            .env("ARGUS_AUTH_ADDR", "127.0.0.1:0")
            .env("ARGUS_API_ADDR", "127.0.0.1:0")
            .env("ARGUS_SANDBOX_ADDR", "127.0.0.1:0")
            .env("ARGUS_LOG", "trace")
            // Whoever tests a limit says so in the arguments, which count before these.
            .envs(failures().map(|limit| (variable(limit), TIMES_MAX.to_string())))
            .stdout(output("stdout"))
            .stderr(output("stderr"))
            .spawn()
            .unwrap();
        let mut process = Self { child, reach: Reach::new([nowhere(); 3]), ready: Value::Null, directory };
        process.await_ready(&ready_file);
        process
    }

    fn await_ready(&mut self, ready_file: &Path) {
        let text = until(|| {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("it ended with {status}: {}", self.stderr());
            }
            // The file appears whole.
            std::fs::read(ready_file).ok()
        });
        self.ready = serde_json::from_slice(&text).unwrap();
        let address = |host: &str| {
            // A node that only works on jobs serves no host.
            let Some(url) = self.ready[host].as_str() else { return nowhere() };
            url.strip_prefix("http://").unwrap().parse().unwrap()
        };
        self.reach = Reach::new([address("auth"), address("api"), address("sandbox")]);
    }

    /// What the ready file says.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// A member of the ready file.
    pub fn ready_text(&self, member: &str) -> &str {
        self.ready[member].as_str().unwrap()
    }

    /// The demo tenant of `argus dev`.
    pub fn tenancy(&self) -> Tenancy {
        Tenancy::known(&self.reach, self.ready_text("tenant_id"), self.ready_text("admin_token"))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The directory with everything of this process: `data`, `ready.json`, `stdout`, `stderr`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.directory().join("data")
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        std::fs::read_to_string(self.directory().join("stdout")).unwrap()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.directory().join("stderr")).unwrap()
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -s {name}");
    }

    /// Waits until its log says so.
    pub fn await_log(&self, text: &str) {
        self.await_log_after(0, text);
    }

    /// Waits until its log says so beyond the first `length` bytes of it.
    pub fn await_log_after(&self, length: usize, text: &str) {
        until(|| self.stderr().get(length..).is_some_and(|log| log.contains(text)).then_some(()));
    }

    /// Waits until it has ended; its directory stays for the next process.
    pub fn ended(self) -> (Ended, TempDir) {
        self.ended_before(|| {})
    }

    /// Asks it to stop and waits until it has, before what it waits for is set free.
    pub fn stop_before(self, set_free: impl FnOnce()) -> (Ended, TempDir) {
        self.signal("TERM");
        self.ended_before(set_free)
    }

    fn ended_before(mut self, then: impl FnOnce()) -> (Ended, TempDir) {
        let status = until(|| self.child.try_wait().unwrap());
        let ended = Ended { status, stdout: self.stdout(), stderr: self.stderr() };
        then();
        self.reject_leftovers();
        (ended, std::mem::replace(&mut self.directory, TempDir::new().unwrap()))
    }

    /// Kills it, whatever it is at; its directory stays for the next process.
    pub fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.directory, TempDir::new().unwrap())
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(self) -> (Ended, TempDir) {
        self.signal("TERM");
        self.ended()
    }
}

impl TestProcess {
    /// Ends it if it still runs, and fails when it leaves something behind.
    fn reject_leftovers(&mut self) {
        let mut found = Leftovers::default();
        if matches!(self.child.try_wait(), Ok(None)) {
            found.of_children(self.child.id());
        }
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        Leftovers::reject(|| {
            if self.stderr().contains("panicked at") {
                found.add(format!("a panic: {}", self.stderr()));
            }
            found.of_files(self.directory(), &self.data_dir());
            let store = self.data_dir().join("argus.db");
            if store.exists() {
                found.of_database(&mut sql::connect(&format!("sqlite://{}", store.display())));
            }
            found
        });
    }
}

/// The limits of failures. Calls are not limited.
fn failures() -> impl Iterator<Item = Limit> {
    Limit::ALL.into_iter().filter(|limit| !limit.counts_calls())
}

fn variable(limit: Limit) -> String {
    format!("ARGUS_LIMIT_{}", limit.name().to_uppercase())
}

/// Where nobody listens.
fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        // Not when it has handed its directory to the next one.
        if self.directory().join("stderr").exists() {
            self.reject_leftovers();
        }
    }
}

impl Deref for TestProcess {
    type Target = Reach;

    fn deref(&self) -> &Reach {
        &self.reach
    }
}

fn until<T>(look: impl FnMut() -> Option<T>) -> T {
    look_for(look).expect("the process did not do what it should have done")
}

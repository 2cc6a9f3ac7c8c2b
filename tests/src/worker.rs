//! A worker of its own process, on an installation that others use as well. It is killed when this is dropped.

use crate::{Installation, look_for, name_database, open_command};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::NamedTempFile;

/// Lets what it writes beyond a limit fail, as on a full disk, instead of ending the process.
const IGNORING_FILE_LIMITS: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";

/// `argus serve --role worker`.
pub struct Worker {
    child: Child,
    log: NamedTempFile,
}

impl Worker {
    /// Starts one. Objects lie where a server of this process has them.
    pub fn start(binary: &Path, installation: &Installation, arguments: &[&str]) -> Self {
        Self::start_by(&[], binary, installation, arguments)
    }

    /// The same through a program that takes another one's command.
    pub fn start_by(
        program: &[&str],
        binary: &Path,
        installation: &Installation,
        arguments: &[&str],
    ) -> Self {
        let objects = format!("file://{}?shared=true", installation.data_dir().join("objects").display());
        let log = NamedTempFile::new().unwrap();
        let mut command = open_command("bash".as_ref());
        name_database(&mut command, &installation.settings.store);
        let child = command
            .args(["-c", IGNORING_FILE_LIMITS])
            .args(program)
            .arg(binary)
            .args(["serve", "--role", "worker", "--objects", &objects])
            .args([
                "--auth-addr",
                "127.0.0.1:0",
                "--api-addr",
                "127.0.0.1:0",
                "--sandbox-addr",
                "127.0.0.1:0",
            ])
            .args(arguments)
            .env("ARGUS_DATA_DIR", installation.data_dir())
            .stdout(Stdio::null())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets no file grow beyond so many bytes, as on a full disk; any size when none is said.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let process = self.child.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}:")]).status();
        assert!(set.unwrap().success(), "prlimit of util-linux");
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &process]).status().unwrap().success());
        look_for(|| self.child.try_wait().unwrap()).expect("it ends")
    }

    /// Waits until it has logged something.
    pub fn await_log(&self, text: &str) {
        let has_said = || std::fs::read_to_string(self.log.path()).unwrap().contains(text).then_some(());
        look_for(has_said).unwrap_or_else(|| panic!("{text:?} is not logged"));
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A worker of its own process, on an installation that others use as well. It is killed when this is dropped.

use crate::{Installation, look_for, open_command};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Lets what it writes beyond a limit fail, as on a full disk, instead of ending the process.
const IGNORING_FILE_LIMITS: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";

/// `argus serve --role worker`.
pub struct Worker(Child);

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
        let child = open_command("bash".as_ref())
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
            .env("ARGUS_DATABASE_URL", installation.settings.store.url.expose())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Lets no file grow beyond so many bytes, as on a full disk; any size when none is said.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let process = self.0.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}:")]).status();
        assert!(set.unwrap().success(), "prlimit of util-linux");
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        let process = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &process]).status().unwrap().success());
        look_for(|| self.0.try_wait().unwrap()).expect("it ends")
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

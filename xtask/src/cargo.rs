//! Calls of the cargo that runs this task.

use std::path::PathBuf;
use std::process::Command;

/// The workspace folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A cargo call in the workspace folder.
pub fn cargo(arguments: &[&str]) -> Step {
    Step::new(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// A command of a task, told before it runs.
pub struct Step {
    told: String,
    command: Command,
}

impl Step {
    /// A command in the workspace folder.
    pub fn new(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root());
        let name = program.rsplit('/').next().unwrap_or(program);
        Self { told: format!("{name} {}", arguments.join(" ")), command }
    }

    /// Sets a variable for the command.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs the command to its end; what it wrote on its standard output.
    pub fn output(mut self) -> Result<String, String> {
        eprintln!("+ {}", self.told);
        let output = self.command.stderr(std::process::Stdio::inherit()).output();
        let output = output.map_err(|error| format!("`{}` cannot run: {error}", self.told))?;
        if !output.status.success() {
            return Err(format!("`{}` failed ({})", self.told, output.status));
        }
        String::from_utf8(output.stdout).map_err(|error| format!("`{}`: {error}", self.told))
    }

    /// Runs the command to its end.
    pub fn run(mut self) -> Result<(), String> {
        eprintln!("+ {}", self.told);
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` failed ({status})", self.told)),
            Err(error) => Err(format!("`{}` cannot run: {error}", self.told)),
        }
    }
}

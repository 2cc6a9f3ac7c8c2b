//! The tools: what must be on the machine, and what is installed from PyPI and npm into `target/clients/`
//! in the versions of `xtask/clients/`.

use super::run::run;
use crate::cargo::root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program that must be on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Python,
    Node,
    Java,
    Go,
}

impl Tool {
    /// The program and the arguments that show whether it is there.
    fn probe(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Tool::Python => {
                ("python3", &["-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"])
            }
            Tool::Node => ("npm", &["--version"]),
            Tool::Java => ("javac", &["--version"]),
            Tool::Go => ("go", &["version"]),
        }
    }

    /// Whether it is there and new enough.
    pub(super) fn is_there(self) -> bool {
        let (program, arguments) = self.probe();
        let silent = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        silent(Command::new(program).args(arguments)).is_ok_and(|status| status.success())
    }

    /// What to say when it is not.
    pub(super) fn missing(self) -> &'static str {
        match self {
            Tool::Python => "python3 (3.11 or later, with venv) is not installed",
            Tool::Node => "Node.js (20 or later) with npm is not installed",
            Tool::Java => "a JDK (17 or later) is not installed",
            Tool::Go => "Go (1.23 or later) is not installed",
        }
    }
}

/// Where the installed tools are.
pub(super) struct Tools {
    /// The folder of everything that this command makes.
    pub(super) home: PathBuf,
}

impl Tools {
    /// Installs what these need, unless it is there already.
    pub(super) fn install<'a>(needed: impl Iterator<Item = &'a Tool>) -> Result<Self, String> {
        let home = root().canonicalize().map_err(|error| error.to_string())?.join("target/clients");
        let tools = Self { home };
        fs::create_dir_all(&tools.home).map_err(|error| format!("{}: {error}", tools.home.display()))?;
        let needed: Vec<_> = needed.collect();
        if needed.contains(&&Tool::Python) {
            tools.once(&["requirements.txt"], Self::install_python)?;
        }
        if needed.contains(&&Tool::Node) {
            tools.once(&["package.json", "package-lock.json"], Self::install_node)?;
        }
        Ok(tools)
    }

    /// Copies these files and installs what they say, unless that is what was installed last.
    fn once(&self, files: &[&str], install: impl Fn(&Self) -> Result<(), String>) -> Result<(), String> {
        let read = |path: PathBuf| fs::read(&path).map_err(|error| format!("{}: {error}", path.display()));
        let wanted: Vec<_> = files.iter().map(|file| read(source().join(file))).collect::<Result<_, _>>()?;
        let stamp = self.home.join(format!("{}.installed", files[0]));
        if fs::read(&stamp).is_ok_and(|installed| installed == wanted.concat()) {
            return Ok(());
        }
        for (file, content) in files.iter().zip(&wanted) {
            write(&self.home.join(file), content)?;
        }
        install(self)?;
        write(&stamp, &wanted.concat())
    }

    fn install_python(&self) -> Result<(), String> {
        eprintln!("installing the tools of xtask/clients/requirements.txt from PyPI");
        let venv = |command: &mut Command| run(command.current_dir(&self.home));
        venv(Command::new("python3").args(["-m", "venv", "--clear", "venv"]))?;
        let pip = [
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--requirement",
            "requirements.txt",
        ];
        venv(Command::new(self.python("pip")).arg("--disable-pip-version-check").args(pip))?;
        let copy = "import openapi_generator_cli as package, shutil, sys; \
                    shutil.copy(package.__path__[0] + '/openapi-generator.jar', sys.argv[1])";
        venv(Command::new(self.python("python")).args(["-c", copy]).arg(self.generator_archive()))
    }

    fn install_node(&self) -> Result<(), String> {
        eprintln!("installing the tools of xtask/clients/package.json from npm");
        // No package runs code of its own: some send telemetry.
        let quietly = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        run(Command::new("npm").args(quietly).current_dir(&self.home))
    }

    /// A program that pip installed.
    pub(super) fn python(&self, program: &str) -> PathBuf {
        self.home.join("venv/bin").join(program)
    }

    /// The archive of openapi-generator, out of its Python package.
    pub(super) fn generator_archive(&self) -> PathBuf {
        self.home.join("openapi-generator.jar")
    }

    /// A program that npm installed.
    pub(super) fn node(&self, program: &str) -> PathBuf {
        self.home.join("node_modules/.bin").join(program)
    }
}

/// The folder with the versions and the programs.
pub(super) fn source() -> PathBuf {
    root().join("xtask/clients")
}

fn write(path: &Path, content: &[u8]) -> Result<(), String> {
    fs::write(path, content).map_err(|error| format!("{}: {error}", path.display()))
}

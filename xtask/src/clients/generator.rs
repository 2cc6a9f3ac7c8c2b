//! Client generators: from the documents of the sandbox and the auth host each makes clients, with which
//! its program in `xtask/clients/programs/` is compiled and talks to `argus dev`.

use super::dev::DevServer;
use super::run::run;
use super::tools::{Tool, Tools, source};
use argus_openapi::Host;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The hosts whose documents clients are made from; programs talk to both.
const HOSTS: [Host; 2] = [Host::Sandbox, Host::Auth];

/// A client generator.
pub(super) struct Generator {
    /// What must be on the machine.
    pub(super) needs: &'static [Tool],
    /// The command that makes the client of a host from its document.
    generate: fn(&Place<'_>, host: &str, document: &Path) -> Command,
    /// The commands that compile the program and run it.
    program: fn(&Place<'_>) -> Vec<Command>,
}

/// Where a generator works: a folder that begins with the files of its program.
struct Place<'a> {
    tools: &'a Tools,
    folder: PathBuf,
}

impl Place<'_> {
    fn command(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder);
        command
    }

    fn python(&self, program: &str, arguments: &[&str]) -> Command {
        self.command(self.tools.python(program), arguments)
    }

    fn node(&self, program: &str, arguments: &[&str]) -> Command {
        self.command(self.tools.node(program), arguments)
    }

    fn openapi_generator(&self, language: &str, host: &str, document: &Path, properties: &str) -> Command {
        let mut command =
            self.python("openapi-generator-cli", &["generate", "-g", language, "-o", host, "-i"]);
        command.arg(document).args(["--additional-properties", properties]);
        command
    }
}

/// Everything but what openapi-generator makes of `webhooks`: it takes them for operations to call, with code that is
/// neither Python nor TypeScript.
const WITHOUT_WEBHOOKS: [&str; 2] = ["--global-property", "apis,models,supportingFiles"];

const TYPESCRIPT: fn(&Place<'_>) -> Vec<Command> =
    |place| vec![place.node("tsc", &["--project", "."]), place.command("node", &["out/program.js"])];

pub(super) const OPENAPI_PYTHON_CLIENT: Generator = Generator {
    needs: &[Tool::Python],
    generate: |place, host, document| {
        let package = format!("argus_{host}");
        let arguments = ["generate", "--config", "config.yaml", "--fail-on-warning"];
        let mut command = place.python("openapi-python-client", &arguments);
        command.args(["--meta", "none", "--output-path", &package, "--path"]).arg(document);
        command
    },
    program: |place| vec![place.python("python", &["program.py"])],
};

pub(super) const OPENAPI_TYPESCRIPT: Generator = Generator {
    needs: &[Tool::Node],
    generate: |place, host, document| {
        let mut command = place.node("openapi-typescript", &["--enum", "--output", &format!("{host}.ts")]);
        command.arg(document);
        command
    },
    program: |place| vec![place.node("tsc", &["--project", "."]), place.command("node", &["out/program.js"])],
};

pub(super) const OPENAPI_GENERATOR_PYTHON: Generator = Generator {
    needs: &[Tool::Python, Tool::Java],
    generate: |place, host, document| {
        let properties = format!("packageName=argus_{host}");
        let mut command = place.openapi_generator("python", host, document, &properties);
        command.args(WITHOUT_WEBHOOKS);
        command
    },
    program: |place| {
        let compile = place.python("python", &["-m", "compileall", "-q", "sandbox", "auth"]);
        let mut program = place.python("python", &["program.py"]);
        program.env("PYTHONPATH", "sandbox:auth");
        vec![compile, program]
    },
};

pub(super) const OPENAPI_GENERATOR_TYPESCRIPT: Generator = Generator {
    needs: &[Tool::Python, Tool::Java, Tool::Node],
    generate: |place, host, document| {
        let mut command =
            place.openapi_generator("typescript-fetch", host, document, "importFileExtension=.js");
        command.args(WITHOUT_WEBHOOKS);
        command
    },
    program: TYPESCRIPT,
};

pub(super) const OPENAPI_GENERATOR_RUST: Generator = Generator {
    needs: &[Tool::Python, Tool::Java],
    generate: |place, host, document| {
        let properties = format!("packageName=argus-{host},supportMultipleResponses=true");
        place.openapi_generator("rust", host, document, &properties)
    },
    program: |place| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut program = place.command(cargo, &["run", "--quiet", "--locked"]);
        // Kept from run to run, unlike the folder of the program.
        program.env("CARGO_TARGET_DIR", place.tools.home.join("rust-target"));
        vec![program]
    },
};

pub(super) const OPENAPI_GENERATOR_JAVA: Generator = Generator {
    needs: &[Tool::Python, Tool::Java],
    generate: |place, host, document| {
        let packages = format!(
            "invokerPackage=argus.{host},apiPackage=argus.{host}.api,modelPackage=argus.{host}.model"
        );
        let mut command =
            place.openapi_generator("java", host, document, &format!("openApiNullable=false,{packages}"));
        command.args(["--library", "native"]);
        command
    },
    program: |place| {
        // The generator's own archive has the JSON library that clients need.
        let archive = place.tools.generator_archive();
        let archive = archive.to_string_lossy();
        let sources = ".:sandbox/src/main/java:auth/src/main/java";
        let javac = ["-nowarn", "-d", "out", "-cp", &archive, "-sourcepath", sources, "Program.java"];
        let java = ["-cp", &format!("out:{archive}"), "Program"];
        vec![place.command("javac", &javac), place.command("java", &java)]
    },
};

pub(super) const OPENAPI_GENERATOR_GO: Generator = Generator {
    needs: &[Tool::Python, Tool::Java, Tool::Go],
    generate: |place, host, document| {
        // One module, in which each client is a package; its enums share one scope of names.
        let properties = format!("packageName={host},withGoMod=false,enumClassPrefix=true");
        let mut command = place.openapi_generator("go", host, document, &properties);
        command.args(["--global-property", "apiTests=false,modelTests=false"]);
        command
    },
    program: |place| vec![place.command("go", &["vet", "./..."]), place.command("go", &["run", "."])],
};

impl Generator {
    /// Makes the clients, compiles the program and runs it.
    pub(super) fn check(&self, name: &str, tools: &Tools, server: &DevServer) -> Result<(), String> {
        let place = Place { tools, folder: tools.home.join(name) };
        let made = prepare(&source().join("programs").join(name), &place.folder);
        made.map_err(|error| format!("{}: {error}", place.folder.display()))?;
        for host in HOSTS {
            run(&mut (self.generate)(&place, host.name(), &super::document(host)))?;
        }
        for mut command in (self.program)(&place) {
            run(command.envs(server.environment()))?;
        }
        Ok(())
    }
}

/// A fresh folder with a copy of these files.
pub(super) fn prepare(program: &Path, folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(folder)?,
    }
    for entry in fs::read_dir(program)? {
        let entry = entry?;
        let copy = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            prepare(&entry.path(), &copy)?;
        } else {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}

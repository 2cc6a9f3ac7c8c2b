//! `cargo xtask clients`: what partners use beside the SDK, against `argus dev`. Client generators make
//! clients from the documents of the hosts, and a program of each kind talks through them; OAuth clients go through the grants
//! with somebody at a browser; GraphQL clients, Schemathesis and Prism ask by themselves. The tools come from PyPI and npm in the versions that stand in `xtask/clients/`, and live
//! in `target/clients/`.

mod dev;
mod generator;
mod graphql;
mod oauth;
mod prism;
mod run;
mod schemathesis;
mod tools;

use crate::cargo::root;
use argus_openapi::Host;
use clap::ValueEnum;
use dev::DevServer;
use generator::Generator;
use oauth::OauthClient;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use tools::{Tool, Tools};

/// Options of `cargo xtask clients`.
#[derive(clap::Args)]
pub struct Options {
    /// What to check; everything whose tools are there when nothing is named.
    checks: Vec<Check>,
}

/// One thing to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Check {
    OpenapiPythonClient,
    OpenapiTypescript,
    OpenapiGeneratorPython,
    OpenapiGeneratorTypescript,
    OpenapiGeneratorRust,
    OpenapiGeneratorJava,
    OpenapiGeneratorGo,
    OpenidClient,
    Authlib,
    Oauthlib,
    Graphql,
    Schemathesis,
    Prism,
}

impl Check {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What it takes.
    fn tester(self) -> Tester {
        let by_itself = |needs, check: CheckFn| Tester::ByItself { needs, check };
        match self {
            Check::OpenapiPythonClient => Tester::Generator(generator::OPENAPI_PYTHON_CLIENT),
            Check::OpenapiTypescript => Tester::Generator(generator::OPENAPI_TYPESCRIPT),
            Check::OpenapiGeneratorPython => Tester::Generator(generator::OPENAPI_GENERATOR_PYTHON),
            Check::OpenapiGeneratorTypescript => Tester::Generator(generator::OPENAPI_GENERATOR_TYPESCRIPT),
            Check::OpenapiGeneratorRust => Tester::Generator(generator::OPENAPI_GENERATOR_RUST),
            Check::OpenapiGeneratorJava => Tester::Generator(generator::OPENAPI_GENERATOR_JAVA),
            Check::OpenapiGeneratorGo => Tester::Generator(generator::OPENAPI_GENERATOR_GO),
            Check::OpenidClient => Tester::OauthClient(oauth::OPENID_CLIENT),
            Check::Authlib => Tester::OauthClient(oauth::AUTHLIB),
            Check::Oauthlib => Tester::OauthClient(oauth::OAUTHLIB),
            Check::Graphql => by_itself(graphql::NEEDS, graphql::check),
            Check::Schemathesis => by_itself(schemathesis::NEEDS, schemathesis::check),
            Check::Prism => by_itself(prism::NEEDS, prism::check),
        }
    }

    fn needs(self) -> &'static [Tool] {
        match self.tester() {
            Tester::Generator(generator) => generator.needs,
            Tester::OauthClient(client) => client.needs,
            Tester::ByItself { needs, .. } => needs,
        }
    }

    fn run(self, tools: &Tools, server: &DevServer) -> Result<(), String> {
        match self.tester() {
            Tester::Generator(generator) => generator.check(&self.name(), tools, server),
            Tester::OauthClient(client) => client.check(&self.name(), tools, server),
            Tester::ByItself { check, .. } => check(tools, server),
        }
    }
}

type CheckFn = fn(&Tools, &DevServer) -> Result<(), String>;

/// What a check is made with.
enum Tester {
    Generator(Generator),
    OauthClient(OauthClient),
    ByItself { needs: &'static [Tool], check: CheckFn },
}

/// The published document of a host.
fn document(host: Host) -> PathBuf {
    root().join("openapi/hosts").join(format!("{}.json", host.name()))
}

/// Runs the command.
pub fn run(options: &Options) -> ExitCode {
    match check(options) {
        Ok(passed) => {
            eprintln!("\nclients: {passed} passed");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("clients: {message}");
            ExitCode::FAILURE
        }
    }
}

fn check(options: &Options) -> Result<usize, String> {
    let checks = chosen(options)?;
    let tools = Tools::install(checks.iter().flat_map(|check| check.needs()))?;
    let server = DevServer::start()?;
    let mut failed = Vec::new();
    for check in &checks {
        let begun = Instant::now();
        match check.run(&tools, &server) {
            Ok(()) => eprintln!("ok      {} ({:.1} s)", check.name(), begun.elapsed().as_secs_f64()),
            Err(message) => {
                eprintln!("FAILED  {}\n{message}", check.name());
                failed.push(check.name());
            }
        }
    }
    if failed.is_empty() { Ok(checks.len()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// What was named, or what can run here. What was named must be able to.
fn chosen(options: &Options) -> Result<Vec<Check>, String> {
    let mut checks = Vec::new();
    let named = if options.checks.is_empty() { Check::value_variants() } else { &options.checks };
    for check in named {
        match check.needs().iter().find(|tool| !tool.is_there()) {
            None => checks.push(*check),
            Some(tool) if options.checks.is_empty() => {
                eprintln!("SKIPPED {}: {}", check.name(), tool.missing());
            }
            Some(tool) => return Err(format!("{}: {}", check.name(), tool.missing())),
        }
    }
    if checks.is_empty() { Err("none of the tools is there".to_owned()) } else { Ok(checks) }
}

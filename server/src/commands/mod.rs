//! What each command of the `argus` binary does. Flags are declared in [`crate::settings`].

mod deliveries;
mod dev;
mod graphql;
mod incidents;
mod jobs;
mod keys;
mod migrate;
mod openapi;
mod ready_file;
mod run;
mod scenario;
mod serve;
mod tenant;
mod token;
mod user;

use crate::settings::{Cli, Command, DevArgs};
use argus_core::ids::TenantId;
use std::process::ExitCode;

/// Exit status of a command that could not do its work; its data is untouched.
const EXIT_REFUSED: u8 = 2;

/// Exit status of a service that did not answer every request before it ended, and of a check that found something.
const EXIT_INCOMPLETE: u8 = 1;

/// A command's failure, ready to be shown to the operator.
type CommandResult = Result<(), Box<dyn std::error::Error>>;

/// Runs the command and reports a failure on standard error.
pub fn run(cli: Cli) -> ExitCode {
    let config = cli.config.as_deref();
    let outcome = match cli.command.unwrap_or_else(|| Command::Dev(DevArgs::of_environment())) {
        Command::Dev(args) => dev::dev(&args, config),
        Command::Serve(args) => serve::serve(&args, config),
        Command::Token(args) => token::token(args, config),
        Command::Openapi { yaml, host } => openapi::openapi(yaml, host.as_deref()),
        Command::Graphql { action } => graphql::graphql(action),
        Command::Scenario { action } => scenario::scenario(action),
        Command::Migrate(data) => migrate::migrate(data, config),
        Command::Jobs { action, data } => jobs::jobs(action, data, config),
        Command::Deliveries { action, data } => deliveries::deliveries(action, data, config),
        Command::Outbox { action, data } => deliveries::outbox(&action, data, config),
        Command::Incidents { action } => incidents::incidents(*action, config),
        Command::Tenant { action, data } => tenant::tenant(action, data, config),
        Command::User { action, data } => user::user(action, data, config),
        Command::Keys { action, data } => keys::keys(action, data, config),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("argus: {error}");
            let is_known = error.is::<run::CutOff>() || error.is::<scenario::Faulty>();
            ExitCode::from(if is_known { EXIT_INCOMPLETE } else { EXIT_REFUSED })
        }
    }
}

/// The tenant that an operator names.
fn tenant_named(text: &str) -> Result<TenantId, &'static str> {
    text.parse().map_err(|_| "a tenant is named as in tnt_01jx0000000000000000000000")
}

/// Writes a line to standard output; a closed pipe is the reader's choice and no error.
fn print(line: impl std::fmt::Display) -> CommandResult {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

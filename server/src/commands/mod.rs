//! What each command of the `argus` binary does. Flags are declared in [`crate::config`].

mod dev;
mod keys;
mod migrate;
mod openapi;
mod ready_file;
mod run;
mod serve;
mod token;

use crate::config::{Cli, Command, RunArgs};
use crate::problem::Problem;
use std::process::ExitCode;

/// Exit status of a command that could not do its work; its data is untouched.
const EXIT_REFUSED: u8 = 2;

/// A command's failure, ready to be shown to the operator.
type CommandResult = Result<(), Box<dyn std::error::Error>>;

/// Runs the command and reports a failure on standard error.
pub fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command.unwrap_or_else(|| Command::Dev(RunArgs::default())) {
        Command::Dev(args) => dev::dev(&args),
        Command::Serve(args) => serve::serve(&args),
        Command::Token(args) => token::token(&args),
        Command::Openapi { yaml } => openapi::openapi(yaml),
        Command::Migrate(data) => migrate::migrate(&data),
        Command::Keys { action, data } => keys::keys(action, &data),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("argus: {}", explain(error.as_ref()));
            ExitCode::from(EXIT_REFUSED)
        }
    }
}

/// The failure in the words of an operator, who has no use for the code of a reply, and every right to
/// the cause that callers are not shown.
fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<Problem>() {
        Some(Problem { cause: Some(cause), .. }) => cause.to_string(),
        Some(problem) => problem.message.clone(),
        None => error.to_string(),
    }
}

/// Writes a line to standard output; a closed pipe is the reader's choice and no error.
fn print(line: impl std::fmt::Display) -> CommandResult {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

//! What held and what did not.

use std::process::ExitCode;
use std::time::Instant;
use tokio::task::JoinError;

/// Why a check did not hold.
fn reason(error: JoinError) -> String {
    let text = error.to_string();
    let Ok(panic) = error.try_into_panic() else { return text };
    let message = panic.downcast_ref::<&str>().map(|message| (*message).to_owned());
    message.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or(text)
}

/// The checks so far.
#[derive(Default)]
pub struct Report {
    held: usize,
    failed: usize,
}

impl Report {
    /// Runs a check, whose assertions are panics, and tells its line.
    pub async fn check(&mut self, name: &str, check: impl Future<Output = String> + Send + 'static) {
        let began = Instant::now();
        let outcome = tokio::spawn(check).await;
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(seen) => {
                self.held += 1;
                println!("ok    {name}: {seen} ({seconds:.1} s)");
            }
            Err(error) => {
                self.failed += 1;
                println!("FAIL  {name}: {} ({seconds:.1} s)", reason(error).escape_debug());
            }
        }
    }

    /// The last line, and the exit code.
    pub fn end(self) -> ExitCode {
        println!("chaos: {} held, {} failed", self.held, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

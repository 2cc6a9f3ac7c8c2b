//! Scenarios that an operator writes for the sandbox: their files, what is wrong with them, and the mocks that are
//! made of them while the service runs. What a scenario is, and what is answered under it, is the sandbox crate's.

mod check;
mod current;
mod files;
mod replies;
mod watch;

pub use check::check;
pub use current::CurrentSandbox;
pub use files::{SCHEMA_FILE, read};
pub use watch::watch;

use argus_sandbox::FixtureError;

/// Why there are no mocks of an operator's scenarios.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file or a directory cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// What is to be changed, a line each.
    #[error("{0}")]
    Faulty(#[from] FixtureError),
}

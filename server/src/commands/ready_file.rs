//! The ready file: what tools read to find the hosts once all of them accept.

use super::CommandResult;
use argus_core::files::{self, Replace};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Contents of the ready file.
#[derive(Serialize)]
pub(super) struct Ready<'a> {
    /// Base URLs of the hosts by their names; none of a node that serves none.
    #[serde(flatten)]
    pub(super) hosts: BTreeMap<&'static str, String>,
    /// Demo credentials, in `dev` only.
    #[serde(flatten)]
    pub(super) demo: Option<Demo<'a>>,
}

/// Demo credentials of `argus dev`.
#[derive(Serialize)]
pub(super) struct Demo<'a> {
    pub(super) admin_token: &'a str,
    pub(super) live_token: &'a str,
    pub(super) sandbox_token: &'a str,
    pub(super) tenant_id: &'a str,
    pub(super) client_id: &'a str,
    pub(super) client_secret: &'a str,
    pub(super) user_email: &'a str,
    pub(super) user_password: &'a str,
}

/// Asserts, before anything is done, that a ready file can be written here.
pub(super) fn check(path: &Path) -> CommandResult {
    let directory = files::directory_of(path);
    match std::fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(unwritable(path, format!("{} is not a directory", directory.display()))),
        Err(error) => Err(unwritable(path, format!("{}: {error}", directory.display()))),
    }
}

impl Ready<'_> {
    /// Writes the ready file, whole or not at all, for its owner only.
    pub(super) fn write(&self, path: &Path) -> CommandResult {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        files::write(path, &text, Replace::Existing).map_err(|error| unwritable(path, error))
    }
}

fn unwritable(path: &Path, reason: impl std::fmt::Display) -> Box<dyn std::error::Error> {
    format!("cannot write the ready file {}: {reason}", path.display()).into()
}

//! Looks after the directory of scenarios while `dev` runs.
//!
//! It looks once a second at names, lengths and times of change. A library that is told by the system would be sooner,
//! and would be told nothing on shared folders of containers and virtual machines, where scenarios are often edited; a
//! second is soon enough for a person, and a directory of a few files costs nothing.

use super::files::paths_in;
use super::{CurrentSandbox, ScenarioError, check, read};
use argus_sandbox::Sandbox;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a directory looked like: name, length and time of change of each file.
type Look = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// Replaces the mocks whenever the directory has changed and is whole and valid again; says so, or says what is wrong,
/// by `tell`. It never ends.
pub async fn watch(directory: PathBuf, current: &CurrentSandbox, tell: impl Fn(&str)) {
    let mut known = look(&directory);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let seen = look(&directory);
        if seen == known {
            continue;
        }
        let loaded = load(directory.clone()).await;
        // What was changed while it was read may have been read in part; it is read again then.
        if look(&directory) != seen {
            continue;
        }
        known = seen;
        match loaded {
            Ok(sandbox) => {
                current.replace(&sandbox);
                let ids: Vec<&str> =
                    sandbox.own_scenarios().iter().map(|scenario| scenario.id.as_str()).collect();
                tell(&format!("the scenarios were loaded anew: {}", ids.join(", ")));
            }
            Err(error) => tell(&format!("{error}\nthe former scenarios stay in force")),
        }
    }
}

async fn load(directory: PathBuf) -> Result<Sandbox, ScenarioError> {
    let loaded = tokio::task::spawn_blocking(move || check(&read(&directory)?)).await;
    loaded.unwrap_or_else(|error| Err(ScenarioError::Unreadable(error.to_string())))
}

/// What the directory looks like; nothing where it cannot be looked at, which is a look of its own.
fn look(directory: &Path) -> Option<Look> {
    let of = |path: PathBuf| {
        let metadata = std::fs::metadata(&path).ok()?;
        Some((path, metadata.len(), metadata.modified().ok()))
    };
    Some(paths_in(directory).ok()?.into_iter().filter_map(of).collect())
}

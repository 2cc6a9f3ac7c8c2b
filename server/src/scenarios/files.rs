//! The files of a directory of scenarios.

use super::ScenarioError;
use argus_core::files::{
    self,
    trust::{self, Owner},
};
use std::path::{Path, PathBuf};

/// What the schema for editors is called, beside the scenarios. It is none itself.
pub const SCHEMA_FILE: &str = "scenario.schema.json";

/// Name and text of a file, or of every scenario of a directory, by name.
///
/// # Errors
///
/// When one cannot be read, or somebody else may write it.
pub fn read(path: &Path) -> Result<Vec<(String, String)>, ScenarioError> {
    let paths = if path.is_dir() { paths_in(path)? } else { vec![path.to_owned()] };
    let text = |path: &PathBuf| {
        let (text, _) = files::read_configuration(path).map_err(|error| unreadable("file", path, &error))?;
        Ok((path.display().to_string(), text))
    };
    paths.iter().map(text).collect()
}

/// The scenarios of a directory, by name.
pub(super) fn paths_in(directory: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let explain = |error: std::io::Error| unreadable("directory", directory, &error);
    trust::check_directory(directory, Owner::Administrator).map_err(explain)?;
    let entries = std::fs::read_dir(directory).map_err(explain)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(explain)?;
    paths.retain(|path| is_scenario(path));
    paths.sort();
    Ok(paths)
}

fn is_scenario(path: &Path) -> bool {
    let is_schema = path.file_name().is_some_and(|name| name == SCHEMA_FILE);
    path.extension().is_some_and(|extension| extension == "json") && !is_schema
}

fn unreadable(what: &str, path: &Path, error: &std::io::Error) -> ScenarioError {
    ScenarioError::Unreadable(format!("scenario {what} {}: {error}", path.display()))
}

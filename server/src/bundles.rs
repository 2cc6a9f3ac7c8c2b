//! The operation bundles of an installation: those that ship, and those of its own directory, where each folder is a
//! bundle. They are checked against the schema whenever they are read.

use argus_core::files;
use argus_core::files::trust::{self, Owner};
use argus_openapi::graphql::{BundleFile, Bundles};
use argus_partner::graphql;
use std::error::Error;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

/// The bundles that ship, and those of the directory.
///
/// # Errors
///
/// When a file cannot be read, is no document that can be approved, or does not fit the schema; each is named.
pub fn open(directory: Option<&Path>) -> Result<Bundles, Box<dyn Error>> {
    let files = directory.map_or_else(|| Ok(Vec::new()), read)?;
    let bundles = Bundles::with(files).map_err(|error| format!("operation bundle {error}"))?;
    let misfits: Vec<String> = graphql::misfits(&bundles).iter().map(ToString::to_string).collect();
    if misfits.is_empty() { Ok(bundles) } else { Err(misfits.join("\nargus: ").into()) }
}

/// Every `.graphql` file of every folder of the directory, in the order of their names.
fn read(directory: &Path) -> Result<Vec<BundleFile>, Box<dyn Error>> {
    let mut found = Vec::new();
    for folder in entries(directory)? {
        if !folder.is_dir() {
            continue;
        }
        for path in entries(&folder)? {
            if path.extension().is_none_or(|extension| extension != "graphql") {
                continue;
            }
            let (text, _) = files::read_configuration(&path)
                .map_err(|error| format!("operation document {}: {error}", path.display()))?;
            found.push(BundleFile { bundle: name(&folder), name: name(&path), text });
        }
    }
    Ok(found)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let explain = |error: std::io::Error| format!("bundle directory {}: {error}", directory.display());
    trust::check_directory(directory, Owner::Administrator).map_err(explain)?;
    let entries = std::fs::read_dir(directory).map_err(explain)?;
    let paths = entries.map(|entry| entry.as_ref().map(DirEntry::path).map_err(ToString::to_string));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

//! The channels to other installations, as the operator's file says them.

use argus_core::files::{self, trust};
use argus_partner::federation::FederationSettings;
use std::error::Error;
use std::path::Path;

/// The channels of the file, or none without one.
///
/// # Errors
///
/// When it cannot be used, or others can read the tokens in it.
pub fn open(file: Option<&Path>) -> Result<FederationSettings, Box<dyn Error>> {
    let Some(path) = file else { return Ok(FederationSettings::default()) };
    let failed = |reason: &dyn std::fmt::Display| format!("federation file {}: {reason}", path.display());
    let (text, metadata) = files::read_configuration(path).map_err(|error| failed(&error))?;
    trust::check_readers(path, &metadata).map_err(|error| failed(&error))?;
    Ok(FederationSettings::read(&text).map_err(|error| failed(&error))?)
}

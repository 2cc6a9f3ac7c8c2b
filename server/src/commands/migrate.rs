//! `argus migrate`: bring the store to the schema of this version.

use super::{CommandResult, print};
use crate::service;
use crate::settings::{DataArgs, Settings};
use argus_core::store::Database;
use std::path::Path;

pub(super) fn migrate(data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    service::open_data_dir(&settings)?;
    let applied = Database::migrate(&settings.store.url, service::PRODUCTS)?;
    if applied.is_empty() {
        return print("the store already has the schema of this version");
    }
    applied.iter().try_for_each(|migration| print(format!("applied {migration}")))
}

//! `argus migrate`: bring the store to the schema of this version, and on PostgreSQL give each role what it needs of it.

use super::{CommandResult, print};
use crate::service;
use crate::settings::{DataArgs, Settings};
use argus_core::store::{Database, Migrated};
use std::path::Path;

pub(super) fn migrate(data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    service::open_data_dir(&settings)?;
    let Migrated { migrations, wall } = Database::migrate(&settings.store, service::PRODUCTS)?;
    if migrations.is_empty() && wall.is_empty() {
        return print("the store already has the schema of this version");
    }
    migrations.iter().try_for_each(|migration| print(format!("applied {migration}")))?;
    wall.iter().try_for_each(|statement| print(format!("set {statement}")))
}

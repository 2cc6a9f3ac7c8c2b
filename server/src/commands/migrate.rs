//! `argus migrate`: bring the store to the schema of this version.

use super::{CommandResult, print};
use crate::config::DataArgs;
use crate::store::Store;

pub(super) fn migrate(data: &DataArgs) -> CommandResult {
    super::run::create_data_dir(data)?;
    let applied = Store::migrate(&data.database_url())?;
    if applied.is_empty() {
        return print("the store already has the schema of this version");
    }
    applied.iter().try_for_each(|migration| print(format!("applied {migration}")))
}

//! `argus keys`: list or rotate the signing keys.

use super::{CommandResult, print};
use crate::settings::{DataArgs, KeysAction, Settings};
use argus_core::Clock;
use argus_partner::signing_keys::KeyRing;
use std::path::Path;

pub(super) fn keys(action: KeysAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    let ring = KeyRing::open_existing(&settings.identity.data_dir, Clock::system())?;
    if let KeysAction::Rotate = action {
        let kid = ring.rotate()?;
        print(format!("signing with {kid} from now on; running servers notice within a second"))?;
    }
    for key in ring.list() {
        match key.published_until {
            None => print(format!("{}  signs", key.kid))?,
            Some(until) => print(format!("{}  published until {}", key.kid, until.to_rfc3339()))?,
        }
    }
    Ok(())
}

//! `argus keys`: list or rotate the signing keys.

use super::{CommandResult, print};
use crate::config::{DataArgs, KeysAction};
use crate::identity::signing_keys::KeyRing;

pub(super) fn keys(action: KeysAction, data: &DataArgs) -> CommandResult {
    let ring = KeyRing::open_existing(&data.data_dir)?;
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

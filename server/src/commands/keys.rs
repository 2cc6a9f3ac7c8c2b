//! `argus keys`: list or rotate the signing keys.

use super::{CommandResult, print};
use crate::settings::{DataArgs, KeysAction, Settings};
use argus_core::Clock;
use argus_partner::signing_keys::{Begin, KEY_SET_MAX_AGE, KeyRing, KeyState, KeyStatus};
use chrono::{DateTime, SecondsFormat, Utc};
use std::path::Path;

pub(super) fn keys(action: KeysAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    let ring = KeyRing::open_existing(&settings.identity.data_dir, Clock::system())?;
    match action {
        KeysAction::List => {}
        KeysAction::Rotate { now: false } => {
            let key = ring.rotate(Begin::OncePublished)?;
            let from = moment(key.signs_from);
            print(format!("published {} now; every node signs with it from {from} on, by itself", key.kid))?;
        }
        KeysAction::Rotate { now: true } => {
            let key = ring.rotate(Begin::Now)?;
            print(format!("published {} now; every node signs with it within a second", key.kid))?;
            print(format!(
                "what it costs: verifiers that hold a cached key set refuse new tokens until they fetch it again, \
                 for up to {KEY_SET_MAX_AGE} seconds"
            ))?;
        }
    }
    ring.list().iter().try_for_each(|key| print(line(key)))
}

fn line(key: &KeyStatus) -> String {
    let (kid, from) = (&key.kid, moment(key.signs_from));
    match (key.state, key.published_until.map(moment)) {
        (KeyState::Published, _) => format!("{kid}  published  signs from {from}"),
        (KeyState::Signing, _) => format!("{kid}  signing    since {from}"),
        (KeyState::Retired, Some(until)) => format!("{kid}  retired    published until {until}"),
        (KeyState::Retired, None) => format!("{kid}  retired"),
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

//! `argus keys`: list or rotate the signing keys, or let those of this data directory count.

use super::{CommandResult, print};
use crate::service;
use crate::settings::{DataArgs, KeysAction, Settings};
use argus_core::Clock;
use argus_partner::Adopted;
use argus_partner::signing_keys::{Begin, KEY_SET_MAX_AGE, KeyError, KeyRing, KeyState, KeyStatus};
use chrono::{DateTime, SecondsFormat, Utc};
use std::error::Error;
use std::fs::File;
use std::path::Path;

pub(super) fn keys(action: KeysAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    match action {
        KeysAction::List => list(&open_ring(&settings)?),
        KeysAction::Rotate { now } => rotate(&settings, if now { Begin::Now } else { Begin::OncePublished }),
        KeysAction::Adopt => adopt(&settings),
    }
}

fn open_ring(settings: &Settings) -> Result<KeyRing, KeyError> {
    KeyRing::open_existing(&settings.identity.data_dir, Clock::system())
}

fn list(ring: &KeyRing) -> CommandResult {
    ring.list().iter().try_for_each(|key| print(line(key)))
}

fn rotate(settings: &Settings, begin: Begin) -> CommandResult {
    open_ring(settings)?;
    let _turn = open_store(settings)?;
    let (_database, identity) = service::open(settings, Clock::system())?;
    let key = identity.rotate_keys(begin)?;
    match begin {
        Begin::OncePublished => {
            let from = moment(key.signs_from);
            print(format!("published {} now; every node signs with it from {from} on, by itself", key.kid))?;
        }
        Begin::Now => {
            print(format!("published {} now; every node signs with it within a second", key.kid))?;
            print(format!(
                "what it costs: verifiers that hold a cached key set refuse new tokens until they fetch it again, \
                 for up to {KEY_SET_MAX_AGE} seconds"
            ))?;
        }
    }
    list(identity.keys())
}

fn adopt(settings: &Settings) -> CommandResult {
    let _turn = open_store(settings)?;
    let Adopted { former, newest } = service::adopt_keys(settings, &Clock::system())?;
    match former {
        Some(former) if former == newest => print("the store knows these keys already")?,
        Some(former) => print(format!(
            "the store knew {former}; from now on these keys count, and nodes that have others are refused when \
             they start"
        ))?,
        None => print("from now on these keys count")?,
    }
    list(&open_ring(settings)?)
}

/// Waits for the turn to use a store that must be there: a new one beside a server's data would know nothing
/// of its keys.
fn open_store(settings: &Settings) -> Result<File, Box<dyn Error>> {
    if let Some(path) = settings.store.url.file()?
        && !path.exists()
    {
        return Err(format!(
            "there is no store in {}; name the one that belongs to these keys with --database-url",
            path.display()
        )
        .into());
    }
    service::open_data_dir(settings)?;
    service::take_turn(settings)
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

//! The file of `--config`: TOML, one table a module, with the names of the flags. A key that nobody knows
//! is refused by its name; no value is ever part of a message, because it may be a secret. Others must not
//! be able to write the file, nor to read a password in it.

use super::options::Options;
use argus_core::files::{self, trust};
use argus_core::store::DatabaseUrl;
use serde::Deserialize;
use std::path::Path;
use toml::{Table, Value};

/// The options over those of the file.
pub(super) fn overlay(options: &Options, path: &Path) -> Result<Options, String> {
    let failed = |reason: &dyn std::fmt::Display| format!("the file {}: {reason}", path.display());
    let (text, metadata) = files::read_configuration(path).map_err(|error| failed(&error))?;
    let said = Table::try_from(options).map_err(|error| failed(&error))?;
    // The file alone first: an error in it has a place.
    let alone: Options = toml::from_str(&text).map_err(|error| failed(&explained(&text, &error)))?;
    if let Some(secret) = secret_in(alone) {
        trust::check_readers(path, &metadata)
            .map_err(|error| failed(&format!("it holds {secret}, and {error}")))?;
    }
    let mut merged: Table = toml::from_str(&text).map_err(|error| failed(&explained(&text, &error)))?;
    merge(&mut merged, said);
    Options::deserialize(Value::Table(merged)).map_err(|error| failed(&without_value(error.message())))
}

/// What nobody else may read in the options of a file.
fn secret_in(options: Options) -> Option<&'static str> {
    let Options { identity, store, objects, connectors, .. } = options;
    let urls = [store.database_url, store.database_worker_url, store.database_owner_url];
    if urls.into_iter().flatten().any(|url| DatabaseUrl::from(url).may_hold_password()) {
        Some("the password of the database")
    } else if identity.envelope_key.is_some() {
        Some("the envelope key")
    } else if objects.secret_access_key.is_some() || objects.session_token.is_some() {
        Some("the secret of a bucket")
    } else if connectors.systems().any(|(_, _, token)| token.is_some()) {
        Some("the token of a connector")
    } else {
        None
    }
}

/// The error without the line that it quotes.
fn explained(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
    let message = without_value(error.message());
    match line {
        Some(line) => format!("line {line}: {message}"),
        None => message.to_owned(),
    }
}

/// What serde says of a value that does not fit, without the value.
fn without_value(message: &str) -> &str {
    let quotes_value = ["invalid type", "invalid value", "unknown variant"];
    if !quotes_value.iter().any(|beginning| message.starts_with(beginning)) {
        return message;
    }
    message.rfind("expected ").map_or("a value that does not fit", |expected| &message[expected..])
}

fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

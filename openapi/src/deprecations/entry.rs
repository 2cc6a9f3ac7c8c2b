//! One line of the matrix, and what must hold of it.

use crate::Contract;
use crate::types::common::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// That an operation, or a part of one, will go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// Id of the operation, or of a delivery.
    pub operation: String,
    /// Which part of it, in the words of the gate: `query.limit`, `request.body.payload.format`,
    /// `response.200.body.jobs[].status`. Without it the whole operation goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Which value of that part, where only one goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Since when it should not be used any more.
    pub deprecated_at: Timestamp,
    /// From when on it is gone: a whole operation answers 410.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset_at: Option<Timestamp>,
    /// What to use instead: the id of an operation, or a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<Successor>,
    /// Where people read about it.
    pub link: String,
    /// What to do, in a sentence.
    pub note: String,
}

/// What to use instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Successor {
    /// An operation of the contract.
    Operation(String),
    /// Something elsewhere.
    Url(String),
}

impl From<String> for Successor {
    fn from(text: String) -> Self {
        if text.contains(':') { Self::Url(text) } else { Self::Operation(text) }
    }
}

impl From<Successor> for String {
    fn from(successor: Successor) -> Self {
        match successor {
            Successor::Operation(text) | Successor::Url(text) => text,
        }
    }
}

impl Deprecation {
    /// Reads a line. The error begins with what it is about: the operation, if there is one, and the member.
    pub(super) fn read(contract: &Contract, value: Value) -> Result<Self, String> {
        let operation = value.get("operation").and_then(Value::as_str).unwrap_or_default().to_owned();
        let named = if operation.is_empty() { String::new() } else { format!(" (`{operation}`)") };
        let read: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let (path, inner) = (error.path().to_string(), error.inner());
            let member = if path == "." { String::new() } else { format!(".{path}") };
            format!("{named}{member}: {inner}")
        })?;
        read.check(contract).map_err(|(member, reason)| format!("{named}.{member}: {reason}"))?;
        Ok(read)
    }

    /// What is wrong, and in which member.
    fn check(&self, contract: &Contract) -> Result<(), (&'static str, String)> {
        let known = contract.row(&self.operation).is_some_and(|row| row.is_published());
        if !known && !contract.delivers(&self.operation) {
            return Err(("operation", "the contract publishes no such operation".to_owned()));
        }
        if self.value.is_some() && self.part.is_none() {
            return Err(("value", "name the `part` whose value it is".to_owned()));
        }
        // The headers tell whole seconds.
        let moments = [("deprecated_at", Some(self.deprecated_at)), ("sunset_at", self.sunset_at)];
        for (member, moment) in moments {
            if moment.is_some_and(|moment| moment.timestamp_subsec_nanos() != 0) {
                return Err((member, "give whole seconds".to_owned()));
            }
        }
        if self.sunset_at.is_some_and(|sunset| sunset < self.deprecated_at) {
            return Err(("sunset_at", "it lies before `deprecated_at`".to_owned()));
        }
        is_https("link", &self.link)?;
        if self.note.trim().is_empty() {
            return Err(("note", "say what to do instead".to_owned()));
        }
        match &self.successor {
            None => Ok(()),
            Some(Successor::Url(url)) => is_https("successor", url),
            Some(Successor::Operation(id)) if *id == self.operation && self.part.is_none() => {
                Err(("successor", "an operation does not succeed itself".to_owned()))
            }
            Some(Successor::Operation(id)) => match contract.row(id) {
                Some(row) if row.is_published() => Ok(()),
                _ => Err(("successor", format!("the contract publishes no operation `{id}`; or give a URL"))),
            },
        }
    }

    /// Whether both lines are about the same operation, part and value.
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        (&self.operation, &self.part, &self.value) == (&other.operation, &other.part, &other.value)
    }
}

/// A URL that can stand in a `Link` header between angle brackets.
fn is_https(member: &'static str, text: &str) -> Result<(), (&'static str, String)> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'));
    let url = Url::parse(text).ok().filter(|url| plain && url.scheme() == "https" && url.has_host());
    match url {
        Some(_) => Ok(()),
        None => Err((member, "it must be an absolute `https` URL in ASCII".to_owned())),
    }
}

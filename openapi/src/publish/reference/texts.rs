//! What a contract says of itself in one language, beside its descriptor: hand-written, below `openapi/policy/reference`.

use super::super::PublishError;
use crate::contract::PolicyFile;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The texts of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    /// Heading of the page.
    pub(super) title: String,
    /// A few words above it.
    pub(super) badge: String,
    /// What the page is about, in a sentence or two.
    pub(super) lead: String,
    /// What is published and what is not.
    pub(super) scope: Scope,
    /// What readers call the hosts, by their names.
    pub(super) hosts: BTreeMap<String, String>,
    /// What readers call those whom operations are for, by the values of the descriptor.
    pub(super) audiences: BTreeMap<String, String>,
    /// What readers call what they may rely on, by the values of the descriptor.
    pub(super) stabilities: BTreeMap<String, String>,
    /// The descriptor's own description in this language (Markdown); absent in the language of the descriptor.
    #[serde(default)]
    pub(super) guide: Option<String>,
    /// The sections, in the order of the page.
    pub(super) sections: Vec<Section>,
    /// The call at the end of the page.
    pub(super) call: Call,
}

/// What is published and what is not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scope {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) canonical: String,
    pub(super) points: Vec<String>,
}

/// A section: the operations of one tag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    /// The tag.
    pub(super) tag: String,
    pub(super) title: String,
    pub(super) about: String,
    /// What is to be known of all its operations (Markdown).
    #[serde(default)]
    pub(super) notes: Vec<String>,
}

/// The call at the end of the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) link: String,
}

impl Texts {
    /// The texts of a policy file.
    pub(super) fn committed(file: PolicyFile) -> Result<Self, PublishError> {
        serde_json::from_str(file.text)
            .map_err(|error| PublishError::Policy { file: file.name.to_owned(), reason: error.to_string() })
    }
}

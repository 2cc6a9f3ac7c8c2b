//! A contract as a value: what gate, pipeline, coverage and SDK generation need to know of it, so that
//! none of them asks a global which one it serves. Each contract has a file of its own below this one.

mod argus;

pub use argus::ARGUS;

use crate::published::{HostDescriptor, PublishedSchema, Reference};
use crate::types::error::Error;
use crate::types::events::EventRow;
use crate::{Host, OperationRow};
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use std::fmt;

/// One trait with its operation table, and everything that is published of it.
#[derive(Clone, Copy)]
pub struct Contract {
    /// Short name: in file names, ids of data schemas and `x-` members.
    pub name: &'static str,
    /// `info.title` of the descriptor.
    pub title: &'static str,
    /// `info.version` of the descriptor.
    pub version: &'static str,
    /// Hosts that serve it.
    pub hosts: &'static [Host],
    /// The host whose address the documents name as theirs.
    pub documents_host: Host,
    /// Every operation, in the order of the trait.
    pub rows: &'static [OperationRow],
    /// What its errors look like.
    pub error: ErrorShape,
    /// What it tells of without being asked each time.
    pub webhooks: Webhooks,
    /// What of it will go, and when.
    pub deprecations: PolicyFile,
    /// The documents as they are committed.
    pub documents: Documents,
    /// Addresses outside this service that they name.
    pub addresses: Addresses,
    /// What only the pipeline needs.
    #[cfg(feature = "publish")]
    pub publication: Publication,
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contract").field(&self.name).field(&self.version).finish()
    }
}

impl Contract {
    /// What the errors of an operation look like.
    pub fn error_of(&self, row: &OperationRow) -> ErrorShape {
        row.error.copied().unwrap_or(self.error)
    }

    /// The row with this operation id.
    pub fn row(&self, id: &str) -> Option<&'static OperationRow> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Whether partners receive a delivery with this operation id.
    pub fn delivers(&self, id: &str) -> bool {
        let events = self.webhooks.events.iter().map(|event| event.delivery_id());
        let callbacks = self.rows.iter().filter_map(|row| row.callback);
        events.chain(callbacks.map(|callback| callback.delivery_id())).any(|known| known == id)
    }
}

/// What those are told who subscribed.
#[derive(Clone, Copy)]
pub struct Webhooks {
    /// Every event that is delivered.
    pub events: &'static [EventRow],
    /// Id of the operation that subscribes. The hosts that serve it publish the events.
    pub subscribe: &'static str,
    /// Tag of the events, and of no operation: openapi-generator writes a file for each tag of `webhooks` over the
    /// client of the operations that have the same tag.
    pub tag: &'static str,
    /// What the tag stands for.
    pub about: &'static str,
}

/// The error body of a contract.
#[derive(Clone, Copy)]
pub struct ErrorShape {
    /// Name of its component schema.
    pub name: &'static str,
    /// Its schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// An error as it stands on the wire.
    pub write: fn(&Error) -> serde_json::Result<Vec<u8>>,
}

/// The generated documents of a contract.
#[derive(Clone, Copy)]
pub struct Documents {
    /// The descriptor as JSON.
    pub json: &'static str,
    /// The descriptor as YAML.
    pub yaml: &'static str,
    /// What each host serves of it.
    pub hosts: &'static [HostDescriptor],
    /// The API catalogue (RFC 9727).
    pub catalog: &'static str,
    /// Every data schema, by id.
    pub schemas: &'static [PublishedSchema],
    /// The reference, for people and for machines.
    pub reference: &'static Reference,
}

/// Addresses outside this service that the documents name unless its operator says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Documentation for people.
    pub service_doc: &'static str,
    /// Where those go who need more than the contract gives.
    pub integration_request: &'static str,
}

/// The hand-written side of what is published, and where the generated side goes.
#[cfg(feature = "publish")]
#[derive(Clone, Copy)]
pub struct Publication {
    /// What dropshot says of the trait.
    pub describe:
        fn() -> Result<dropshot::ApiDescription<dropshot::StubContext>, dropshot::ApiDescriptionBuildErrors>,
    /// `info.description` of the descriptor.
    pub description: &'static str,
    /// Whom to ask: name and URL.
    pub contact: (&'static str, &'static str),
    /// Under which licence the descriptor is: its SPDX name and URL.
    pub licence: (&'static str, &'static str),
    /// The reference page in each language, and the same for machines.
    pub reference: ReferencePlan,
    /// Path of the descriptor without the ending that says its format. Below it are those of the hosts.
    pub service_desc: &'static str,
    /// The security schemes that the rows' access refers to.
    pub security_schemes: fn() -> serde_json::Value,
    /// Names of request headers as the contract writes them; to HTTP they are the same in any case.
    pub header_names: &'static [&'static str],
    /// What an absent query parameter means, by its name.
    pub query_defaults: fn(&str) -> Option<serde_json::Value>,
    /// Routes that are never published.
    pub denylist: PolicyFile,
    /// The hand-written examples, one file per topic.
    pub examples: &'static [PolicyFile],
    /// Examples of error bodies that operations share.
    pub error_examples: PolicyFile,
    /// Where the generated files go.
    pub files: Files,
}

/// Where a contract's reference is, and what it says beside the descriptor.
#[cfg(feature = "publish")]
#[derive(Clone, Copy)]
pub struct ReferencePlan {
    /// The page in each language.
    pub pages: &'static [ReferencePage],
    /// Path of the same as Markdown, in the language that is asked for.
    pub markdown: &'static str,
}

/// The reference page in one language.
#[cfg(feature = "publish")]
#[derive(Clone, Copy)]
pub struct ReferencePage {
    /// Tag of the language (BCP 47).
    pub language: &'static str,
    /// What the language calls itself.
    pub name: &'static str,
    /// Path of the page.
    pub path: &'static str,
    /// What it says beside the descriptor.
    pub texts: PolicyFile,
}

/// A hand-written file below `openapi/policy`.
#[derive(Clone, Copy)]
pub struct PolicyFile {
    /// Its path there.
    pub name: &'static str,
    /// What it holds.
    pub text: &'static str,
}

/// Paths of generated files below the workspace.
#[cfg(feature = "publish")]
#[derive(Clone, Copy)]
pub struct Files {
    /// The descriptor as JSON.
    pub json: &'static str,
    /// The descriptor as YAML.
    pub yaml: &'static str,
    /// Directory of the hosts' descriptors; nothing else is in it.
    pub hosts: &'static str,
    /// Directory of the releases: descriptors as partners were given them; nothing else is in it.
    pub releases: &'static str,
    /// What each release changed.
    pub changelog: &'static str,
    /// The API catalogue.
    pub catalog: &'static str,
    /// Directory of the data schemas; nothing else is in it.
    pub schemas: &'static str,
    /// Directory of the reference; nothing else is in it.
    pub reference: &'static str,
    /// The Rust module that embeds the data schemas.
    pub schema_table: &'static str,
    /// The SDK's client.
    pub client: &'static str,
    /// The SDK's table of hosts.
    pub client_hosts: &'static str,
    /// The SDK's enum of deliveries.
    pub client_events: &'static str,
    /// The SDK's typed calls of the operation bundles.
    pub client_graphql: &'static str,
    /// The hosts as the proxy in front of them needs to know them.
    pub proxy: &'static str,
}

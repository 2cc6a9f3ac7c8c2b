//! The generated documents, embedded as they are committed. `cargo xtask regen` writes them.

mod schemas;

use crate::Host;
use crate::types::common::SecrecyLevel;
use crate::types::discovery::DataSchema;

pub use schemas::SCHEMAS;

/// The published descriptor as JSON.
pub const DESCRIPTOR_JSON: &str = include_str!("../argus.json");

/// The published descriptor as YAML.
pub const DESCRIPTOR_YAML: &str = include_str!("../argus.yaml");

/// The API catalogue (RFC 9727).
pub const API_CATALOG_JSON: &str = include_str!("../api-catalog.json");

/// What each host serves of the descriptor.
pub const HOST_DESCRIPTORS: &[HostDescriptor] = &[
    HostDescriptor {
        host: Host::Auth,
        json: include_str!("../hosts/auth.json"),
        yaml: include_str!("../hosts/auth.yaml"),
    },
    HostDescriptor {
        host: Host::Api,
        json: include_str!("../hosts/api.json"),
        yaml: include_str!("../hosts/api.yaml"),
    },
    HostDescriptor {
        host: Host::Sandbox,
        json: include_str!("../hosts/sandbox.json"),
        yaml: include_str!("../hosts/sandbox.yaml"),
    },
];

/// The reference in each language.
pub const REFERENCE: Reference = Reference {
    pages: &[
        ReferenceDocument {
            language: "en",
            page: include_str!("../reference/en.html"),
            markdown: include_str!("../reference/en.md"),
        },
        ReferenceDocument {
            language: "fr",
            page: include_str!("../reference/fr.html"),
            markdown: include_str!("../reference/fr.md"),
        },
    ],
    outline: include_str!("../reference/llms.txt"),
};

/// The one style of reference pages. It stands in them, and its digest in the policy that they are served with.
pub const REFERENCE_STYLE: &str = include_str!("reference/style.css");

/// The one script of reference pages, in the same way. The pages are whole without it.
pub const REFERENCE_SCRIPT: &str = include_str!("reference/script.js");

/// In a reference, the place of the URL where an integration is requested. A service fills it in at its start.
pub const INTEGRATION_REQUEST_PLACE: &str = "{{integration-request-url}}";

/// In a reference page, the place of the path where a service under development gives out its sandbox token; empty
/// everywhere else.
pub const DEMO_TOKEN_PLACE: &str = "{{demo-token-path}}";

/// How a descriptor is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON (RFC 8259).
    Json,
    /// YAML (RFC 9512).
    Yaml,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Json, Self::Yaml];

    /// How the name of a file in it ends.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
        }
    }
}

/// The part of the descriptor that one host serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostDescriptor {
    /// The host.
    pub host: Host,
    /// As JSON.
    pub json: &'static str,
    /// As YAML.
    pub yaml: &'static str,
}

impl HostDescriptor {
    /// The text in a format.
    pub const fn text(&self, format: Format) -> &'static str {
        match format {
            Format::Json => self.json,
            Format::Yaml => self.yaml,
        }
    }
}

/// A contract's reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// In each language, first that of the descriptor.
    pub pages: &'static [ReferenceDocument],
    /// What leads machines to it (llmstxt.org).
    pub outline: &'static str,
}

/// A reference in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceDocument {
    /// Tag of the language (BCP 47).
    pub language: &'static str,
    /// The page.
    pub page: &'static str,
    /// The same as Markdown.
    pub markdown: &'static str,
}

/// A data schema: a JSON Schema 2020-12 document that refers to nothing outside itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedSchema {
    /// Stable identifier, as `argus.profile.v1`.
    pub id: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Operations that take, return or act on it, as `GET /v1/profiles/{id}`.
    pub operations: &'static [&'static str],
    /// Their ids, in the same order.
    pub operation_ids: &'static [&'static str],
    /// The document.
    pub text: &'static str,
}

impl PublishedSchema {
    /// What is told of it. It is a public document, so that its secrecy is the lowest.
    pub fn entry(&self) -> DataSchema {
        DataSchema {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            secrecy_level: SecrecyLevel::default(),
            operations: self.operations.iter().map(|operation| (*operation).to_owned()).collect(),
            schema_url: format!("{}/.well-known/schemas/{}.json", Host::Api.public_url(), self.id),
        }
    }

    /// The schema with this identifier.
    pub fn find(id: &str) -> Option<&'static PublishedSchema> {
        SCHEMAS.iter().find(|schema| schema.id == id)
    }
}

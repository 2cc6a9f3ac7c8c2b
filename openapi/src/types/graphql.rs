//! The GraphQL transport. Its schema and its operations are not part of the public contract.

use super::checked_text::{Published, checked_text};
use super::error::{Error, ErrorCode};
use super::json_object::JsonObject;
use super::rendered::Rendered;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use validator::Validate;

/// Characters of a [`BundleId`].
const BUNDLE_ID_MAX_LENGTH: usize = 64;

checked_text! {
    /// Identifier of an approved operation bundle: 1 to 64 characters out of small letters, digits and hyphens, with
    /// a letter or digit at both ends.
    pub struct BundleId {
        check: check_bundle_id,
        published: Published {
            format: None,
            max_length: BUNDLE_ID_MAX_LENGTH,
            pattern: Some("^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$".to_owned()),
        },
    }
}

fn check_bundle_id(text: &str) -> Result<(), &'static str> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_bare = text.starts_with('-') || text.ends_with('-');
    if text.is_empty() || text.len() > BUNDLE_ID_MAX_LENGTH || is_bare || !text.bytes().all(allowed) {
        return Err(
            "a bundle id has 1 to 64 characters out of a-z, 0-9 and -, with none of the latter at its ends",
        );
    }
    Ok(())
}

/// An approved GraphQL document with its variables.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct GraphqlRequest {
    /// A document of the caller's approved operation bundles, at most 64 KiB.
    #[validate(length(min = 1, max = 65536))]
    pub query: String,
    /// Values of the document's variables; `null` stands for none. A member that stands twice is refused at
    /// every depth.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "JsonObject::is_empty")]
    #[schemars(with = "Option<JsonObject>")]
    pub variables: JsonObject,
    /// Which operation of the document to run; needed when it has several.
    #[serde(default, rename = "operationName", skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 128))]
    pub operation_name: Option<String>,
    /// What clients add for servers that know it, such as their own name and version; ignored.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "JsonObject::is_empty")]
    #[schemars(with = "Option<JsonObject>")]
    pub extensions: JsonObject,
}

/// Many clients send `null` for what they do not set, and GraphQL over HTTP allows it.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Headers of a GraphQL request.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct GraphqlHeaders {
    /// The caller's tenant. It must be the token's tenant, which is also what applies when the
    /// header is absent.
    #[serde(default, rename = "x-tenant-id", skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 128))]
    pub x_tenant_id: Option<String>,
}

/// Result of a GraphQL operation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GraphqlResponse {
    /// What the operation returned; its shape is that of the approved document. `null` when it
    /// failed as a whole.
    pub data: Option<Rendered<serde_json::Map<String, serde_json::Value>>>,
    /// Errors of the operation; absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<GraphqlError>,
}

/// An error of a GraphQL operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphqlError {
    /// What went wrong, in English.
    pub message: String,
    /// Path of the member that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// What programs look at; always there where a request was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<GraphqlErrorExtensions>,
}

/// What a GraphQL error says to programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphqlErrorExtensions {
    /// The same as `error_code`.
    pub code: ErrorCode,
}

/// Why a GraphQL request was refused, for every client, and once more for those of GraphQL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphqlRefusal {
    /// Stable, machine-readable reason.
    pub error_code: ErrorCode,
    /// What to change, in English. The text may change; do not parse it.
    pub message: String,
    /// The refusal as a GraphQL error; absent only where the request was refused before its operation was
    /// found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<GraphqlError>,
}

impl From<&Error> for GraphqlRefusal {
    fn from(error: &Error) -> Self {
        let Error { error_code, message } = error;
        let extensions = Some(GraphqlErrorExtensions { code: *error_code });
        let same = GraphqlError { message: message.clone(), path: Vec::new(), extensions };
        Self { error_code: *error_code, message: message.clone(), errors: vec![same] }
    }
}

//! The head of the descriptor: what it is, where it is served, and whom to ask.

use crate::publish::{PublishError, TITLE};
use crate::{CONTRACT_VERSION, Host};
use serde_json::{Value, json};

const DESCRIPTION: &str = "\
The stable contract for external integrations. Platform internals, administrative routes, schema-level discovery and \
partner-only capabilities are deliberately kept out of it. Routes, headers, codes and token examples are canonical \
English in every locale.

## Hosts

Each operation names the hosts that serve it in `servers`; anywhere else its path answers 404. The sandbox host \
answers with deterministic mocks: the same request under the same pinned scenarios gets the same status and the same \
bytes, and no live partner system is ever reached.

## Tokens

Tokens are RS256 JWTs (RFC 9068); verify them with the published keys. A live host refuses a sandbox token and the \
sandbox host refuses a live one, each with 403 and the reason in `X-Argus-Sandbox-Reason`.

## Tracing

Every response carries `X-Argus-Trace-ID`, `X-Argus-Span-ID` and `traceparent`. Send a W3C `traceparent` to continue \
a trace of your own.

## Errors

An error body is `{\"error_code\", \"message\"}`; programs should look at `error_code`, whose values the schema \
`ErrorCode` lists. The token endpoint answers as RFC 6749 says. Another tenant's resource is 404, never 403.";

/// Writes `info`, `servers` and `externalDocs`.
pub(super) fn describe(document: &mut Value) -> Result<(), PublishError> {
    let document = document
        .as_object_mut()
        .ok_or_else(|| PublishError::Shape("the document is not an object".to_owned()))?;
    document.insert(
        "info".to_owned(),
        json!({
            "title": TITLE,
            "version": CONTRACT_VERSION,
            "description": DESCRIPTION,
            "contact": { "name": "Knogin", "url": "https://knogin.com" },
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0.html" },
        }),
    );
    document.insert("servers".to_owned(), Host::ALL.into_iter().map(server).collect());
    document.insert(
        "externalDocs".to_owned(),
        json!({ "description": "Documentation for people", "url": super::super::catalog::SERVICE_DOC }),
    );
    Ok(())
}

/// A host as a server object.
pub(super) fn server(host: Host) -> Value {
    let description = match host {
        Host::Auth => "Identity, OAuth and keys",
        Host::Api => "Live partner surface",
        Host::Sandbox => "Deterministic sandbox; needs a sandbox token",
    };
    json!({ "url": host.public_url(), "description": description })
}

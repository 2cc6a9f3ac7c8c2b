//! The Argus External API.

use super::{Addresses, Contract, Documents, ErrorShape, PolicyFile, Webhooks};
use crate::types::error::Error;
use crate::types::events::EVENTS;
use crate::{Host, operations, published};

macro_rules! policy {
    ($name:literal) => {
        PolicyFile { name: $name, text: include_str!(concat!("../../policy/", $name)) }
    };
}

/// The Argus External API.
pub static ARGUS: Contract = Contract {
    name: "argus",
    title: "Argus External API",
    // The workspace's, so that it is written once.
    version: env!("CARGO_PKG_VERSION"),
    hosts: &Host::ALL,
    documents_host: Host::Api,
    rows: operations::ROWS,
    error: ErrorShape {
        name: "ApiError",
        schema: |generator| generator.subschema_for::<Error>(),
        write: |error| serde_json::to_vec(error),
    },
    webhooks: Webhooks {
        events: EVENTS,
        subscribe: "webhook_create",
        tag: "events",
        about: "What subscriptions are told of: requests that partners receive.",
    },
    deprecations: policy!("deprecations.json"),
    documents: Documents {
        json: published::DESCRIPTOR_JSON,
        yaml: published::DESCRIPTOR_YAML,
        hosts: published::HOST_DESCRIPTORS,
        catalog: published::API_CATALOG_JSON,
        schemas: published::SCHEMAS,
        reference: &published::REFERENCE,
    },
    addresses: Addresses {
        service_doc: "https://knogin.com/en/docs/api-reference",
        integration_request: "https://knogin.com",
    },
    #[cfg(feature = "publish")]
    publication: publication::PUBLICATION,
};

#[cfg(feature = "publish")]
mod publication {
    use crate::Host;
    use crate::contract::{Files, PolicyFile, Publication, ReferencePage, ReferencePlan};
    use crate::types::common::PAGE_LIMIT_DEFAULT;
    use crate::types::discovery::DataSchemaQuery;
    use crate::types::scopes::Scope;
    use serde_json::{Map, Value, json};

    pub(super) const PUBLICATION: Publication = Publication {
        describe: crate::api::argus_api_mod::stub_api_description,
        description: DESCRIPTION,
        contact: ("Knogin", "https://knogin.com"),
        licence: ("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0.html"),
        reference: ReferencePlan {
            pages: &[
                ReferencePage {
                    language: "en",
                    name: "English",
                    path: "/en/docs/api-reference",
                    texts: policy!("reference/argus.en.json"),
                },
                ReferencePage {
                    language: "fr",
                    name: "Français",
                    path: "/fr/docs/api-reference",
                    texts: policy!("reference/argus.fr.json"),
                },
            ],
            markdown: "/api/docs",
        },
        service_desc: "/.well-known/openapi",
        security_schemes,
        header_names: &["Idempotency-Key", "X-Tenant-ID"],
        query_defaults,
        denylist: policy!("denylist.json"),
        examples: &[
            policy!("examples/apps.json"),
            policy!("examples/discovery.json"),
            policy!("examples/events.json"),
            policy!("examples/graphql.json"),
            policy!("examples/internal.json"),
            policy!("examples/jobs.json"),
            policy!("examples/keys.json"),
            policy!("examples/profiles.json"),
            policy!("examples/sandbox.json"),
            policy!("examples/scopes.json"),
            policy!("examples/tokens.json"),
            policy!("examples/traces.json"),
            policy!("examples/webhooks.json"),
        ],
        error_examples: policy!("examples/errors.json"),
        files: Files {
            json: "openapi/argus.json",
            yaml: "openapi/argus.yaml",
            hosts: "openapi/hosts",
            releases: "openapi/releases",
            changelog: "CHANGELOG.md",
            catalog: "openapi/api-catalog.json",
            schemas: "openapi/schemas",
            reference: "openapi/reference",
            schema_table: "openapi/src/published/schemas.rs",
            client: "sdk/src/generated.rs",
            client_hosts: "sdk/src/generated_hosts.rs",
            client_events: "sdk/src/generated_events.rs",
            client_graphql: "sdk/src/generated_graphql.rs",
            proxy: "server/deploy/nginx/argus.conf",
        },
    };

    const DESCRIPTION: &str = "\
The stable contract for external integrations. Platform internals, administrative routes, schema-level discovery and \
partner-only capabilities are deliberately kept out of it. Routes, headers, codes and token examples are canonical \
English in every locale.

## Hosts

Each operation names the hosts that serve it in `x-argus-hosts`; on any other its path answers 404. The sandbox host \
answers with deterministic mocks: the same request under the same pinned scenarios gets the same status and the same \
bytes, and no live partner system is ever reached.

Code generators know one base URL, so give them the document of one host: `/.well-known/openapi/auth.json`, \
`api.json` or `sandbox.json` there (or `.yaml`), on every host. It holds what that host serves, its one server serves \
all of it, and a base URL of your own replaces that server everywhere. `/.well-known/openapi.json` is the whole contract.

## Tokens

Tokens are RS256 JWTs (RFC 9068); verify them with the published keys. A live host refuses a sandbox token and the \
sandbox host refuses a live one, each with 403 and the reason in `X-Argus-Sandbox-Reason`. How to get them is said at \
the security schemes; which scopes a token needs for an operation, in its `x-argus-scopes`.

## Tracing

Every response carries `X-Argus-Trace-ID`, `X-Argus-Span-ID` and `traceparent`. Send a W3C `traceparent` to continue \
a trace of your own, with a `tracestate` if there is one. Headers that any request may have are described once, in \
`x-argus-request-headers`, and not with each operation: these two and, for the sandbox host, `Prefer`.

## Errors

An error body is `{\"error_code\", \"message\"}`; programs should look at `error_code`, whose values the schema \
`ErrorCode` lists. The token endpoint answers as RFC 6749 says. Another tenant's resource is 404, never 403. A request \
that no operation takes is answered as `x-argus-unrouted` says, with a `request_id` in the body. Where the host has no \
such path, the connection ends with that reply, whether the body has come or not: a client that sends a long body to \
its end before it reads may not get to see the reply.

## Methods

`HEAD` is answered wherever `GET` is, with the headers of `GET`. `OPTIONS` is answered with 204 and `Allow` on every \
path; where pages of any origin may read the responses (`Access-Control-Allow-Origin`), it answers their preflight \
requests, too. `If-Match` counts on every operation: where it lists entity tags and the resource has none of them, \
nothing is done, and the answer is 412.";

    /// The schemes that operations refer to, each with the hosts that take it.
    fn security_schemes() -> Value {
        let scopes: Map<String, Value> =
            Scope::catalogue().map(|scope| (scope.as_str().to_owned(), json!(scope.description()))).collect();
        let auth = Host::Auth.public_url();
        let live = [Host::Auth, Host::Api].map(Host::name);
        json!({
            "authorization_code": {
                "type": "oauth2",
                "description": "A token that a signed-in user has allowed (RFC 6749, section 4.1, with PKCE), sent as \
                    `Authorization: Bearer`. It carries the user as `sub` and the app as `client_id`.",
                "flows": { "authorizationCode": {
                    "authorizationUrl": format!("{auth}/v1/oauth/authorize"),
                    "tokenUrl": format!("{auth}/v1/oauth/token"),
                    "refreshUrl": format!("{auth}/v1/oauth/token"),
                    "scopes": scopes,
                } },
                "x-argus-hosts": live,
            },
            "client_credentials": {
                "type": "oauth2",
                "description": "A token of client credentials (RFC 6749, section 4.4), sent as `Authorization: Bearer`.",
                "flows": { "clientCredentials": { "tokenUrl": format!("{auth}/v1/oauth/token"), "scopes": scopes } },
                "x-argus-hosts": live,
            },
            "live_token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A token for the live hosts (`aud=api`), wherever it comes from: client credentials, \
                    a user who has allowed it, `app_service_token_create`, or an administrator's. It needs the scopes of `x-argus-scopes`. The \
                    sandbox host refuses it with 403.",
                "x-argus-hosts": live,
            },
            "sandbox_token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": format!("A token for the sandbox host (`aud=sandbox`). An administrator \
                    (`argus:platform:admin`) mints it for an app: `POST {auth}/v1/platform/apps/{{client_id}}/sandbox-token`, \
                    with the `scenarios` to pin and its `ttl_seconds`, 60 to 86400; the reply's `token` is what to send. It \
                    carries the app's scopes, and an operation needs those of `x-argus-scopes`. It mints no further tokens, \
                    and the live hosts refuse it with 403."),
                "x-argus-hosts": [Host::Sandbox.name()],
            },
            "client_basic": {
                "type": "http",
                "scheme": "basic",
                "description": "`client_id` and `client_secret`, each form-encoded first (RFC 6749, section 2.3.1).",
                "x-argus-hosts": [Host::Auth.name()],
            },
        })
    }

    /// dropshot leaves the defaults of parameters out.
    fn query_defaults(name: &str) -> Option<Value> {
        match name {
            "limit" => Some(json!(PAGE_LIMIT_DEFAULT)),
            "include_federated" => Some(json!(DataSchemaQuery::default().include_federated)),
            _ => None,
        }
    }
}

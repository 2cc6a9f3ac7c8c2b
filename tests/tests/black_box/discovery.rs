//! Discovery over HTTP: entity tags and conditional requests, HEAD, caching, CORS, the API catalogue of
//! RFC 9727, the metadata of RFC 8414, and schemas that a validator takes.

use super::support::every_scope;
use argus_openapi::Host;
use argus_openapi::published::{Format, HOST_DESCRIPTORS, SCHEMAS};
use argus_tests::{Answer, Installation, TestServer};
use http::Method;
use serde_json::Value;

const HOSTS: &[Host] = &[Host::Api, Host::Sandbox];

/// Each document with its media type and the hosts that serve it.
const DOCUMENTS: [(&str, &str, &[Host]); 10] = [
    ("/.well-known/openapi.json", "application/json", HOSTS),
    ("/.well-known/openapi.yaml", "application/yaml", HOSTS),
    ("/.well-known/api-catalog", "application/linkset+json", HOSTS),
    ("/.well-known/schemas/argus.job.v1.json", "application/schema+json", HOSTS),
    ("/.well-known/openapi/auth.json", "application/json", &Host::ALL),
    ("/.well-known/openapi/auth.yaml", "application/yaml", &Host::ALL),
    ("/.well-known/openapi/api.json", "application/json", &Host::ALL),
    ("/.well-known/openapi/api.yaml", "application/yaml", &Host::ALL),
    ("/.well-known/openapi/sandbox.json", "application/json", &Host::ALL),
    ("/.well-known/openapi/sandbox.yaml", "application/yaml", &Host::ALL),
];

/// Each document on each host that serves it.
fn served() -> impl Iterator<Item = (Host, &'static str, &'static str)> {
    DOCUMENTS
        .into_iter()
        .flat_map(|(path, media_type, hosts)| hosts.iter().map(move |host| (*host, path, media_type)))
}

async fn conditional(server: &TestServer, host: Host, path: &str, if_none_match: &str) -> Answer {
    let request = server.request(host, Method::GET, path).header("if-none-match", if_none_match);
    server.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_document_has_a_strong_tag_and_may_be_read_by_anyone() {
    let server = TestServer::start();
    for (host, path, media_type) in served() {
        let answer = server.get(host, path, None).await.expect(200);
        answer.assert_standard_headers(host);
        let etag = answer.header("etag");
        assert!(etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'), "strong: {etag}");
        assert!(answer.header("content-type").starts_with(media_type), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(answer.header("access-control-expose-headers").contains("ETag"));
        let cache = answer.header("cache-control");
        assert!(cache.contains("public") && cache.contains("max-age="), "{cache}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_the_same_on_every_host_and_differs_between_documents() {
    let server = TestServer::start();
    let mut tags = Vec::new();
    for (path, _, hosts) in DOCUMENTS {
        let mut copies = Vec::new();
        for host in hosts {
            let answer = server.get(*host, path, None).await;
            copies.push((answer.header("etag").to_owned(), answer.body));
        }
        assert!(copies.iter().all(|copy| *copy == copies[0]), "{path}");
        tags.push(copies.swap_remove(0).0);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), DOCUMENTS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_current_copy_is_answered_with_304_and_nothing_else() {
    let server = TestServer::start();
    for (host, path, _) in served() {
        let etag = server.get(host, path, None).await.header("etag").to_owned();
        for list in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"other\", {etag}"),
            format!("\"a\",W/{etag}"),
            "*".into(),
        ] {
            let answer = conditional(&server, host, path, &list).await.expect(304);
            answer.assert_standard_headers(host);
            assert_eq!(answer.header("etag"), etag);
            assert!(answer.body.is_empty() && !answer.header("cache-control").is_empty(), "{answer:?}");
        }
        for list in ["\"other\"", "", etag.trim_matches('"'), "W/\"other\""] {
            assert!(!conditional(&server, host, path, list).await.expect(200).body.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_document_than_the_one_that_if_match_names_is_refused_with_412() {
    let server = TestServer::start();
    for (host, path, _) in served() {
        let etag = server.get(host, path, None).await.header("etag").to_owned();
        let ask = async |list: &str| {
            server.send(server.request(host, Method::GET, path).header("if-match", list)).await
        };
        for list in [&etag, &format!("\"other\", {etag}"), "*"] {
            ask(list).await.expect(200);
        }
        for list in ["\"other\"", "", &format!("W/{etag}"), etag.trim_matches('"')] {
            let answer = ask(list).await;
            answer.expect_error(412, "precondition_failed");
            assert_eq!(answer.header("etag"), etag, "what it would have to name");
        }
        // If-Match comes first (RFC 9110, section 13.2.2).
        let both = server.request(host, Method::GET, path).header("if-match", "\"other\"");
        server.send(both.header("if-none-match", &etag)).await.expect(412);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_does_not_keep_the_trace_of_its_first_caller() {
    let server = TestServer::start();
    let identity =
        ["/.well-known/jwks.json", "/v1/auth/jwks.json", "/.well-known/oauth-authorization-server"];
    let documents = served().map(|(host, path, _)| (host, path));
    for (host, path) in documents.chain(identity.map(|path| (Host::Auth, path))) {
        let answer = server.get(host, path, None).await.expect(200);
        let cache = answer.header("cache-control");
        let named = cache.split_once("no-cache=\"").and_then(|(_, rest)| rest.strip_suffix('"')).unwrap();
        let named: Vec<String> = named.split(", ").map(str::to_lowercase).collect();
        for name in ["x-argus-trace-id", "x-argus-span-id", "traceparent", "tracestate", "x-request-id"] {
            assert!(named.contains(&name.to_owned()), "{name} is not reused: {cache}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_answers_with_the_headers_of_get() {
    let server = TestServer::start();
    for (host, path, _) in served() {
        let get = server.get(host, path, None).await.expect(200);
        let head = server.send(server.request(host, Method::HEAD, path)).await.expect(200);
        head.assert_standard_headers(host);
        assert!(head.body.is_empty());
        for name in ["etag", "content-type", "content-length", "cache-control", "link"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
        let current = server.request(host, Method::HEAD, path).header("if-none-match", get.header("etag"));
        server.send(current).await.expect(304);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_and_yaml_hold_the_same_document() {
    let server = TestServer::start();
    let json = server.get(Host::Api, "/.well-known/openapi.json", None).await.json();
    let yaml = server.get(Host::Api, "/.well-known/openapi.yaml", None).await.body;
    let yaml: Value = serde_yaml_ng::from_slice(&yaml).unwrap();
    assert_eq!(json, yaml);
    assert_eq!(json["openapi"], "3.1.0");
    assert_eq!(json["info"]["title"], "Argus External API");
    assert_eq!(json["info"]["version"], "2026.4.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_a_link_set_with_the_profile_of_its_rfc() {
    let server = TestServer::start();
    let answer = server.get(Host::Api, "/.well-known/api-catalog", None).await.expect(200);
    let media_type = answer.header("content-type");
    assert!(media_type.contains("profile=\"https://www.rfc-editor.org/info/rfc9727\""), "{media_type}");
    assert!(answer.header("link").contains("rel=\"api-catalog\""), "{answer:?}");
    let catalogue = answer.json();
    let entries = catalogue["linkset"].as_array().unwrap();
    assert_eq!(entries.len(), Host::ALL.len());
    for entry in entries {
        let host = Host::ALL.into_iter().find(|host| entry["anchor"] == format!("{}/", host.public_url()));
        let host = host.unwrap_or_else(|| panic!("{entry}"));
        let own = format!("/.well-known/openapi/{}.json", host.name());
        let mut paths = Vec::new();
        for description in entry["service-desc"].as_array().unwrap() {
            let path = description["href"].as_str().unwrap().strip_prefix(host.public_url()).unwrap();
            let target = server.get(host, path, None).await.expect(200);
            assert_eq!(target.header("content-type"), description["type"].as_str().unwrap());
            paths.push(path);
        }
        assert!(paths.contains(&own.as_str()), "{paths:?}");
        assert!(!entry["service-doc"].as_array().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_host_has_the_committed_descriptors_of_all_and_names_them_where_there_is_no_such() {
    let server = TestServer::start();
    for host in Host::ALL {
        for of in HOST_DESCRIPTORS {
            for format in Format::ALL {
                let path = format!("/.well-known/openapi/{}.{}", of.host.name(), format.extension());
                let answer = server.get(host, &path, None).await.expect(200);
                assert_eq!(answer.header("content-type"), format.media_type());
                assert_eq!(answer.body, of.text(format).as_bytes(), "{path}");
            }
        }
        for file in ["auth", "auth.xml", "AUTH.json", "kakunin.json", ".json", "%61uth.yam"] {
            let answer = server.get(host, &format!("/.well-known/openapi/{file}"), None).await;
            let message = answer.expect_error(404, "not_found");
            assert!(message.contains("auth.json") && message.contains("sandbox.yaml"), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listed_schema_url_leads_to_a_valid_schema() {
    let server = TestServer::start();
    let caller = server.caller(Host::Sandbox, &every_scope()).await;
    let list = caller.get("/v1/discovery/data-schemas").await.expect(200).json();
    let listed = list["schemas"].as_array().unwrap();
    assert!(!listed.is_empty());
    for schema in listed {
        let url = schema["schema_url"].as_str().unwrap();
        let path = url.strip_prefix(Host::Api.public_url()).unwrap();
        for host in HOSTS.iter().copied() {
            let document = server.get(host, path, None).await.expect(200).json();
            assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert_eq!(document["$id"], url);
            assert_eq!(document["title"], schema["title"]);
            jsonschema::validator_for(&document).unwrap_or_else(|error| panic!("{url}: {error}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_published_schema_is_served_and_no_other() {
    let server = TestServer::start();
    for schema in SCHEMAS {
        let path = format!("/.well-known/schemas/{}.json", schema.id);
        assert_eq!(server.get(Host::Api, &path, None).await.expect(200).body, schema.text.as_bytes());
    }
    let longest = "x".repeat(123);
    for file in [
        &*format!("{longest}.json"),
        "argus.job.v1",
        "argus.job.v2.json",
        "argus.tenant-bootstrap.v1.json",
        ".json",
        "x.yaml",
    ] {
        let answer = server.get(Host::Api, &format!("/.well-known/schemas/{file}"), None).await;
        answer.expect_error(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorization_server_says_what_it_can_do() {
    let server = TestServer::start();
    let metadata =
        server.get(Host::Auth, "/.well-known/oauth-authorization-server", None).await.expect(200).json();
    assert_eq!(metadata["issuer"], Host::Auth.public_url());
    let grants = serde_json::json!(["authorization_code", "client_credentials", "refresh_token"]);
    assert_eq!(metadata["grant_types_supported"], grants);
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]));
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = &metadata[format!("{endpoint}_endpoint_auth_methods_supported")];
        let all = serde_json::json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]);
        assert_eq!(*methods, all, "{endpoint}");
    }
    let own = |member: &str| {
        let url = metadata[member].as_str().unwrap();
        url.strip_prefix(&server.url(Host::Auth, "")).unwrap_or_else(|| panic!("{url}")).to_owned()
    };
    server.get(Host::Auth, &own("jwks_uri"), None).await.expect(200);
    // Without credentials, which are judged before anything else.
    for endpoint in [
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "pushed_authorization_request_endpoint",
    ] {
        let answer = server.send(server.request(Host::Auth, Method::POST, &own(endpoint))).await;
        assert_eq!(answer.expect(401).text("error"), "invalid_client", "{endpoint}");
    }
    // A page says that there is nothing to go on with.
    server.get(Host::Auth, &own("authorization_endpoint"), None).await.expect(400);
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    assert!(
        scopes.contains(&"argus:jobs:write".into()) && !scopes.contains(&"argus:internal:operate".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_takes_tokens_says_who_issues_them() {
    let server = TestServer::start();
    for host in [Host::Api, Host::Sandbox] {
        let resource =
            server.get(host, "/.well-known/oauth-protected-resource", None).await.expect(200).json();
        assert_eq!(resource["authorization_servers"], serde_json::json!([Host::Auth.public_url()]));
        assert_eq!(resource["bearer_methods_supported"], serde_json::json!(["header"]));
        let scopes = resource["scopes_supported"].as_array().unwrap();
        assert!(scopes.contains(&"argus:jobs:read".into()), "{scopes:?}");
        assert!(!scopes.contains(&"argus:platform:admin".into()), "{scopes:?}");
    }
    server.get(Host::Auth, "/.well-known/oauth-protected-resource", None).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_an_issuer_with_a_path_stands_where_rfc_8414_puts_it() {
    let mut installation = Installation::sqlite();
    installation.settings.issuer = Some("https://auth.example/tenants/one".to_owned());
    let server = TestServer::from(installation);
    let path = "/.well-known/oauth-authorization-server/tenants/one";
    for method in [Method::GET, Method::HEAD] {
        server.send(server.request(Host::Auth, method, path)).await.expect(200);
    }
    let metadata = server.get(Host::Auth, path, None).await.json();
    assert_eq!(metadata["issuer"], "https://auth.example/tenants/one");
    let preflight = server.send(server.request(Host::Auth, Method::OPTIONS, path)).await.expect(204);
    assert_eq!(preflight.header("allow"), "GET, HEAD, OPTIONS");
    let answer = server.get(Host::Auth, "/.well-known/oauth-authorization-server/tenants", None).await;
    answer.expect_error(404, "not_found");
    server.get(Host::Api, path, None).await.expect_error(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_server_metadata_may_be_kept_and_read_by_anyone() {
    let server = TestServer::start();
    for path in ["/.well-known/jwks.json", "/v1/auth/jwks.json", "/.well-known/oauth-authorization-server"] {
        let answer = server.get(Host::Auth, path, None).await.expect(200);
        answer.assert_standard_headers(Host::Auth);
        assert!(answer.header("cache-control").starts_with("public, max-age=300"), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    for path in ["/healthz", "/readyz"] {
        let answer = server.get(Host::Auth, path, None).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

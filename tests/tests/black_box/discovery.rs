//! Discovery over HTTP: entity tags and conditional requests, HEAD, caching, CORS, the API catalogue of
//! RFC 9727, the metadata of RFC 8414, and schemas that a validator takes.

use super::support::every_scope;
use argus_openapi::Host;
use argus_openapi::published::SCHEMAS;
use argus_tests::{Answer, Installation, TestServer};
use http::Method;
use serde_json::Value;

const DOCUMENTS: [(&str, &str); 4] = [
    ("/.well-known/openapi.json", "application/json"),
    ("/.well-known/openapi.yaml", "application/yaml"),
    ("/.well-known/api-catalog", "application/linkset+json"),
    ("/.well-known/schemas/argus.job.v1.json", "application/schema+json"),
];

const HOSTS: [Host; 2] = [Host::Api, Host::Sandbox];

async fn conditional(server: &TestServer, host: Host, path: &str, if_none_match: &str) -> Answer {
    let request = server.request(host, Method::GET, path).header("if-none-match", if_none_match);
    server.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_document_has_a_strong_tag_and_may_be_read_by_anyone() {
    let server = TestServer::start();
    for (path, media_type) in DOCUMENTS {
        for host in HOSTS {
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_the_same_on_every_host_and_differs_between_documents() {
    let server = TestServer::start();
    let mut tags = Vec::new();
    for (path, _) in DOCUMENTS {
        let [api, sandbox] =
            [server.get(Host::Api, path, None).await, server.get(Host::Sandbox, path, None).await];
        assert_eq!(api.header("etag"), sandbox.header("etag"), "{path}");
        assert_eq!(api.body, sandbox.body, "{path}");
        tags.push(api.header("etag").to_owned());
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), DOCUMENTS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_current_copy_is_answered_with_304_and_nothing_else() {
    let server = TestServer::start();
    for (path, _) in DOCUMENTS {
        for host in HOSTS {
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
}

#[tokio::test(flavor = "multi_thread")]
async fn another_document_than_the_one_that_if_match_names_is_refused_with_412() {
    let server = TestServer::start();
    for (path, _) in DOCUMENTS {
        for host in HOSTS {
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_does_not_keep_the_trace_of_its_first_caller() {
    let server = TestServer::start();
    let jwks =
        [(Host::Auth, "/.well-known/jwks.json"), (Host::Auth, "/.well-known/oauth-authorization-server")];
    let documents = HOSTS.into_iter().flat_map(|host| DOCUMENTS.map(|(path, _)| (host, path)));
    for (host, path) in documents.chain(jwks) {
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
    for (path, _) in DOCUMENTS {
        for host in HOSTS {
            let get = server.get(host, path, None).await.expect(200);
            let head = server.send(server.request(host, Method::HEAD, path)).await.expect(200);
            head.assert_standard_headers(host);
            assert!(head.body.is_empty());
            for name in ["etag", "content-type", "content-length", "cache-control", "link"] {
                assert_eq!(head.header(name), get.header(name), "{name} of {path}");
            }
            let current =
                server.request(host, Method::HEAD, path).header("if-none-match", get.header("etag"));
            server.send(current).await.expect(304);
        }
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
    let entry = &answer.json()["linkset"][0];
    assert!(entry["anchor"].as_str().unwrap().starts_with(Host::Api.public_url()), "{entry}");
    for description in entry["service-desc"].as_array().unwrap() {
        let path = description["href"].as_str().unwrap().strip_prefix(Host::Api.public_url()).unwrap();
        let target = server.get(Host::Api, path, None).await.expect(200);
        assert_eq!(target.header("content-type"), description["type"].as_str().unwrap());
    }
    assert!(!entry["service-doc"].as_array().unwrap().is_empty());
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
        for host in HOSTS {
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
    assert_eq!(metadata["grant_types_supported"], serde_json::json!(["client_credentials"]));
    // Validators of RFC 8414 refuse a server without response types.
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["none"]));
    let own = |member: &str| {
        let url = metadata[member].as_str().unwrap();
        url.strip_prefix(&server.url(Host::Auth, "")).unwrap_or_else(|| panic!("{url}")).to_owned()
    };
    server.get(Host::Auth, &own("jwks_uri"), None).await.expect(200);
    let answer = server.send(server.request(Host::Auth, Method::POST, &own("token_endpoint"))).await;
    // Without credentials, which are judged before the grant.
    assert_eq!(answer.expect(401).text("error"), "invalid_client");
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    assert!(
        scopes.contains(&"argus:jobs:write".into()) && !scopes.contains(&"argus:internal:operate".into())
    );
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

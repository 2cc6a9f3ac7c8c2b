//! The reference: a page in each language, the same as Markdown, what they let a browser do, and where else the
//! documentation is named. How the page looks and works in a browser does not live here.

use super::support::binary;
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::document::routes;
use argus_openapi::published::DESCRIPTOR_JSON;
use argus_tests::{Answer, Installation, TestProcess, TestServer, argus};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use tempfile::TempDir;

const PAGES: [(&str, &str); 2] = [("en", "/en/docs/api-reference"), ("fr", "/fr/docs/api-reference")];
const DEMO_TOKEN: &str = "/docs/demo-token.json";

/// The texts between two others, wherever they stand in a text.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> Vec<&'t str> {
    text.split(begin).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

/// What the attribute holds wherever it stands in a page.
fn attributes<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    between(page, &format!(" {name}=\""), "\"")
}

async fn page(server: &TestServer, path: &str) -> String {
    String::from_utf8(server.get(Host::Api, path, None).await.expect(200).body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_each_language_may_be_kept_and_is_asked_for_anew_by_its_tag() {
    let server = TestServer::without_workers();
    for (language, path) in PAGES {
        let answer = server.get(Host::Api, path, None).await.expect(200);
        answer.assert_standard_headers(Host::Api);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("content-language"), language);
        assert!(answer.header("cache-control").starts_with("public, max-age="), "{answer:?}");
        assert!(answer.page().contains(&format!("<html lang=\"{language}\">")), "{path}");
        let again = server.request(Host::Api, Method::GET, path);
        let again = again.header("if-none-match", answer.header("etag"));
        assert!(server.send(again).await.expect(304).body.is_empty());
        for host in [Host::Auth, Host::Sandbox] {
            server.get(host, path, None).await.expect_error(404, "not_found");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_a_page_names_its_own_style_and_script_and_lets_nothing_else_in() {
    let server = TestServer::without_workers();
    for (_, path) in PAGES {
        let answer = server.get(Host::Api, path, None).await.expect(200);
        let (page, policy) = (answer.page(), answer.header("content-security-policy").to_owned());
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let [own] = between(&page, &format!("<{element}>"), &format!("</{element}>"))[..] else {
                panic!("{path} has one {element}")
            };
            let digest = STANDARD.encode(Sha256::digest(own));
            assert!(policy.contains(&format!("{directive} 'sha256-{digest}';")), "{policy}");
        }
        for part in ["default-src 'none'", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.split("; ").any(|own| own == part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("connect-src"), "{policy}");
        for foreign in [" src=", " style=", " onclick=", "rel=\"stylesheet\"", "url(", "@import"] {
            assert!(!page.contains(foreign), "{path} has {foreign}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_published_operation_stands_in_every_form_with_its_route_hosts_and_errors() {
    let server = TestServer::without_workers();
    let document: Value = serde_json::from_str(DESCRIPTOR_JSON).unwrap();
    for (language, path) in PAGES {
        let page = page(&server, path).await;
        let request = server.request(Host::Api, Method::GET, "/api/docs").header("accept-language", language);
        let markdown = String::from_utf8(server.send(request).await.expect(200).body).unwrap();
        for route in routes(&document) {
            let id = route.id();
            let [article] = between(&page, &format!("<article id=\"{id}\""), "</article>")[..] else {
                panic!("{path} has one article of {id}")
            };
            assert!(article.contains(route.path) && article.contains(&format!(">{}<", route.method)), "{id}");
            for host in ARGUS.row(id).unwrap().hosts {
                assert!(article.contains(host.public_url()), "{id}");
            }
            for status in route.operation["responses"].as_object().unwrap().keys() {
                let shown =
                    status.ends_with("XX") || article.contains(&format!("<th scope=\"row\">{status}</th>"));
                assert!(shown, "{id} {status}");
            }
            assert!(markdown.contains(&format!("`{}` (`{id}`)", route.name())), "{id}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("id=\"type-{name}\"")), "{name}");
        }
        for event in document["webhooks"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("<article id=\"event-{event}\"")), "{event}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_within_a_page_leads_nowhere_and_no_place_has_two_names_alike() {
    let server = TestServer::without_workers();
    for (_, path) in PAGES {
        let page = page(&server, path).await;
        let ids = attributes(&page, "id");
        let names: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(names.len(), ids.len(), "{path}");
        let links: Vec<&str> = attributes(&page, "href").into_iter().collect();
        assert!(links.len() > 200, "{path}");
        for link in links {
            match link.strip_prefix('#') {
                Some(id) => assert!(names.contains(id), "{path} has no {id}"),
                None if link.starts_with('/') => {
                    server.get(Host::Api, link, None).await.expect(200);
                }
                None => assert!(link.starts_with("https://"), "{link}"),
            }
        }
    }
}

/// The page is whole without its script: what waits for it is the search and the buttons to copy, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_search_and_the_copy_buttons_waits_for_the_script() {
    let server = TestServer::without_workers();
    for (_, path) in PAGES {
        let page = page(&server, path).await;
        let content = page.split("</style>").nth(1).unwrap().split("<script>").next().unwrap();
        let waiting: BTreeSet<&str> = between(content, "<", ">")
            .into_iter()
            .filter(|tag| tag.split(' ').any(|word| word == "hidden"))
            .collect();
        let expected =
            ["button class=\"copy\" type=\"button\" hidden", "div id=\"search\" role=\"search\" hidden"];
        assert_eq!(waiting.into_iter().collect::<Vec<_>>(), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_markdown_in_the_language_that_they_prefer() {
    let server = TestServer::without_workers();
    let mut tags = BTreeSet::new();
    for (header, language, heading) in [
        (None, "en", "# External Integration API\n"),
        (Some("fr-CA, en;q=0.5"), "fr", "# API d’Intégration Externe\n"),
        (Some("de"), "en", "# External Integration API\n"),
    ] {
        let mut request = server.request(Host::Api, Method::GET, "/api/docs");
        if let Some(header) = header {
            request = request.header("accept-language", header);
        }
        let answer = server.send(request).await.expect(200);
        answer.assert_standard_headers(Host::Api);
        assert_eq!(answer.header("content-type"), "text/markdown; charset=utf-8");
        assert_eq!(answer.header("content-language"), language, "{header:?}");
        assert_eq!(answer.header("vary"), "Accept-Language");
        assert!(std::str::from_utf8(&answer.body).unwrap().starts_with(heading), "{header:?}");
        tags.insert(answer.header("etag").to_owned());
        let again = server.request(Host::Api, Method::GET, "/api/docs").header("accept-language", language);
        let again = again.header("if-none-match", answer.header("etag"));
        assert_eq!(server.send(again).await.expect(304).header("vary"), "Accept-Language");
    }
    assert_eq!(tags.len(), 2, "one tag a language");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_llms_txt_names_is_there() {
    let server = TestServer::without_workers();
    let answer = server.get(Host::Api, "/llms.txt", None).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.starts_with("# Argus External API\n\n> "), "{text}");
    let links = between(&text, "](", ")");
    for path in ["/api/docs", "/en/docs/api-reference", "/.well-known/openapi.json"] {
        assert!(links.contains(&path), "{text}");
    }
    for link in links {
        server.get(Host::Api, link, None).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_named_where_the_operator_says_and_at_the_usual_address_otherwise() {
    let usual = TestServer::without_workers();
    let mut installation = Installation::sqlite();
    installation.settings.docs_url = Some("https://docs.example/argus?a=1&b=2".to_owned());
    let moved = TestServer::from(installation);
    for (server, docs_url) in
        [(usual, "https://knogin.com/en/docs/api-reference"), (moved, "https://docs.example/argus?a=1&b=2")]
    {
        let catalog = server.get(Host::Api, "/.well-known/api-catalog", None).await.expect(200);
        assert_eq!(
            std::str::from_utf8(&catalog.body).unwrap().replace(docs_url, "DOCS"),
            ARGUS.documents.catalog.replace(ARGUS.addresses.service_doc, "DOCS")
        );
        assert!(
            catalog.json()["linkset"]
                .as_array()
                .unwrap()
                .iter()
                .all(|entry| entry["service-doc"][0]["href"] == docs_url)
        );
        let resource = server.get(Host::Sandbox, "/.well-known/oauth-protected-resource", None).await;
        assert_eq!(resource.text("resource_documentation"), docs_url);
        let metadata = server.get(Host::Auth, "/.well-known/oauth-authorization-server", None).await;
        assert_eq!(metadata.text("service_documentation"), docs_url);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_for_an_integration_leads_where_the_operator_says() {
    let mut installation = Installation::sqlite();
    installation.settings.integration_request_url = Some("https://sales.example/ask?a=1&b=2".to_owned());
    let server = TestServer::from(installation);
    for (_, path) in PAGES {
        let page = page(&server, path).await;
        let call = between(&page, "aria-labelledby=\"integration-request\"", "</section>")[0];
        assert_eq!(attributes(call, "href"), ["https://sales.example/ask?a=1&amp;b=2"]);
        assert!(!page.contains("{{"), "{path} has an empty place");
    }
    let markdown = page(&server, "/api/docs").await;
    assert!(markdown.contains("(<https://sales.example/ask?a=1&b=2>)"));
}

#[test]
fn an_address_that_is_no_page_is_refused_by_its_name() {
    let directory = TempDir::new().unwrap();
    for (flag, name) in [("--docs-url", "docs_url"), ("--integration-request-url", "integration_request_url")]
    {
        for url in [
            "nonsense",
            "http://docs.example/",
            "javascript:alert(1)",
            "https://a:b@docs.example/",
            "https://docs.example/<x>",
        ] {
            let output = argus(binary(), &directory.path().join("data"), &["serve", flag, url]);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            assert!(stderr.contains(&format!("`{name}`")), "{stderr}");
        }
    }
}

/// What a page with this `Host` and this relation to the service is answered to its question for a token.
async fn ask(process: &TestProcess, host: &str, site: &str) -> Answer {
    let request = format!("GET {DEMO_TOKEN} HTTP/1.1\r\nhost: {host}\r\n{site}\r\n");
    process.raw(Host::Api, request.as_bytes()).await
}

const SAME_ORIGIN: &str = "sec-fetch-site: same-origin\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn dev_gives_its_sandbox_token_to_its_own_pages_and_to_nobody_else() {
    let dev = TestProcess::dev(binary());
    let api = dev.ready_text("api").strip_prefix("http://").unwrap().to_owned();
    let port = api.rsplit(':').next().unwrap();
    let answer = ask(&dev, &api, SAME_ORIGIN).await.expect(200);
    assert_eq!(answer.text("token"), dev.ready_text("sandbox_token"));
    assert_eq!(answer.json()["hosts"]["sandbox"], dev.ready_text("sandbox"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let text = String::from_utf8(answer.body.clone()).unwrap();
    for secret in ["admin_token", "live_token", "client_secret", "user_password"] {
        assert!(!text.contains(dev.ready_text(secret)), "{secret}");
    }
    // A name that somebody else made lead here.
    ask(&dev, &format!("rebound.example:{port}"), SAME_ORIGIN).await.expect_error(404, "not_found");
    // Pages of other origins, and what is no page.
    for site in
        ["sec-fetch-site: cross-site\r\n", "sec-fetch-site: same-site\r\n", "sec-fetch-site: none\r\n", ""]
    {
        ask(&dev, &api, site).await.expect_error(404, "not_found");
    }
    for (_, path) in PAGES {
        let answer = dev.get(Host::Api, path, None).await.expect(200);
        let page = answer.page();
        assert_eq!(attributes(&page, "data-demo-token"), [DEMO_TOKEN]);
        assert!(!page.contains(dev.ready_text("sandbox_token")), "the token is no part of the page");
        assert!(answer.header("content-security-policy").contains("; connect-src 'self';"), "{answer:?}");
    }
    // The page is the documentation of a service under development.
    let catalog = dev.get(Host::Api, "/.well-known/api-catalog", None).await.json();
    let docs_url = catalog["linkset"][0]["service-doc"][0]["href"].as_str().unwrap().to_owned();
    assert_eq!(docs_url, format!("http://{api}{}", PAGES[0].1));
    assert!(dev.stdout().contains(&docs_url));
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_has_no_token_for_anybody() {
    let serve = TestProcess::start(binary(), &["serve"], TempDir::new().unwrap());
    let api = serve.ready_text("api").strip_prefix("http://").unwrap().to_owned();
    ask(&serve, &api, SAME_ORIGIN).await.expect_error(404, "not_found");
    for (_, path) in PAGES {
        let page = serve.get(Host::Api, path, None).await.expect(200).page();
        assert_eq!(attributes(&page, "data-demo-token"), [""]);
    }
}

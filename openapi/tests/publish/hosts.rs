//! The document of a host: a server in it is a promise for every operation in it.

use crate::support::{descriptor, routes};
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::document::routes as routes_of;
use argus_openapi::publish::prune::{prune, references};
use argus_openapi::publish::{host_part, sort};
use argus_openapi::{Access, Host};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn parts() -> impl Iterator<Item = (Host, Value)> {
    ARGUS.hosts.iter().map(|host| (*host, host_part::of(&ARGUS, descriptor(), *host).unwrap()))
}

#[test]
fn the_one_server_of_a_host_s_document_serves_every_operation_in_it_and_no_other_is_missing() {
    for (host, part) in parts() {
        let servers = part["servers"].as_array().unwrap();
        assert_eq!(servers.len(), 1, "{}", host.name());
        assert_eq!(servers[0]["url"], host.public_url());
        let found: BTreeSet<String> = routes_of(&part).map(|route| route.id().to_owned()).collect();
        let served = ARGUS.rows.iter().filter(|row| row.is_published() && row.served_by(host));
        assert_eq!(found, served.map(|row| row.id.to_owned()).collect(), "{}", host.name());
        assert!(!found.is_empty());
    }
}

#[test]
fn events_are_published_by_the_hosts_that_take_subscriptions_and_callbacks_with_their_operation() {
    for (host, part) in parts() {
        let subscribes = ARGUS.row(ARGUS.webhooks.subscribe).unwrap().served_by(host);
        let webhooks = part.get("webhooks");
        assert_eq!(webhooks, subscribes.then(|| &descriptor()["webhooks"]), "{}", host.name());
        let creates = routes_of(&part).find(|route| route.id() == "job_create");
        let callback = creates.is_some_and(|route| route.operation["callbacks"]["job_ended"].is_object());
        assert_eq!(callback, ARGUS.row("job_create").unwrap().served_by(host), "{}", host.name());
    }
}

fn is_taken(host: Host, scheme: &Value) -> bool {
    scheme["x-argus-hosts"].as_array().unwrap().contains(&host.name().into())
}

#[test]
fn the_document_of_a_host_asks_only_for_tokens_that_the_host_takes() {
    for (host, part) in parts() {
        for (name, scheme) in part["components"]["securitySchemes"].as_object().into_iter().flatten() {
            assert!(is_taken(host, scheme), "{name} on {}", host.name());
        }
        for route in routes_of(&part) {
            let access = ARGUS.row(route.id()).unwrap().access;
            let is_public = matches!(access, Access::Public | Access::Browser);
            let alternatives = route.operation["security"].as_array().unwrap();
            assert_eq!(alternatives.is_empty(), is_public, "{} on {}", route.name(), host.name());
        }
    }
}

#[test]
fn the_document_of_a_host_has_one_flow_of_oauth_at_most_so_that_generated_clients_send_a_token_once() {
    for (host, part) in parts() {
        let schemes = part["components"]["securitySchemes"].as_object().into_iter().flatten();
        let flows = schemes.flat_map(|(_, scheme)| scheme["flows"].as_object().into_iter().flatten());
        assert!(flows.count() <= 1, "{}", host.name());
    }
}

#[test]
fn no_operation_has_servers_of_its_own_and_the_first_server_is_the_sandbox() {
    let urls: Vec<&Value> =
        descriptor()["servers"].as_array().unwrap().iter().map(|server| &server["url"]).collect();
    assert_eq!(urls, [Host::Sandbox, Host::Api, Host::Auth].map(Host::public_url));
    for (_, document) in parts().chain([(Host::Api, descriptor().clone())]) {
        for route in routes_of(&document) {
            assert!(route.operation.get("servers").is_none(), "{}", route.name());
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            assert!(item.get("servers").is_none(), "{path}");
        }
    }
}

#[test]
fn the_document_of_a_host_says_of_an_operation_what_the_whole_says() {
    for (host, part) in parts() {
        for route in routes_of(&part) {
            let whole = routes().find(|whole| whole.id() == route.id()).unwrap();
            assert_eq!((&route.method, route.path), (&whole.method, whole.path));
            let mut told = whole.operation.clone();
            told["security"].as_array_mut().unwrap().retain(|alternative| {
                let mut schemes = alternative.as_object().unwrap().keys();
                schemes.all(|name| {
                    let scheme = &descriptor()["components"]["securitySchemes"][name];
                    is_taken(host, scheme) && name != "authorization_code"
                })
            });
            assert_eq!(*route.operation, told, "{} on {}", route.name(), host.name());
        }
        for (kind, members) in part["components"].as_object().unwrap() {
            for (name, member) in members.as_object().unwrap() {
                assert_eq!(*member, descriptor()["components"][kind][name], "{kind} {name}");
            }
        }
    }
}

#[test]
fn the_document_of_a_host_has_what_its_operations_need_and_nothing_else() {
    for (host, part) in parts() {
        let mut targets = BTreeSet::new();
        references(&part, &mut targets);
        for target in &targets {
            let found = part.pointer(target.trim_start_matches('#'));
            assert!(found.is_some(), "{target} leads nowhere in the document of {}", host.name());
        }
        for (kind, members) in part["components"].as_object().unwrap() {
            for name in members.as_object().unwrap().keys().filter(|_| kind != "securitySchemes") {
                let target = format!("#/components/{kind}/{name}");
                assert!(targets.contains(&target), "{} does not need {target}", host.name());
            }
        }
        let named = |member: &str| -> BTreeSet<String> {
            let names = part[member].as_array().into_iter().flatten();
            names.map(|tag| tag["name"].as_str().unwrap().to_owned()).collect()
        };
        let called = routes_of(&part).map(|route| route.operation["tags"][0].as_str().unwrap().to_owned());
        let events = part.get("webhooks").map(|_| ARGUS.webhooks.tag.to_owned());
        let used: BTreeSet<String> = called.chain(events).collect();
        assert_eq!(named("tags"), used, "{}", host.name());
        let schemes: BTreeSet<&str> = routes_of(&part)
            .flat_map(|route| route.operation["security"].as_array().unwrap())
            .flat_map(|alternative| alternative.as_object().unwrap().keys().map(String::as_str))
            .collect();
        let published = part["components"]["securitySchemes"].as_object().into_iter().flatten();
        assert_eq!(published.map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>(), schemes);
        assert_eq!(sort::sorted(prune(part.clone()).unwrap()), part);
    }
}

#[test]
fn the_documents_of_the_hosts_have_titles_that_generated_packages_can_be_told_apart_by() {
    let titles: Vec<Value> = parts().map(|(_, part)| part["info"]["title"].clone()).collect();
    let expected = ["auth", "api", "sandbox"].map(|host| json!(format!("Argus External API ({host})")));
    assert_eq!(titles, expected);
    assert_eq!(descriptor()["info"]["title"], "Argus External API");
}

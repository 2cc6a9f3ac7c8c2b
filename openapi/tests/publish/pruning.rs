//! Components that only denied routes used are gone, and nothing else is.

use crate::support::descriptor;
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::denylist::{Denylist, deny};
use argus_openapi::publish::prune::{prune, reachable};
use argus_openapi::publish::raw::raw;
use serde_json::json;

#[test]
fn schemas_that_only_denied_routes_used_are_gone() {
    let raw = raw(&ARGUS).unwrap();
    for name in ["Health", "Readiness", "TenantBootstrap", "TenantBootstrapped"] {
        assert!(raw["components"]["schemas"].get(name).is_some(), "{name} is no longer in the raw document");
        assert!(descriptor()["components"]["schemas"].get(name).is_none(), "{name} is published");
    }
}

#[test]
fn a_schema_that_a_published_route_uses_too_stays() {
    assert!(descriptor()["components"]["schemas"].get("ServiceToken").is_some());
}

#[test]
fn a_chain_of_schemas_behind_a_denied_route_is_gone_as_a_whole() {
    let mut raw = raw(&ARGUS).unwrap();
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    raw["paths"]["/internal/chain"] = json!({ "get": { "operationId": "chain", "responses": { "200": {
        "description": "", "content": { "application/json": { "schema": reference("First") } } } } } });
    raw["components"]["schemas"]["First"] = json!({ "items": reference("Second"), "type": "array" });
    raw["components"]["schemas"]["Second"] = json!({ "properties": { "back": reference("First") } });
    let document = prune(deny(&ARGUS, raw, &Denylist::committed(&ARGUS).unwrap()).unwrap()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(!schemas.contains_key("First") && !schemas.contains_key("Second"));
    assert!(schemas.contains_key("Job"));
}

#[test]
fn every_published_component_is_used_and_every_reference_leads_somewhere() {
    let roots = json!([descriptor()["paths"], descriptor()["webhooks"], descriptor()["x-argus-unrouted"]]);
    let used = reachable(descriptor(), &roots);
    for target in &used {
        assert!(descriptor().pointer(target.trim_start_matches('#')).is_some(), "{target} leads nowhere");
    }
    for (kind, members) in descriptor()["components"].as_object().unwrap() {
        if kind == "securitySchemes" {
            continue;
        }
        for name in members.as_object().unwrap().keys() {
            assert!(used.contains(&format!("#/components/{kind}/{name}")), "{kind}/{name} is not used");
        }
    }
}

//! An enum in a body is one of its texts and nothing else, whatever the operation.

use super::support::samples;
use argus_openapi::Access;
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::document::routes;
use argus_openapi::published::DESCRIPTOR_JSON;
use argus_openapi::row::RequestBody;
use argus_tests::published::{request_body, shape_of};
use argus_tests::{TestServer, audience, claims};
use serde_json::{Map, Value, json};

/// What serde's own enums would take for the first value of an enum: an object with the one member `null`.
fn tagged(document: &Value, schema: &Value) -> Option<Value> {
    if let Some(target) = schema["$ref"].as_str() {
        return tagged(document, document.pointer(target.trim_start_matches('#')).unwrap());
    }
    if let Some(value) = schema["enum"][0].as_str() {
        return Some(json!({ value: null }));
    }
    if schema["items"].is_object() {
        return tagged(document, &schema["items"]).map(|item| json!([item]));
    }
    schema["anyOf"].as_array()?.iter().find_map(|branch| tagged(document, branch))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enum_in_a_body_is_a_text_and_no_object_named_after_it() {
    let document: Value = serde_json::from_str(DESCRIPTOR_JSON).unwrap();
    let server = TestServer::start();
    let samples = samples(&server).await;
    let mut tried = Vec::new();
    for route in routes(&document) {
        let row = ARGUS.row(route.id()).unwrap();
        if !matches!(row.body, RequestBody::Json | RequestBody::OptionalJson) {
            continue;
        }
        for host in row.hosts {
            let sample = samples.of(&server, row, *host).await;
            let body = serde_json::from_slice(&sample.body.unwrap().1).unwrap();
            let schema = shape_of(request_body(row.id).unwrap(), &body);
            let members = schema["properties"].as_object().unwrap();
            for (name, value) in
                members.iter().filter_map(|(name, member)| Some((name, tagged(&document, member)?)))
            {
                let mut sample = samples.of(&server, row, *host).await;
                let (_, body) = sample.body.as_mut().unwrap();
                let mut members: Map<String, Value> = serde_json::from_slice(body).unwrap();
                members.insert(name.clone(), value.clone());
                *body = serde_json::to_vec(&members).unwrap();
                let Access::Scope(scope) = row.access else { panic!("{} takes a body from anyone", row.id) };
                let mut claims = claims(audience(*host), &samples.tenant_id, &[scope]);
                claims.organization_id.clone_from(&samples.organization_id);
                let request = server.sample(*host, &sample).bearer_auth(server.sign(&claims));
                let message = server.send(request).await.expect_error(400, "invalid_request");
                assert!(message.contains(&format!("`{name}")), "{}: {message}", row.id);
                assert!(message.contains("expected one of `"), "{}: {message}", row.id);
                tried.push(format!("{}.{name}", row.id));
            }
        }
    }
    for member in
        ["job_create.kind", "job_create.secrecy_level", "webhook_update.events", "profile_enrich.sources"]
    {
        assert!(tried.iter().any(|tried| tried == member), "{member}: {tried:?}");
    }
}

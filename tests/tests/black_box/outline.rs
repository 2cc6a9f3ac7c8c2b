//! The published artefacts as an outline: which operations, hosts, scopes, statuses and schemas there
//! are. The documents themselves are committed and `cargo xtask regen --check` guards their bytes, so
//! that a copy of them here would say each thing twice; the outline shows a reviewer what a change
//! means for the contract.

use argus_openapi::published::{API_CATALOG_JSON, DESCRIPTOR_JSON, SCHEMAS};
use serde_json::Value;
use std::fmt::Write;

#[test]
fn the_outline_of_the_published_contract_is_the_reviewed_one() {
    let document: Value = serde_json::from_str(DESCRIPTOR_JSON).unwrap();
    let mut outline = format!(
        "{} {}, OpenAPI {}\n\n",
        document["info"]["title"].as_str().unwrap(),
        document["info"]["version"].as_str().unwrap(),
        document["openapi"].as_str().unwrap()
    );
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            writeln!(outline, "{} {path}", method.to_uppercase()).unwrap();
            writeln!(outline, "  operation  {}", operation["operationId"].as_str().unwrap()).unwrap();
            writeln!(outline, "  hosts      {}", names(operation, "x-argus-hosts")).unwrap();
            writeln!(outline, "  security   {}", operation["security"]).unwrap();
            writeln!(outline, "  scopes     {}", names(operation, "x-argus-scopes")).unwrap();
            writeln!(outline, "  parameters {}", list(&operation["parameters"], "name")).unwrap();
            if let Some(content) = operation["requestBody"]["content"].as_object() {
                for (media_type, content) in content {
                    writeln!(outline, "  takes      {media_type} {}", schema(content)).unwrap();
                }
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                write!(outline, "  {status}        ").unwrap();
                let content = response["content"].as_object();
                let bodies: Vec<String> = content
                    .into_iter()
                    .flatten()
                    .map(|(media_type, content)| format!("{media_type} {}", schema(content)))
                    .collect();
                writeln!(outline, "{}", bodies.join(", ")).unwrap();
            }
            outline.push('\n');
        }
    }
    for (name, item) in document["webhooks"].as_object().unwrap() {
        delivery(&mut outline, &format!("Webhook {name}"), &item["post"]);
    }
    for operation in
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
    {
        for (name, urls) in operation["callbacks"].as_object().into_iter().flatten() {
            for (url, item) in urls.as_object().unwrap() {
                delivery(&mut outline, &format!("Callback {name} to {url}"), &item["post"]);
            }
        }
    }
    outline.push_str("Components\n");
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        writeln!(outline, "  {name}").unwrap();
    }
    outline.push_str("\nData schemas\n");
    for schema in SCHEMAS {
        writeln!(outline, "  {} ({}): {}", schema.id, schema.title, schema.operations.join(", ")).unwrap();
    }
    write!(outline, "\nCatalogue\n{API_CATALOG_JSON}").unwrap();
    snapshot!("published_outline", outline);
}

fn delivery(outline: &mut String, title: &str, operation: &Value) {
    let content = &operation["requestBody"]["content"]["application/json"];
    writeln!(outline, "{title}").unwrap();
    writeln!(outline, "  operation  {}", operation["operationId"].as_str().unwrap()).unwrap();
    writeln!(outline, "  hosts      {}", names(operation, "x-argus-hosts")).unwrap();
    writeln!(outline, "  parameters {}", list(&operation["parameters"], "name")).unwrap();
    writeln!(outline, "  sends      application/json {}\n", schema(content)).unwrap();
}

fn names(operation: &Value, member: &str) -> String {
    let names = operation[member].as_array().into_iter().flatten();
    names.map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join(", ")
}

fn list<'a>(array: &'a Value, member: &str) -> String {
    let items = array.as_array().into_iter().flatten();
    let shared = |item: &'a Value| item["$ref"].as_str().and_then(|target| target.rsplit('/').next());
    items.map(|item| item[member].as_str().or(shared(item)).unwrap_or("?")).collect::<Vec<_>>().join(", ")
}

fn schema(content: &Value) -> String {
    let schema = &content["schema"];
    match schema["$ref"].as_str() {
        Some(reference) => reference.trim_start_matches("#/components/schemas/").to_owned(),
        None => schema.to_string(),
    }
}

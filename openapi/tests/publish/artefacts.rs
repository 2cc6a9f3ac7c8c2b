//! The generated files: same bytes every time, same content in every form, committed as they are.

use argus_openapi::contract::ARGUS;
use argus_openapi::publish::{self, sort};
use argus_openapi::published::{
    API_CATALOG_JSON, DESCRIPTOR_JSON, DESCRIPTOR_YAML, Format, HOST_DESCRIPTORS, PublishedSchema, REFERENCE,
    ReferenceDocument, SCHEMAS,
};
use serde_json::{Value, json};

#[test]
fn two_runs_give_the_same_bytes() {
    let files = || publish::publish(&ARGUS).unwrap().files().unwrap();
    assert_eq!(files(), files());
}

#[test]
fn the_committed_files_are_those_that_the_pipeline_makes() {
    let files = publish::publish(&ARGUS).unwrap().files().unwrap();
    let repair = "is stale; run `cargo xtask regen`";
    assert!(files["openapi/argus.json"] == DESCRIPTOR_JSON, "openapi/argus.json {repair}");
    assert!(files["openapi/argus.yaml"] == DESCRIPTOR_YAML, "openapi/argus.yaml {repair}");
    assert!(files["openapi/api-catalog.json"] == API_CATALOG_JSON, "openapi/api-catalog.json {repair}");
    for of in HOST_DESCRIPTORS {
        for format in Format::ALL {
            let path = format!("openapi/hosts/{}.{}", of.host.name(), format.extension());
            assert!(files[&path] == of.text(format), "{path} {repair}");
        }
    }
    let mut reference = vec![("llms.txt".to_owned(), REFERENCE.outline)];
    for ReferenceDocument { language, page, markdown } in REFERENCE.pages {
        reference.extend([(format!("{language}.html"), *page), (format!("{language}.md"), *markdown)]);
    }
    for (file, text) in &reference {
        assert!(files[&format!("openapi/reference/{file}")] == *text, "openapi/reference/{file} {repair}");
    }
    let made = files.keys().filter(|path| path.starts_with("openapi/reference/")).count();
    assert_eq!(made, reference.len());
    assert_eq!(HOST_DESCRIPTORS.iter().map(|of| of.host).collect::<Vec<_>>(), ARGUS.hosts);
    let committed: Vec<_> =
        SCHEMAS.iter().map(|schema| format!("openapi/schemas/{}.json", schema.id)).collect();
    let made: Vec<_> = files.keys().filter(|path| path.starts_with("openapi/schemas/")).cloned().collect();
    assert_eq!(committed, made, "openapi/src/published/schemas.rs {repair}");
    for PublishedSchema { id, text, .. } in SCHEMAS {
        assert!(files[&format!("openapi/schemas/{id}.json")] == **text, "openapi/schemas/{id}.json {repair}");
    }
}

#[test]
fn yaml_and_json_hold_the_same_content() {
    let hosts = HOST_DESCRIPTORS.iter().map(|of| (of.json, of.yaml));
    for (json, yaml) in hosts.chain([(DESCRIPTOR_JSON, DESCRIPTOR_YAML)]) {
        let json: Value = serde_json::from_str(json).unwrap();
        let yaml: Value = serde_yaml_ng::from_str(yaml).unwrap();
        assert_eq!(json, yaml);
        assert!(json["paths"].as_object().is_some_and(|paths| !paths.is_empty()));
    }
}

#[test]
fn keys_are_in_order_however_they_were_put_in() {
    let one: Value = serde_json::from_str(r#"{"b":{"d":1,"c":[{"f":1,"e":2}]},"a":0}"#).unwrap();
    let text = sort::json(&sort::sorted(one)).unwrap();
    assert_eq!(text.replace([' ', '\n'], ""), r#"{"a":0,"b":{"c":[{"e":2,"f":1}],"d":1}}"#);
    assert!(text.ends_with("}\n"));
}

#[test]
fn the_descriptor_says_what_it_is() {
    let json: Value = serde_json::from_str(DESCRIPTOR_JSON).unwrap();
    assert_eq!(json["openapi"], "3.1.0");
    assert_eq!(json["info"]["title"], "Argus External API");
    assert_eq!(json["info"]["version"], "2026.4.0");
}

#[test]
fn the_catalogue_points_at_the_whole_and_under_the_anchor_of_each_host_at_its_descriptor() {
    let catalogue: Value = serde_json::from_str(API_CATALOG_JSON).unwrap();
    let desc = |url: &str| {
        ["json", "yaml"].map(
            |format| json!({ "href": format!("{url}.{format}"), "type": format!("application/{format}") }),
        )
    };
    let entry = |host: &str, service_desc: &[Value]| {
        json!({
            "anchor": format!("https://{host}/"),
            "service-desc": service_desc,
            "service-doc": [{ "href": "https://knogin.com/en/docs/api-reference", "type": "text/html" }],
        })
    };
    let whole = desc("https://api.knogin.com/.well-known/openapi");
    let api = desc("https://api.knogin.com/.well-known/openapi/api");
    let expected = json!({ "linkset": [
        entry("api.knogin.com", &[whole, api].concat()),
        entry("auth.knogin.com", &desc("https://auth.knogin.com/.well-known/openapi/auth")),
        entry("sandbox-api.knogin.com", &desc("https://sandbox-api.knogin.com/.well-known/openapi/sandbox")),
    ] });
    assert_eq!(catalogue, expected);
}

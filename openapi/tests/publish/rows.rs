//! What the operation table says is what the trait says, and it refers to nothing that is not there.

use argus_openapi::contract::{ARGUS, Contract};
use argus_openapi::publish::{self, PublishError, document::routes, raw::raw};
use argus_openapi::read::MediaType;
use argus_openapi::row::{OperationRow, RequestBody};
use argus_openapi::types::error::{Error, ErrorCode};
use serde_json::{Value, json};

/// The contract with a changed row.
fn with(id: &str, change: impl FnOnce(&mut OperationRow)) -> Contract {
    let mut rows = ARGUS.rows.to_vec();
    change(rows.iter_mut().find(|row| row.id == id).unwrap());
    Contract { rows: rows.leak(), ..ARGUS }
}

#[test]
fn rows_and_operations_have_the_same_ids() {
    let ids: Vec<&str> = ARGUS.rows.iter().map(|row| row.id).collect();
    let operations: Vec<&str> =
        argus_openapi::Operation::ALL.iter().map(|operation| operation.id()).collect();
    assert_eq!(ids, operations);
    assert!(ARGUS.row("job_create").is_some() && ARGUS.row("job_sing").is_none());
}

#[test]
fn the_body_of_every_operation_is_of_the_kind_that_its_row_says() {
    let raw = raw(&ARGUS).unwrap();
    for route in routes(&raw) {
        let content = route.operation["requestBody"]["content"].as_object();
        let described = content.map(|content| content.keys().next().unwrap().as_str());
        let stated = ARGUS.row(route.id()).unwrap().body.media_type();
        assert_eq!(stated.map(MediaType::as_str), described, "{}", route.name());
    }
}

#[test]
fn a_row_whose_body_is_not_that_of_the_signature_is_named() {
    let contract = with("job_create", |row| row.body = RequestBody::Form);
    let Err(PublishError::Disagreement { operation, reason }) = publish::descriptor(&contract) else {
        panic!("a form where the signature has JSON")
    };
    assert_eq!(operation, "job_create");
    assert!(reason.contains("x-www-form-urlencoded") && reason.contains("application/json"), "{reason}");
}

#[test]
fn how_long_a_body_may_be_is_published_at_the_body_and_in_the_text_of_its_413() {
    let document = publish::descriptor(&ARGUS).unwrap();
    for route in routes(&document).filter(|route| route.operation.get("requestBody").is_some()) {
        let most = ARGUS.row(route.id()).unwrap().body_max_bytes;
        assert_eq!(route.operation["requestBody"]["x-argus-max-bytes"], most, "{}", route.name());
        let refusal = &route.operation["responses"]["413"];
        // Operations that take as much share it.
        let shared = refusal["$ref"].as_str().and_then(|target| document.pointer(&target[1..]));
        let text = shared.unwrap_or(refusal)["description"].as_str().unwrap();
        assert!(text.contains(&most.to_string()), "{}: {text}", route.name());
    }
}

#[test]
fn what_makes_an_id_is_an_operation_whose_reply_has_it() {
    let document = publish::descriptor(&ARGUS).unwrap();
    for row in ARGUS.rows {
        for made_by in row.made_by {
            let maker = ARGUS.row(made_by.operation).unwrap_or_else(|| panic!("{}: {made_by:?}", row.id));
            let together = row.hosts.iter().any(|host| maker.served_by(*host));
            assert!(together, "{} and {} have no host in common", row.id, maker.id);
            let route = routes(&document).find(|route| route.id() == maker.id).unwrap();
            let replies = ["201", "202"].map(|status| &route.operation["responses"][status]);
            let reply = replies.into_iter().find(|reply| reply.is_object()).unwrap_or(&Value::Null);
            let reply = &reply["content"]["application/json"]["example"];
            for given in made_by.gives {
                assert!(reply.pointer(given.pointer).is_some_and(Value::is_string), "{}: {given:?}", row.id);
            }
            assert!(made_by.then.iter().all(|id| ARGUS.row(id).is_some()), "{}: {made_by:?}", row.id);
        }
    }
}

#[test]
fn an_error_is_written_as_its_schema_says() {
    let error = Error { error_code: ErrorCode::NotFound, message: "gone".to_owned() };
    let document = publish::descriptor(&ARGUS).unwrap();
    let own = ARGUS.rows.iter().filter_map(|row| row.error.copied());
    for shape in own.chain([ARGUS.error]) {
        let written: Value = serde_json::from_slice(&(shape.write)(&error).unwrap()).unwrap();
        let schema = json!({
            "allOf": [{ "$ref": format!("#/components/schemas/{}", shape.name) }],
            "components": document["components"],
        });
        assert!(jsonschema::is_valid(&schema, &written), "{written}");
        assert_eq!((&written["error_code"], &written["message"]), (&json!("not_found"), &json!("gone")));
    }
}

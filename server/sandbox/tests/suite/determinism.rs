//! The same request has the same reply, whatever lies around it.

use crate::support::{Ask, REQUESTS, Session, ask, body, scenario_sets};
use argus_openapi::Operation;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::JobCreate;
use argus_sandbox::{MockReply, Sandbox, derive_trace, partner};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A JSON object, which sorts its members.
fn object() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-d]{0,2}|\\PC{1,3}", inner, 0..5)
                .prop_map(|members| json!(members)),
        ]
    });
    prop::collection::btree_map("[a-d]{0,2}|\\PC{1,3}", value, 0..6)
}

/// The value as text with members in reverse order and white space wherever JSON has room for it.
fn loose(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(loose).collect();
            format!("[\n {} ]", items.join(" ,\t"))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .rev()
                .map(|(name, value)| format!("{} :\r\n{}", json!(name), loose(value)))
                .collect();
            format!("{{ {}\n}}", members.join(" , "))
        }
        other => other.to_string(),
    }
}

fn create(payload: &Value) -> MockReply {
    ask("", &partner::JobCreate { idempotency_key: None, body: &crate::support::job(payload) })
}

proptest! {
    #[test]
    fn white_space_and_member_order_of_a_payload_do_not_matter(payload in object()) {
        let tight = json!({ "kind": "export.bulk", "payload": payload });
        let read = |text: &str| serde_json::from_str::<JobCreate>(text).expect("a job");
        let (tight, loose) = (read(&tight.to_string()), read(&loose(&tight)));
        prop_assert_eq!(ask("", &partner::JobCreate { idempotency_key: None, body: &tight }), ask("", &partner::JobCreate { idempotency_key: None, body: &loose }));
    }

    #[test]
    fn another_payload_is_another_job(left in object(), right in object()) {
        let (left, right) = (json!(left), json!(right));
        // Numbers are doubles in canonical JSON: what canonicalises alike is the same payload.
        let canonical = |value: &Value| serde_json_canonicalizer::to_string(value).expect("canonical");
        let same = canonical(&left) == canonical(&right);
        let id = |payload: &Value| body(&create(payload))["id"].clone();
        prop_assert_eq!(id(&left) == id(&right), same);
    }

    #[test]
    fn a_payload_s_every_value_counts(payload in object(), name in "[a-d]{0,2}", value in any::<i32>()) {
        let mut changed = json!(payload);
        changed[&name] = json!({ "changed": value });
        prop_assume!(changed != json!(payload));
        prop_assert_ne!(create(&json!(payload)), create(&changed));
    }

    #[test]
    fn ids_that_the_sandbox_did_not_make_are_not_found(id in "[0-7][0-9A-HJKMNP-TV-Z]{25}|wh_[0-9A-HJKMNP-TV-Z]{18}|[A-Za-z0-9._:~-]{1,40}") {
        let requests: [&dyn Ask; 8] = [
            &partner::JobView { id: &id }, &partner::JobCancel { id: &id }, &partner::JobResult { id: &id },
            &partner::WebhookView { id: &id }, &partner::WebhookDelete { id: &id }, &partner::WebhookTest { id: &id },
            &partner::WebhookUpdate { id: &id, body: &Default::default() },
            &partner::WebhookDeliveryList { id: &id, page: &Default::default() },
        ];
        for request in requests {
            let mock = ask("", request);
            prop_assert_eq!(mock.status, 404);
            prop_assert_eq!(&body(&mock)["error_code"], "not_found");
        }
    }

    #[test]
    fn the_order_of_requests_does_not_matter(order in prop::collection::vec((0usize..21, 0usize..9), 1..40)) {
        let (all, sets) = (&REQUESTS, scenario_sets());
        // Each reply is held against that of a sandbox which was asked nothing before.
        let fresh = Sandbox::load();
        for (request, set) in order {
            let session = Session::new(&sets[set % sets.len()], "");
            let caller = argus_sandbox::Caller { organization_id: "org_2", ..session.caller() };
            let request = &all[request % all.len()];
            prop_assert_eq!(session.ask(request), request.ask(&fresh, &caller));
        }
    }

    #[test]
    fn any_request_on_any_identifier_is_answered(id in "[A-Za-z0-9._:~-]{1,128}", clock in 0u32..=31_536_000) {
        let session = Session::new(&["device.offline"], &format!("argus-clock={clock}"));
        let mock = session.ask(&partner::ProfileEnrich { id: &id, body: &Default::default() });
        prop_assert_eq!(mock.status, 200);
        prop_assert_eq!(&body(&mock)["profile_id"], id.as_str());
        prop_assert_eq!(session.ask(&partner::TraceView { trace_id: &id }).status == 200, id.len() == 32
            && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) && id != "0".repeat(32));
    }
}

#[test]
fn asking_twice_gives_the_same_bytes() {
    for scenarios in scenario_sets() {
        let session = Session::new(&scenarios, "");
        for request in REQUESTS.iter() {
            assert_eq!(session.ask(request), session.ask(request));
        }
    }
}

#[test]
fn the_order_and_repetition_of_scenarios_does_not_matter() {
    let one = Session::new(&["wallet.high-risk", "entity.sanctioned"], "");
    let other = Session::new(&["entity.sanctioned", "wallet.high-risk", "entity.sanctioned"], "");
    for request in REQUESTS.iter() {
        assert_eq!(one.ask(request), other.ask(request));
    }
}

#[test]
fn a_tenant_changes_only_what_shows_it() {
    let own = Session::new(&[], "");
    let other = Session { tenant_id: "tnt_other", ..Session::new(&[], "") };
    for request in REQUESTS.iter().filter(|request| request.operation() != Operation::GraphqlExecute) {
        let shows = matches!(request.operation(), Operation::TraceView | Operation::DataSchemaList);
        let (own, other) = (own.ask(request), other.ask(request));
        assert_eq!(own != other, shows, "{}", request.operation().id());
        let text = String::from_utf8(other.body.unwrap_or_default().into()).expect("UTF-8");
        assert_eq!(text.contains("tnt_other"), shows);
    }
}

#[test]
fn clearance_changes_only_what_it_clamps() {
    let own = Session::new(&[], "");
    let cleared = Session { secrecy_level: SecrecyLevel::Secret, ..Session::new(&[], "") };
    for request in REQUESTS.iter() {
        let clamped = request.operation() == Operation::DataSchemaList;
        assert_eq!(
            own.ask(request).body != cleared.ask(request).body,
            clamped,
            "{}",
            request.operation().id()
        );
    }
}

#[test]
fn a_preference_that_is_not_known_changes_nothing() {
    for request in REQUESTS.iter() {
        assert_eq!(ask("", request), ask("respond-async, return=minimal, handling=lenient", request));
    }
}

/// Bytes that partners have in their snapshots. A change here is a change of the contract.
#[test]
fn a_reply_is_pinned_byte_for_byte() {
    let mock = create(&json!({ "profile_ids": ["p1", "p2"] }));
    let text = String::from_utf8(mock.body.clone().expect("a body").into()).expect("UTF-8");
    assert_eq!(
        text,
        r#"{"id":"01KR3QAYG000NQXEP345ZBWWK5","kind":"intelligence.enrich.bulk","status":"queued","created_at":"2026-05-08T12:00:00Z","trace_id":"aa3811f21e98039a78dc28244f813a5d"}"#
    );
    assert_eq!(body(&mock)["trace_id"], mock.trace.trace_hex());
}

#[test]
fn a_refusal_s_trace_depends_on_what_was_asked_and_on_nothing_else() {
    let derive = |path| derive_trace(None, path);
    assert_eq!(derive("GET /nowhere").trace_hex(), "e55cebb6c7de2ae3f304203500928c19");
    assert_ne!(derive("GET /nowhere"), derive("GET /elsewhere"));
}

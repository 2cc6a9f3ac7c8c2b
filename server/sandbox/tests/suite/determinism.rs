//! The same request has the same reply, whatever lies around it.

use crate::support::{Ask, REQUESTS, Session, ask, body, scenario_sets};
use argus_openapi::Operation;
use argus_openapi::read::MediaType;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::JobCreate;
use argus_sandbox::{MockReply, Sandbox, derive_trace, partner};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A list that may be absent; never an empty one, which would say the same.
fn list(items: impl Strategy<Value = Value>, most: usize) -> impl Strategy<Value = Option<Value>> {
    let items = prop::collection::vec(items, 1..=most).prop_map(Value::from);
    prop::option::of(items)
}

/// An object of those members that are there.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect())
}

fn text(pattern: &'static str) -> impl Strategy<Value = Value> {
    pattern.prop_map(Value::from)
}

fn choice(texts: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::select(texts).prop_map(Value::from)
}

const ID: &str = "[A-Za-z0-9._:~-]{1,8}";
const NAME: &str = "[A-Za-z\\\\/\"\u{e9}\u{1f5c2}]{1,8}";

fn profile() -> impl Strategy<Value = Value> {
    let relation = (text(ID), text(NAME)).prop_map(|(to, label)| json!({ "to": to, "label": label }));
    let kind = choice(&["wallet", "entity", "incident", "device"]);
    let score = prop::option::of((0..=100).prop_map(Value::from));
    (text(ID), kind, text(NAME), score, list(relation, 3)).prop_map(|(id, kind, name, score, relations)| {
        object([
            ("id", Some(id)),
            ("kind", Some(kind)),
            ("display_name", Some(name)),
            ("risk_score", score),
            ("relations", relations),
        ])
    })
}

/// A request for a job of any kind.
fn request() -> impl Strategy<Value = Value> {
    let sources = list(choice(&["osint", "finance", "dispatch", "epcr", "telemetry"]), 5);
    let enrich = (prop::collection::vec(text(ID), 1..5), sources)
        .prop_map(|(ids, sources)| object([("profile_ids", Some(json!(ids))), ("sources", sources)]));
    let format = || prop::option::of(choice(&["ndjson", "csv"]));
    // Days that every month has.
    let moment = prop::option::of(text("20[0-9]{2}-0[1-9]-[12][0-8]T12:00:00(\\.[0-9]{2}5)?Z"));
    let export = (prop::option::of((0..=100).prop_map(Value::from)), moment, format()).prop_map(
        |(score, moment, format)| {
            object([("min_risk_score", score), ("updated_after", moment), ("format", format)])
        },
    );
    let upload = prop::option::of(text("upl_[0-9A-Z]{1,8}"));
    let import = (list(profile(), 3), upload, format()).prop_map(|(profiles, upload, format)| {
        object([("profiles", profiles), ("upload_ref", upload), ("format", format)])
    });
    let path = (text(ID), text(ID)).prop_map(|(from, to)| json!({ "from": from, "to": to }));
    let algorithms = list(choice(&["components", "pagerank", "degree"]), 3);
    let graph = (algorithms, list(path, 3), list(text(ID), 4)).prop_map(|(algorithms, paths, ids)| {
        object([("algorithms", algorithms), ("shortest_paths", paths), ("profile_ids", ids)])
    });
    let of = |kind: &'static str| move |payload| json!({ "kind": kind, "payload": payload });
    prop_oneof![
        enrich.prop_map(of("intelligence.enrich.bulk")),
        export.prop_map(of("export.bulk")),
        import.prop_map(of("import.bulk")),
        graph.prop_map(of("graph.compute")),
    ]
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

/// Where the values are that have no values in them.
fn leaves(value: &Value, place: &str) -> Vec<String> {
    match value {
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.flat_map(|(index, item)| leaves(item, &format!("{place}/{index}"))).collect()
        }
        Value::Object(members) => {
            members.iter().flat_map(|(name, member)| leaves(member, &format!("{place}/{name}"))).collect()
        }
        _ => vec![place.to_owned()],
    }
}

/// Another value of the same kind.
fn another(value: &Value) -> Value {
    match value.as_str() {
        Some("csv") => json!("ndjson"),
        Some("ndjson") => json!("csv"),
        Some(text) => match text.strip_suffix('Z') {
            Some(moment) if moment.contains('T') => json!(format!("{moment}+00:01")),
            _ => json!(format!("{text}0")),
        },
        None => json!((value.as_i64().unwrap_or_default() + 1) % 101),
    }
}

fn fits(request: &Value) -> bool {
    MediaType::Json.parse::<JobCreate>(request.to_string().as_bytes()).is_ok()
}

fn create(request: &str) -> MockReply {
    ask("", &partner::JobCreate { idempotency_key: None, body: &crate::support::read_job(request) })
}

proptest! {
    #[test]
    fn white_space_and_member_order_of_a_request_do_not_matter(request in request()) {
        prop_assert_eq!(create(&request.to_string()), create(&loose(&request)));
    }

    #[test]
    fn another_payload_is_another_job(left in request(), right in request()) {
        let id = |request: &Value| body(&create(&request.to_string()))["id"].clone();
        prop_assert_eq!(id(&left) == id(&right), left == right);
    }

    #[test]
    fn a_payload_s_every_value_counts(request in request(), place in any::<prop::sample::Index>()) {
        let places = leaves(&request["payload"], "/payload");
        prop_assume!(!places.is_empty());
        let place = place.get(&places);
        let mut changed = request.clone();
        let value = changed.pointer_mut(place).expect("a leaf");
        *value = another(value);
        prop_assume!(fits(&changed));
        prop_assert_ne!(create(&request.to_string()), create(&changed.to_string()));
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
    let payload = json!({ "profile_ids": ["p1", "p2"] });
    let mock = create(&json!({ "kind": "intelligence.enrich.bulk", "payload": payload }).to_string());
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

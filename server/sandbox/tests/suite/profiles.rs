//! Profiles, enrichments and the scenarios behind them.

use crate::support::{SANDBOX, Session, body, parse};
use argus_openapi::types::profiles::ProfileEnrich;
use argus_sandbox::{Sandbox, partner};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn enriched(session: &Session, id: &str, sources: &Value) -> Value {
    let request: ProfileEnrich = parse(json!({ "sources": sources }));
    body(&session.ask(&partner::ProfileEnrich { id, body: &request }))
}

fn codes(enrichment: &Value) -> Vec<String> {
    let findings = enrichment["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
fn each_scenario_shows_what_its_description_says() {
    let under = |scenario| enriched(&Session::new(&[scenario], ""), "p1", &json!([]));
    let wallet = under("wallet.high-risk");
    assert_eq!(codes(&wallet), ["mixer_interaction", "sanctions_match", "rapid_fire_transfers"]);
    assert_eq!(wallet["risk"]["level"], "critical");
    assert_eq!(under("wallet.clean")["risk"]["level"], "low");
    assert!(!codes(&under("wallet.clean")).contains(&"sanctions_match".to_owned()));
    let entity = under("entity.sanctioned");
    let lists: BTreeSet<&str> = entity["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| finding["evidence"]["list"].as_str().expect("a list's name"))
        .collect();
    assert_eq!(lists, BTreeSet::from(["OFAC SDN", "UN Security Council", "EU Consolidated"]));
    let incident = under("incident.escalating");
    let sources: BTreeSet<String> = incident["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| finding["source"].to_string())
        .collect();
    assert_eq!(sources, BTreeSet::from(["\"dispatch\"".to_owned(), "\"epcr\"".to_owned()]));
}

#[test]
fn an_incident_has_the_state_that_its_event_tells_and_nothing_else_has_one() {
    let viewed = |scenario| body(&Session::new(&[scenario], "").ask(&partner::ProfileView { id: "p1" }));
    let fixture: Value =
        serde_json::from_str(include_str!("../../fixtures/incident.escalating.json")).expect("JSON");
    let told = &fixture["events"]["incident.updated"];
    let state = json!({ "status": told["status"], "severity": told["severity"], "summary": told["summary"] });
    assert_eq!(viewed("incident.escalating")["incident"], state);
    for scenario in ["wallet.clean", "entity.sanctioned", "device.offline"] {
        assert_eq!(viewed(scenario)["incident"], Value::Null, "{scenario}");
    }
}

#[test]
fn an_offline_device_was_last_seen_as_many_hours_ago_as_its_id_says() {
    let session = Session::new(&["device.offline"], "");
    let mut seen = BTreeSet::new();
    for index in 0..50 {
        let device = enriched(&session, &format!("pump-{index}"), &json!([]));
        let finding = &device["findings"][0];
        let hours = finding["evidence"]["last_seen_hours_ago"].as_i64().expect("a number");
        assert!((2..=72).contains(&hours));
        assert!(finding["summary"].as_str().expect("text").contains(&format!("{hours} hours ago")));
        let observed = finding["observed_at"].as_str().expect("a time");
        let observed: argus_openapi::types::common::Timestamp = parse(json!(observed));
        assert_eq!(argus_sandbox::EPOCH_UNIX_SECONDS - observed.timestamp(), hours * 3600);
        seen.insert(hours);
    }
    assert!(seen.len() > 10, "the hours depend on the id: {seen:?}");
}

#[test]
fn scenarios_that_belong_together_join_their_findings() {
    let session = Session::new(&["wallet.high-risk", "entity.sanctioned"], "");
    let enrichment = enriched(&session, "p1", &json!([]));
    let codes = codes(&enrichment);
    assert_eq!(codes.iter().filter(|code| *code == "sanctions_match").count(), 4);
    assert!(codes.contains(&"mixer_interaction".to_owned()));
    assert_eq!(enrichment["risk"]["score"], 98);
}

#[test]
fn every_finding_is_of_a_source_that_answered() {
    for scenarios in crate::support::scenario_sets() {
        let session = Session::new(&scenarios, "");
        for id in (0..20).map(|number| format!("p{number}")) {
            let enrichment = enriched(&session, &id, &json!([]));
            let outcomes = enrichment["outcomes"].as_array().expect("a list");
            for finding in enrichment["findings"].as_array().expect("a list") {
                let outcome = outcomes.iter().find(|outcome| outcome["source"] == finding["source"]);
                assert_eq!(outcome.expect("an outcome")["status"], "answered", "{id} under {scenarios:?}");
            }
        }
    }
}

#[test]
fn scenarios_that_contradict_each_other_take_turns() {
    let session = Session::new(&["wallet.high-risk", "wallet.clean"], "");
    let scores: BTreeSet<i64> = (0..40)
        .map(|index| {
            enriched(&session, &format!("p{index}"), &json!([]))["risk"]["score"].as_i64().expect("a number")
        })
        .collect();
    assert_eq!(scores, BTreeSet::from([6, 94]));
}

#[test]
fn without_a_pinned_scenario_all_of_them_take_turns() {
    let session = Session::new(&[], "");
    let scores: BTreeSet<String> = (0..100)
        .map(|index| enriched(&session, &format!("p{index}"), &json!([]))["risk"].to_string())
        .collect();
    assert_eq!(scores.len(), 5);
}

#[test]
fn a_view_and_an_enrichment_of_one_profile_agree() {
    for scenarios in crate::support::scenario_sets() {
        let session = Session::new(&scenarios, "");
        for id in ["p1", "p2", "wallet:0xAbC~1", "x"] {
            let view = body(&session.ask(&partner::ProfileView { id }));
            let enrichment = enriched(&session, id, &json!([]));
            assert_eq!(view["id"], id);
            assert_eq!((&view["kind"], &view["risk"]), (&enrichment["kind"], &enrichment["risk"]));
            let mut expected = codes(&enrichment);
            expected.dedup();
            assert_eq!(view["finding_codes"], json!(expected));
        }
    }
}

#[test]
fn only_the_sources_that_were_asked_answer() {
    let session = Session::new(&["wallet.high-risk"], "argus-clock=5");
    let enrichment = enriched(&session, "p1", &json!(["finance", "telemetry", "finance"]));
    assert_eq!(enrichment["sources"], json!(["finance", "telemetry"]));
    assert_eq!(codes(&enrichment), ["mixer_interaction", "rapid_fire_transfers"]);
    let message = "telemetry knows nothing of a profile whose kind is wallet";
    let outcomes = json!([
        { "source": "finance", "status": "answered", "message": null },
        { "source": "telemetry", "status": "not_applicable", "message": message },
    ]);
    assert_eq!(enrichment["outcomes"], outcomes);
    assert_eq!(enrichment["enriched_at"], "2026-05-08T12:00:05Z");
    let all = json!(["osint", "finance", "dispatch", "epcr", "telemetry"]);
    assert_eq!(enriched(&session, "p1", &json!([]))["sources"], all);
}

fn own(change: impl FnOnce(&mut Value)) -> (String, String) {
    let mut fixture = json!({
        "id": "wallet.ours", "label": "Ours", "description": "Returns what we need.",
        "combines_with": ["wallet.clean"],
        "profile": {
            "kind": "wallet", "display_name": "Our {id}", "risk": { "score": 50, "level": "medium" },
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z",
            "findings": [{
                "code": "ours", "source": "finance", "severity": "medium", "summary": "Ours.",
                "observed_at": "{last_seen}", "evidence": { "z": 1, "a": "{hours}" },
            }],
        },
    });
    change(&mut fixture);
    ("ours.json".to_owned(), fixture.to_string())
}

#[test]
fn an_operator_s_scenario_joins_the_catalogue() {
    let sandbox = Sandbox::with_fixtures([own(|_| {})]).expect("valid");
    assert_eq!(sandbox.scenarios().last().map(|scenario| scenario.id.as_str()), Some("wallet.ours"));
    let scenarios = sandbox.scenario_set(&["wallet.ours".to_owned()]).expect("known");
    let session = Session { scenarios, ..Session::new(&[], "") };
    let request = partner::ProfileEnrich { id: "p1", body: &ProfileEnrich::default() };
    let mock = sandbox.answer(&session.caller(), &request);
    let text = String::from_utf8(mock.body.clone().expect("a body").into()).expect("UTF-8");
    assert!(text.contains(r#""evidence":{"a":"#), "members are sorted: {text}");
    assert_eq!(codes(&body(&mock)), ["ours"]);
    assert!(SANDBOX.scenario_set(&["wallet.ours".to_owned()]).is_err());
}

#[test]
fn an_operator_s_scenario_changes_no_reply_that_does_not_pin_it() {
    let extended = Sandbox::with_fixtures([own(|_| {})]).expect("valid");
    for scenarios in crate::support::scenario_sets() {
        let session = Session::new(&scenarios, "");
        for index in 0..64 {
            let id = format!("p{index}");
            let request = partner::ProfileEnrich { id: &id, body: &ProfileEnrich::default() };
            assert_eq!(
                extended.answer(&session.caller(), &request),
                session.ask(&request),
                "{id} under {scenarios:?}"
            );
        }
    }
}

#[test]
fn a_fixture_that_does_not_fit_is_refused_with_file_and_place() {
    let refused = |change: fn(&mut Value)| {
        let error = Sandbox::with_fixtures([own(change)]).expect_err("must be refused");
        let [fault] = &error.faults[..] else { panic!("one fault: {error}") };
        assert_eq!(fault.file, "ours.json");
        assert!(error.to_string().starts_with("ours.json:1:"), "{error}");
        fault.member.clone()
    };
    assert_eq!(refused(|fixture| fixture["id"] = json!("wallet.clean")), "id");
    assert_eq!(refused(|fixture| fixture["id"] = json!("Our scenario")), "id");
    assert_eq!(refused(|fixture| fixture["label"] = json!(" ")), "label");
    assert_eq!(
        refused(|fixture| fixture["combines_with"] = json!(["wallet.clean", "nope"])),
        "combines_with[1]"
    );
    assert_eq!(refused(|fixture| fixture["profile"]["risk"]["score"] = json!(101)), "profile.risk.score");
    assert_eq!(
        refused(|fixture| fixture["profile"]["updated_at"] = json!("2025-01-01T00:00:00Z")),
        "profile.updated_at"
    );
    let finding = |member: &str| format!("profile.findings[0].{member}");
    assert_eq!(
        refused(|fixture| fixture["profile"]["findings"][0]["observed_at"] = json!("now")),
        finding("observed_at")
    );
    assert_eq!(
        refused(|fixture| fixture["profile"]["findings"][0]["summary"] = json!("{oops}")),
        finding("summary")
    );
    assert_eq!(
        refused(|fixture| fixture["profile"]["findings"][0]["evidence"]["z"] = json!("{oops}")),
        finding("evidence")
    );
    assert_eq!(
        refused(|fixture| fixture["profile"]["findings"][0]["code"] = json!("A code")),
        finding("code")
    );
    assert_eq!(
        refused(|fixture| {
            fixture["events"]["job.failed"] = json!({
                "id": "inc_1", "title": "Fire", "status": "closed", "severity": "high", "summary": null,
                "updated_at": "2026-05-08T12:00:00Z",
            })
        }),
        "events.job.failed"
    );
    let half = refused(|fixture| fixture["events"] = json!({ "incident.closed": { "id": "inc_1" } }));
    assert_eq!(half, "events.incident.closed");
    assert_eq!(refused(|fixture| fixture["profile"]["kind"] = json!("ship")), "profile.kind");
    assert_eq!(refused(|fixture| fixture["profile"]["kind"] = json!("incident")), "profile.kind");
    let unnamed = json!({ "title": "Fire", "status": "", "severity": "low", "timeline": [] });
    let file = own(|fixture| fixture["incident"] = unnamed);
    let error = Sandbox::with_fixtures([file]).expect_err("no status").to_string();
    assert!(error.contains(" incident.status: ") && error.contains("a name has 1 to 128"), "{error}");
    assert_eq!(refused(|fixture| fixture["extra"] = json!(1)), "extra");
    let error = Sandbox::with_fixtures([("broken.json".to_owned(), "{\n  \"id\": }".to_owned())])
        .expect_err("broken");
    assert_eq!(error.to_string(), "broken.json:2:9: id: expected value");
}

#[test]
fn every_fault_of_every_file_is_told_in_the_order_of_the_files() {
    let (_, broken) = own(|fixture| {
        fixture["label"] = json!("");
        fixture["profile"]["risk"]["score"] = json!(101);
        fixture["combines_with"] = json!(["nope"]);
    });
    let twice = own(|_| {}).1.replacen('{', "{\n\"label\": \"Theirs\",", 1);
    let files = [("a.json".to_owned(), twice), ("b.json".to_owned(), broken)];
    let error = Sandbox::with_fixtures(files).expect_err("must be refused");
    let told: Vec<(&str, &str)> =
        error.faults.iter().map(|fault| (fault.file.as_str(), fault.member.as_str())).collect();
    assert_eq!(told.len(), 4, "{error}");
    for expected in
        [("a.json", "label"), ("b.json", "id"), ("b.json", "label"), ("b.json", "profile.risk.score")]
    {
        assert!(told.contains(&expected) || expected.1 == "id", "{expected:?} in {error}");
    }
    assert_eq!(told[0], ("a.json", "label"), "{error}");
}

#[test]
fn a_template_is_a_valid_fixture_of_its_own_id() {
    for scenario in SANDBOX.scenarios() {
        let text = partner::template("ours.new", &scenario.id, "./scenario.schema.json").expect("it ships");
        let sandbox = Sandbox::with_fixtures([("new.json".to_owned(), text.clone())]).expect("valid");
        assert_eq!(sandbox.own_scenarios()[0].id, "ours.new");
        assert!(text.starts_with("{\n  \"$schema\": \"./scenario.schema.json\","), "{text}");
    }
    let unknown = partner::template("ours.new", "ours.old", "").expect_err("none ships");
    assert!(unknown.valid.contains(&"wallet.clean".to_owned()), "{unknown}");
}

#[test]
fn the_schema_for_editors_takes_every_fixture_that_ships_and_names_each_member() {
    let schema = partner::schema();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for scenario in SANDBOX.scenarios() {
        let text = partner::template("ours.new", &scenario.id, "x").expect("it ships");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", scenario.id);
    }
    assert!(!validator.is_valid(&json!({ "id": "a" })));
    for (name, member) in schema["properties"].as_object().expect("members") {
        assert!(member["description"].is_string() || member["allOf"].is_array(), "{name} says what it is");
    }
}

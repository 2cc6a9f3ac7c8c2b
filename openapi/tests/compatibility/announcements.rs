//! What a release announced may break once its time has come, and nothing else may.

use crate::support::{at, document, query, request};
use argus_openapi::compatibility::{Verdict, judge};
use serde_json::{Value, json};

fn line(sunset: Option<&str>, more: Value) -> Value {
    let mut line = json!({
        "operation": "thing_make",
        "deprecated_at": "2026-06-01T00:00:00Z",
        "link": "https://partner.example/changes",
        "note": "Use another.",
    });
    if let Some(sunset) = sunset {
        line["sunset_at"] = json!(sunset);
    }
    let Value::Object(more) = more else { panic!("{more} is no object") };
    line.as_object_mut().unwrap().extend(more);
    line
}

fn announcing(mut document: Value, line: Value) -> Value {
    document["x-argus-deprecations"] = json!([line]);
    document
}

/// What is said of the breaks between two documents on the first of December 2026.
fn verdicts(base: &Value, next: &Value) -> Vec<Verdict> {
    let judged = judge(base, next, at("2026-12-01T00:00:00Z")).unwrap();
    judged.into_iter().filter(|judged| judged.change.breaks).map(|judged| judged.verdict).collect()
}

fn without_operation() -> Value {
    json!({ "openapi": "3.1.0", "paths": {} })
}

#[test]
fn an_operation_may_go_once_its_sunset_has_come_and_not_before() {
    let told = |sunset| announcing(document(json!({})), line(sunset, json!({})));
    let after = "2026-11-30T00:00:00Z";
    assert_eq!(verdicts(&told(Some(after)), &without_operation()), [Verdict::Announced]);
    let before = "2026-12-02T00:00:00Z";
    assert_eq!(verdicts(&told(Some(before)), &without_operation()), [Verdict::TooEarly(at(before))]);
    assert_eq!(verdicts(&told(None), &without_operation()), [Verdict::WithoutSunset]);
    assert_eq!(verdicts(&document(json!({})), &without_operation()), [Verdict::Unannounced]);
}

#[test]
fn what_is_announced_together_with_the_break_has_told_nobody() {
    let line = line(Some("2026-11-30T00:00:00Z"), json!({ "part": "query.q" }));
    let next = announcing(document(json!({})), line);
    assert_eq!(verdicts(&query(json!({ "type": "string" })), &next), [Verdict::NotYetReleased]);
}

#[test]
fn an_announcement_covers_its_part_and_what_is_below_it_and_nothing_beside_it() {
    let sunset = Some("2026-11-30T00:00:00Z");
    let with = |members: &[&str]| {
        let members = members.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" })));
        let inner = json!({ "type": "object", "properties": members.collect::<serde_json::Map<_, _>>() });
        request(json!({ "type": "object", "properties": { "inner": inner } }))
    };
    let told = |part: &str| announcing(with(&["a", "ab"]), line(sunset, json!({ "part": part })));
    let next = with(&["ab"]);
    for part in ["request.body.inner.a", "request.body.inner", "request.body"] {
        assert_eq!(verdicts(&told(part), &next), [Verdict::Announced], "{part}");
    }
    for part in ["request.body.inner.ab", "request.body.in", "response.200.body", "query.a"] {
        assert_eq!(verdicts(&told(part), &next), [Verdict::Unannounced], "{part}");
    }
    let other = announcing(with(&["a", "ab"]), line(sunset, json!({ "operation": "thing_list" })));
    assert_eq!(verdicts(&other, &next), [Verdict::Unannounced]);
}

#[test]
fn one_value_of_an_enum_is_announced_by_its_name() {
    let of = |values: &[&str]| query(json!({ "type": "string", "enum": values }));
    let told = |value: &str| {
        let more = json!({ "part": "query.q", "value": value });
        announcing(of(&["a", "b"]), line(Some("2026-11-30T00:00:00Z"), more))
    };
    assert_eq!(verdicts(&told("b"), &of(&["a"])), [Verdict::Announced]);
    assert_eq!(verdicts(&told("a"), &of(&["a"])), [Verdict::Unannounced]);
}

#[test]
fn announcements_that_cannot_be_read_are_refused() {
    let mut base = document(json!({}));
    base["x-argus-deprecations"] = json!([{ "operation": "thing_make" }]);
    let error = judge(&base, &without_operation(), at("2026-12-01T00:00:00Z")).unwrap_err();
    assert!(
        error.contains("`x-argus-deprecations` of the base") && error.contains("deprecated_at"),
        "{error}"
    );
}

#[test]
fn a_sunset_that_was_told_may_be_put_off_and_not_brought_forward() {
    let told = |sunset| announcing(document(json!({})), line(Some(sunset), json!({})));
    let (early, late) = ("2027-05-31T23:59:59Z", "2027-06-01T00:00:00Z");
    assert_eq!(verdicts(&told(early), &told(late)), []);
    assert_eq!(verdicts(&told(late), &told(early)), [Verdict::Unannounced]);
    // To take it back harms nobody.
    assert_eq!(verdicts(&told(late), &document(json!({}))), []);
}

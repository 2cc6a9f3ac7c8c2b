//! What a caller must show. Every alternative that was enough must still be, with no more scopes.

use super::change::Rule;
use super::walk::{Walk, members, texts};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One alternative: schemes, each with its scopes.
type Alternative<'d> = BTreeMap<&'d str, BTreeSet<&'d str>>;

/// What is enough for an operation. Without any requirement, nothing is.
fn alternatives<'d>(document: &'d Value, operation: &'d Value) -> Vec<Alternative<'d>> {
    let listed = operation.get("security").or_else(|| document.get("security")).and_then(Value::as_array);
    let found: Vec<Alternative<'d>> = listed
        .into_iter()
        .flatten()
        .map(|one| members(one).map(|(scheme, scopes)| (scheme.as_str(), texts(scopes).collect())).collect())
        .collect();
    if found.is_empty() { vec![Alternative::new()] } else { found }
}

/// Whether whoever shows what `shown` asks for has what `asked` asks for.
fn is_enough(shown: &Alternative<'_>, asked: &Alternative<'_>) -> bool {
    asked.iter().all(|(scheme, scopes)| shown.get(scheme).is_some_and(|shown| scopes.is_subset(shown)))
}

/// Compares the requirements of two operations.
pub(super) fn compare(walk: &mut Walk<'_>, base: &Value, next: &Value) {
    let (before, now) = (alternatives(walk.base, base), alternatives(walk.next, next));
    for alternative in &before {
        if !now.iter().any(|now| is_enough(alternative, now)) {
            let detail = format!("{} is not enough any more", shown(alternative));
            walk.report(Rule::Security, true, "security", detail);
        }
    }
    for alternative in &now {
        if !before.iter().any(|before| is_enough(alternative, before)) {
            walk.report(Rule::Security, false, "security", format!("{} is enough, too", shown(alternative)));
        }
    }
    // The descriptor says in an extension which scopes a token needs, wherever it comes from.
    let is_it = |name: &str| name.starts_with("x-") && name.ends_with("-scopes");
    for (name, scopes) in members(next).filter(|(name, _)| is_it(name)) {
        let held: BTreeSet<&str> = texts(&base[name]).collect();
        for scope in texts(scopes).filter(|scope| !held.contains(scope)) {
            walk.report(Rule::Security, true, "security", format!("the scope `{scope}` is needed now"));
        }
    }
}

fn shown(alternative: &Alternative<'_>) -> String {
    let schemes = alternative.iter().map(|(scheme, scopes)| match scopes.is_empty() {
        true => format!("`{scheme}`"),
        false => format!("`{scheme}` with {}", scopes.iter().copied().collect::<Vec<_>>().join(" ")),
    });
    match alternative.is_empty() {
        true => "a request without credentials".to_owned(),
        false => schemes.collect::<Vec<_>>().join(" and "),
    }
}

/// Compares how each scheme sends credentials and where it gets them. One that is gone is missed where it is used.
pub(super) fn schemes(walk: &mut Walk<'_>) {
    let (base, next) = (walk.base, walk.next);
    walk.operation = "security schemes".to_owned();
    for (name, scheme) in members(&base["components"]["securitySchemes"]) {
        let now = &next["components"]["securitySchemes"][name];
        if !now.is_object() {
            continue;
        }
        for member in ["type", "scheme", "in", "name", "openIdConnectUrl"] {
            if scheme[member] != now[member] {
                let detail = format!("`{member}` was {}, and is {}", scheme[member], now[member]);
                walk.report(Rule::Security, true, name, detail);
            }
        }
        for (flow, described) in members(&scheme["flows"]) {
            flows(walk, name, flow, described, &now["flows"][flow]);
        }
    }
}

fn flows(walk: &mut Walk<'_>, scheme: &str, flow: &str, base: &Value, next: &Value) {
    if !next.is_object() {
        walk.report(Rule::Security, true, scheme, format!("the flow `{flow}` is gone"));
        return;
    }
    for member in ["authorizationUrl", "tokenUrl", "refreshUrl"] {
        if base[member] != next[member] {
            let detail = format!("`{member}` of `{flow}` was {}, and is {}", base[member], next[member]);
            walk.report(Rule::Security, true, scheme, detail);
        }
    }
    for (scope, _) in members(&base["scopes"]) {
        if next["scopes"].get(scope).is_none() {
            let detail = format!("`{flow}` does not know the scope `{scope}` any more");
            walk.report_value(Rule::Security, true, scheme, Some(&json!(scope)), detail);
        }
    }
}

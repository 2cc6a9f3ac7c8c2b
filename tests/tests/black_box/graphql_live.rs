//! The GraphQL transport on the live host: the shipped documents on real data, who may run what, and what is refused. What
//! guards the parts of the schema is tested in `graphql_guards`, what both hosts say alike in `parity`.

use super::graphql::assert_refusal;
use super::support::binary;
use crate::parity::comparison::{alike, shape};
use argus_core::context::{Actor, Context};
use argus_openapi::Host;
use argus_openapi::graphql::{Bundles, SHIPPED};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use argus_openapi::types::scopes::Scope;
use argus_partner::profiles;
use argus_partner::store::profiles::{ImportedRow, enrich};
use argus_tests::{
    Answer, AppCredentials, Installation, Reach, Statements, TestServer, on_both_engines, sql,
};
use http::Method;
use serde_json::{Value, json};
use std::path::Path;

on_both_engines! {
    the_shipped_documents_run_on_the_tenant_s_own_data
    the_shipped_documents_have_the_shapes_that_the_sandbox_returns
    a_fault_while_a_document_runs_has_a_code_and_tells_nothing_of_what_lies_within
    an_app_runs_the_documents_of_its_bundles_and_no_other
    a_document_approved_for_one_app_is_refused_to_another_on_every_node
    whatever_is_not_approved_is_refused_alike
    variables_and_tenants_that_do_not_fit_are_refused
    governance_names_the_bundles_that_there_are
    a_foreign_tenant_s_objects_and_those_above_the_clearance_are_not_there
    callers_who_ask_for_the_same_id_at_the_same_time_get_their_own
    what_is_asked_for_together_is_loaded_together
    the_operator_s_own_token_runs_every_bundle
}

const SCOPES: [Scope; 4] = [Scope::GraphqlExecute, Scope::ProfilesRead, Scope::JobsRead, Scope::WebhooksRead];

/// Documents of an installation, each in a bundle of its name.
const OWN: [(&str, &str); 3] = [
    (
        "circle",
        "query Circle($ids: [ID!]!) { profiles(ids: $ids) { id relations(first: 50) { label profile { id } } } }",
    ),
    ("desk", "query Desk { jobs(first: 5) { id kind status } webhooks(first: 5) { id url status } }"),
    ("nodes", "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"),
];

/// The text of a shipped document.
fn shipped(file: &str) -> &'static str {
    SHIPPED.iter().find(|(_, name, _)| *name == file).map(|(.., text)| *text).unwrap()
}

pub(super) fn write_bundles<'b>(
    directory: &Path,
    files: impl IntoIterator<Item = (&'b str, &'b str, &'b str)>,
) {
    for (bundle, name, text) in files {
        std::fs::create_dir_all(directory.join(bundle)).unwrap();
        std::fs::write(directory.join(bundle).join(name), text).unwrap();
    }
}

/// A server with the bundles of [`OWN`] beside those that ship.
fn with_own_bundles(mut installation: Installation) -> TestServer {
    let directory = installation.scratch().join("bundles");
    write_bundles(&directory, OWN.map(|(bundle, text)| (bundle, "only.graphql", text)));
    installation.settings.bundle_dir = Some(directory);
    installation.into()
}

/// An app that may run every bundle.
async fn app(server: &TestServer) -> AppCredentials {
    let app = server.app(&SCOPES).await;
    approve(&app, &every_bundle()).await;
    app
}

fn every_bundle() -> Vec<String> {
    let shipped = Bundles::shipped();
    let shipped = shipped.iter().map(|bundle| bundle.id.to_string());
    shipped.chain(OWN.map(|(bundle, _)| bundle.to_owned())).collect()
}

pub(super) async fn approve(app: &AppCredentials, bundles: &[impl AsRef<str>]) {
    let bundles: Vec<&str> = bundles.iter().map(AsRef::as_ref).collect();
    let change = json!({ "approved_bundles": bundles });
    let governed = app.tenancy.govern(&app.client_id, &change).await.expect(200).json();
    assert_eq!(governed["governance"]["approved_bundles"], json!(bundles));
}

pub(super) async fn ask(node: &Reach, token: &str, query: &str, variables: Value) -> Answer {
    node.post(Host::Api, "/graphql", token, &json!({ "query": query, "variables": variables })).await
}

/// What an enrichment has found of a profile.
fn findings(kind: ProfileKind) -> Value {
    let source = match kind {
        ProfileKind::Incident => "dispatch",
        ProfileKind::Device => "telemetry",
        ProfileKind::Wallet | ProfileKind::Entity => "osint",
    };
    let finding = |code: &str, severity: &str, minute: u8, evidence: Value| {
        json!({
            "code": code, "source": source, "severity": severity, "summary": format!("It was {code}."),
            "observed_at": format!("2026-05-08T11:{minute:02}:00Z"), "evidence": evidence,
        })
    };
    let evidence = json!({"list": "OFAC SDN", "entry": 7, "matched_name": "Ada", "match_score": 0.5});
    json!([
        finding("sanctions_match", "high", 40, evidence),
        finding("seen", "medium", 20, json!({})),
        finding("noted", "low", 30, json!({})),
    ])
}

/// Puts a profile into the tenant of an app, with findings and relations.
pub(super) async fn put(
    server: &TestServer,
    app: &AppCredentials,
    id: &str,
    kind: ProfileKind,
    relations: &[&str],
) {
    let relations: Vec<Value> = relations.iter().map(|to| json!({ "to": to, "label": "owner" })).collect();
    let state = json!({"status": "on scene", "severity": "high", "summary": "Two units."});
    let row = ImportedRow {
        id: id.to_owned(),
        kind,
        display_name: format!("Profile {id} of {}", app.tenancy.tenant_id),
        secrecy_level: SecrecyLevel::Standard,
        risk_score: 10,
        relations: json!(relations).to_string(),
        incident: (kind == ProfileKind::Incident).then(|| serde_json::from_value(state).unwrap()),
    };
    let state = server.state();
    let (tenant_id, organization_id) = (&app.tenancy.tenant_id, &app.tenancy.organization_id);
    let (tenant_id, organization_id) = (tenant_id.parse().unwrap(), organization_id.parse().unwrap());
    let context = Context::of_operator(tenant_id, organization_id, state.clock.clone());
    let (id, findings) = (id.to_owned(), findings(kind).to_string());
    let put = state.database.requests.write(&context, move |tx| {
        profiles::import(tx, std::slice::from_ref(&row))?;
        enrich(tx, &id, 65, &findings)?;
        Ok::<_, argus_partner::Error>(())
    });
    put.await.unwrap();
}

async fn the_shipped_documents_run_on_the_tenant_s_own_data(server: TestServer) {
    let app = app_of_shipped(&server).await;
    let token = app.live_token(&[]).await;
    for (id, kind) in
        [("w1", ProfileKind::Wallet), ("i1", ProfileKind::Incident), ("d1", ProfileKind::Device)]
    {
        put(&server, &app, id, kind, &[]).await;
    }
    let run = async |file: &str, variables: Value| {
        ask(&server, &token, shipped(file), variables).await.expect(200).json()
    };
    let name = |id: &str| format!("Profile {id} of {}", app.tenancy.tenant_id);
    let risk = run("profile-risk.graphql", json!({ "id": "w1" })).await;
    let expected = json!({ "data": { "profile": {
        "id": "w1", "kind": "wallet", "displayName": name("w1"), "risk": { "score": 65, "level": "high" },
        "findingCodes": ["sanctions_match", "seen", "noted"],
    } } });
    assert_eq!(risk, expected);

    let sanctions = run("sanctions-matches.graphql", json!({ "id": "w1", "lists": ["OFAC SDN"] })).await;
    let found = json!([{
        "list": "OFAC SDN", "entry": "7", "matchedName": "Ada", "matchScore": 0.5,
        "observedAt": "2026-05-08T11:40:00Z",
    }]);
    let expected = json!({ "data": { "profile": { "id": "w1", "displayName": name("w1"), "sanctionsMatches": found } } });
    assert_eq!(sanctions, expected);
    let other = run("sanctions-matches.graphql", json!({ "id": "w1", "lists": "EU Consolidated" })).await;
    assert_eq!(other["data"]["profile"]["sanctionsMatches"], json!([]));

    let timeline = run("incident-timeline.graphql", json!({ "id": "i1", "first": 2 })).await;
    let entry = |code: &str, minute: u8, severity: &str| {
        json!({
            "at": format!("2026-05-08T11:{minute}:00Z"), "source": "dispatch", "severity": severity,
            "summary": format!("It was {code}."),
        })
    };
    let expected = json!({ "data": { "incident": {
        "id": "i1", "title": name("i1"), "status": "on scene", "severity": "high",
        "timeline": { "totalCount": 3, "entries": [entry("seen", 20, "medium"), entry("noted", 30, "low")] },
    } } });
    assert_eq!(timeline, expected);

    let device = run("device-telemetry.graphql", json!({ "id": "d1" })).await;
    let device = &device["data"]["device"];
    assert_eq!((&device["id"], &device["displayName"]), (&json!("d1"), &json!(name("d1"))));
    assert_eq!(device["findings"].as_array().map(Vec::len), Some(3));
    let noted = json!({
        "code": "noted", "severity": "low", "summary": "It was noted.", "observedAt": "2026-05-08T11:30:00Z",
    });
    assert_eq!(device["findings"][2], noted);

    // What there is not, and what is of another kind, is null; that is the answer, and no error.
    for (file, member, id) in [
        ("profile-risk.graphql", "profile", "nobody"),
        ("incident-timeline.graphql", "incident", "d1"),
        ("device-telemetry.graphql", "device", "i1"),
    ] {
        assert_eq!(run(file, json!({ "id": id })).await, json!({ "data": { member: null } }));
    }
    // The order is that of the document, also of the type names that clients with a cache add.
    let typed = shipped("profile-risk.graphql").replace("kind\n", "__typename kind\n");
    let answer = ask(&server, &token, &typed, json!({ "id": "w1" })).await.expect(200);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(
        text.starts_with(
            r#"{"data":{"profile":{"id":"w1","__typename":"Profile","kind":"wallet","displayName""#
        ),
        "{text}"
    );
}

async fn the_shipped_documents_have_the_shapes_that_the_sandbox_returns(server: TestServer) {
    let app = app_of_shipped(&server).await;
    let (live, sandbox) = (app.live_token(&[]).await, app.sandbox_token(&[]).await);
    for (id, kind) in
        [("w1", ProfileKind::Wallet), ("i1", ProfileKind::Incident), ("d1", ProfileKind::Device)]
    {
        put(&server, &app, id, kind, &[]).await;
    }
    for (_, file, document) in SHIPPED {
        let id = match file {
            "incident-timeline.graphql" => "i1",
            "device-telemetry.graphql" => "d1",
            _ => "w1",
        };
        let request = json!({ "query": document, "variables": { "id": id } });
        let ours = server.post(Host::Api, "/graphql", &live, &request).await.expect(200).json();
        let theirs = server.post(Host::Sandbox, "/graphql", &sandbox, &request).await.expect(200).json();
        assert!(alike(&ours, &theirs), "{file}:\n{}\n{}", shape(&ours), shape(&theirs));
    }
}

async fn a_fault_while_a_document_runs_has_a_code_and_tells_nothing_of_what_lies_within(server: TestServer) {
    let app = app_of_shipped(&server).await;
    let token = app.live_token(&[]).await;
    sql::execute(&mut server.connect(), "ALTER TABLE profiles RENAME TO elsewhere").unwrap();
    let answer = ask(&server, &token, shipped("profile-risk.graphql"), json!({ "id": "w1" })).await;
    let text = String::from_utf8_lossy(&answer.body).to_lowercase();
    for within in ["elsewhere", "select", "relation", "table", "diesel", "sql", "panick"] {
        assert!(!text.contains(within), "{within}: {answer:?}");
    }
    let error = &answer.json()["errors"][0];
    assert_eq!(error["extensions"]["code"], "internal", "{answer:?}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer:?}");
}

/// An app that may run the bundles that ship.
pub(super) async fn app_of_shipped(server: &TestServer) -> AppCredentials {
    let app = server.app(&SCOPES).await;
    let shipped: Vec<String> = Bundles::shipped().iter().map(|bundle| bundle.id.to_string()).collect();
    approve(&app, &shipped).await;
    app
}

async fn an_app_runs_the_documents_of_its_bundles_and_no_other(server: TestServer) {
    let app = server.app(&SCOPES).await;
    let token = app.live_token(&[]).await;
    let statuses = async || {
        let mut statuses = Vec::new();
        for (bundle, _, text) in SHIPPED {
            let answer = ask(&server, &token, text, json!({ "id": "p1" })).await;
            if answer.status != 200 {
                assert_refusal(&answer, 403, "operation_not_approved");
            }
            statuses.push((bundle, answer.status.as_u16()));
        }
        statuses
    };
    // A new app has none.
    assert!(statuses().await.iter().all(|(_, status)| *status == 403));
    approve(&app, &["incident-liaison", "device-fleet"]).await;
    let expected = |bundle: &str| if bundle == "due-diligence" { 403 } else { 200 };
    assert!(statuses().await.iter().all(|(bundle, status)| *status == expected(bundle)));
    // What is absent of a change stays.
    app.tenancy.govern(&app.client_id, &json!({ "allow_service_tokens": true })).await.expect(200);
    assert!(statuses().await.iter().all(|(bundle, status)| *status == expected(bundle)));
    approve(&app, &[""; 0]).await;
    assert!(statuses().await.iter().all(|(_, status)| *status == 403));
}

async fn a_document_approved_for_one_app_is_refused_to_another_on_every_node(server: TestServer) {
    let other_node = server.another_node();
    let nodes: [&Reach; 2] = [&server, &other_node];
    let query = shipped("profile-risk.graphql");
    let variables = json!({ "id": "p1" });
    // Of the same tenant, so that it is the app alone that differs.
    let tenancy = server.tenant().await;
    let (approved, other) = (tenancy.app(&SCOPES).await, tenancy.app(&SCOPES).await);
    let (with, without) = (approved.live_token(&[]).await, other.live_token(&[]).await);
    approve(&approved, &["due-diligence"]).await;
    let refused = async |node: &Reach, token: &str| {
        assert_refusal(&ask(node, token, query, variables.clone()).await, 403, "operation_not_approved");
    };
    for node in nodes {
        // Cold, warm, and once more by the other.
        refused(node, &without).await;
        for _ in 0..3 {
            ask(node, &with, query, variables.clone()).await.expect(200);
            refused(node, &without).await;
        }
    }
    approve(&approved, &[""; 0]).await;
    for node in nodes {
        // At once, on the node that was told of it and on the other.
        refused(node, &with).await;
        refused(node, &without).await;
    }
    approve(&other, &["due-diligence"]).await;
    for node in nodes {
        ask(node, &without, query, variables.clone()).await.expect(200);
        refused(node, &with).await;
    }
}

async fn whatever_is_not_approved_is_refused_alike(server: TestServer) {
    let app = app_of_shipped(&server).await;
    let token = app.live_token(&[]).await;
    let mut bodies = Vec::new();
    for query in [
        "{ __schema { types { name } } }",
        "query IntrospectionQuery { __schema { queryType { name } } }",
        "query A { __type(name: \"Webhook\") { fields { name } } }",
        // Names that are there and names that are nearly: nothing tells them apart.
        "query A { webhooks(first: 1) { url } }",
        "query A { webhook { secret } }",
        "query A { profil(id: \"p1\") { id } }",
        "mutation A { deleteEverything }",
        "subscription A { jobs { id } }",
        "\"",
        "{",
        "% not GraphQL %",
        &format!("{}\n{}", SHIPPED[0].2, SHIPPED[1].2),
        &SHIPPED[0].2.replace("kind\n", "kind secrecyLevel\n"),
        &SHIPPED[0].2.replace("kind\n", "kind other: __typename\n"),
        &SHIPPED[0].2.replace("$id: ID!", "$id: ID! = \"p1\""),
        // Deeper and longer than any parser should go down.
        &format!("query A {{ {} }}", "a { ".repeat(10_000) + "b" + &" }".repeat(10_000)),
        &"[".repeat(60_000),
        &format!("query A {{ a(x: {}) }}", "[".repeat(20_000)),
        &format!("query A {{ {} }}", "a: id ".repeat(8_000)),
    ] {
        let answer = ask(&server, &token, query, json!({ "id": "p1" })).await;
        assert_refusal(&answer, 403, "operation_not_approved");
        bodies.push(answer.json());
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    // A hash is no document, however it is sent.
    let hash = Bundles::shipped().iter().next().unwrap().documents[0].1.hash().to_string();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let body = json!({ "query": "{ a }", "extensions": extensions });
    assert_refusal(&server.post(Host::Api, "/graphql", &token, &body).await, 403, "operation_not_approved");
    // Neither is GET a way.
    let got = server.get(Host::Api, "/graphql?query=%7B__typename%7D", Some(&token)).await;
    assert_eq!(got.status, 405);
}

async fn variables_and_tenants_that_do_not_fit_are_refused(server: TestServer) {
    let app = app_of_shipped(&server).await;
    let token = app.live_token(&[]).await;
    let (risk, timeline) = (shipped("profile-risk.graphql"), shipped("incident-timeline.graphql"));
    for (query, variables, code) in [
        (risk, json!({}), "invalid_request"),
        (risk, json!({ "id": null }), "invalid_request"),
        (risk, json!({ "id": "a b" }), "invalid_request"),
        (risk, json!({ "id": "a".repeat(129) }), "invalid_request"),
        (risk, json!({ "id": "p1", "more": 1 }), "invalid_request"),
        (timeline, json!({ "id": "i1", "first": 1.5 }), "invalid_request"),
        (timeline, json!({ "id": "i1", "first": i32::MAX }), "document_too_complex"),
    ] {
        assert_refusal(&ask(&server, &token, query, variables).await, 400, code);
    }
    let typed = risk.replace("kind\n", &format!("kind {}\n", "__typename ".repeat(5_500)));
    let answer = ask(&server, &token, &typed, json!({ "id": "p1" })).await;
    assert_refusal(&answer, 400, "document_too_complex");
    let body = json!({ "query": risk, "variables": { "id": "p1" }, "operationName": "Other" });
    assert_refusal(&server.post(Host::Api, "/graphql", &token, &body).await, 400, "invalid_request");
    let post = |tenant_id: &str| {
        let body = json!({ "query": risk, "variables": { "id": "p1" } });
        let post = server.request(Host::Api, Method::POST, "/graphql").bearer_auth(&token).json(&body);
        server.send(post.header("x-tenant-id", tenant_id))
    };
    post(&app.tenancy.tenant_id).await.expect(200);
    let stranger = server.tenant().await;
    assert_refusal(&post(&stranger.tenant_id).await, 403, "tenant_mismatch");
    let sandboxed = app.sandbox_token(&[]).await;
    let answer = ask(&server, &sandboxed, risk, json!({ "id": "p1" })).await;
    assert_refusal(&answer, 403, "sandbox_token_on_live_host");
}

async fn governance_names_the_bundles_that_there_are(server: TestServer) {
    let app = server.app(&SCOPES).await;
    let viewed = app.tenancy.get(&app.path("")).await.expect(200).json();
    assert_eq!(viewed["governance"]["approved_bundles"], json!([]));
    let change = json!({ "approved_bundles": ["due-diligence", "nonsense"], "allow_service_tokens": true });
    let refused = app.tenancy.govern(&app.client_id, &change).await;
    let message = refused.expect_error(400, "unknown_bundle");
    assert_eq!(
        message,
        "`approved_bundles`: there is no bundle `nonsense`; there are due-diligence, incident-liaison, device-fleet"
    );
    // Nothing of it was done.
    assert_eq!(app.tenancy.get(&app.path("")).await.expect(200).json(), viewed);
    for wrong in
        [json!(["Due"]), json!([""]), json!("due-diligence"), json!([7]), json!(vec!["due-diligence"; 33])]
    {
        let refused = app.tenancy.govern(&app.client_id, &json!({ "approved_bundles": wrong })).await;
        refused.expect_error(400, "invalid_request");
    }
    let twice = json!({ "approved_bundles": ["device-fleet", "device-fleet"] });
    let governed = app.tenancy.govern(&app.client_id, &twice).await.expect(200).json();
    assert_eq!(governed["governance"]["approved_bundles"], json!(["device-fleet"]));
}

async fn a_foreign_tenant_s_objects_and_those_above_the_clearance_are_not_there(installation: Installation) {
    let server = with_own_bundles(installation);
    let (owner, stranger) = (app(&server).await, app(&server).await);
    put(&server, &owner, "p1", ProfileKind::Entity, &[]).await;
    server.put_profile(&owner.tenancy.tenant_id, "closed", ProfileKind::Wallet, SecrecyLevel::Secret).await;
    let risk = shipped("profile-risk.graphql");
    for (who, id, is_there) in [
        (&owner, "p1", true),
        (&owner, "closed", false),
        (&stranger, "p1", false),
        (&stranger, "closed", false),
    ] {
        let token = who.live_token(&[]).await;
        let answer = ask(&server, &token, risk, json!({ "id": id })).await.expect(200).json();
        assert_eq!(!answer["data"]["profile"].is_null(), is_there, "{answer}");
        let answer = ask(&server, &token, OWN[2].1, json!({ "ids": [id] })).await.expect(200).json();
        assert_eq!(!answer["data"]["nodes"][0].is_null(), is_there, "{answer}");
    }
}

async fn callers_who_ask_for_the_same_id_at_the_same_time_get_their_own(server: TestServer) {
    let apps = [app_of_shipped(&server).await, app_of_shipped(&server).await];
    let mut tokens = Vec::new();
    for app in &apps {
        put(&server, app, "p1", ProfileKind::Entity, &[]).await;
        tokens.push(app.live_token(&[]).await);
    }
    let query = shipped("profile-risk.graphql");
    let name = |app: &AppCredentials| json!(format!("Profile p1 of {}", app.tenancy.tenant_id));
    let name_of = async |token: &str| {
        let answer = ask(&server, token, query, json!({ "id": "p1" })).await.expect(200).json();
        answer["data"]["profile"]["displayName"].clone()
    };
    // In the same tick.
    for _ in 0..10 {
        let asked = (0..8).map(|number| name_of(&tokens[number % 2]));
        let names = futures::future::join_all(asked).await;
        for (number, found) in names.into_iter().enumerate() {
            assert_eq!(found, name(&apps[number % 2]));
        }
    }
    // In turn, and what has changed meanwhile is read fresh.
    assert_eq!(name_of(&tokens[0]).await, name(&apps[0]));
    server.put_profile(&apps[0].tenancy.tenant_id, "p1", ProfileKind::Entity, SecrecyLevel::Standard).await;
    assert_eq!(name_of(&tokens[1]).await, name(&apps[1]));
    assert_eq!(name_of(&tokens[0]).await, json!("Profile p1"));
    server.put_profile(&apps[0].tenancy.tenant_id, "p1", ProfileKind::Entity, SecrecyLevel::Secret).await;
    let answer = ask(&server, &tokens[0], query, json!({ "id": "p1" })).await.expect(200).json();
    assert_eq!(answer, json!({ "data": { "profile": null } }));
}

async fn what_is_asked_for_together_is_loaded_together(installation: Installation) {
    let profiles = Statements::with("FROM profiles", &installation);
    let governance = Statements::with("approved_bundles", &installation);
    let server = with_own_bundles(installation);
    let app = app(&server).await;
    let token = app.live_token(&[]).await;
    let ids: Vec<String> = (0..20).map(|number| format!("p{number}")).collect();
    for id in &ids {
        // Each to all of the others and to one that there is not.
        let others: Vec<&str> = ids.iter().map(String::as_str).chain(["nobody"]).collect();
        put(&server, &app, id, ProfileKind::Entity, &others).await;
    }
    let (looked, governed) = (profiles.asked(), governance.asked());
    let answer = ask(&server, &token, OWN[0].1, json!({ "ids": ids })).await.expect(200).json();
    let found = answer["data"]["profiles"].as_array().unwrap();
    assert_eq!(found.len(), 20);
    for (profile, id) in found.iter().zip(&ids) {
        let relations = profile["relations"].as_array().unwrap();
        assert_eq!((&profile["id"], relations.len()), (&json!(id), 21));
        assert_eq!(relations[20], json!({ "label": "owner", "profile": null }));
    }
    // Twenty profiles, then the one of their four hundred and twenty relations that was not loaded yet.
    assert_eq!(profiles.asked() - looked, 2);
    assert_eq!(governance.asked() - governed, 1);

    let looked = profiles.asked();
    let answer = ask(&server, &token, OWN[2].1, json!({ "ids": ids })).await.expect(200).json();
    assert_eq!(answer["data"]["nodes"][19], json!({ "__typename": "Profile", "id": "p19" }));
    assert_eq!(profiles.asked() - looked, 1);
}

async fn the_operator_s_own_token_runs_every_bundle(installation: Installation) {
    let server = with_own_bundles(installation);
    let caller = server.caller(Host::Api, &SCOPES).await;
    let mut claims = server.claims(Host::Api, &caller.tenancy.tenant_id, &SCOPES);
    // As `argus token` says it.
    claims.client_id = Actor::OPERATOR.to_owned();
    claims.sub.clone_from(&claims.client_id);
    let token = server.sign(&claims);
    let webhooks = json!({ "url": "https://receiver.example/in", "events": ["job.succeeded"] });
    let admin = server.claims(Host::Auth, &caller.tenancy.tenant_id, &[Scope::WebhooksWrite]);
    let made =
        server.post(Host::Auth, "/v1/webhooks", &server.sign(&admin), &webhooks).await.expect(201).json();
    let answer = ask(&server, &token, OWN[1].1, json!({})).await.expect(200).json();
    let webhook = json!({ "id": made["id"], "url": "https://receiver.example/in", "status": "enabled" });
    assert_eq!(answer, json!({ "data": { "jobs": [], "webhooks": [webhook] } }));
    for (_, _, text) in SHIPPED {
        ask(&server, &token, text, json!({ "id": "p1" })).await.expect(200);
    }
}

/// Nobody can ask a host for it, so that whoever reviews a change of it finds it here.
#[test]
fn the_schema_is_the_one_that_was_reviewed() {
    snapshot!("graphql_schema", argus_partner::graphql::sdl());
}

#[test]
fn the_command_says_which_documents_fit() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let check = |directory: Option<&Path>| {
        let mut arguments = vec!["graphql", "bundle", "check"];
        arguments.extend(directory.iter().flat_map(|path| ["--graphql-bundle-dir", path.to_str().unwrap()]));
        let output = argus_tests::argus(binary(), &data_dir, &arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (status, said, _) = check(None);
    assert_eq!(status, Some(0));
    let hash = Bundles::shipped().iter().next().unwrap().documents[0].1.hash();
    assert!(
        said.starts_with(&format!("due-diligence/profile-risk.graphql  ProfileRisk  {hash}\n")),
        "{said}"
    );
    assert_eq!(said.lines().count(), SHIPPED.len());

    let own = directory.path().join("bundles");
    write_bundles(&own, [("own", "right.graphql", "query Right($id: ID!) { profile(id: $id) { id } }")]);
    let (status, said, _) = check(Some(&own));
    assert_eq!((status, said.lines().count()), (Some(0), SHIPPED.len() + 1));
    write_bundles(
        &own,
        [
            ("own", "gone.graphql", "query Gone($id: ID!) { profile(id: $id) { shoeSize } }"),
            ("own", "other.graphql", "query Other { profile { id } }"),
        ],
    );
    let (status, _, said) = check(Some(&own));
    assert_eq!(status, Some(2));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("argus: own/gone.graphql does not fit the schema: "), "{said}");
    assert!(lines[1].starts_with("argus: own/other.graphql does not fit the schema: "), "{said}");
    assert!(said.contains("shoeSize") && !said.contains("Did you mean"), "{said}");
    write_bundles(&own, [("own", "asks.graphql", "query Asks { __schema { types { name } } }")]);
    let (status, _, said) = check(Some(&own));
    assert_eq!(
        (status, said.as_str()),
        (
            Some(2),
            "argus: operation bundle own/asks.graphql: it asks about the schema, with the field __schema\n"
        )
    );
}

//! The SDK's typed GraphQL calls on both surfaces: every document that ships, and what is refused.

use super::graphql_live::{app_of_shipped, put};
use argus_openapi::Host;
use argus_openapi::graphql::SHIPPED;
use argus_openapi::types::profiles::ProfileKind;
use argus_sdk::graphql::{
    DeviceTelemetry, IncidentTimeline, Operation, ProfileRisk, SanctionsMatches, device_telemetry,
    incident_timeline, profile_risk, sanctions_matches,
};
use argus_sdk::{ArgusClient, Credentials, Environment, ErrorKind, ResponseExt};
use argus_tests::{AppCredentials, TestServer, Witness, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    every_document_has_a_typed_call_on_the_live_host
    a_document_that_is_not_approved_is_refused_by_its_code
}

fn environment(witness: &Witness) -> Environment {
    let [auth, api, sandbox] = Host::ALL.map(|host| witness.url(host));
    Environment::custom(&auth, &api, &sandbox).unwrap()
}

fn live(witness: &Witness, app: &AppCredentials) -> ArgusClient {
    let credentials = Credentials::client(&app.client_id, app.client_secret.as_str());
    ArgusClient::builder().environment(environment(witness)).credentials(credentials).build().unwrap()
}

fn sandbox(witness: &Witness, app: &AppCredentials) -> ArgusClient {
    let admin = Credentials::token(app.tenancy.admin_token.clone());
    let credentials = Credentials::sandbox(admin, &app.client_id).scenarios(["entity.sanctioned"]);
    let environment = environment(witness).using_sandbox();
    ArgusClient::builder().environment(environment).credentials(credentials).build().unwrap()
}

#[test]
fn the_documents_of_the_sdk_are_those_that_ship() {
    let documents = [
        (ProfileRisk::NAME, ProfileRisk::DOCUMENT),
        (SanctionsMatches::NAME, SanctionsMatches::DOCUMENT),
        (IncidentTimeline::NAME, IncidentTimeline::DOCUMENT),
        (DeviceTelemetry::NAME, DeviceTelemetry::DOCUMENT),
    ];
    let shipped: Vec<&str> = SHIPPED.iter().map(|(.., text)| *text).collect();
    assert_eq!(documents.map(|(_, text)| text).to_vec(), shipped);
    assert!(documents.iter().all(|(name, text)| text.contains(&format!("query {name}("))));
}

async fn every_document_has_a_typed_call_on_the_live_host(server: TestServer) {
    let app = app_of_shipped(&server).await;
    for (id, kind) in
        [("w1", ProfileKind::Wallet), ("i1", ProfileKind::Incident), ("d1", ProfileKind::Device)]
    {
        put(&server, &app, id, kind, &[]).await;
    }
    let witness = Witness::before(&server).await;
    let client = live(&witness, &app);

    let answer =
        client.graphql().profile_risk(profile_risk::Variables { id: "w1".to_owned() }).send().await.unwrap();
    assert!(answer.trace_id().is_some() && !answer.is_sandbox());
    let profile = answer.into_inner().into_complete().unwrap().profile.unwrap();
    assert_eq!(
        (profile.kind.as_str(), profile.risk.score, profile.risk.level.as_str()),
        ("wallet", 65, "high")
    );
    assert_eq!(profile.finding_codes, ["sanctions_match", "seen", "noted"]);

    let of = |lists: Option<&str>| sanctions_matches::Variables {
        id: "w1".to_owned(),
        lists: lists.map(|list| vec![list.to_owned()]),
    };
    for (lists, count) in [(None, 1), (Some("OFAC SDN"), 1), (Some("EU Consolidated"), 0)] {
        let answer = client.graphql().sanctions_matches(of(lists)).send().await.unwrap().into_inner();
        let matches = answer.into_complete().unwrap().profile.unwrap().sanctions_matches;
        assert_eq!(matches.len(), count, "{lists:?}");
        assert!(
            matches.iter().all(|found| found.match_score == Some(0.5) && found.entry.as_deref() == Some("7"))
        );
    }

    // The document's default is 10, and a number of one's own counts.
    for (first, count) in [(None, 3), (Some(2), 2)] {
        let variables = incident_timeline::Variables { id: "i1".to_owned(), first };
        let answer = client.graphql().incident_timeline(variables).send().await.unwrap().into_inner();
        let incident = answer.into_complete().unwrap().incident.unwrap();
        assert_eq!((incident.timeline.total_count, incident.timeline.entries.len()), (3, count));
        assert_eq!(incident.timeline.entries[0].at.to_rfc3339(), "2026-05-08T11:20:00+00:00");
        assert_eq!(incident.status.as_deref(), Some("on scene"));
    }

    let variables = device_telemetry::Variables { id: "d1".to_owned() };
    let answer =
        client.graphql().device_telemetry(variables).tenant(&app.tenancy.tenant_id).send().await.unwrap();
    assert_eq!(answer.into_inner().into_complete().unwrap().device.unwrap().findings.len(), 3);

    // What there is not is no error.
    let nobody = profile_risk::Variables { id: "nobody".to_owned() };
    let answer = client.graphql().profile_risk(nobody).send().await.unwrap().into_inner();
    assert!(answer.into_complete().unwrap().profile.is_none());
}

/// What no bundle has.
struct NotApproved;

impl Operation for NotApproved {
    type Variables = Value;
    type Data = Value;
    const NAME: &'static str = "NotApproved";
    const DOCUMENT: &'static str = "query NotApproved($id: ID!) { job(id: $id) { id } }";
}

async fn a_document_that_is_not_approved_is_refused_by_its_code(server: TestServer) {
    let app = app_of_shipped(&server).await;
    let witness = Witness::before(&server).await;
    for client in [live(&witness, &app), sandbox(&witness, &app)] {
        let refused = client.graphql().run::<NotApproved>(json!({ "id": "j1" })).send().await.unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (ErrorKind::Forbidden, Some("operation_not_approved")));
        let variables = profile_risk::Variables { id: "not an id".to_owned() };
        let refused = client.graphql().profile_risk(variables).send().await.unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (ErrorKind::InvalidRequest, Some("invalid_request")));
        let variables = profile_risk::Variables { id: "w1".to_owned() };
        let refused =
            client.graphql().profile_risk(variables).tenant("tnt_another").send().await.unwrap_err();
        assert_eq!(refused.code(), Some("tenant_mismatch"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_has_a_typed_call_on_the_sandbox() {
    let server = TestServer::start();
    let app = app_of_shipped(&server).await;
    let witness = Witness::before(&server).await;
    let client = sandbox(&witness, &app);
    let id = || "p1".to_owned();
    let answer = client.graphql().profile_risk(profile_risk::Variables { id: id() }).send().await.unwrap();
    assert!(answer.is_sandbox());
    assert_eq!(answer.into_inner().into_complete().unwrap().profile.unwrap().id, "p1");
    let variables = sanctions_matches::Variables { id: id(), lists: None };
    let answer = client.graphql().sanctions_matches(variables).send().await.unwrap().into_inner();
    let matches = answer.into_complete().unwrap().profile.unwrap().sanctions_matches;
    assert!(!matches.is_empty(), "the pinned scenario has some");
    let variables = incident_timeline::Variables { id: id(), first: Some(1) };
    let answer = client.graphql().incident_timeline(variables).send().await.unwrap().into_inner();
    assert_eq!(answer.into_complete().unwrap().incident.unwrap().timeline.entries.len(), 1);
    let answer =
        client.graphql().device_telemetry(device_telemetry::Variables { id: id() }).send().await.unwrap();
    assert_eq!(answer.into_inner().into_complete().unwrap().device.unwrap().id, "p1");
    let variables = profile_risk::Variables { id: id() };
    let refused = client.graphql().profile_risk(variables).prefer("code=503").send().await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(503));
}

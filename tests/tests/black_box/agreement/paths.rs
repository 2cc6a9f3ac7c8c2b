//! Path parameters.

use super::texts::texts;
use super::{INPUTS, OVER_A_SOCKET};
use crate::black_box::support::{every_scope, samples};
use argus_openapi::contract::ARGUS;
use argus_openapi::read::RequestParts;
use argus_openapi::types::error::Error;
use argus_openapi::types::{apps, discovery, jobs, profiles, traces, webhooks};
use argus_tests::published::{operations, parameters, validator};
use argus_tests::{TestServer, audience, claims};
use argus_wire::trace_context::is_trace_id;
use serde::de::DeserializeOwned;
use serde_json::json;

/// How the service reads the last variable of a path. The error says what does not fit.
type PathReader = fn(&str) -> Result<(), String>;

/// The variable as this member of a path's type.
fn path<T: DeserializeOwned>(name: &str, text: String) -> Result<T, String> {
    let variables = [(name.to_owned(), text)];
    let parts = RequestParts { path: &variables, query: "", headers: &[], content_type: None, body: b"" };
    parts.path().map_err(|error: Error| error.message)
}

fn app(text: &str) -> Result<(), String> {
    path::<apps::AppPath>("client_id", text.to_owned()).map(drop)
}

fn job(text: &str) -> Result<(), String> {
    path::<jobs::JobPath>("id", text.to_owned()).map(drop)
}

fn profile(text: &str) -> Result<(), String> {
    path::<profiles::ProfilePath>("id", text.to_owned()).map(drop)
}

fn webhook(text: &str) -> Result<(), String> {
    path::<webhooks::WebhookPath>("webhook_id", text.to_owned()).map(drop)
}

fn delivery(text: &str) -> Result<(), String> {
    let variables = [("webhook_id", "wh_1"), ("delivery_id", text)];
    let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let parts = RequestParts { path: &variables, query: "", headers: &[], content_type: None, body: b"" };
    let read: Result<webhooks::WebhookDeliveryPath, Error> = parts.path();
    read.map(drop).map_err(|error| error.message)
}

fn trace(text: &str) -> Result<(), String> {
    let path = path::<traces::TracePath>("trace_id", text.to_owned())?;
    // Where a trace is looked for, its id is one of Trace Context.
    if is_trace_id(path.trace_id.as_str()) { Ok(()) } else { Err("no trace id".to_owned()) }
}

/// Its published path goes on behind the variable.
fn data_schema(text: &str) -> Result<(), String> {
    path::<discovery::DataSchemaPath>("file", format!("{text}.json")).map(drop)
}

fn host_document(text: &str) -> Result<(), String> {
    path::<discovery::HostDocumentPath>("document", text.to_owned()).map(drop)
}

const PATHS: &[(&str, PathReader)] = &[
    ("app_callback_secret_rotate", app),
    ("app_governance_update", app),
    ("app_sandbox_token_create", app),
    ("app_secret_rotate", app),
    ("app_service_token_create", app),
    ("app_view", app),
    ("data_schema_view", data_schema),
    ("job_cancel", job),
    ("job_result", job),
    ("job_view", job),
    ("openapi_host_view", host_document),
    ("profile_enrich", profile),
    ("profile_view", profile),
    ("trace_view", trace),
    ("webhook_delete", webhook),
    ("webhook_delivery_list", webhook),
    ("webhook_delivery_retry", delivery),
    ("webhook_replay", webhook),
    ("webhook_test", webhook),
    ("webhook_update", webhook),
    ("webhook_view", webhook),
];

fn reader(id: &str) -> Option<PathReader> {
    PATHS.iter().find(|(compared, _)| *compared == id).map(|(_, reader)| *reader)
}

pub(super) fn is_compared(id: &str) -> bool {
    reader(id).is_some()
}

/// The text as a client escapes all of it.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_taken_exactly_if_it_fits_the_published_parameters() {
    let server = TestServer::start();
    let samples = samples(&server).await;
    for id in operations() {
        let row = ARGUS.row(id).unwrap();
        let host = *row.hosts.last().unwrap();
        let Some(reader) = reader(id) else { continue };
        let mut sample = samples.of(&server, row, host).await;
        let mut claims = claims(audience(host), &samples.tenant_id, &every_scope());
        claims.organization_id.clone_from(&samples.organization_id);
        let token = server.sign(&claims);
        let published = parameters(id, "path");
        // Those before it are read as in the operations that have no other.
        let last = sample.path_parameters.len() - 1;
        let (name, given) = sample.path_parameters[last].clone();
        let schema = published[&name];
        let validator = validator(schema);
        let alike = [
            given.clone(),
            given.to_uppercase(),
            given.to_lowercase(),
            "0".repeat(given.len()),
            format!("{given}%"),
            "0af7651916cd43dd8448eb211c80319c".to_owned(),
        ];
        let mut texts = texts(schema, &alike, 2 * INPUTS);
        // Nothing at all and dots make another path, which clients tidy up.
        texts.retain(|text| !text.trim_matches('.').is_empty());
        texts.truncate(INPUTS);
        assert!(texts.len() >= INPUTS, "{id}: {} texts", texts.len());
        let mut taken = 0;
        for (number, text) in texts.iter().enumerate() {
            let (fits, read) = (validator.is_valid(&json!(text)), reader(text));
            taken += usize::from(fits);
            assert_eq!(read.is_ok(), fits, "{id}: {text:?}: {read:?}");
            if number % OVER_A_SOCKET > 0 {
                continue;
            }
            sample.path_parameters[last].1 = escaped(text);
            let answer = server.send(server.sample(host, &sample).bearer_auth(&token)).await;
            // There is no document that is not among the values.
            let refused = answer.status == 400 || schema["enum"].is_array() && answer.status == 404;
            assert_eq!(!refused, fits, "{id}: {text:?}\n{answer:?}");
        }
        assert!(taken >= 1 && taken + 100 < texts.len(), "{id}: {taken} of {}", texts.len());
    }
}

//! The SDK's sandbox inside of this process, asked as the sandbox host is asked over a socket: by whole requests. What
//! it must answer is what the host answers; the transcripts compare them.

use super::transcripts::TENANT;
use argus_openapi::contract::ARGUS;
use argus_openapi::row::OperationRow;
use argus_openapi::{Host, Operation};
use argus_sdk::{ArgusClient, Error, types};
use argus_tests::{Answer, Installation, Samples, TestServer, claims};
use progenitor_client::{ClientHooks, OperationInfo};

/// A client of `argus_sdk::sandbox()`.
pub(super) struct InProcess(ArgusClient);

impl InProcess {
    /// One for the caller of the transcripts.
    pub(super) fn pinned_to(scenarios: &[String]) -> Self {
        let claims = claims("sandbox", TENANT, &[]);
        let level: types::SecrecyLevel = claims.secrecy_level.to_string().parse().unwrap();
        let builder = argus_sdk::sandbox().scenarios(scenarios).secrecy_level(level);
        Self(builder.tenant(TENANT, claims.organization_id).build().unwrap())
    }

    /// What it answers to a request, through the hook by which every generated call is sent.
    pub(super) async fn answer(&self, row: &'static OperationRow, request: reqwest::Request) -> Answer {
        let info = OperationInfo { operation_id: row.id };
        let response = self.0.api().exec(request, &info).await.unwrap();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }
}

/// A server whose replies name the public sandbox, as those of the SDK's do.
fn server() -> TestServer {
    let mut installation = Installation::sqlite();
    installation.settings.sandbox_url = Some(Host::Sandbox.public_url().to_owned());
    TestServer::from(installation)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_signed_url_leads_to_is_the_same_in_this_process_and_over_a_socket() {
    let server = server();
    let samples = Samples::new(&ARGUS, TENANT, "org_123");
    let here = InProcess::pinned_to(&[]);
    let headers = [
        None,
        Some(("range", "bytes=3-9")),
        Some(("range", "bytes=-4")),
        Some(("range", "bytes=9999999-")),
        Some(("if-match", "\"another\"")),
        Some(("if-range", "\"another\"")),
        Some(("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
    ];
    for operation in [Operation::ObjectView, Operation::ObjectCreate] {
        let sample = samples.of(&server, operation.row(), Host::Sandbox).await;
        let mut altered = sample.clone();
        altered.query.push('x');
        for sample in [&sample, &altered] {
            for header in headers {
                let request = || {
                    let request = server.sample(Host::Sandbox, sample);
                    header.into_iter().fold(request, |request, (name, value)| request.header(name, value))
                };
                let over_a_socket = server.send(request()).await;
                let answer = here.answer(operation.row(), request().build().unwrap()).await;
                assert_eq!(over_a_socket.replayable(), answer.replayable(), "{} {header:?}", operation.id());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_do_not_fit_are_refused_in_this_process_as_over_a_socket() {
    let server = server();
    let here = InProcess::pinned_to(&[]);
    let token = server.sign(&claims("sandbox", TENANT, &super::support::every_scope()));
    let cases = [
        (Operation::ProfileView, "GET", "/v1/profiles/a%20b", "", ""),
        (Operation::JobList, "GET", "/v1/jobs?limit=0", "", ""),
        (Operation::JobList, "GET", "/v1/jobs?limit=0", "prefer: code=abc", ""),
        (Operation::JobList, "GET", "/v1/jobs", "prefer: code=abc", ""),
        (Operation::JobList, "GET", "/v1/jobs", "if-match: \"a\"", ""),
        (Operation::JobView, "GET", "/v1/jobs/01KR3QAYG000NQXEP345ZBWWK6", "", ""),
        (Operation::JobCreate, "POST", "/v1/jobs", "content-type: text/plain", "{}"),
        (Operation::JobCreate, "POST", "/v1/jobs", "idempotency-key: ", "{\"kind\": 1}"),
        (Operation::JobCreate, "POST", "/v1/jobs", "", "{\"kind\": \"export.bulk\", \"more\": 1}"),
        (Operation::ProfileEnrich, "POST", "/v1/profiles/p1/enrich", "", ""),
        (Operation::DataSchemaView, "GET", "/.well-known/schemas/none.json", "", ""),
        (Operation::OpenapiHostView, "GET", "/.well-known/openapi/none.json", "", ""),
        (Operation::OpenapiJson, "GET", "/.well-known/openapi.json", "if-none-match: *", ""),
        (Operation::OpenapiJson, "GET", "/.well-known/openapi.json", "if-match: \"a\"", ""),
    ];
    for (operation, method, target, header, body) in cases {
        let request = || {
            let request = server.request(Host::Sandbox, method.parse().unwrap(), target).bearer_auth(&token);
            let header = header.split_once(": ");
            let request =
                header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            if body.is_empty() { request } else { request.body(body) }
        };
        let over_a_socket = server.send(request()).await;
        let answer = here.answer(operation.row(), request().build().unwrap()).await;
        assert_eq!(over_a_socket.replayable(), answer.replayable(), "{method} {target} {header} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_there_and_back_in_this_process() {
    let folder = tempfile::tempdir().unwrap();
    let sent = folder.path().join("profiles.ndjson");
    std::fs::write(&sent, "{\"id\":\"p1\"}\n").unwrap();
    let client = argus_sdk::sandbox().build().unwrap();
    let upload = client.upload_file(&sent).await.unwrap();
    let job = client.job_create().body(types::ImportJob::of_upload(&upload)).send().await.unwrap();
    let file = client.download_result(&job.id, folder.path().join("result.json")).await.unwrap();
    let result = std::fs::read(&file.path).unwrap();
    assert_eq!(result.len() as u64, file.length);
    assert!(serde_json::from_slice::<serde_json::Value>(&result).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_in_this_process_serves_many_threads_with_the_same_answers() {
    let client = argus_sdk::sandbox().scenarios(["wallet.high-risk"]).build().unwrap();
    let calls = (0..64).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            let id = format!("p{}", number % 2);
            let profile = client.profile_view().id(id.clone()).send().await.unwrap().into_inner();
            (id, serde_json::to_string(&profile).unwrap())
        })
    });
    let mut answers = std::collections::BTreeSet::new();
    for call in calls.collect::<Vec<_>>() {
        answers.insert(call.await.unwrap());
    }
    assert_eq!(answers.len(), 2, "one answer for each of two requests: {answers:?}");
}

#[tokio::test]
async fn what_only_another_host_serves_is_refused_without_a_socket() {
    let client = argus_sdk::sandbox().build().unwrap();
    let error = Error::from(client.jwks_view().send().await.unwrap_err());
    assert_eq!(error.to_string(), "the sandbox in this process has no other host, which serves `jwks_view`",);
}

#[test]
fn a_sandbox_that_cannot_be_is_refused_when_it_is_built() {
    let refused = |builder: argus_sdk::SandboxBuilder| builder.build().unwrap_err().to_string();
    let message = refused(argus_sdk::sandbox().scenarios(["wallet.unheard-of"]));
    assert!(message.contains("wallet.unheard-of") && message.contains("wallet.clean"), "{message}");
    let message = refused(argus_sdk::sandbox().fail("job_view", 418));
    assert!(message.contains("418") && message.contains("404"), "{message}");
    let message = refused(argus_sdk::sandbox().fail("job_veiw", 404));
    assert_eq!(message, "the sandbox answers no operation `job_veiw`");
    let message = refused(argus_sdk::sandbox().clock(u32::MAX));
    assert!(message.contains("argus-clock"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.json");
    std::fs::write(&file, "{\n  \"id\": \"mine\",\n  \"lable\": \"Mine\"\n}").unwrap();
    let message = refused(argus_sdk::sandbox().scenario_file(&file));
    assert!(message.contains("mine.json:3:") && message.contains("lable"), "{message}");
}

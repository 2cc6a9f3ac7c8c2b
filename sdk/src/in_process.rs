//! The sandbox in this process (feature `sandbox`): the same answers as over the network, and no socket.

use crate::client::{ArgusClient, ArgusClientBuilder};
use crate::credentials::Credentials;
use crate::environment::Environment;
use crate::error::Error;
use crate::retry::Retry;
use crate::types;
use crate::way::Way;
use argus_openapi::Operation;
use argus_openapi::types::common::SecrecyLevel;
use argus_sandbox::responder::{Responder, Shown};
use argus_sandbox::{Preferences, Sandbox};
use bytes::Bytes;
use http_body_util::BodyExt;
use reqwest::header::HeaderValue;
use reqwest::{Request, Response, ResponseBuilderExt};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A client of the sandbox in this process, for tests of yours: no server, no socket, no token, and byte for byte what
/// the sandbox host answers. `date` and `X-Request-ID`, which vary there, are not sent here.
///
/// ```
/// use argus_sdk::types;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), argus_sdk::Error> {
/// let client = argus_sdk::sandbox().scenarios(["wallet.high-risk"]).build()?;
/// let profile = client.profile_view().id("p1").send().await?.into_inner();
/// assert_eq!(profile.risk.score, 94);
///
/// // A job that is still at work, and a failure: what `Prefer: argus-clock` and `Prefer: code` ask for.
/// let client = argus_sdk::sandbox().clock(15).fail("profile_view", 503).build()?;
/// let job = client.job_create().body(types::EnrichJob::of(["p1"])).send().await?;
/// let job = client.job_view().id(job.id.clone()).send().await?.into_inner();
/// assert_eq!(job.status, types::JobStatus::Running);
/// let failed = client.profile_view().id("p1").send().await;
/// let error = argus_sdk::Error::from(failed.expect_err("it was asked to fail"));
/// assert_eq!(error.code(), Some("unavailable"));
/// # Ok(()) }
/// ```
pub fn sandbox() -> SandboxBuilder {
    SandboxBuilder {
        scenarios: Vec::new(),
        files: Vec::new(),
        clock: None,
        failures: Vec::new(),
        caller: None,
        secrecy_level: None,
        retry: Retry::none(),
    }
}

/// Builds a client of the sandbox in this process; see [`sandbox()`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SandboxBuilder {
    scenarios: Vec<String>,
    files: Vec<PathBuf>,
    clock: Option<u32>,
    failures: Vec<(String, u16)>,
    /// Tenant and organisation.
    caller: Option<(String, String)>,
    secrecy_level: Option<types::SecrecyLevel>,
    retry: Retry,
}

impl SandboxBuilder {
    /// The scenarios to pin; without any, the sandbox rotates.
    pub fn scenarios<S: Into<String>>(mut self, scenarios: impl IntoIterator<Item = S>) -> Self {
        self.scenarios = scenarios.into_iter().map(Into::into).collect();
        self
    }

    /// Adds the scenario of a file to those that ship, and pins it. `argus scenario new` writes such a file, and
    /// `argus scenario check` says in full what is wrong with one.
    pub fn scenario_file(mut self, path: impl AsRef<Path>) -> Self {
        self.files.push(path.as_ref().to_owned());
        self
    }

    /// Moves the clock so many seconds behind its start, for every request: a job is queued at 0, running at 15,
    /// and has succeeded at 30. Without it a job that is viewed has succeeded.
    pub fn clock(mut self, seconds: u32) -> Self {
        self.clock = Some(seconds);
        self
    }

    /// Lets every call of an operation, by its id, answer with this status, which must be one that it documents.
    pub fn fail(mut self, operation_id: impl Into<String>, status: u16) -> Self {
        self.failures.push((operation_id.into(), status));
        self
    }

    /// Whose token the client shows, where the wire shows it.
    pub fn tenant(mut self, tenant_id: impl Into<String>, organization_id: impl Into<String>) -> Self {
        self.caller = Some((tenant_id.into(), organization_id.into()));
        self
    }

    /// Clearance of that token; `standard` by default.
    pub fn secrecy_level(mut self, level: types::SecrecyLevel) -> Self {
        self.secrecy_level = Some(level);
        self
    }

    /// When calls are repeated: by default never, because the same request gets the same answer.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// When a file is no scenario, with its line and member; when a scenario does not exist, an operation is none of
    /// the sandbox, or does not document the status, with what there is.
    pub fn build(self) -> Result<ArgusClient, Error> {
        let mut texts = Vec::new();
        for path in &self.files {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|error| Error::invalid_input(format!("cannot read {name}: {error}")))?;
            texts.push((name, text));
        }
        let sandbox =
            Sandbox::with_fixtures(texts).map_err(|error| Error::invalid_input(error.to_string()))?;
        let of_files = sandbox.own_scenarios().iter().map(|scenario| scenario.id.clone());
        let pinned: Vec<String> = self.scenarios.into_iter().chain(of_files).collect();
        let scenarios =
            sandbox.scenario_set(&pinned).map_err(|unknown| Error::invalid_input(unknown.to_string()))?;
        let secrecy_level = self.secrecy_level.map(|level| level.to_string().parse());
        let secrecy_level: SecrecyLevel = secrecy_level
            .transpose()
            .map_err(|_| Error::invalid_input("the sandbox does not know this secrecy level"))?
            .unwrap_or_default();
        let mut preferred = BTreeMap::new();
        for (operation_id, status) in self.failures {
            let operation = Operation::from_id(&operation_id).filter(|operation| operation.row().is_mocked());
            let operation = operation.ok_or_else(|| {
                Error::invalid_input(format!("the sandbox answers no operation `{operation_id}`"))
            })?;
            sandbox.check_forced(operation, status).map_err(|error| Error::invalid_input(error.message))?;
            preferred.insert(operation.id(), status);
        }
        let environment = Environment::sandbox();
        let mut shown = Shown { secrecy_level, ..Shown::with(scenarios) };
        if let Some((tenant_id, organization_id)) = self.caller {
            (shown.tenant_id, shown.organization_id) = (tenant_id, organization_id);
        }
        let in_process =
            InProcess { responder: Responder::new(sandbox, shown), clock: self.clock, preferred };
        // What is out of bounds is said now and not with each call.
        if let Some(value) = in_process.preference("") {
            Preferences::parse([value.as_str()]).map_err(|error| Error::invalid_input(error.message))?;
        }
        let builder = ArgusClient::builder().environment(environment).credentials(Credentials::none());
        ArgusClientBuilder::retry(builder, self.retry).build_by(Way::InProcess(Arc::new(in_process)))
    }
}

/// The sandbox host, and what every request prefers.
pub(crate) struct InProcess {
    responder: Responder,
    clock: Option<u32>,
    /// The status of an operation.
    preferred: BTreeMap<&'static str, u16>,
}

impl InProcess {
    /// Answers a request.
    pub(crate) async fn execute(&self, request: Request) -> reqwest::Result<Response> {
        let url = request.url().clone();
        let (mut head, body) = http::Request::<reqwest::Body>::try_from(request)?.into_parts();
        let body = body.collect().await?.to_bytes();
        // As it stands in a request on a connection.
        if let Some(target) = head.uri.path_and_query() {
            head.uri = target.clone().into();
        }
        let answer = self.responder.respond(&http::Request::from_parts(head, body));
        let (head, body) = answer.into_parts();
        let mut response = http::Response::builder().status(head.status).url(url).body(body);
        if let Ok(response) = &mut response {
            *response.headers_mut() = head.headers;
        }
        Ok(response.unwrap_or_else(|_| http::Response::new(Bytes::new())).into())
    }

    /// What requests to an operation prefer.
    pub(crate) fn preferred(&self, operation_id: &str) -> Option<HeaderValue> {
        HeaderValue::try_from(self.preference(operation_id)?).ok()
    }

    fn preference(&self, operation_id: &str) -> Option<String> {
        let code = self.preferred.get(operation_id).map(|status| format!("code={status}"));
        let clock = self.clock.map(|seconds| format!("argus-clock={seconds}"));
        let both: Vec<String> = code.into_iter().chain(clock).collect();
        (!both.is_empty()).then(|| both.join(", "))
    }
}

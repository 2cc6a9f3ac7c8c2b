//! Prism as a proxy: the examples of the contract, sent through it to `argus dev`, and on the sandbox host each
//! of them once for every status that the document of the host has. Prism refuses what does not fit that
//! document: a request, or the answer to it.

use super::dev::DevServer;
use super::tools::{Tool, Tools};
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::document::routes;
use argus_openapi::row::{Access, MadeBy, OperationRow};
use argus_openapi::types::scopes::Scope;
use argus_samples::{Given, Sample, Source, given};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(super) const NEEDS: &[Tool] = &[Tool::Node];

/// Preferences, beside one for each documented status, that the answer to an operation depends on, with the
/// status that they lead to.
const MOMENTS: [(&str, &str, u16); 1] = [("job_result", "argus-clock=10", 202)];

/// How long Prism may take to read a document.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn check(tools: &Tools, server: &DevServer) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let mut findings = Vec::new();
        for host in Host::ALL {
            let walk = Walk::new(Proxy::start(tools, server, host)?, server, host)?;
            let asked = |row: &&OperationRow| row.is_published() && row.served_by(host) && walk.answers(row);
            for row in ARGUS.rows.iter().filter(asked) {
                findings.extend(walk.findings(row).await);
            }
        }
        if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
    })
}

/// A running Prism before one host.
struct Proxy {
    child: Child,
    port: u16,
}

impl Proxy {
    fn start(tools: &Tools, server: &DevServer, host: Host) -> Result<Self, String> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        let child = Command::new(tools.node("prism"))
            .args(["proxy", "--errors", "--port", &port.to_string(), "--verboseLevel", "silent"])
            .arg(super::document(host))
            .arg(server.url(host))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("prism: {error}"))?;
        let mut proxy = Self { child, port };
        proxy.await_ready()?;
        Ok(proxy)
    }

    fn await_ready(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("prism ended with {status}"));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("prism did not listen after {} s", PATIENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A walk over the operations of a host.
struct Walk<'a> {
    proxy: Proxy,
    server: &'a DevServer,
    host: Host,
    document: Value,
    source: Source,
    client: Client,
}

/// What an answer must be.
enum Wanted<'a> {
    /// What its example leads to.
    Example,
    /// Any success.
    Success,
    /// What this `Prefer` asks for, with this status.
    Preferred(&'a str, u16),
}

impl<'a> Walk<'a> {
    fn new(proxy: Proxy, server: &'a DevServer, host: Host) -> Result<Self, String> {
        let client = Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        let document = fs::read(super::document(host)).map_err(|error| error.to_string())?;
        let document = serde_json::from_slice(&document).map_err(|error| error.to_string())?;
        Ok(Self { proxy, server, host, document, source: Source::new(&ARGUS), client })
    }

    /// Whether an operation answers by itself. A redirection Prism follows, so that it judges what is at the end.
    fn answers(&self, row: &OperationRow) -> bool {
        let route = routes(&self.document).find(|route| route.id() == row.id);
        let responses = route.and_then(|route| route.operation["responses"].as_object());
        responses.is_some_and(|responses| responses.keys().any(|status| status.starts_with('2')))
    }

    /// What is wrong with the example of an operation.
    async fn findings(&self, row: &'static OperationRow) -> Vec<String> {
        let mut answers = Vec::new();
        match self.sample(row).await {
            Ok(sample) => {
                answers.push(self.send(&sample, Wanted::Example).await);
                if self.host == Host::Sandbox && row.is_mocked() {
                    for (prefer, status) in self.preferences(row) {
                        answers.push(self.send(&sample, Wanted::Preferred(&prefer, status)).await);
                    }
                }
            }
            Err(finding) => answers.push(Err(finding)),
        }
        let findings = answers.into_iter().filter_map(Result::err);
        findings.map(|finding| format!("{} on {}: {finding}", row.id, self.host.name())).collect()
    }

    /// Whether an example is answered as it should be. What the live API host works on moves on by itself: what a path
    /// names may have ended before it is cancelled, or is not there before an import is done.
    fn is_as_it_should_be(&self, status: StatusCode, row: &OperationRow) -> bool {
        let names_one =
            || routes(&self.document).any(|route| route.id() == row.id && route.path.contains('{'));
        let is_overtaken = matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT);
        status.is_success() || self.host == Host::Api && is_overtaken && names_one()
    }

    /// Each `Prefer` that a mock of this operation is asked with, and the status that it leads to.
    fn preferences(&self, row: &OperationRow) -> Vec<(String, u16)> {
        let route = routes(&self.document).find(|route| route.id() == row.id);
        let responses = route.and_then(|route| route.operation["responses"].as_object());
        // A range is no status that can be asked for.
        let statuses =
            responses.into_iter().flat_map(|responses| responses.keys()).filter_map(|key| key.parse().ok());
        let moments = MOMENTS.iter().filter(|(id, ..)| *id == row.id);
        statuses
            .map(|status: u16| (format!("code={status}"), status))
            .chain(moments.map(|(_, prefer, status)| ((*prefer).to_owned(), *status)))
            .collect()
    }

    /// The example of an operation; what it names is made first.
    async fn sample(&self, row: &'static OperationRow) -> Result<Sample, String> {
        let mut values = Given::new();
        for made_by in row.made_by {
            if self.source.row(made_by.operation).served_by(self.host) {
                values.extend(Box::pin(self.make(made_by)).await?);
            }
        }
        let mut sample = self.source.sample(row, self.server.ready("tenant_id"), &values);
        // The live host signs callbacks with the secret of an app, and the token that `dev` prints is the operator's.
        if let (Host::Api, Some((_, body))) = (self.host, &mut sample.body)
            && let Ok(Value::Object(mut members)) = serde_json::from_slice(body)
            && members.remove("callback_url").is_some()
        {
            *body = Value::Object(members).to_string().into_bytes();
        }
        Ok(sample)
    }

    /// The token that an operation takes on the host: on the auth host not always an administrator's.
    fn token(&self, row: &OperationRow) -> &str {
        match row.access {
            Access::Scope(scope)
                if self.host == Host::Auth && Scope::partner().any(|partner| partner == scope) =>
            {
                self.server.token(Host::Api)
            }
            _ => self.server.token(self.host),
        }
    }

    async fn make(&self, made_by: &MadeBy) -> Result<Given, String> {
        let maker = self.sample(self.source.row(made_by.operation)).await?;
        let values = given(made_by, &maker, &self.send(&maker, Wanted::Success).await?);
        for id in made_by.then {
            let sample = self.source.sample(self.source.row(id), self.server.ready("tenant_id"), &values);
            self.send(&sample, Wanted::Success).await?;
        }
        Ok(values)
    }

    /// Sends a request with the token that it needs. The reply must be what is wanted, with nothing that Prism
    /// objects to.
    async fn send(&self, sample: &Sample, wanted: Wanted<'_>) -> Result<Value, String> {
        let url = format!("http://127.0.0.1:{}{}", self.proxy.port, sample.target());
        let mut request = self.client.request(sample.method.clone(), url);
        for (name, value) in &sample.headers {
            request = request.header(name, value);
        }
        if matches!(sample.row.access, Access::AnyToken | Access::Scope(_)) {
            request = request.bearer_auth(self.token(sample.row));
        }
        if let Some((media_type, body)) = &sample.body {
            request = request.header("content-type", *media_type).body(body.clone());
        }
        if let Wanted::Preferred(prefer, _) = wanted {
            request = request.header("prefer", prefer);
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        let status = response.status();
        let violations = response.headers().get("sl-violations").cloned();
        let body = response.text().await.map_err(|error| error.to_string())?;
        let (asked, is_wanted) = match wanted {
            Wanted::Success => (String::new(), status.is_success()),
            Wanted::Example => (String::new(), self.is_as_it_should_be(status, sample.row)),
            Wanted::Preferred(prefer, wanted) => (format!(" for `{prefer}`"), status == wanted),
        };
        match violations {
            None if is_wanted => Ok(serde_json::from_str(&body).unwrap_or_default()),
            None => Err(format!("{status}{asked}: {body}")),
            Some(violations) => Err(format!("{status}{asked}: {violations:?}")),
        }
    }
}

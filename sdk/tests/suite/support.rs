//! A real HTTP server on a port of its own, which answers as a test says and remembers what it was
//! asked. It ends with the test's runtime.

use argus_sdk::{ArgusClient, ArgusClientBuilder, Credentials, Environment, Retry};
use futures::stream::unfold;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// What the server was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET /sandbox/v1/jobs?limit=2`; the first segment is the host.
    pub line: String,
    pub headers: HeaderMap,
    pub body: String,
    /// How often this line had been asked before.
    pub before: usize,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What it answers.
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    hang_up: bool,
    /// How much of the body is sent before the connection is cut.
    sent: usize,
    /// How long it takes from one byte to the next.
    pause: Duration,
}

pub fn json(status: u16, body: &Value) -> Answer {
    text(status, &body.to_string()).with("content-type", "application/json")
}

pub fn text(status: u16, body: &str) -> Answer {
    bytes(status, body.as_bytes())
}

pub fn bytes(status: u16, body: &[u8]) -> Answer {
    let (body, pause) = (Bytes::copy_from_slice(body), Duration::ZERO);
    Answer { status, headers: Vec::new(), body, hang_up: false, sent: usize::MAX, pause }
}

/// Closes the connection without an answer.
pub fn hang_up() -> Answer {
    Answer { hang_up: true, ..text(500, "") }
}

pub fn error(status: u16, code: &str) -> Answer {
    json(status, &json!({ "error_code": code, "message": "told by the test" }))
}

impl Answer {
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Cuts the connection when so many bytes of the body were sent.
    pub fn cut_after(self, sent: usize) -> Self {
        Self { sent, ..self }
    }

    /// Lets so long pass between the bytes of the body.
    pub fn slowly(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    fn into_body(self) -> UnsyncBoxBody<Bytes, std::io::Error> {
        let Self { body, sent, pause, .. } = self;
        if sent >= body.len() && pause.is_zero() {
            return Full::new(body).map_err(|never| match never {}).boxed_unsync();
        }
        let frames = unfold(0, move |at| {
            let body = body.clone();
            async move {
                if at >= body.len() {
                    return None;
                }
                if at >= sent {
                    // What was sent goes out first.
                    tokio::task::yield_now().await;
                    return Some((Err(std::io::Error::other("the test cuts the connection")), body.len()));
                }
                tokio::time::sleep(pause).await;
                let step = if pause.is_zero() { sent.min(body.len()) - at } else { 1 };
                Some((Ok(Frame::data(body.slice(at..at + step))), at + step))
            }
        });
        UnsyncBoxBody::new(StreamBody::new(frames))
    }
}

#[derive(Clone)]
pub struct Server {
    base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let server = Self { base, asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                let service =
                    service_fn(move |request| serve(request, Arc::clone(&asked), Arc::clone(&answer)));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        server
    }

    /// The three hosts, told apart by the first segment of the path.
    pub fn environment(&self) -> Environment {
        let url = |host: &str| format!("{}/{host}", self.base);
        Environment::custom(&url("auth"), &url("api"), &url("sandbox")).unwrap().using_sandbox()
    }

    pub fn builder(&self) -> ArgusClientBuilder {
        let retry = Retry::default().base_delay(Duration::ZERO);
        ArgusClient::builder().environment(self.environment()).retry(retry)
    }

    /// A client of the sandbox host with a fixed token.
    pub fn client(&self) -> ArgusClient {
        self.builder().credentials(Credentials::token("fixed")).build().unwrap()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn serve(
    request: hyper::Request<Incoming>,
    log: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<impl Fn(&Asked) -> Answer>,
) -> Result<hyper::Response<UnsyncBoxBody<Bytes, std::io::Error>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let line = format!("{} {}", parts.method, parts.uri);
    let asked = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|earlier| earlier.line == line).count();
        let body = String::from_utf8(body.to_vec()).unwrap();
        log.push(Asked { line, headers: parts.headers, body, before });
        log.last().unwrap().clone()
    };
    let answer = answer(&asked);
    if answer.hang_up {
        return Err(std::io::Error::other("the test hangs up"));
    }
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response = response.header("content-length", answer.body.len());
    Ok(response.body(answer.into_body()).unwrap())
}

pub fn scenarios() -> Answer {
    json(200, &json!({ "scenarios": [{ "id": "wallet.clean", "label": "l", "description": "d" }] }))
}

pub fn job(id: &str, status: &str) -> Value {
    json!({
        "id": id, "kind": "export.bulk", "status": status, "progress_pct": 50, "error": null,
        "created_at": "2026-05-08T12:00:00Z", "updated_at": "2026-05-08T12:00:00Z", "completed_at": null,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    })
}

//! A receiver of deliveries that does what a test wants with each of them, and keeps what it was sent.

use crate::Authority;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Only a broken service needs so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to do with a delivery.
#[derive(Clone, Debug)]
pub enum Treatment {
    /// Answers with this status.
    Answer(u16),
    /// Answers with this status and `Retry-After`.
    AskForTime(u16, &'static str),
    /// Answers 204 after a while, as one that has work to do.
    Take(Duration),
    /// Says nothing for as long as the other side waits.
    Hang,
}

/// A delivery that came.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Bytes,
}

impl Delivery {
    /// A header's value; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

struct State {
    usual: Treatment,
    next: VecDeque<Treatment>,
    came: Vec<Delivery>,
}

/// The running receiver. It ends when this is dropped.
pub struct Receiver {
    /// Scheme and authority.
    origin: String,
    state: Arc<Mutex<State>>,
    count: watch::Receiver<usize>,
    _serving: JoinSet<()>,
}

impl Receiver {
    /// A receiver that takes every delivery.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// The same behind TLS, as `localhost`.
    pub async fn behind_tls(authority: &Authority) -> Self {
        Self::listen(Some(authority.acceptor("localhost"))).await
    }

    async fn listen(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let state = State { usual: Treatment::Answer(204), next: VecDeque::new(), came: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let (counted, count) = watch::channel(0);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, tls, Arc::clone(&state), counted));
        Self { origin, state, count, _serving: serving }
    }

    /// Where deliveries go.
    pub fn url(&self) -> String {
        format!("{}/webhooks/argus", self.origin)
    }

    /// From now on does this with every delivery.
    pub fn treats_all(&self, treatment: Treatment) {
        self.state.lock().unwrap().usual = treatment;
    }

    /// Does these with the next deliveries, one after the other.
    pub fn treats_next(&self, treatments: impl IntoIterator<Item = Treatment>) {
        self.state.lock().unwrap().next.extend(treatments);
    }

    /// What came so far.
    pub fn came(&self) -> Vec<Delivery> {
        self.state.lock().unwrap().came.clone()
    }

    /// What came, once it is so many.
    pub async fn wait_for(&self, number: usize) -> Vec<Delivery> {
        let mut count = self.count.clone();
        let came = timeout(PATIENCE, count.wait_for(|count| *count >= number)).await;
        assert!(came.is_ok(), "{} instead of {number} deliveries came", self.came().len());
        self.came()
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    state: Arc<Mutex<State>>,
    count: watch::Sender<usize>,
) {
    let count = Arc::new(count);
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (state, count, tls) = (Arc::clone(&state), Arc::clone(&count), tls.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| treat(request, Arc::clone(&state), Arc::clone(&count)));
            // A sender that goes away is no fault of the receiver's.
            let _ = match tls {
                None => http1::Builder::new().serve_connection(TokioIo::new(stream), service).await,
                Some(tls) => {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                }
            };
        });
    }
}

async fn treat(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
    count: Arc<watch::Sender<usize>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    // Of a sender that was killed.
    let Ok(body) = body.collect().await else { std::future::pending().await };
    let body = body.to_bytes();
    let treatment = {
        let mut state = state.lock().unwrap();
        state.came.push(Delivery { headers: parts.headers, body });
        state.next.pop_front().unwrap_or_else(|| state.usual.clone())
    };
    count.send_modify(|count| *count += 1);
    let mut response = Response::builder();
    let status = match treatment {
        Treatment::Answer(status) => status,
        Treatment::AskForTime(status, retry_after) => {
            response = response.header("retry-after", retry_after);
            status
        }
        Treatment::Take(time) => {
            tokio::time::sleep(time).await;
            204
        }
        Treatment::Hang => std::future::pending().await,
    };
    let status = StatusCode::from_u16(status).unwrap();
    Ok(response.status(status).body(Full::from(format!("the receiver says {status}"))).unwrap())
}

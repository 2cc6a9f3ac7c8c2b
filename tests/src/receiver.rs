//! A receiver of deliveries that does what a test wants with each of them, and keeps what it was sent.

use crate::Authority;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Only a broken service needs so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it is from one byte of a body that drips to the next.
const DRIP: Duration = Duration::from_millis(50);

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
    /// Answers 200 and a byte of the body now and then, for as long as the other side waits.
    Drip,
    /// Answers 307 and leads there.
    Redirect(String),
    /// Answers 200, and closes the connection without having said that it would.
    AnswerAndClose,
    /// Answers 200 with a body of so many bytes.
    Flood(usize),
}

/// A delivery that came.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Bytes,
    /// When it was there.
    pub came_at: DateTime<Utc>,
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
    /// The deliveries that have no answer yet, by their identifiers, and the most that there were of one.
    unanswered: HashMap<String, usize>,
    most_of_one: usize,
}

/// A delivery that has no answer yet. It ends with the answer, and when the sender has gone.
struct Unanswered {
    id: String,
    state: Arc<Mutex<State>>,
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        *self.state.lock().unwrap().unanswered.get_mut(&self.id).unwrap() -= 1;
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The running receiver. It ends when this is dropped.
pub struct Receiver {
    /// Scheme and authority.
    origin: String,
    port: u16,
    state: Arc<Mutex<State>>,
    count: watch::Receiver<usize>,
    _serving: JoinSet<()>,
}

impl Receiver {
    /// A receiver that takes every delivery.
    pub async fn start() -> Self {
        Self::listen(LOOPBACK, None).await
    }

    /// The same behind TLS, as `localhost`.
    pub async fn behind_tls(authority: &Authority) -> Self {
        Self::named("localhost", LOOPBACK, authority).await
    }

    /// The same behind TLS, under another name and at another address of this machine.
    pub async fn named(name: &str, address: IpAddr, authority: &Authority) -> Self {
        Self::listen(address, Some((name, authority.acceptor(name)))).await
    }

    async fn listen(address: IpAddr, tls: Option<(&str, TlsAcceptor)>) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = match tls {
            Some((name, _)) => format!("https://{name}:{port}"),
            None => format!("http://{address}:{port}"),
        };
        let tls = tls.map(|(_, acceptor)| acceptor);
        let state = State {
            usual: Treatment::Answer(204),
            next: VecDeque::new(),
            came: Vec::new(),
            unanswered: HashMap::new(),
            most_of_one: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let (counted, count) = watch::channel(0);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, tls, Arc::clone(&state), counted));
        Self { origin, port, state, count, _serving: serving }
    }

    /// Where deliveries go.
    pub fn url(&self) -> String {
        format!("{}/webhooks/argus", self.origin)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
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

    /// How many attempts of one delivery it had without an answer at a time, at most.
    pub fn most_attempts_of_one(&self) -> usize {
        self.state.lock().unwrap().most_of_one
    }

    /// How many deliveries have no answer yet.
    pub fn unanswered(&self) -> usize {
        self.state.lock().unwrap().unanswered.values().sum()
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
            match tls {
                None => attend(stream, state, count).await,
                // A sender that goes away is no fault of the receiver's.
                Some(tls) => {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    attend(stream, state, count).await;
                }
            }
        });
    }
}

/// Treats what comes on a connection, until either side closes it.
async fn attend(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    state: Arc<Mutex<State>>,
    count: Arc<watch::Sender<usize>>,
) {
    let is_last = Arc::new(AtomicBool::new(false));
    let closing = Arc::clone(&is_last);
    let service = service_fn(move |request| {
        treat(request, Arc::clone(&state), Arc::clone(&count), Arc::clone(&closing))
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    poll_fn(|context| match connection.as_mut().poll(context) {
        // It waits for the next request: the answer is on its way.
        Poll::Pending if !is_last.load(Ordering::SeqCst) => Poll::Pending,
        _ => Poll::Ready(()),
    })
    .await;
}

async fn treat(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
    count: Arc<watch::Sender<usize>>,
    is_last: Arc<AtomicBool>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    // Of a sender that was killed.
    let Ok(body) = body.collect().await else { std::future::pending().await };
    let delivery = Delivery { headers: parts.headers, body: body.to_bytes(), came_at: Utc::now() };
    let id = delivery.header("webhook-id").to_owned();
    let treatment = {
        let mut state = state.lock().unwrap();
        let of_one = state.unanswered.entry(id.clone()).or_default();
        *of_one += 1;
        let of_one = *of_one;
        state.most_of_one = state.most_of_one.max(of_one);
        state.came.push(delivery);
        state.next.pop_front().unwrap_or_else(|| state.usual.clone())
    };
    let unanswered = Unanswered { id, state };
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
        Treatment::Drip => return Ok(Response::new(dripping(unanswered))),
        Treatment::Redirect(elsewhere) => {
            response = response.header("location", elsewhere);
            307
        }
        Treatment::AnswerAndClose => {
            is_last.store(true, Ordering::SeqCst);
            200
        }
        Treatment::Flood(bytes) => return Ok(Response::new(flooding(bytes))),
    };
    let status = StatusCode::from_u16(status).unwrap();
    Ok(response.status(status).body(whole(format!("the receiver says {status}"))).unwrap())
}

fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::from(bytes.into()).boxed_unsync()
}

/// A body of so many bytes, which are not all there at a time.
fn flooding(bytes: usize) -> Body {
    const PIECE: Bytes = Bytes::from_static(&[b'a'; 64 * 1024]);
    let pieces = stream::iter((0..bytes.div_ceil(PIECE.len())).map(|_| Ok(Frame::data(PIECE))));
    StreamBody::new(pieces).boxed_unsync()
}

/// A body without end.
fn dripping(unanswered: Unanswered) -> Body {
    let drops = stream::unfold((tokio::time::interval(DRIP), unanswered), |(mut pause, unanswered)| async {
        pause.tick().await;
        Some((Ok(Frame::data(Bytes::from_static(b"a"))), (pause, unanswered)))
    });
    StreamBody::new(drops).boxed_unsync()
}

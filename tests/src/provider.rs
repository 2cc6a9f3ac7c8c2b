//! A system that connectors ask, which does what a test wants: it answers, fails, or says nothing. It keeps every
//! question that reached it.

use argus_openapi::types::secret::SecretText;
use argus_partner::connectors::Provider;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What to do about a question.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Answers with these findings.
    Find(Value),
    /// Answers with a status, more headers (each line ends with `\r\n`) and a body.
    Reply(u16, &'static str, String),
    /// Writes these bytes and closes the connection.
    Write(Vec<u8>),
    /// Begins an answer that never ends.
    Flood,
    /// Says nothing for as long as the other side waits.
    Hang,
    /// Answers with this body once it may.
    Wait(Arc<Semaphore>, String),
}

/// A question that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method and path.
    pub line: String,
    headers: Vec<(String, String)>,
    /// The body.
    pub question: Value,
}

impl Received {
    /// A header's value; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

#[derive(Debug)]
struct State {
    usual: Deed,
    next: VecDeque<Deed>,
    received: Vec<Received>,
}

/// The running system. It ends when this is dropped.
#[derive(Debug)]
pub struct TestProvider {
    address: SocketAddr,
    token: String,
    state: Arc<Mutex<State>>,
    load: Arc<Load>,
    _serving: JoinSet<()>,
}

impl TestProvider {
    /// A system that opens to this token and usually does this.
    pub async fn start(token: &str, usual: Deed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { usual, next: VecDeque::new(), received: Vec::new() }));
        let (shared, load) = (Arc::clone(&state), Arc::<Load>::default());
        let (counted, expected) = (Arc::clone(&load), format!("Bearer {token}"));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (state, load, expected) = (Arc::clone(&shared), Arc::clone(&counted), expected.clone());
                // How a connection ends is the other side's business.
                connections.spawn(async move { drop(converse(stream, &state, &load, &expected).await) });
            }
        });
        Self { address, token: token.to_owned(), state, load, _serving: serving }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How a connector reaches it.
    pub fn provider(&self) -> Provider {
        self.provider_with(&self.token)
    }

    /// How a connector reaches it that has another token.
    pub fn provider_with(&self, token: &str) -> Provider {
        Provider::new(&self.url(), SecretText::from(token.to_owned())).unwrap()
    }

    /// Does these for the next questions, in this order.
    pub fn next(&self, deeds: impl IntoIterator<Item = Deed>) {
        self.state.lock().unwrap().next.extend(deeds);
    }

    /// Does this from now on.
    pub fn usually(&self, deed: Deed) {
        self.state.lock().unwrap().usual = deed;
    }

    /// The questions that came since this was asked the last time.
    pub fn received(&self) -> Vec<Received> {
        std::mem::take(&mut self.state.lock().unwrap().received)
    }

    /// How many questions wait for their answer.
    pub fn busy(&self) -> usize {
        self.load.now.load(Ordering::SeqCst)
    }

    /// How many have waited at a time at most.
    pub fn busiest(&self) -> usize {
        self.load.most.load(Ordering::SeqCst)
    }
}

/// How many questions wait for their answer.
#[derive(Debug, Default)]
struct Load {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A question that waits until this is dropped.
struct Busy<'a>(&'a Load);

impl<'a> Busy<'a> {
    fn begin(load: &'a Load) -> Self {
        let now = load.now.fetch_add(1, Ordering::SeqCst) + 1;
        load.most.fetch_max(now, Ordering::SeqCst);
        Self(load)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn converse(
    stream: TcpStream,
    state: &Mutex<State>,
    load: &Load,
    authorization: &str,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(received) = receive(&mut stream).await? {
        let is_authorized = received.header("authorization") == authorization;
        let deed = {
            let mut state = state.lock().unwrap();
            state.received.push(received);
            let deed = state.next.pop_front().unwrap_or_else(|| state.usual.clone());
            if is_authorized { deed } else { Deed::Reply(401, "", "{}".to_owned()) }
        };
        let busy = Busy::begin(load);
        match deed {
            Deed::Find(findings) => {
                write(&mut stream, 200, "", &json!({ "findings": findings }).to_string()).await?;
            }
            Deed::Reply(status, headers, body) => write(&mut stream, status, headers, &body).await?,
            Deed::Write(bytes) => return stream.write_all(&bytes).await,
            Deed::Flood => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                loop {
                    stream.write_all(b"1000\r\n").await?;
                    stream.write_all(&[b' '; 0x1000]).await?;
                    stream.write_all(b"\r\n").await?;
                }
            }
            Deed::Hang => return stream.read(&mut [0]).await.map(drop),
            Deed::Wait(may_answer, body) => {
                may_answer.acquire().await.unwrap().forget();
                drop(busy);
                write(&mut stream, 200, "", &body).await?;
            }
        }
    }
    Ok(())
}

async fn write(
    stream: &mut BufReader<TcpStream>,
    status: u16,
    headers: &str,
    body: &str,
) -> std::io::Result<()> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await
}

/// The next request of a connection, or none at its end.
async fn receive(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Received>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut received = Received { line: line.trim_end().to_owned(), headers, question: Value::Null };
    let mut body = vec![0; received.header("content-length").parse().unwrap()];
    stream.read_exact(&mut body).await?;
    received.question = serde_json::from_slice(&body).unwrap();
    Ok(Some(received))
}

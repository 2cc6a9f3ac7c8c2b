//! A receiver of deliveries that does what a test wants with each connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::interval;
use tokio_rustls::TlsAcceptor;

/// What comes after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The next request of the connection.
    Next,
    /// The connection is closed.
    Close,
    /// Nothing, for as long as the other side stays.
    Hang,
    /// A byte now and then, for as long as the other side stays.
    Drip,
    /// Bytes, for as long as the other side takes them.
    Flood,
}

/// A receiver. It ends when it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    seen: Arc<Seen>,
    gone: watch::Receiver<usize>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    connections: Mutex<usize>,
    requests: Mutex<Vec<String>>,
}

/// How a receiver treats those that come.
struct Manner {
    answer: Vec<u8>,
    after: After,
    tls: Option<TlsAcceptor>,
    seen: Arc<Seen>,
    /// How many connections are over because the other side has gone.
    gone: watch::Sender<usize>,
}

impl Receiver {
    /// A receiver on 127.0.0.1 that writes these bytes for each request.
    pub(super) async fn with(answer: impl Into<Vec<u8>>, after: After) -> Self {
        Self::at(super::LOOPBACK, 0, None, answer, after).await.unwrap()
    }

    /// One at this address, behind TLS if that is said.
    pub(super) async fn at(
        address: IpAddr,
        port: u16,
        tls: Option<TlsAcceptor>,
        answer: impl Into<Vec<u8>>,
        after: After,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((address, port)).await?;
        let address = listener.local_addr()?;
        let (seen, (sender, gone)) = (Arc::<Seen>::default(), watch::channel(0));
        let manner = Manner { answer: answer.into(), after, tls, seen: Arc::clone(&seen), gone: sender };
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::new(manner)));
        Ok(Self { address, seen, gone, _serving: serving })
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its URL for http.
    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How many connections it has accepted.
    pub(super) fn connections(&self) -> usize {
        *self.seen.connections.lock().unwrap()
    }

    /// The requests that have come: each as it stood on the wire.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Waits until the other side has given up a connection.
    pub(super) async fn is_left(&mut self) {
        self.gone.wait_for(|gone| *gone > 0).await.unwrap();
    }
}

async fn serve(listener: TcpListener, manner: Arc<Manner>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        *manner.seen.connections.lock().unwrap() += 1;
        let manner = Arc::clone(&manner);
        connections.spawn(async move {
            if manner.attend(stream).await.is_err() {
                manner.gone.send_modify(|gone| *gone += 1);
            }
        });
    }
}

impl Manner {
    /// Does its part for a connection; an error means that the other side has gone first.
    async fn attend(&self, stream: TcpStream) -> io::Result<()> {
        match &self.tls {
            Some(acceptor) => self.converse(BufReader::new(acceptor.accept(stream).await?)).await,
            None => self.converse(BufReader::new(stream)).await,
        }
    }

    async fn converse<S: AsyncBufReadExt + AsyncWriteExt + Unpin>(&self, mut stream: S) -> io::Result<()> {
        loop {
            let request = request(&mut stream).await?;
            self.seen.requests.lock().unwrap().push(request);
            stream.write_all(&self.answer).await?;
            stream.flush().await?;
            match self.after {
                After::Next => {}
                After::Close => return stream.shutdown().await,
                After::Hang => return hang(&mut stream).await,
                After::Drip => {
                    let mut pause = interval(Duration::from_millis(5));
                    loop {
                        pause.tick().await;
                        stream.write_all(b"a").await?;
                    }
                }
                After::Flood => loop {
                    stream.write_all(&[b'a'; 8192]).await?;
                },
            }
        }
    }
}

/// Waits for the other side to go.
async fn hang(stream: &mut (impl AsyncReadExt + Unpin)) -> io::Result<()> {
    while stream.read(&mut [0; 64]).await? > 0 {}
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// A request with its body.
async fn request(stream: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<String> {
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        text.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    text.push_str(&String::from_utf8(body).unwrap());
    Ok(text)
}

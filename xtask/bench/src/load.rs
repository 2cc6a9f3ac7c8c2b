//! A closed-loop load generator: each connection sends the same bytes again as soon as the response
//! is whole. It parses no more than it must, so that it leaves the machine to the server.

use bytes::BytesMut;
use std::borrow::Cow;
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request that is sent over and over, with what a right response starts with.
pub struct Exchange {
    request: Vec<u8>,
    expected_status: u16,
    /// Where a number stands that is another one each time.
    number: Option<Number>,
}

/// The place of a number in a request, and the next one.
struct Number {
    at: usize,
    next: Cell<u64>,
}

/// What stands in a request for a number that is another one each time.
pub const NUMBER: &str = "0000000000000000";

impl Exchange {
    /// A request with these parts.
    pub fn new(method: &str, path: &str, headers: &[(&str, &str)], body: &str, expected_status: u16) -> Self {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        Self { request: format!("{request}\r\n{body}").into_bytes(), expected_status, number: None }
    }

    /// The same, with another number each time in the place of [`NUMBER`].
    pub fn numbered(self) -> Self {
        // Where no other exchange of this run has been.
        self.numbered_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64)
    }

    /// The same, with the numbers from this one on, in hexadecimal.
    pub fn numbered_from(self, begin: u64) -> Self {
        let at = self.request.windows(NUMBER.len()).position(|bytes| bytes == NUMBER.as_bytes());
        Self { number: at.map(|at| Number { at, next: Cell::new(begin) }), ..self }
    }

    /// The bytes to send next.
    fn request(&self) -> Cow<'_, [u8]> {
        let Some(Number { at, next }) = &self.number else { return Cow::Borrowed(&self.request) };
        let mut request = self.request.clone();
        request[*at..at + NUMBER.len()].copy_from_slice(format!("{:016x}", next.get()).as_bytes());
        next.set(next.get() + 1);
        Cow::Owned(request)
    }

    /// Sends the request once and returns the response body.
    pub async fn once(&self, address: SocketAddr) -> io::Result<Vec<u8>> {
        let mut connection = Connection::open(address).await?;
        let end = connection.exchange(self).await?;
        Ok(connection.buffer[end.head..end.whole].to_vec())
    }

    /// Sends the request so many times, one after the other on one connection, with a pause between
    /// them.
    pub async fn times(&self, address: SocketAddr, times: u32, pause: Duration) -> io::Result<()> {
        let mut connection = Connection::open(address).await?;
        for _ in 0..times {
            connection.exchange(self).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// Requests answered per second while `connections` are kept busy for `duration`.
    pub async fn throughput(
        &self,
        address: SocketAddr,
        connections: usize,
        duration: Duration,
    ) -> io::Result<f64> {
        let started = Instant::now();
        let deadline = started + duration;
        let workers = (0..connections).map(|_| self.worker(address, deadline));
        let mut answered = 0;
        for count in join_all(workers).await {
            answered += count?;
        }
        Ok(f64::from(answered) / started.elapsed().as_secs_f64())
    }

    async fn worker(&self, address: SocketAddr, deadline: Instant) -> io::Result<u32> {
        let mut connection = Connection::open(address).await?;
        let mut answered = 0;
        while Instant::now() < deadline {
            connection.exchange(self).await?;
            answered += 1;
        }
        Ok(answered)
    }
}

/// Drives all futures on this task: one load generator is one thread.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

/// Where the head and the whole of a response end.
struct End {
    head: usize,
    whole: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: BytesMut::with_capacity(16 * 1024) })
    }

    async fn exchange(&mut self, exchange: &Exchange) -> io::Result<End> {
        self.buffer.clear();
        self.stream.write_all(&exchange.request()).await?;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
            if let Some(end) = self.end(exchange.expected_status)? {
                return Ok(end);
            }
        }
    }

    fn end(&self, expected_status: u16) -> io::Result<Option<End>> {
        let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]);
        if text.get(9..12) != Some(expected_status.to_string().as_str()) {
            let wrong =
                format!("expected status {expected_status}, got: {}", String::from_utf8_lossy(&self.buffer));
            return Err(io::Error::new(io::ErrorKind::InvalidData, wrong));
        }
        let length = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok())
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a response without Content-Length"))?;
        let whole = head + length;
        Ok((self.buffer.len() >= whole).then_some(End { head, whole }))
    }
}

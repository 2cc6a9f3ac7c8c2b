//! Bytes on a socket, for requests that no HTTP client would send.

use crate::Answer;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Bytes in both directions, with TLS or without.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// An open connection.
pub struct Connection(BufReader<Box<dyn Stream>>);

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    /// The connection that is open there.
    pub fn over(stream: impl Stream + 'static) -> Self {
        Self(BufReader::new(Box::new(stream)))
    }

    /// Sends bytes. A server that has already answered may have closed its side; that is not this
    /// side's concern.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.try_write(bytes).await;
    }

    /// Sends bytes, all of which the server must take.
    ///
    /// Errors: it has closed the connection.
    pub async fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await?;
        self.0.flush().await
    }

    /// Waits until there is something to read, which may be the end.
    pub async fn readable(&mut self) {
        let _ = self.0.fill_buf().await;
    }

    /// Reads until the bytes so far end with `end`.
    pub async fn read_until(&mut self, end: &[u8]) -> Vec<u8> {
        let mut read = Vec::new();
        while !read.ends_with(end) {
            let byte = self.0.read_u8().await.unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&read));
            });
            read.push(byte);
        }
        read
    }

    /// Reads one response that has no body, as those to HEAD.
    pub async fn bare_response(&mut self) -> Answer {
        parse_head(&self.read_until(b"\r\n\r\n").await)
    }

    /// Reads one response whose length its head tells.
    pub async fn response(&mut self) -> Answer {
        let mut answer = self.bare_response().await;
        let length: usize = answer.header("content-length").parse().unwrap_or(0);
        answer.body = vec![0; length];
        self.0.read_exact(&mut answer.body).await.unwrap();
        answer
    }

    /// Whether the server has nothing more to say.
    pub async fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]).await, Ok(0) | Err(_))
    }
}

fn parse_head(head: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_else(|| panic!("{text}"));
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{text}"));
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value.trim()).unwrap(),
        );
    }
    Answer { status: StatusCode::from_bytes(status.as_bytes()).unwrap(), headers, body: Vec::new() }
}

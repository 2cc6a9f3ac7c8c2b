//! A connection to a host whose every answer must be one that is published.

use crate::published::{Asked, assert_published};
use crate::{Answer, Connection};
use argus_openapi::Host;
use http::Method;
use std::io;

/// An open connection to a host.
pub struct Judged {
    host: Host,
    connection: Connection,
    /// What was sent since the last answer, up to the end of its first line.
    line: Vec<u8>,
}

impl Judged {
    /// The connection, which leads to this host.
    pub fn of(host: Host, connection: Connection) -> Self {
        Self { host, connection, line: Vec::new() }
    }

    /// Sends bytes, as [`Connection::write`] does.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.try_write(bytes).await;
    }

    /// Sends bytes, all of which the server must take.
    ///
    /// Errors: it has closed the connection.
    pub async fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.line.contains(&b'\n') {
            let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
            self.line.extend_from_slice(&bytes[..end]);
        }
        self.connection.try_write(bytes).await
    }

    /// Waits until there is something to read, which may be the end.
    pub async fn readable(&mut self) {
        self.connection.readable().await;
    }

    /// Reads until the bytes so far end with `end`.
    pub async fn read_until(&mut self, end: &[u8]) -> Vec<u8> {
        self.connection.read_until(end).await
    }

    /// Reads one response, and judges it as the answer to the request that was sent last.
    pub async fn response(&mut self) -> Answer {
        let line = std::mem::take(&mut self.line);
        let answer = match asked(&line).0 {
            Method::HEAD => self.connection.bare_response().await,
            _ => self.connection.response().await,
        };
        assert_answers(self.host, &line, &answer);
        answer
    }

    /// Whether the server has nothing more to say.
    pub async fn is_closed(&mut self) -> bool {
        self.connection.is_closed().await
    }
}

/// Asserts that an answer is one that the descriptor publishes for the request that these bytes begin.
pub fn assert_answers(host: Host, request: &[u8], answer: &Answer) {
    let (method, path) = asked(request);
    assert_published(&Asked { host, method: &method, path: &path }, answer);
}

/// Method and path of the request that these bytes begin.
fn asked(request: &[u8]) -> (Method, String) {
    let line = request.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let method = words.next().and_then(|method| method.parse().ok()).unwrap_or(Method::GET);
    let path = words.next().and_then(|target| target.split('?').next()).unwrap_or_default();
    (method, path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// What is said of this answer to a request for `/healthz` of the API host, or of another path.
    async fn judged(path: &str, answer: &str) -> Answer {
        let (near, mut far) = tokio::io::duplex(1024);
        let mut connection = Judged::of(Host::Api, Connection::over(near));
        // Its head comes in two parts, and a body behind it.
        connection.write(format!("POST {path}").as_bytes()).await;
        connection.write(b"?a=b HTTP/1.1\r\nhost: x\r\n\r\n{}\r\n").await;
        far.write_all(answer.as_bytes()).await.unwrap();
        connection.response().await
    }

    #[tokio::test]
    #[should_panic(expected = "POST /v1/jobs on api: what is served is not what is published")]
    async fn an_answer_on_a_bare_connection_that_is_not_published_fails_its_test() {
        judged("/v1/jobs", "HTTP/1.1 418 no\r\ncontent-length: 0\r\n\r\n").await;
    }

    #[tokio::test]
    async fn what_the_parser_answers_is_no_answer_of_an_operation() {
        judged("/v1/jobs", "HTTP/1.1 431 no\r\ncontent-length: 0\r\n\r\n").await.expect(431);
    }
}

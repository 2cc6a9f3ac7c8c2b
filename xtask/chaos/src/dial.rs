//! Connections to the proxy, from an address of the caller's choice, so that the limits of one address
//! can be told from those of all.

use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::row::RequestBody;
use argus_tests::{Answer, Connection, Nginx, assert_answers, operations_of_the_trait};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Where good clients call from.
pub const GOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// Where attackers call from.
pub const EVIL: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Why an answer is not in the descriptor, and of which requests and statuses that holds.
type Exemption = (&'static str, fn(&[u8], u16) -> bool);

/// What the descriptor does not say of nginx's own answers; `server/deploy/README.md` has the same.
const OF_THE_PROXY: [Exemption; 3] = [
    ("no operation of Argus answers with this status", |_, status| {
        matches!(status, 414 | 421 | 429 | 431 | 501 | 502 | 504 | 505)
    }),
    ("a body that no operation takes has a limit at nginx alone", |request, status| {
        status == 413 && !is_for_an_operation_with_a_body(request)
    }),
    ("nginx refuses the method before it knows the path, and so what the path takes", |request, status| {
        status == 405 && request.starts_with(b"TRACE ")
    }),
];

fn is_for_an_operation_with_a_body(request: &[u8]) -> bool {
    operations_of_the_trait(&ARGUS).into_iter().any(|(row, method, path)| {
        row.body != RequestBody::None && request.starts_with(format!("{method} {path} ").as_bytes())
    })
}

/// What a client speaks inside of TLS.
#[derive(Clone, Copy)]
pub enum Protocol {
    Http1,
    Http2,
}

/// How to reach the proxy.
pub struct Dial {
    address: SocketAddr,
    http1: TlsConnector,
    http2: TlsConnector,
}

impl Dial {
    pub fn to(proxy: &Nginx) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(proxy.certificate().as_bytes()).unwrap()).unwrap();
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let http1 = Arc::new(config.clone()).into();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self { address: proxy.address(), http1, http2: Arc::new(config).into() }
    }

    /// A connection without TLS.
    pub async fn plain(&self, from: Ipv4Addr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(self.address).await
    }

    /// A connection to a host.
    pub async fn tls(
        &self,
        from: Ipv4Addr,
        host: Host,
        protocol: Protocol,
    ) -> io::Result<TlsStream<TcpStream>> {
        self.tls_to(from, host.public_url().trim_start_matches("https://"), protocol).await
    }

    /// A connection to whoever has this name.
    pub async fn tls_to(
        &self,
        from: Ipv4Addr,
        name: &'static str,
        protocol: Protocol,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let connector = match protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        };
        connector.connect(name, self.plain(from).await?).await
    }

    /// The answer to the bytes of one request on a connection of its own. It must be one that the descriptor
    /// publishes, whoever gives it, but for what only a proxy can say.
    pub async fn ask(&self, from: Ipv4Addr, host: Host, request: &[u8]) -> Answer {
        let stream = self.tls(from, host, Protocol::Http1).await.unwrap();
        let mut connection = Connection::over(stream);
        connection.write(request).await;
        let answer = connection.response().await;
        if !OF_THE_PROXY.iter().any(|(_, holds)| holds(request, answer.status.as_u16())) {
            assert_answers(host, request, &answer);
        }
        answer
    }
}

/// The head of a request to a host.
pub fn head(method: &str, path: &str, host: Host, lines: &str) -> String {
    let name = host.public_url().trim_start_matches("https://");
    format!("{method} {path} HTTP/1.1\r\nhost: {name}\r\n{lines}\r\n")
}

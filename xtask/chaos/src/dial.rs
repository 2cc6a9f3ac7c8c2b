//! Connections to the proxy, from an address of the caller's choice, so that the limits of one address
//! can be told from those of all.

use argus_openapi::Host;
use argus_tests::{Answer, Connection, Nginx};
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

    /// The answer to the bytes of one request on a connection of its own.
    pub async fn ask(&self, from: Ipv4Addr, host: Host, request: &[u8]) -> Answer {
        let stream = self.tls(from, host, Protocol::Http1).await.unwrap();
        let mut connection = Connection::over(stream);
        connection.write(request).await;
        connection.response().await
    }
}

/// The head of a request to a host.
pub fn head(method: &str, path: &str, host: Host, lines: &str) -> String {
    let name = host.public_url().trim_start_matches("https://");
    format!("{method} {path} HTTP/1.1\r\nhost: {name}\r\n{lines}\r\n")
}

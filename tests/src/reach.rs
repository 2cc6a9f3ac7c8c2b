//! How a test talks HTTP to the three hosts of one server.

use crate::published::{Asked, assert_published};
use crate::{Answer, Connection, Judged, Nginx, operations_of_the_trait};
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use http::{HeaderMap, Method};
use hyper::body::Bytes;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

/// Where the hosts of a server are, and a client for them.
#[derive(Clone, Debug)]
pub struct Reach {
    addresses: [SocketAddr; 3],
    client: reqwest::Client,
    proxy: Option<Arc<Nginx>>,
}

impl Reach {
    /// The hosts at these addresses: auth, api, sandbox.
    pub fn new(addresses: [SocketAddr; 3]) -> Self {
        // Without TLS there is no need to read the system's certificates, which takes long.
        let client = reqwest::Client::builder().tls_certs_only([]);
        Self { addresses, client: built(client), proxy: None }
    }

    /// The hosts at these addresses, which the client reaches through a proxy. What stays inside it, and
    /// what no HTTP client would send, goes past it.
    pub fn behind(proxy: Nginx, addresses: [SocketAddr; 3]) -> Self {
        Self { addresses, client: built(proxy.client()), proxy: Some(Arc::new(proxy)) }
    }

    /// Where a host listens.
    pub fn address(&self, host: Host) -> SocketAddr {
        self.addresses[host as usize]
    }

    /// The URL of a path on a host.
    pub fn url(&self, host: Host, path: &str) -> String {
        format!("http://{}{path}", self.address(host))
    }

    /// A request to build upon.
    pub fn request(&self, host: Host, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = match &self.proxy {
            Some(proxy) if !stays_inside(path) => proxy.url(host, path),
            _ => self.url(host, path),
        };
        self.client.request(method, url)
    }

    /// Sends a request as it is and reads the whole response, which must be one that is published.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, url) = (request.method().clone(), request.url().clone());
        let answer = Answer::of(self.client.execute(request).await.unwrap()).await;
        let is_its_own = |host: &Host| {
            let named = url.host_str() == host.public_url().strip_prefix("https://");
            named || Some(self.address(*host).port()) == url.port()
        };
        let host = Host::ALL.into_iter().find(is_its_own);
        assert_published(&Asked { host: host.unwrap(), method: &method, path: url.path() }, &answer);
        answer
    }

    /// Opens a connection to a host, whose every answer must be one that is published.
    pub async fn open(&self, host: Host) -> Judged {
        Judged::of(host, Connection::open(self.address(host)).await)
    }

    /// Sends these bytes on a connection of their own and reads the response, which must be one that is
    /// published.
    pub async fn raw(&self, host: Host, request: &[u8]) -> Answer {
        let mut connection = self.open(host).await;
        connection.write(request).await;
        connection.response().await
    }

    /// Sends somebody else's request and reads the whole response, which nobody has judged.
    pub(crate) async fn pass_on(
        &self,
        method: Method,
        url: String,
        headers: HeaderMap,
        body: Bytes,
    ) -> Answer {
        let request = self.client.request(method, url).headers(headers).body(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// A `GET`, with a bearer token if there is one.
    pub async fn get(&self, host: Host, path: &str, token: Option<&str>) -> Answer {
        self.send(with_token(self.request(host, Method::GET, path), token)).await
    }

    /// A request with a JSON body and a bearer token.
    pub async fn json(&self, host: Host, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        self.send(self.request(host, method, path).bearer_auth(token).json(body)).await
    }

    /// A `POST` with a JSON body and a bearer token.
    pub async fn post(&self, host: Host, path: &str, token: &str, body: &Value) -> Answer {
        self.json(host, Method::POST, path, token, body).await
    }

    /// A request without a body, with a bearer token.
    pub async fn bare(&self, host: Host, method: Method, path: &str, token: &str) -> Answer {
        self.send(self.request(host, method, path).bearer_auth(token)).await
    }

    /// A token request (RFC 6749) with this form; `basic` goes into the header.
    pub async fn token_request(&self, form: &[(&str, &str)], basic: Option<(&str, &str)>) -> Answer {
        let body = serde_urlencoded::to_string(form).unwrap();
        let request = self
            .request(Host::Auth, Method::POST, "/v1/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(match basic {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        })
        .await
    }

    /// Asserts that every host still answers.
    pub async fn assert_alive(&self) {
        for host in Host::ALL {
            let answer = self.get(host, "/healthz", None).await.expect(200);
            assert_eq!(answer.body, br#"{"status":"ok"}"#);
        }
    }
}

/// A client that shows every response as it is.
fn built(client: reqwest::ClientBuilder) -> reqwest::Client {
    client.redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

/// Whether a path is for operators alone.
fn stays_inside(path: &str) -> bool {
    static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let operations = operations_of_the_trait(&ARGUS).into_iter();
        operations.filter(|(row, ..)| row.stays_inside()).map(|(.., path)| path).collect()
    });
    PATHS.iter().any(|inside| inside == path)
}

/// The request with a bearer token, if there is one.
fn with_token(request: reqwest::RequestBuilder, token: Option<&str>) -> reqwest::RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

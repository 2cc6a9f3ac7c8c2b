//! The page of an app at its redirect URI: it keeps what browsers bring there, and may lead them on.

use crate::Authority;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Only a broken browser needs so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a browser brought, by name.
pub type Brought = BTreeMap<String, String>;

/// The page. It ends when this is dropped.
pub struct Callback {
    uri: String,
    brought: watch::Receiver<Vec<Brought>>,
    _serving: JoinSet<()>,
}

impl Callback {
    /// What the page is headed with.
    pub const HEADING: &str = "Back at the app";

    /// A page on the loopback address, as native apps have one.
    pub async fn on_loopback() -> Self {
        Self::open(None, None).await
    }

    /// A page of another site, behind TLS.
    pub async fn behind_tls() -> Self {
        Self::open(Some("partner.localhost"), None).await
    }

    /// A page that leads on to another URI, with all that it was brought.
    pub async fn leading_to(uri: &str) -> Self {
        Self::open(Some("partner.localhost"), Some(uri.to_owned())).await
    }

    async fn open(name: Option<&str>, leads_to: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let uri = match name {
            Some(name) => format!("https://{name}:{port}/callback"),
            None => format!("http://127.0.0.1:{port}/callback"),
        };
        let acceptor = name.map(|name| Authority::fresh().acceptor(name));
        let (sender, brought) = watch::channel(Vec::new());
        let page = Arc::new(Page { leads_to, brought: sender });
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (page, acceptor) = (Arc::clone(&page), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        None => page.serve(stream).await,
                        // A browser looks at the certificate and may go away.
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                page.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Self { uri, brought, _serving: serving }
    }

    /// Its redirect URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// What the first browser brought that came here.
    pub async fn brought(&self) -> Brought {
        let mut brought = self.brought.clone();
        let came = timeout(PATIENCE, brought.wait_for(|brought| !brought.is_empty())).await;
        came.expect("no browser came").unwrap()[0].clone()
    }
}

struct Page {
    leads_to: Option<String>,
    brought: watch::Sender<Vec<Brought>>,
}

impl Page {
    async fn serve(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| {
            let answer = self.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        });
        // A browser that goes away is no fault of the page's.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        // Browsers ask for an icon, too.
        if request.uri().path() != "/callback" {
            return Response::builder().status(404).body(Full::default()).unwrap();
        }
        let query = request.uri().query().unwrap_or_default();
        let brought = serde_urlencoded::from_str(query).unwrap();
        self.brought.send_modify(|all| all.push(brought));
        match &self.leads_to {
            Some(uri) => {
                let location = format!("{uri}?{query}");
                Response::builder().status(302).header("location", location).body(Full::default()).unwrap()
            }
            None => {
                let page = format!("<!doctype html><title>App</title><h1>{}</h1>", Callback::HEADING);
                Response::builder()
                    .header("content-type", "text/html; charset=utf-8")
                    .body(Full::from(page))
                    .unwrap()
            }
        }
    }
}

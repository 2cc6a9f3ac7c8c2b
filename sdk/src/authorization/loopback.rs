//! The listener of a native application for what a browser brings back (RFC 8252, section 7.3).

use super::callback::{AuthorizationError, Callback};
use super::pending::PendingAuthorization;
use crate::secret::Secret;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// What the user sees. Nothing of what the browser has brought stands in it.
const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Back to the application</title>\
    <p>You can close this window and go back to the application.</p></html>\n";
/// How long a browser may take to say what it wants; some open connections ahead of need.
const HEADER_PATIENCE: Duration = Duration::from_secs(10);
/// Connections at a time; a browser needs two or three.
const CONNECTIONS_MAX: usize = 32;
/// How long to wait where none can be taken.
const BREATH: Duration = Duration::from_millis(50);

/// Listens on a free port of 127.0.0.1 for the browser that comes back. Register `http://127.0.0.1/callback` as redirect
/// URI of the app; the port may be any.
///
/// ```no_run
/// # use argus_sdk::authorization::{AuthorizationError, LoopbackListener};
/// # async fn f(client: argus_sdk::ArgusClient) -> Result<(), AuthorizationError> {
/// let listener = LoopbackListener::bind("/callback").await?;
/// let pending = client.authorization().redirect_uri(listener.redirect_uri()).begin()?;
/// println!("open {}", pending.url());
/// let callback = listener.receive(&pending, std::time::Duration::from_secs(300)).await?;
/// pending.finish(&client, &callback).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct LoopbackListener {
    listener: TcpListener,
    /// Host and port, as the browser names them.
    authority: String,
    path: String,
}

impl LoopbackListener {
    /// Listens on a port that is free.
    ///
    /// # Errors
    ///
    /// When the system gives none.
    pub async fn bind(path: impl Into<String>) -> Result<Self, AuthorizationError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let authority = listener.local_addr()?.to_string();
        let path = path.into();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        Ok(Self { listener, authority, path })
    }

    /// The redirect URI of the request.
    pub fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.authority, self.path)
    }

    /// Waits for the browser that answers this request, shows it a page and gives the query that it has brought. Whatever
    /// else comes, for another path or without the `state` of the request, is answered with 404 and counts for nothing, so
    /// that no other page and no other process can bring the sign-in to an end. Then the port is closed.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::TimedOut`] when nobody has come within `patience`.
    pub async fn receive(
        self,
        pending: &PendingAuthorization,
        patience: Duration,
    ) -> Result<String, AuthorizationError> {
        let door = Arc::new(Door {
            authority: self.authority,
            path: self.path,
            state: pending.state.clone(),
            was_opened: AtomicBool::new(false),
        });
        let mut connections = JoinSet::new();
        let came = timeout(patience, async {
            loop {
                tokio::select! {
                    accepted = self.listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                        match accepted {
                            Ok((connection, _)) => {
                                connections.spawn(serve(connection, Arc::clone(&door)));
                            }
                            // One connection has failed, or there are too many for the moment: the next may be the one.
                            Err(_) => sleep(BREATH).await,
                        }
                    }
                    // The page has got to the browser, or the browser is gone.
                    Some(ended) = connections.join_next() => {
                        if let Ok(Some(query)) = ended {
                            return Ok(query);
                        }
                    }
                }
            }
        });
        came.await.unwrap_or(Err(AuthorizationError::TimedOut))
    }
}

/// What the connections share.
struct Door {
    authority: String,
    path: String,
    state: Secret,
    /// Whether the browser has come.
    was_opened: AtomicBool,
}

impl Door {
    /// Whether a request brings what is waited for. A page of another name that leads to this machine names another host.
    fn opens(&self, request: &Request<Incoming>) -> bool {
        let host = request.headers().get(header::HOST).map(HeaderValue::as_bytes);
        let is_here = host == Some(self.authority.as_bytes()) && request.uri().path() == self.path;
        let query = request.uri().query().unwrap_or_default();
        let answers = || Callback::read(query).is_ok_and(|callback| callback.answers(&self.state));
        let is_callback = request.method() == Method::GET && is_here && answers();
        is_callback && !self.was_opened.swap(true, Ordering::SeqCst)
    }
}

/// Answers the one request of a connection; the query, if it was the callback. What goes wrong on the connection is the
/// browser's business.
async fn serve(connection: TcpStream, door: Arc<Door>) -> Option<String> {
    let brought = OnceLock::new();
    let service = service_fn(|request| {
        let is_callback = door.opens(&request);
        if is_callback {
            brought.get_or_init(|| request.uri().query().unwrap_or_default().to_owned());
        }
        async move { Ok::<_, Infallible>(answer(is_callback)) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .serve_connection(TokioIo::new(connection), service);
    let _ = connection.await;
    brought.into_inner()
}

fn answer(is_callback: bool) -> Response<Full<Bytes>> {
    let (status, page) = if is_callback { (StatusCode::OK, PAGE) } else { (StatusCode::NOT_FOUND, "") };
    let mut response = Response::new(Full::from(page));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{ArgusClient, Credentials, authorization::MemoryTokenStore};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    struct Scene {
        address: String,
        pending: PendingAuthorization,
        listener: LoopbackListener,
    }

    async fn scene() -> Scene {
        let credentials = Credentials::user("app_1", MemoryTokenStore::new());
        let client = ArgusClient::builder().credentials(credentials).build().unwrap();
        let listener = LoopbackListener::bind("callback").await.unwrap();
        let pending = client.authorization().redirect_uri(listener.redirect_uri()).begin().unwrap();
        Scene { address: listener.authority.clone(), pending, listener }
    }

    async fn ask(address: &str, method: &str, target: &str, host: &str) -> String {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn one_callback_is_served_and_nothing_else_counts() {
        let Scene { address, pending, listener } = scene().await;
        let target = format!("/callback?code=%3Cscript%3E&state={}&iss=x", pending.state.expose());
        let uri = listener.redirect_uri();
        assert_eq!(uri, format!("http://{address}/callback"));
        let browser = async {
            // A connection that is opened ahead of need holds nobody up.
            let _idle = TcpStream::connect(&address).await.unwrap();
            for (method, target, host) in [
                ("GET", "/favicon.ico", address.as_str()),
                ("GET", "/", &address),
                ("GET", "/callback", &address),
                ("GET", "/callback?code=a&state=another&iss=x", &address),
                ("GET", &format!("{target}&state=another"), &address),
                ("GET", &format!("/other{target}"), &address),
                ("POST", &target, &address),
                ("HEAD", &target, &address),
                ("GET", &target, "rebound.example"),
            ] {
                let answer = ask(&address, method, target, host).await;
                assert!(answer.starts_with("HTTP/1.1 404"), "{method} {target} {host}: {answer}");
            }
            ask(&address, "GET", &target, &address).await
        };
        let (received, page) = tokio::join!(listener.receive(&pending, Duration::from_secs(60)), browser);
        assert_eq!(format!("/callback?{}", received.unwrap()), target);
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with(PAGE), "{page}");
        assert!(page.contains("no-store") && !page.contains("script"), "{page}");
        TcpStream::connect(&address).await.unwrap_err();
    }

    #[tokio::test]
    async fn whoever_waits_for_nobody_is_told_so() {
        let Scene { address, pending, listener } = scene().await;
        let error = listener.receive(&pending, Duration::from_millis(10)).await.unwrap_err();
        assert!(matches!(error, AuthorizationError::TimedOut), "{error}");
        TcpStream::connect(&address).await.unwrap_err();
    }
}

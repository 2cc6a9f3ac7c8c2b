//! Proxies in front of the hosts for clients that are no [`Reach`]: what they are answered is judged as well.

use crate::published::{Asked, judge};
use crate::{Answer, Reach};
use argus_openapi::Host;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A proxy in front of each host. When the test is over, every answer must have been one that is published.
pub struct Witness {
    addresses: Vec<SocketAddr>,
    accepting: Vec<AbortHandle>,
    verdicts: Verdicts,
}

/// The path of each request so far, and what is said of its answer.
type Verdicts = Arc<Mutex<Vec<(String, Result<(), String>)>>>;

impl Witness {
    /// Proxies in front of the hosts of this server. They must be made inside a runtime.
    pub async fn before(upstream: &Reach) -> Self {
        let mut witness =
            Self { addresses: Vec::new(), accepting: Vec::new(), verdicts: Verdicts::default() };
        for host in Host::ALL {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            witness.addresses.push(listener.local_addr().unwrap());
            let accepting = accept(listener, host, upstream.clone(), Arc::clone(&witness.verdicts));
            witness.accepting.push(tokio::spawn(accepting).abort_handle());
        }
        witness
    }

    /// The base URL of a host for its clients.
    pub fn url(&self, host: Host) -> String {
        format!("http://{}", self.addresses[host as usize])
    }

    /// How many requests for this path have been answered.
    pub fn answered(&self, path: &str) -> usize {
        self.verdicts.lock().unwrap().iter().filter(|(asked, _)| asked == path).count()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.accepting.iter().for_each(AbortHandle::abort);
        let verdicts = std::mem::take(&mut *self.verdicts.lock().unwrap());
        if !std::thread::panicking() {
            assert!(!verdicts.is_empty(), "nobody has asked");
            verdicts
                .into_iter()
                .try_for_each(|(_, verdict)| verdict)
                .unwrap_or_else(|fault| panic!("{fault}"));
        }
    }
}

async fn accept(listener: TcpListener, host: Host, upstream: Reach, verdicts: Verdicts) {
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, verdicts) = (upstream.clone(), Arc::clone(&verdicts));
        let service = service_fn(move |request| {
            let (upstream, verdicts) = (upstream.clone(), Arc::clone(&verdicts));
            async move { Ok::<_, Infallible>(pass_on(request, host, &upstream, &verdicts).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(client), service));
    }
}

/// Passes a request on and its answer back.
async fn pass_on(
    request: Request<Incoming>,
    host: Host,
    upstream: &Reach,
    verdicts: &Verdicts,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let url = upstream.url(host, head.uri.path_and_query().unwrap().as_str());
    let answer = upstream.pass_on(head.method.clone(), url, head.headers, body).await;
    let asked = Asked { host, method: &head.method, path: head.uri.path() };
    verdicts.lock().unwrap().push((asked.path.to_owned(), judge(&asked, &answer)));
    let Answer { status, mut headers, body } = answer;
    // The body goes back in one piece, whose length is known.
    headers.remove(header::TRANSFER_ENCODING);
    let mut response = Response::new(Full::from(body));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

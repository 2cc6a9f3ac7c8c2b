//! How a generated operation is sent: host, token, trace, idempotency key, retries. When a request is
//! repeated lives in `retry`, which token it shows in `credentials`.

use crate::authorization::UserSession;
use crate::credentials::{Token, Tokens};
use crate::environment::{self, Environment, Host};
use crate::error::Error;
use crate::generated::Client;
use crate::generated_hosts::{Access, OperationRow};
use crate::retry::{self, Retry};
use crate::secret::Secret;
use crate::trace::{TRACEPARENT, TraceContext};
use crate::way::Way;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Request, Response, ResponseBuilderExt, StatusCode};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What the generated client puts in front of every path, until the operation's host is known.
const UNROUTED: &str = "http://unrouted.invalid";
/// Preferences (RFC 7240).
const PREFER: &str = "prefer";
/// More than any error body of the contract.
const ERROR_BODY_MAX: usize = 64 * 1024;

/// What a client shows.
pub(crate) enum Auth {
    None,
    /// Client id and secret, to operations that authenticate the client.
    Basic(String, Secret),
    /// Tokens, to operations that want one.
    Tokens(Tokens),
}

/// The state behind the generated client. Cheap to clone.
#[derive(Clone)]
pub struct Transport {
    shared: Arc<Shared>,
    trace: Option<TraceContext>,
}

struct Shared {
    environment: Environment,
    way: Way,
    auth: Auth,
    retry: Retry,
    /// Whether every request has the same effect when it is sent twice, whatever its method says; then how long an answer
    /// is waited for before it is sent again.
    repeats: Option<Duration>,
}

/// Marks an error answer that something other than the service gave: it has no JSON body.
#[derive(Clone)]
struct Foreign(Error);

/// An answer that stands for an error of this crate.
fn foreign(error: Error) -> Response {
    let mut response = error.clone().into_response();
    response.extensions_mut().insert(Foreign(error));
    response
}

impl Transport {
    pub(crate) fn new(environment: Environment, auth: Auth, retry: Retry) -> Self {
        Self::by(Way::Network, environment, auth, retry)
    }

    pub(crate) fn by(way: Way, environment: Environment, auth: Auth, retry: Retry) -> Self {
        Self { shared: Arc::new(Shared { environment, way, auth, retry, repeats: None }), trace: None }
    }

    /// For requests that have the same effect when they are sent twice, whatever their method says. One that is not
    /// answered in `patience` is sent again.
    pub(crate) fn repeating(environment: Environment, auth: Auth, retry: Retry, patience: Duration) -> Self {
        let (way, repeats) = (Way::Network, Some(patience));
        Self { shared: Arc::new(Shared { environment, way, auth, retry, repeats }), trace: None }
    }

    pub(crate) fn into_client(self, http: reqwest::Client) -> Client {
        Client::new_with_client(UNROUTED, http, self)
    }

    pub(crate) fn with_trace(&self, trace: TraceContext) -> Self {
        Self { shared: Arc::clone(&self.shared), trace: Some(trace) }
    }

    pub(crate) fn retry(&self) -> &Retry {
        &self.shared.retry
    }

    pub(crate) fn way(&self) -> &Way {
        &self.shared.way
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.shared.environment
    }

    /// The sign-in of the user whose tokens are shown.
    pub(crate) fn user(&self) -> Option<&UserSession> {
        match &self.shared.auth {
            Auth::Tokens(tokens) => tokens.user(),
            _ => None,
        }
    }

    fn route(&self, operation_id: &str) -> Result<(&'static OperationRow, Host), Error> {
        let row = environment::row(operation_id).ok_or_else(|| {
            Error::invalid_input(format!("`{operation_id}` is not an operation of the contract"))
        })?;
        let host = self.environment().host_of_row(row).ok_or_else(|| {
            Error::invalid_input(format!("no host of this environment serves `{operation_id}`"))
        })?;
        if self.way().leads_to_the_sandbox_alone() && host != Host::Sandbox {
            let message =
                format!("the sandbox in this process has no other host, which serves `{operation_id}`");
            return Err(Error::invalid_input(message));
        }
        Ok((row, host))
    }

    /// The token that the operation is shown, if it wants one and there is one.
    fn token(&self, operation_id: &str) -> Option<&Token> {
        let (row, host) = self.route(operation_id).ok()?;
        match &self.shared.auth {
            Auth::Tokens(tokens) if row.access == Access::Bearer => tokens.of(host),
            _ => None,
        }
    }

    async fn prepare(&self, request: &mut Request, operation_id: &str) -> Result<(), Error> {
        let (row, host) = self.route(operation_id)?;
        direct(request, self.environment().base_url(host));
        if !request.headers().contains_key(TRACEPARENT) {
            let span = self.trace.as_ref().map_or_else(TraceContext::random, TraceContext::child);
            span.write(request.headers_mut());
        }
        if !request.headers().contains_key(PREFER)
            && let Some(preferred) = self.way().preferred(operation_id)
        {
            request.headers_mut().insert(PREFER, preferred);
        }
        if row.idempotency_key && !request.headers().contains_key("idempotency-key") {
            let key = Uuid::new_v4().to_string();
            let key = HeaderValue::from_str(&key).expect("a UUID is a header value");
            request.headers_mut().insert("idempotency-key", key);
        }
        match &self.shared.auth {
            Auth::Basic(id, secret) if row.access == Access::Client => {
                request.headers_mut().insert(AUTHORIZATION, basic(id, secret)?);
            }
            _ => {
                if let Some(token) = self.token(operation_id) {
                    let token = token.get().await?;
                    request.headers_mut().insert(AUTHORIZATION, bearer(&token)?);
                }
            }
        }
        Ok(())
    }

    async fn execute(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        operation_id: &str,
    ) -> reqwest::Result<Response> {
        let answer = self.send(http, &request).await?;
        if !refuses_token(&answer) {
            return Ok(answer);
        }
        let Some(token) = self.token(operation_id) else { return Ok(answer) };
        let Some(refused) = shown(&request) else { return Ok(answer) };
        let fresh = match token.replace(&refused).await {
            Ok(Some(fresh)) => fresh,
            Ok(None) => return Ok(answer),
            Err(error) => return Ok(foreign(error)),
        };
        let Ok(header) = bearer(&fresh) else { return Ok(answer) };
        request.headers_mut().insert(AUTHORIZATION, header);
        self.send(http, &request).await
    }

    async fn send(&self, http: &reqwest::Client, request: &Request) -> reqwest::Result<Response> {
        let patience = self.shared.repeats;
        let repeatable = patience.is_some() || retry::is_repeatable(request.method(), request.headers());
        let attempt = || {
            let mut copy = request.try_clone().expect("the generated client sends whole bodies");
            if patience.is_some() {
                *copy.timeout_mut() = patience;
            }
            self.way().execute(http, copy)
        };
        let response = self.shared.retry.run(repeatable, attempt).await?;
        if response.status().as_u16() < 400 { Ok(response) } else { read_error(response).await }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("environment", &self.shared.environment)
            .field("retry", &self.shared.retry)
            .field("trace", &self.trace)
            .finish_non_exhaustive()
    }
}

// For `Client` and not `&Client`, where the generated empty implementation is: method resolution
// prefers this one.
impl ClientHooks<Transport> for Client {
    async fn pre<E>(
        &self,
        request: &mut Request,
        info: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        let prepared = self.inner.prepare(request, info.operation_id).await;
        prepared.map_err(|error| progenitor_client::Error::UnexpectedResponse(error.into_response()))
    }

    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        self.inner.execute(&self.client, request, info.operation_id).await
    }

    async fn post<E>(
        &self,
        result: &reqwest::Result<Response>,
        _: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        match result.as_ref().ok().and_then(|response| response.extensions().get::<Foreign>()) {
            Some(Foreign(error)) => {
                Err(progenitor_client::Error::UnexpectedResponse(error.clone().into_response()))
            }
            None => Ok(()),
        }
    }
}

/// Points a request at its host; a base URL may have a path of its own.
fn direct(request: &mut Request, base: &url::Url) {
    let mut target = base.clone();
    let path = request.url().path();
    target.set_path(&format!("{}{}", base.path(), path.strip_prefix('/').unwrap_or(path)));
    target.set_query(request.url().query());
    *request.url_mut() = target;
}

/// Reads an error body, so that every way out of the generated client can tell what it says.
pub(crate) async fn read_error(mut response: Response) -> reqwest::Result<Response> {
    let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk[..chunk.len().min(ERROR_BODY_MAX - body.len())]);
        if body.len() == ERROR_BODY_MAX {
            break;
        }
    }
    let json = serde_json::from_slice(&body).ok().filter(serde_json::Value::is_object);
    let error = Error::from_answer(status, &headers, json.as_ref().unwrap_or(&serde_json::Value::Null));
    let mut rebuilt = http::Response::builder().status(status).url(url);
    if json.is_none() {
        rebuilt = rebuilt.extension(Foreign(error.clone()));
    }
    let mut rebuilt =
        rebuilt.extension(error).body(body.freeze()).unwrap_or_else(|_| http::Response::new(Bytes::new()));
    *rebuilt.headers_mut() = headers;
    Ok(rebuilt.into())
}

/// Whether the answer says that the token, and nothing else, is at fault.
fn refuses_token(answer: &Response) -> bool {
    let challenge = answer.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let code = answer.extensions().get::<Error>().and_then(Error::code);
    answer.status() == StatusCode::UNAUTHORIZED
        && (code == Some("invalid_token")
            || challenge.is_some_and(|text| text.contains("error=\"invalid_token\"")))
}

/// The token that the request shows.
fn shown(request: &Request) -> Option<Secret> {
    Some(Secret::from(request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?))
}

fn bearer(token: &Secret) -> Result<HeaderValue, Error> {
    sensitive(&format!("Bearer {}", token.expose()))
}

fn basic(id: &str, secret: &Secret) -> Result<HeaderValue, Error> {
    // RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret.expose()));
    sensitive(&format!("Basic {}", STANDARD.encode(pair)))
}

fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::invalid_input("the token has characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

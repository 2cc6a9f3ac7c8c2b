//! The bare servers: hyper and dropshot without anything of ours, and hyper with one RS256 signature
//! per request, alone or beside a commit.

use crate::exchanger::Exchanger;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::{EnrichPayload, JobCreated, JobKind};
use argus_openapi::types::uri::ReceiverUrl;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use dropshot::{
    ApiDescription, Body, ConfigDropshot, HttpError, HttpResponseCreated, RequestContext, ServerBuilder,
    ServerContext, TypedBody,
};
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::path::PathBuf;
use std::sync::Arc;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(clap::Args)]
pub struct Options {
    /// Which bare server.
    #[arg(value_enum)]
    kind: Kind,
    /// The file whose bytes every response carries.
    #[arg(long)]
    body: PathBuf,
    /// Status of every response.
    #[arg(long, default_value_t = 200)]
    status: u16,
    /// The database of the one that commits.
    #[arg(long)]
    database: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// hyper that returns the bytes.
    Hyper,
    /// dropshot that takes a job, parses and serialises it.
    DropshotCreate,
    /// dropshot that returns the bytes as the list of scenarios.
    DropshotList,
    /// hyper that signs the bytes with a cached RSA-2048 key and returns the token.
    Signer,
    /// The same behind a commit of the two rows of a code exchange.
    Exchanger,
}

pub fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let body = Bytes::from(std::fs::read(&options.body)?);
    let status = StatusCode::from_u16(options.status)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        match options.kind {
            Kind::Hyper => hyper_server(status, move |_| ready(body.clone())).await,
            Kind::DropshotCreate => dropshot_create(&body).await,
            Kind::DropshotList => dropshot_list(body).await,
            Kind::Signer => {
                let signer = Signer::new()?;
                hyper_server(status, move |_| ready(signer.token(&body))).await
            }
            Kind::Exchanger => {
                let url = options.database.as_deref().ok_or("it needs --database")?;
                let exchanger = Arc::new(Exchanger::open(url, body)?);
                hyper_server(status, move |form| Arc::clone(&exchanger).answer(form)).await
            }
        }
    })
}

/// Tells the parent where this server listens.
fn tell(address: std::net::SocketAddr) {
    use std::io::Write;
    // The parent has gone when this fails, and then nobody measures.
    let _ = writeln!(std::io::stdout(), "{address}");
}

async fn hyper_server<F>(
    status: StatusCode,
    body: impl Fn(Bytes) -> F + Send + Sync + 'static,
) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = Bytes> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    tell(listener.local_addr()?);
    let body = Arc::new(body);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = Arc::clone(&body);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let body = Arc::clone(&body);
                async move {
                    // Read what was sent, as any server must before it answers.
                    let sent = request.into_body().collect().await;
                    let sent = sent.map(|sent| sent.to_bytes()).unwrap_or_default();
                    let mut response = Response::new(Full::new(body(sent).await));
                    *response.status_mut() = status;
                    response.headers_mut().insert(CONTENT_TYPE, JSON);
                    Ok::<_, Infallible>(response)
                }
            });
            let connection = hyper_util::rt::TokioIo::new(stream);
            // A connection that the load generator drops ends here.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(connection, service).await;
        });
    }
}

/// What a plain handler would read a job as: one kind, and serde's own way to it.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "reading it is what is measured")]
struct JobCreate {
    kind: JobKind,
    payload: EnrichPayload,
    callback_url: Option<ReceiverUrl>,
    secrecy_level: Option<SecrecyLevel>,
}

#[dropshot::endpoint { method = POST, path = "/v1/jobs" }]
async fn echo(
    rqctx: RequestContext<JobCreated>,
    body: TypedBody<JobCreate>,
) -> Result<HttpResponseCreated<JobCreated>, HttpError> {
    let request = body.into_inner();
    Ok(HttpResponseCreated(JobCreated { kind: request.kind, ..rqctx.context().clone() }))
}

#[dropshot::endpoint { method = GET, path = "/v1/sandbox/scenarios" }]
async fn list(rqctx: RequestContext<Bytes>) -> Result<Response<Body>, HttpError> {
    let mut response = Response::new(Body::from(rqctx.context().clone()));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(response)
}

async fn dropshot_create(body: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut api = ApiDescription::new();
    api.register(echo)?;
    dropshot_server(api, serde_json::from_slice(body)?).await
}

async fn dropshot_list(body: Bytes) -> Result<(), Box<dyn Error>> {
    let mut api = ApiDescription::new();
    api.register(list)?;
    dropshot_server(api, body).await
}

async fn dropshot_server<C: ServerContext>(api: ApiDescription<C>, context: C) -> Result<(), Box<dyn Error>> {
    let config = ConfigDropshot { default_request_body_max_bytes: 1 << 20, ..ConfigDropshot::default() };
    let log = slog::Logger::root(slog::Discard, slog::o!());
    let server = ServerBuilder::new(api, context, log).config(config).start()?;
    tell(server.local_addr());
    Ok(server.await?)
}

/// Signs with a key that is parsed once.
pub struct Signer {
    key: RsaKeyPair,
    random: SystemRandom,
    header: String,
}

impl Signer {
    /// A signer with a new RSA-2048 key.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        use aws_lc_rs::encoding::AsDer;
        let generated = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048)?;
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = generated.as_der()?;
        Ok(Self {
            key: RsaKeyPair::from_pkcs8(der.as_ref())?,
            random: SystemRandom::new(),
            header: URL_SAFE_NO_PAD.encode(br#"{"alg":"RS256","kid":"2026-03-signing-key","typ":"at+jwt"}"#),
        })
    }

    /// A token response over these claims.
    pub fn token(&self, claims: &[u8]) -> Bytes {
        let mut token = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        if self.key.sign(&RSA_PKCS1_SHA256, &self.random, token.as_bytes(), &mut signature).is_err() {
            return Bytes::new();
        }
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
        Bytes::from(format!(
            r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600,"scope":"argus:jobs:write"}}"#
        ))
    }
}

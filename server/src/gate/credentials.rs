//! What a caller can show, and who it is then. Each kind of credentials satisfies some kinds of access
//! in the operation table and yields a caller of a type of its own, so that what is written for a live
//! caller cannot be reached by a sandbox one.

use super::entry::Entry;
use super::failures;
use super::problem::{Outcome, Problem};
use super::refusal;
use super::sandbox::Sandbox;
use super::verifier::{TokenAudience, Verified};
use argus_core::Context;
use argus_core::context::Live;
use argus_core::objects::{Grant, NotTaken};
use argus_openapi::Access;
use argus_openapi::headers::AUTHORIZATION;
use argus_openapi::http::Body;
use argus_openapi::read::Readable;
use argus_openapi::types::oauth as form;
use argus_partner::oauth;
use argus_sandbox::SignedObject;
use schemars::JsonSchema;
use std::sync::Arc;

/// A kind of credentials.
pub trait Credentials<B> {
    /// Who has shown them.
    type Caller;

    /// Whether the gate may be satisfied with them where a row asks for `access`.
    fn satisfy(access: Access) -> bool;

    /// The caller of a request with such a body, or the refusal.
    fn admit(self, entry: &Entry<'_>, body: &mut B) -> impl Future<Output = Outcome<Self::Caller>> + Send;
}

/// No credentials: anybody may call.
pub struct Nobody;

impl<B: Send> Credentials<B> for Nobody {
    type Caller = ();

    fn satisfy(access: Access) -> bool {
        access == Access::Public
    }

    async fn admit(self, _: &Entry<'_>, _: &mut B) -> Outcome<()> {
        Ok(())
    }
}

/// A live bearer token.
pub struct LiveToken;

impl<B: Send> Credentials<B> for LiveToken {
    type Caller = Context<Live>;

    fn satisfy(access: Access) -> bool {
        takes_token(access)
    }

    async fn admit(self, entry: &Entry<'_>, _: &mut B) -> Outcome<Context<Live>> {
        let verified = match live(entry) {
            Ok(verified) => verified,
            Err(problem) => {
                failures::charge_bearer(entry, &problem).await?;
                return Err(problem);
            }
        };
        permitted(entry, &verified)?;
        Ok(entry.context(Arc::clone(&verified.principal), Live))
    }
}

/// A sandbox bearer token.
pub struct SandboxToken;

impl<B: Send> Credentials<B> for SandboxToken {
    type Caller = Context<Sandbox>;

    fn satisfy(access: Access) -> bool {
        takes_token(access)
    }

    async fn admit(self, entry: &Entry<'_>, _: &mut B) -> Outcome<Context<Sandbox>> {
        let verified = verified(entry)?;
        let TokenAudience::Sandbox(scenarios) = &verified.audience else {
            return Err(refusal::live_token_on_sandbox_host());
        };
        permitted(entry, &verified)?;
        let mocks = entry.app().sandbox.now();
        // The scenarios may have been loaded anew since the token was verified.
        if !mocks.has(scenarios) {
            return Err(refusal::scenario_is_gone());
        }
        let environment = Sandbox { scenarios: Arc::clone(scenarios), mocks };
        Ok(entry.context(Arc::clone(&verified.principal), environment))
    }
}

/// OAuth client authentication (RFC 6749, section 2.3): the `Authorization` header, or the form, with a secret or an
/// assertion (RFC 7523).
pub struct ClientForm;

/// A client that is authenticated, and the form that it sent.
pub struct AuthenticatedClient<F> {
    /// The client.
    pub client: oauth::Client,
    /// What it asks for.
    pub form: F,
}

impl<F> Credentials<Body<F>> for ClientForm
where
    F: form::ClientForm + Readable + JsonSchema + Send + Sync + 'static,
{
    type Caller = AuthenticatedClient<F>;

    fn satisfy(access: Access) -> bool {
        access == Access::Client
    }

    async fn admit(self, entry: &Entry<'_>, body: &mut Body<F>) -> Outcome<AuthenticatedClient<F>> {
        let form = body.read(entry.rqctx, entry.app().body_limit).await?;
        let authorization = AUTHORIZATION.single(entry.request().headers())?;
        let endpoint =
            oauth::Endpoint { base_url: &entry.app().base_urls.auth, path: entry.request().uri().path() };
        match oauth::authenticate(&entry.app().identity, endpoint, authorization, &form).await {
            Ok(client) => Ok(AuthenticatedClient { client, form }),
            Err(error) => {
                if error.is_invalid_client() {
                    entry.app().metrics.count_refused_client();
                    failures::charge_client(entry, oauth::claimed_client(authorization, &form)).await?;
                }
                Err(error.into())
            }
        }
    }
}

/// A URL that this service has signed.
pub struct SignedUrl;

impl<B: Send> Credentials<B> for SignedUrl {
    type Caller = Grant;

    fn satisfy(access: Access) -> bool {
        access == Access::SignedUrl
    }

    async fn admit(self, entry: &Entry<'_>, _: &mut B) -> Outcome<Grant> {
        let (method, uri) = (entry.request().method(), entry.request().uri());
        let grant =
            entry.app().jobs.objects.verify(method.as_str(), uri.path(), uri.query().unwrap_or_default());
        grant.map_err(refusal::signed_url)
    }
}

/// A URL that the sandbox has signed.
pub struct SandboxUrl;

impl<B: Send> Credentials<B> for SandboxUrl {
    type Caller = SignedObject;

    fn satisfy(access: Access) -> bool {
        access == Access::SignedUrl
    }

    async fn admit(self, entry: &Entry<'_>, _: &mut B) -> Outcome<SignedObject> {
        let (method, uri) = (entry.request().method(), entry.request().uri());
        let query = uri.query().unwrap_or_default();
        let object = entry.app().sandbox.now().signed_object(method.as_str(), uri.path(), query);
        object.ok_or_else(|| refusal::signed_url(NotTaken::Invalid))
    }
}

fn takes_token(access: Access) -> bool {
    matches!(access, Access::AnyToken | Access::Scope(_))
}

/// What the request's token says, unless it was revoked.
fn verified(entry: &Entry<'_>) -> Result<Arc<Verified>, Problem> {
    let verified = entry.app().verifier.verify(entry.request().headers(), entry.now)?;
    if entry.app().revocations.name(&verified.revocable) {
        return Err(refusal::invalid_token("the token was revoked"));
    }
    Ok(verified)
}

/// What the request's token says, if it is a live one.
fn live(entry: &Entry<'_>) -> Result<Arc<Verified>, Problem> {
    let verified = verified(entry)?;
    match verified.audience {
        TokenAudience::Live if entry.app().revocations.are_stale() => {
            Err(Problem::unavailable("which tokens were revoked is not known any more"))
        }
        TokenAudience::Live => Ok(verified),
        TokenAudience::Sandbox(_) => Err(refusal::sandbox_token_on_live_host()),
        TokenAudience::Other => Err(refusal::invalid_token("the token is for another audience")),
    }
}

fn permitted(entry: &Entry<'_>, verified: &Verified) -> Outcome<()> {
    match entry.row.access {
        Access::Scope(required) if !verified.principal.holds(required) => {
            Err(refusal::insufficient_scope(required))
        }
        _ => Ok(()),
    }
}

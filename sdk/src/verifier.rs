//! Verification of access tokens that the service issued, against its published keys.

use crate::client::http_client;
use crate::environment::Environment;
use crate::error::Error;
use crate::generated::{Client, types};
use crate::generated_hosts::AUTH_URL;
use crate::retry::Retry;
use crate::transport::{Auth, Transport};
use argus_wire::object::Object;
use jsonwebtoken::errors::ErrorKind as JwtError;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header};
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// `aud` of a live token.
const AUDIENCE_LIVE: &str = "api";
/// `aud` of a sandbox token.
const AUDIENCE_SANDBOX: &str = "sandbox";
/// Longer than any token of the service; a longer text is refused before any work is done on it.
const TOKEN_MAX_LENGTH: usize = 16 * 1024;
/// How long one attempt to fetch the keys may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Subject.
    pub sub: String,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
    /// Issue time, in seconds since 1970.
    pub iat: i64,
    /// Unique id of the token.
    pub jti: String,
    /// App that the token was issued to.
    pub client_id: String,
    /// Scopes, space-delimited; see [`Claims::has_scope`].
    pub scope: String,
    /// Tenant of the caller.
    pub tenant_id: String,
    /// Organisation of the caller.
    pub organization_id: String,
    /// Clearance of the caller.
    pub secrecy_level: String,
    /// Pinned scenarios; on sandbox tokens only.
    #[serde(default)]
    pub scenarios: Option<Vec<String>>,
}

impl Claims {
    /// Whether the token carries exactly this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|held| held == scope)
    }
}

/// Why a token was refused.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a JSON Web Token with the claims of this service.
    #[error("the token is malformed")]
    Malformed,
    /// Not `typ: at+jwt` (RFC 9068): an identity token, for example.
    #[error("the token is not an access token")]
    WrongType,
    /// Not signed with RS256.
    #[error("the token is not signed with RS256")]
    WrongAlgorithm,
    /// The service publishes no key of that id.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// The signature was not made with the published key.
    #[error("the token's signature is wrong")]
    WrongSignature,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Another issuer than the expected one.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// Meant for another audience.
    #[error("the token is for another audience")]
    WrongAudience,
    /// The published keys could not be fetched, so that nothing is known about the token.
    #[error("the published keys could not be fetched")]
    Keys(#[source] Error),
}

/// Verifies access tokens of the service: signature, type, issuer, audience, expiry and, where a token has
/// one, the moment from which it counts (`nbf`).
///
/// The published keys are fetched on first use and cached. A token with an unknown key id fetches them
/// again, since keys rotate, but not more often than
/// [`TokenVerifierBuilder::min_refresh_interval`] allows. Cheap to clone; clones share the keys.
///
/// ```no_run
/// use argus_sdk::{Environment, TokenError, TokenVerifier};
///
/// # async fn f(token: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = TokenVerifier::builder(Environment::production()).build()?;
/// match verifier.verify(token).await {
///     Ok(claims) if claims.has_scope("argus:jobs:read") => println!("tenant {}", claims.tenant_id),
///     Ok(_) => println!("403"),
///     Err(TokenError::Keys(error)) => println!("503: {error}"),
///     Err(error) => println!("401: {error}"),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TokenVerifier {
    shared: Arc<Shared>,
}

struct Shared {
    api: Client,
    validation: Validation,
    min_refresh_interval: Duration,
    max_age: Duration,
    keys: RwLock<Arc<Keys>>,
    refresh: Mutex<()>,
}

#[derive(Clone, Default)]
struct Keys {
    by_id: HashMap<String, Arc<DecodingKey>>,
    fetched_at: Option<Instant>,
    attempted_at: Option<Instant>,
    last_error: Option<Error>,
}

/// Builds a [`TokenVerifier`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenVerifierBuilder {
    environment: Environment,
    issuer: String,
    audience: String,
    leeway: Duration,
    min_refresh_interval: Duration,
    max_age: Duration,
    http: Option<reqwest::Client>,
}

impl TokenVerifierBuilder {
    /// The expected issuer; the public auth host's URL by default, whatever address serves it.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), ..self }
    }

    /// The expected audience; by default `sandbox` in a sandbox environment, else `api`.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), ..self }
    }

    /// How far clocks may differ, 30 seconds by default.
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// How often the keys are fetched at most, every 30 seconds by default: a flood of tokens with
    /// unknown key ids must not become a flood of requests.
    pub fn min_refresh_interval(self, interval: Duration) -> Self {
        Self { min_refresh_interval: interval, ..self }
    }

    /// How old the keys may grow before they are fetched again, ten minutes by default. If that fails,
    /// the old ones are used on.
    pub fn max_age(self, age: Duration) -> Self {
        Self { max_age: age, ..self }
    }

    /// An HTTP client of your own to fetch the keys with, for a proxy or your own root certificates.
    pub fn http_client(self, http: reqwest::Client) -> Self {
        Self { http: Some(http), ..self }
    }

    /// The verifier. Nothing is fetched yet.
    pub fn build(self) -> Result<TokenVerifier, Error> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[self.issuer]);
        validation.set_audience(&[self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = self.leeway.as_secs();
        let http = match self.http {
            Some(http) => http,
            None => http_client(FETCH_TIMEOUT)?,
        };
        let api = Transport::new(self.environment, Auth::None, Retry::default()).into_client(http);
        Ok(TokenVerifier {
            shared: Arc::new(Shared {
                api,
                validation,
                min_refresh_interval: self.min_refresh_interval,
                max_age: self.max_age,
                keys: RwLock::default(),
                refresh: Mutex::default(),
            }),
        })
    }
}

impl TokenVerifier {
    /// A verifier of the tokens of this environment.
    pub fn builder(environment: Environment) -> TokenVerifierBuilder {
        let audience = if environment.is_sandbox() { AUDIENCE_SANDBOX } else { AUDIENCE_LIVE };
        TokenVerifierBuilder {
            issuer: AUTH_URL.to_owned(),
            audience: audience.to_owned(),
            environment,
            leeway: Duration::from_secs(30),
            min_refresh_interval: Duration::from_secs(30),
            max_age: Duration::from_secs(600),
            http: None,
        }
    }

    /// What the token says, if it is good.
    pub async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_MAX_LENGTH {
            return Err(TokenError::Malformed);
        }
        let header = decode_header(token).map_err(|error| refusal(&error))?;
        if header.alg != Algorithm::RS256 {
            return Err(TokenError::WrongAlgorithm);
        }
        if !header.typ.as_deref().is_some_and(is_access_token) {
            return Err(TokenError::WrongType);
        }
        // RFC 7515, section 4.1.11: it names extensions that must be understood, and there are none here.
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let key = self.key(&header.kid.ok_or(TokenError::UnknownKey)?).await?;
        match decode(token, &key, &self.shared.validation) {
            Ok(TokenData { claims: Object(claims), .. }) => Ok(claims),
            Err(error) => Err(refusal(&error)),
        }
    }

    async fn key(&self, id: &str) -> Result<Arc<DecodingKey>, TokenError> {
        let keys = self.keys();
        if keys.fetched_at.is_some_and(|at| at.elapsed() < self.shared.max_age)
            && let Some(key) = keys.by_id.get(id)
        {
            return Ok(Arc::clone(key));
        }
        let keys = self.refreshed(id).await;
        match (keys.by_id.get(id), &keys.last_error) {
            (Some(key), _) => Ok(Arc::clone(key)),
            (None, Some(error)) => Err(TokenError::Keys(error.clone())),
            (None, None) => Err(TokenError::UnknownKey),
        }
    }

    /// The keys after at most one fetch, however many callers ask at once.
    async fn refreshed(&self, id: &str) -> Arc<Keys> {
        let shared = &self.shared;
        let _one_at_a_time = shared.refresh.lock().await;
        let keys = self.keys();
        let is_fresh = keys.fetched_at.is_some_and(|at| at.elapsed() < shared.max_age);
        let too_soon = keys.attempted_at.is_some_and(|at| at.elapsed() < shared.min_refresh_interval);
        if too_soon || (is_fresh && keys.by_id.contains_key(id)) {
            return keys;
        }
        let fetched = shared.api.jwks_view().send().await;
        let mut keys = Keys::clone(&keys);
        keys.attempted_at = Some(Instant::now());
        match fetched {
            Ok(set) => {
                keys.by_id = usable(set.into_inner());
                keys.fetched_at = keys.attempted_at;
                keys.last_error = None;
            }
            Err(error) => keys.last_error = Some(Error::from(error)),
        }
        let keys = Arc::new(keys);
        *shared.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        keys
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.shared.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifier").field("validation", &self.shared.validation).finish_non_exhaustive()
    }
}

/// The keys that may sign access tokens; others in the set are skipped.
fn usable(set: types::JwkSet) -> HashMap<String, Arc<DecodingKey>> {
    let fits = |key: &types::Jwk| key.kty == "RSA" && key.use_ == "sig" && key.alg == "RS256";
    set.keys
        .into_iter()
        .filter(fits)
        .filter_map(|key| {
            let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
            Some((key.kid, Arc::new(decoding)))
        })
        .collect()
}

fn is_access_token(typ: &str) -> bool {
    typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt")
}

fn refusal(error: &jsonwebtoken::errors::Error) -> TokenError {
    match error.kind() {
        JwtError::InvalidSignature => TokenError::WrongSignature,
        JwtError::ExpiredSignature => TokenError::Expired,
        JwtError::ImmatureSignature => TokenError::NotYetValid,
        JwtError::InvalidIssuer => TokenError::WrongIssuer,
        JwtError::InvalidAudience => TokenError::WrongAudience,
        JwtError::InvalidAlgorithm | JwtError::InvalidAlgorithmName | JwtError::UnsupportedAlgorithm => {
            TokenError::WrongAlgorithm
        }
        // A claim that is absent is not one that matches.
        JwtError::MissingRequiredClaim(claim) if claim == "iss" => TokenError::WrongIssuer,
        JwtError::MissingRequiredClaim(claim) if claim == "aud" => TokenError::WrongAudience,
        _ => TokenError::Malformed,
    }
}

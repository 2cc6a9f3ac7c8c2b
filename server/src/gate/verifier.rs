//! From an `Authorization` header to a verified token. Outcomes are cached by the whole header: bounded
//! in number, and never past the token's expiry or the end of its key.

use super::problem::{Outcome, Problem};
use super::refusal;
use super::revocations::Revocable;
use crate::scenarios::CurrentSandbox;
use argus_core::context::Principal;
use argus_openapi::types::scopes::Scope;
use argus_partner::Identity;
use argus_partner::claims::{AUDIENCE_LIVE, AUDIENCE_SANDBOX, CLOCK_LEEWAY, Claims};
use argus_partner::signing_keys::VerifyingKey;
use argus_sandbox::ScenarioSet;
use chrono::{DateTime, Utc};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// How many verified tokens are kept. A token has about 1 KiB, so this bounds the cache to a few MiB.
const CACHED_TOKENS: usize = 4096;
/// Longest `Authorization` header that is looked at, in bytes.
const HEADER_MAX_LENGTH: usize = 8192;

/// What a token said when it was verified.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) principal: Arc<Principal>,
    /// The key that signed it; once that is not published any more, the token is worth nothing.
    key: Arc<VerifyingKey>,
    expires_at: i64,
    /// What of it may be revoked.
    pub(super) revocable: Revocable,
    pub(super) audience: TokenAudience,
}

/// Which hosts a token is for.
#[derive(Debug)]
pub(super) enum TokenAudience {
    Live,
    Sandbox(Arc<ScenarioSet>),
    /// Signed by us, for neither; nothing that this service serves takes it.
    Other,
}

/// Verifies bearer tokens of this service.
pub struct Verifier {
    identity: Arc<Identity>,
    sandbox: Arc<CurrentSandbox>,
    cache: Cache<CachedHeader, Arc<Verified>>,
}

impl Verifier {
    /// A verifier of tokens that `identity` issued.
    pub fn new(identity: Arc<Identity>, sandbox: Arc<CurrentSandbox>) -> Self {
        Self { identity, sandbox, cache: Cache::new(CACHED_TOKENS) }
    }

    /// What the request's bearer token says.
    pub(super) fn verify(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Outcome<Arc<Verified>> {
        let header = single_authorization(headers)?;
        let key = HeaderBytes(header.as_bytes());
        if let Some(verified) = self.cache.get(&key) {
            if now.timestamp() < verified.expires_at && self.identity.keys().publishes(&verified.key, now) {
                return Ok(verified);
            }
            self.cache.remove(&key);
        }
        let verified = Arc::new(self.verify_claims(bearer(header)?, now.timestamp())?);
        // Only what was verified is kept, so that nobody can choose what shares a place in the cache.
        self.cache.insert(CachedHeader(header.as_bytes().into()), Arc::clone(&verified));
        Ok(verified)
    }

    fn verify_claims(&self, token: &str, now: i64) -> Outcome<Verified> {
        let (key, claims) = self
            .identity
            .keys()
            .verify(token)
            .map_err(|_| refusal::invalid_token("the token is not one of this service"))?;
        if !self.identity.is_issuer(&claims.iss) {
            return Err(refusal::invalid_token("the token is from another issuer"));
        }
        if claims.exp <= now {
            return Err(refusal::invalid_token("the token has expired"));
        }
        if claims.iat.max(claims.nbf.unwrap_or(claims.iat)) > now + CLOCK_LEEWAY {
            return Err(refusal::invalid_token("the token is not valid yet"));
        }
        let principal = principal(&claims)
            .ok_or_else(|| refusal::invalid_token("the token names no tenant or client of this service"))?;
        Ok(Verified {
            key,
            expires_at: claims.exp,
            revocable: Revocable::of(&claims),
            audience: self.audience(&claims)?,
            principal: Arc::new(principal),
        })
    }

    fn audience(&self, claims: &Claims) -> Outcome<TokenAudience> {
        match claims.aud.as_str() {
            AUDIENCE_LIVE => Ok(TokenAudience::Live),
            AUDIENCE_SANDBOX => {
                let pinned = claims.scenarios.as_deref().unwrap_or_default();
                // A scenario can be gone from the catalogue since the token was minted.
                let scenarios =
                    self.sandbox.now().scenario_set(pinned).map_err(|_| refusal::scenario_is_gone())?;
                Ok(TokenAudience::Sandbox(Arc::new(scenarios)))
            }
            _ => Ok(TokenAudience::Other),
        }
    }
}

fn principal(claims: &Claims) -> Option<Principal> {
    Some(Principal {
        // A scope that this version does not know permits nothing.
        scopes: claims.scope.split(' ').filter_map(|scope| scope.parse::<Scope>().ok()).collect(),
        tenant_id: claims.tenant_id.parse().ok()?,
        organization_id: claims.organization_id.parse().ok()?,
        actor: claims.client_id.parse().ok()?,
        // Of an app that acts for itself, and of the operator, the subject is the same.
        user_id: claims.sub.parse().ok(),
        secrecy_level: claims.secrecy_level,
        is_sandboxed: claims.aud == AUDIENCE_SANDBOX,
    })
}

/// The only `Authorization` header.
fn single_authorization(headers: &HeaderMap) -> Result<&HeaderValue, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(refusal::missing_token)?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(refusal::invalid_token("the Authorization header is repeated")),
    }
}

/// The token of an `Authorization: Bearer` header (RFC 6750, section 2.1).
fn bearer(value: &HeaderValue) -> Result<&str, Problem> {
    let text = value
        .to_str()
        .ok()
        .filter(|text| text.len() <= HEADER_MAX_LENGTH)
        .ok_or_else(|| refusal::invalid_token("the Authorization header is too long or is not text"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refusal::missing_token());
    }
    Ok(token.trim_start_matches(' '))
}

/// A header's value as a key of the cache. Its end, a part of the signature, is hashed and all of it is
/// compared.
#[derive(PartialEq, Eq)]
struct CachedHeader(Box<[u8]>);

/// The same, of a request.
struct HeaderBytes<'h>(&'h [u8]);

const HASHED: usize = 32;

fn hash_end<H: Hasher>(bytes: &[u8], state: &mut H) {
    bytes[bytes.len().saturating_sub(HASHED)..].hash(state);
}

impl Hash for CachedHeader {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(&self.0, state);
    }
}

impl Hash for HeaderBytes<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0, state);
    }
}

impl Equivalent<CachedHeader> for HeaderBytes<'_> {
    fn equivalent(&self, key: &CachedHeader) -> bool {
        *self.0 == *key.0
    }
}

//! From an `Authorization` header to a verified caller. Outcomes are cached by the whole token:
//! bounded in number, and never past the token's expiry or the end of its key.

use super::principal::{Principal, TokenAudience, Verified};
use super::refusal;
use crate::identity::Identity;
use crate::identity::claims::{AUDIENCE_LIVE, AUDIENCE_SANDBOX, Claims};
use crate::problem::{Outcome, Problem};
use argus_openapi::types::scopes::Scope;
use argus_sandbox::Sandbox;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// How many verified tokens are kept. A token has about 1 KiB, so this bounds the cache to a few MiB.
const CACHED_TOKENS: usize = 4096;
/// Longest `Authorization` header that is looked at, in bytes.
const TOKEN_MAX_LENGTH: usize = 8192;
/// How far a token's `iat` may lie ahead of this clock, in seconds.
const CLOCK_LEEWAY: i64 = 60;

/// Verifies bearer tokens of this service.
pub struct Verifier {
    identity: Arc<Identity>,
    sandbox: Arc<Sandbox>,
    cache: Cache<Box<str>, Arc<Verified>>,
}

impl Verifier {
    /// A verifier of tokens that `identity` issued.
    pub fn new(identity: Arc<Identity>, sandbox: Arc<Sandbox>) -> Self {
        Self { identity, sandbox, cache: Cache::new(CACHED_TOKENS) }
    }

    /// The caller that the request's bearer token names.
    pub(super) fn verify(&self, headers: &HeaderMap) -> Outcome<Arc<Verified>> {
        let token = bearer(headers)?;
        let now = chrono::Utc::now().timestamp();
        if let Some(verified) = self.cache.get(token) {
            if now < verified.expires_at && self.identity.keys().publishes(&verified.key) {
                return Ok(verified);
            }
            self.cache.remove(token);
        }
        let verified = Arc::new(self.verify_claims(token, now)?);
        self.cache.insert(token.into(), Arc::clone(&verified));
        Ok(verified)
    }

    fn verify_claims(&self, token: &str, now: i64) -> Outcome<Verified> {
        let (key, claims) = self
            .identity
            .keys()
            .verify(token)
            .map_err(|_| refusal::invalid_token("the token is not one of this service"))?;
        if claims.iss != self.identity.issuer() {
            return Err(refusal::invalid_token("the token is from another issuer"));
        }
        if claims.exp <= now {
            return Err(refusal::invalid_token("the token has expired"));
        }
        if claims.iat > now + CLOCK_LEEWAY {
            return Err(refusal::invalid_token("the token is not valid yet"));
        }
        Ok(Verified {
            key,
            expires_at: claims.exp,
            audience: self.audience(&claims)?,
            principal: principal(claims),
        })
    }

    fn audience(&self, claims: &Claims) -> Outcome<TokenAudience> {
        match claims.aud.as_str() {
            AUDIENCE_LIVE => Ok(TokenAudience::Live),
            AUDIENCE_SANDBOX => {
                let pinned = claims.scenarios.as_deref().unwrap_or_default();
                // A scenario can be gone from the catalogue since the token was minted.
                let scenarios = self.sandbox.scenario_set(pinned).map_err(|_| {
                    refusal::invalid_token("the token is pinned to a scenario that no longer exists")
                })?;
                Ok(TokenAudience::Sandbox(Arc::new(scenarios)))
            }
            _ => Ok(TokenAudience::Other),
        }
    }
}

fn principal(claims: Claims) -> Principal {
    Principal {
        // A scope that this version does not know permits nothing.
        scopes: claims.scope.split(' ').filter_map(|scope| scope.parse::<Scope>().ok()).collect(),
        tenant_id: claims.tenant_id,
        organization_id: claims.organization_id,
        client_id: claims.client_id,
        secrecy_level: claims.secrecy_level,
    }
}

/// The token of the only `Authorization: Bearer` header (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(refusal::missing_token)?;
    if values.next().is_some() {
        return Err(refusal::invalid_token("the Authorization header is repeated"));
    }
    let text = value
        .to_str()
        .ok()
        .filter(|text| text.len() <= TOKEN_MAX_LENGTH)
        .ok_or_else(|| refusal::invalid_token("the Authorization header is too long or is not text"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refusal::missing_token());
    }
    Ok(token.trim_start_matches(' '))
}

//! Client assertions: JWTs that an app signs in place of showing a secret (RFC 7521, section 4.2; RFC 7523, section 3; OpenID
//! Connect Core 1.0, section 9). What can be said of one without knowing the app is said plainly; of the app itself one
//! text says the same for every reason.

use super::{Client, Error};
use crate::Identity;
use crate::claims::{CLOCK_LEEWAY, present};
use crate::client_keys;
use crate::jws::{Compact, Malformed};
use crate::store::client_assertions;
use argus_core::store::Tx;
use argus_openapi::types::client_keys::{ClientJwkSet, SigningAlgorithm};
use argus_openapi::types::error::OauthErrorCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// The path of the token endpoint, whose URL many clients name as the audience (OpenID Connect Core 1.0, section 9).
pub const TOKEN_PATH: &str = "/v1/oauth/token";

/// What an assertion is kept for.
const PURPOSE: &str = "client_assertion";
/// How far ahead `exp` may lie, in seconds, while the assertion is remembered. It is signed for one request, but libraries
/// give it up to an hour, as Authlib does unasked.
const LIFETIME_MAX: i64 = 60 * 60;
/// The longest `jti`, in bytes.
const JTI_MAX_LENGTH: usize = 128;

/// Where a client authenticates: an operation, as clients reach it.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// Base URL of the authorization server.
    pub base_url: &'a str,
    /// Path of the operation.
    pub path: &'a str,
}

/// An assertion that is read, and not believed yet.
pub struct Assertion<'a> {
    compact: Compact<'a>,
    algorithm: SigningAlgorithm,
    header: Header,
    claims: Claims,
    signature: Vec<u8>,
}

/// The header has these members and no other: `crit`, `jwk`, `jku` or `x5c` are not ignored but refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default, deserialize_with = "present")]
    typ: Option<String>,
}

/// What it says. Other claims are of no meaning.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(default)]
    aud: Value,
    #[serde(default, deserialize_with = "present")]
    exp: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    jti: Option<String>,
}

/// The assertion is not taken, for this reason.
pub(super) fn refused(reason: &str) -> Error {
    Error::refused(OauthErrorCode::InvalidClient, format!("the client could not be authenticated: {reason}"))
}

/// One text for all that depends on the app, so that the answer does not tell which apps exist and how they authenticate.
pub(super) fn not_signed() -> Error {
    refused(
        "`client_assertion` must be signed with the key of the app that its `kid` names, and the app be registered with \
         `private_key_jwt`",
    )
}

impl<'a> Assertion<'a> {
    /// Reads an assertion; nothing of it is judged but its form.
    ///
    /// # Errors
    ///
    /// `invalid_client`, with what is wrong with the form.
    pub fn read(text: &'a str) -> Result<Self, Error> {
        let malformed = |malformed, members| match malformed {
            Malformed::TooLong => refused("`client_assertion` is longer than 8192 bytes"),
            Malformed::NotCompact => refused("`client_assertion` is not a JWT in compact form"),
            Malformed::Members => refused(members),
        };
        let compact = Compact::split(text).map_err(|fault| malformed(fault, ""))?;
        let header: Header = compact.header().map_err(|fault| {
            malformed(fault, "the header of `client_assertion` must have `alg` and `kid`, may have `typ`, and nothing else")
        })?;
        let algorithm = header.alg.parse().map_err(|_| {
            let names: Vec<String> = SigningAlgorithm::ALL.iter().map(|name| format!("`{name}`")).collect();
            refused(&format!("the `alg` of `client_assertion` must be one of {}", names.join(", ")))
        })?;
        let claims = compact.payload().map_err(|fault| {
            malformed(
                fault,
                "`client_assertion` must say `iss`, `sub` and `jti` as texts, and `exp`, `nbf` and `iat`, where they \
                 are said, as whole seconds since 1970",
            )
        })?;
        let signature = compact.signature().map_err(|fault| malformed(fault, ""))?;
        Ok(Self { compact, algorithm, header, claims, signature })
    }

    /// Which client it claims to come from.
    pub fn client_id(&self) -> &str {
        &self.claims.sub
    }

    /// Judges what it says at this second since 1970, whoever has signed it.
    ///
    /// # Errors
    ///
    /// `invalid_client`, with what to change.
    pub fn judge(&self, issuer: &str, endpoint: Endpoint<'_>, now: i64) -> Result<(), Error> {
        let Claims { iss, sub, aud, exp, nbf, iat, jti } = &self.claims;
        let exp = exp.ok_or_else(|| refused("`client_assertion` has no `exp`"))?;
        let reason = if !self.has_a_type_of_its_own() {
            "the `typ` of `client_assertion` is that of another kind of JWT"
        } else if iss != sub {
            "the `iss` and the `sub` of `client_assertion` must both be the client identifier"
        } else if !self.is_for(aud, issuer, endpoint) {
            "the `aud` of `client_assertion` must be one text: the issuer, or the URL of the token endpoint or of this one"
        } else if exp <= now {
            "`client_assertion` has expired"
        } else if exp > now.saturating_add(LIFETIME_MAX + CLOCK_LEEWAY) {
            "the `exp` of `client_assertion` lies more than an hour ahead"
        } else if (*nbf).max(*iat).is_some_and(|from| from > now.saturating_add(CLOCK_LEEWAY)) {
            "`client_assertion` is not valid yet"
        } else if !jti.as_ref().is_some_and(|jti| (1..=JTI_MAX_LENGTH).contains(&jti.len())) {
            "`client_assertion` needs a `jti` of 1 to 128 bytes"
        } else {
            return Ok(());
        };
        Err(refused(reason))
    }

    /// Keys may sign other kinds of JWT, too, which say so (RFC 8725, section 3.11).
    fn has_a_type_of_its_own(&self) -> bool {
        let typ = self.header.typ.as_deref();
        typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")) || self.is_explicitly_typed()
    }

    /// As draft-ietf-oauth-rfc7523bis has it.
    fn is_explicitly_typed(&self) -> bool {
        self.header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("client-authentication+jwt"))
    }

    /// Whether it is for this server and for no other: with several audiences, whoever it was sent to could use it at the
    /// others. The issuer is the best of the three. An endpoint is what a hostile server could name as its own, and so be
    /// sent an assertion that is good here (draft-ietf-oauth-rfc7523bis). Endpoints are taken all the same, because OpenID
    /// Connect Core 1.0, section 9, and RFC 9126, section 2, have clients name them, and because a key that is for this
    /// server alone is in no such danger. A client that types its assertions as that draft has it names the issuer alone.
    fn is_for(&self, aud: &Value, issuer: &str, Endpoint { base_url, path }: Endpoint<'_>) -> bool {
        let Value::String(aud) = aud else { return false };
        let behind = aud.strip_prefix(base_url).filter(|_| !self.is_explicitly_typed());
        aud == issuer || behind.is_some_and(|behind| behind == TOKEN_PATH || behind == path)
    }

    /// Whether a key among these has signed it.
    pub fn is_signed_by(&self, keys: &ClientJwkSet) -> bool {
        let (kid, message) = (&self.header.kid, self.compact.message.as_bytes());
        client_keys::verifies(keys, kid, self.algorithm, message, &self.signature)
    }

    /// Uses it up, on every node.
    pub(super) async fn spend(&self, identity: &Identity, client: &Client) -> Result<(), Error> {
        let Claims { jti, exp, .. } = &self.claims;
        let parts = [client.client_id.as_str(), jti.as_deref().unwrap_or_default()];
        let hash = URL_SAFE_NO_PAD.encode(identity.pepper.seal(PURPOSE, &parts));
        let until = exp.unwrap_or_default();
        let spend = move |tx: &mut Tx<'_>| Ok::<_, Error>(client_assertions::spend(tx, &hash, until)?);
        match identity.store.write(&client.context(identity), spend).await? {
            true => Ok(()),
            false => Err(refused(
                "`client_assertion` was used before: sign one for each request, with a `jti` of its own",
            )),
        }
    }
}

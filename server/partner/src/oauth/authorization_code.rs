//! The authorization code grant at the token endpoint (RFC 6749, section 4.1.3; RFC 7636, section 4.6). A code is good
//! once: whoever brings it a second time ends what the first one got (RFC 9700, section 4.5).

use super::refresh_token::{self, Family, RefreshToken};
use super::{Client, Error, permitted};
use crate::Identity;
use crate::store::authorizations::codes::{self, CodeRow};
use crate::store::authorizations::families::{self, FamilyId};
use crate::store::authorizations::refresh_tokens;
use argus_core::ids::ClientId;
use argus_core::store::{Submission, Tx};
use argus_openapi::types::apps::GrantType;
use argus_openapi::types::error::OauthErrorCode;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{TokenRequest, TokenResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use subtle::ConstantTimeEq;

/// The purpose of the keyed hash of a code.
pub(super) const CODE: &str = "authorization_code";

/// A code that a client brings, with what proves that it is the client's.
#[derive(Clone)]
pub(crate) struct Exchange {
    code_hash: String,
    client_id: ClientId,
    redirect_uri: Option<String>,
    verifier: Option<SecretText>,
    /// The refresh token that it is to lead to.
    first: RefreshToken,
}

/// What a code led to.
pub(crate) enum Redeemed {
    /// A family, which has its first refresh token.
    Family(Box<Family>),
    /// Nothing, for this reason. That it was tried stays in the store.
    Nothing(&'static str),
    /// There is no such code that could be used.
    Unknown,
}

/// The tokens that a code leads to.
pub(super) async fn answer(
    identity: &Identity,
    client: &Client,
    form: &TokenRequest,
) -> Result<TokenResponse, Error> {
    permitted(client, GrantType::AuthorizationCode)?;
    let present = |secret: &Option<SecretText>| secret.clone().filter(|secret| !secret.expose().is_empty());
    let code = present(&form.code).ok_or_else(|| Error::invalid_request("`code` is missing"))?;
    let exchange = Exchange {
        code_hash: super::hash(identity, CODE, code.expose()),
        client_id: client.client_id.clone(),
        redirect_uri: form.redirect_uri.clone().filter(|uri| !uri.is_empty()),
        verifier: present(&form.code_verifier),
        first: RefreshToken::fresh(identity)?,
    };
    let (code_hash, first) = (exchange.code_hash.clone(), exchange.first.clone());
    let reason = match identity.exchanges.write(&client.context(identity), exchange).await? {
        Redeemed::Family(family) => {
            return refresh_token::response(identity, client, &family, None, first);
        }
        Redeemed::Nothing(reason) => reason,
        Redeemed::Unknown => {
            end_replayed(identity, client, code_hash).await?;
            "the code is unknown, expired or used, or another client's"
        }
    };
    Err(Error::refused(OauthErrorCode::InvalidGrant, reason))
}

/// Ends what a code has led to that was used before.
async fn end_replayed(identity: &Identity, client: &Client, code_hash: String) -> Result<(), Error> {
    let client_id = client.client_id.clone();
    let end = move |tx: &mut Tx<'_>| match codes::find_redeemed(tx, &code_hash, &client_id)? {
        Some(family_id) => super::end(tx, &family_id, "oauth.code.replay"),
        None => Ok(()),
    };
    identity.store.write(&client.context(identity), end).await
}

impl Exchange {
    /// Whether the client proves that the code is its own.
    fn check(&self, code: &CodeRow) -> Result<(), &'static str> {
        let uri = self.redirect_uri.as_deref();
        if uri.map_or(code.is_redirect_uri_needed, |uri| uri != code.redirect_uri) {
            return Err("`redirect_uri` is not that of the authorization request");
        }
        if !proves(self.verifier.as_ref(), code.code_challenge.as_deref()) {
            return Err("`code_verifier` is not the one behind the request's `code_challenge`");
        }
        Ok(())
    }
}

impl Submission for Exchange {
    type Outcome = Redeemed;
    type Error = Error;

    fn write_all(tx: &mut Tx<'_>, exchanges: &[Self]) -> Result<Vec<Redeemed>, Error> {
        let brought: Vec<_> = exchanges.iter().map(|each| (&*each.code_hash, &each.client_id)).collect();
        let redeemed = codes::redeem(tx, &brought)?.into_iter();
        // Who brings a code a second time, or another's, finds none.
        let mut codes: HashMap<_, _> =
            redeemed.map(|code| ((code.code_hash.clone(), code.client_id.clone()), code)).collect();
        let mut proven = |each: &Self| {
            let code = codes.remove(&(each.code_hash.clone(), each.client_id.clone()));
            let code = code.ok_or(Redeemed::Unknown)?;
            each.check(&code).map(|()| code.family_id).map_err(Redeemed::Nothing)
        };
        let proven: Vec<Result<FamilyId, Redeemed>> = exchanges.iter().map(&mut proven).collect();
        let ids: Vec<&FamilyId> = proven.iter().flatten().collect();
        let standing = families::standing(tx, &ids)?.into_iter();
        let mut standing: HashMap<_, _> = standing.map(|family| (family.id.clone(), family)).collect();
        let first = |(each, proven): (&'_ Self, &'_ Result<FamilyId, Redeemed>)| {
            let family = standing.get(proven.as_ref().ok()?)?;
            (family.client_id == each.client_id).then(|| (each.first.hash().to_owned(), family.id.clone()))
        };
        let firsts: Vec<_> = exchanges.iter().zip(&proven).filter_map(first).collect();
        refresh_tokens::insert_first(tx, &firsts)?;
        let outcome = |proven: Result<FamilyId, Redeemed>| match proven.map(|id| standing.remove(&id)) {
            Ok(Some(family)) => Ok(Redeemed::Family(Box::new(family.try_into()?))),
            Ok(None) => Ok(Redeemed::Nothing("what the code led to has ended")),
            Err(outcome) => Ok(outcome),
        };
        proven.into_iter().map(outcome).collect()
    }
}

/// Whether a verifier is the one behind a challenge. Where there was no challenge there must be no verifier, so that
/// nobody is talked out of PKCE (RFC 9700, section 4.8.2).
fn proves(verifier: Option<&SecretText>, challenge: Option<&str>) -> bool {
    match (verifier, challenge) {
        (None, None) => true,
        (Some(verifier), Some(challenge)) if is_verifier(verifier.expose()) => {
            let actual = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()));
            actual.as_bytes().ct_eq(challenge.as_bytes()).into()
        }
        _ => false,
    }
}

/// Whether a text has the form of a code verifier (RFC 7636, section 4.1).
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn proves(verifier: Option<&str>, challenge: Option<&str>) -> bool {
        let verifier = verifier.map(|text| SecretText::from(text.to_owned()));
        super::proves(verifier.as_ref(), challenge)
    }

    #[test]
    fn a_verifier_proves_the_challenge_that_was_made_of_it_and_no_other() {
        assert!(proves(Some(VERIFIER), Some(CHALLENGE)));
        assert!(!proves(Some(&VERIFIER.replace('d', "e")), Some(CHALLENGE)));
        assert!(!proves(Some(CHALLENGE), Some(CHALLENGE)));
        assert!(!proves(None, Some(CHALLENGE)));
    }

    #[test]
    fn a_verifier_without_a_challenge_is_refused_so_that_nobody_is_talked_out_of_pkce() {
        assert!(!proves(Some(VERIFIER), None));
        assert!(proves(None, None));
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for (text, is) in [("a".repeat(42), false), ("a".repeat(43), true), ("~".repeat(128), true)] {
            assert_eq!(is_verifier(&text), is, "{text}");
        }
        assert!(
            !is_verifier(&"a".repeat(129)) && !is_verifier(&"+".repeat(43)) && !is_verifier(&"é".repeat(43))
        );
    }
}

//! The authorization code grant at the token endpoint (RFC 6749, section 4.1.3; RFC 7636, section 4.6). A code is good
//! once: whoever brings it a second time ends what the first one got (RFC 9700, section 4.5).

use super::refresh_token::{self, RefreshToken};
use super::{Client, Error, permitted};
use crate::Identity;
use crate::store::authorizations::codes;
use argus_openapi::types::apps::GrantType;
use argus_openapi::types::error::OauthErrorCode;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{TokenRequest, TokenResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The purpose of the keyed hash of a code.
pub(super) const CODE: &str = "authorization_code";

/// What a code led to.
enum Redeemed {
    /// A family with its first refresh token.
    Family(Box<refresh_token::Family>, RefreshToken),
    /// Nothing, for this reason. That it was tried stays in the store.
    Nothing(&'static str),
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
    let code_hash = super::hash(identity, CODE, code.expose());
    let (verifier, redirect_uri) = (present(&form.code_verifier), form.redirect_uri.clone());
    let first = RefreshToken::fresh(identity)?;
    let (client_id, token) = (client.client_id.clone(), first.clone());
    let context = client.context(identity);
    let redeemed = identity.store.write(&context, move |tx| {
        let Some(code) = codes::redeem(tx, &code_hash, &client_id)? else {
            if let Some(family_id) = codes::find_redeemed(tx, &code_hash, &client_id)? {
                super::end(tx, &family_id, "oauth.code.replay")?;
            }
            return Ok::<_, Error>(Redeemed::Nothing(
                "the code is unknown, expired or used, or another client's",
            ));
        };
        let uri = redirect_uri.as_deref().filter(|uri| !uri.is_empty());
        if uri.map_or(code.is_redirect_uri_needed, |uri| uri != code.redirect_uri) {
            return Ok(Redeemed::Nothing("`redirect_uri` is not that of the authorization request"));
        }
        if !proves(verifier.as_ref(), code.code_challenge.as_deref()) {
            return Ok(Redeemed::Nothing(
                "`code_verifier` is not the one behind the request's `code_challenge`",
            ));
        }
        let Some(family) = refresh_token::standing(tx, &code.family_id, &client_id)? else {
            return Ok(Redeemed::Nothing("what the code led to has ended"));
        };
        token.insert(tx, &code.family_id, None)?;
        Ok(Redeemed::Family(Box::new(family), token.clone()))
    });
    match redeemed.await? {
        Redeemed::Family(family, token) => refresh_token::response(identity, client, &family, None, token),
        Redeemed::Nothing(reason) => Err(Error::refused(OauthErrorCode::InvalidGrant, reason)),
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

//! Refresh tokens (RFC 6749, section 6; RFC 9700, section 4.14.2). Each is good once and its answer has the next one, which
//! follows from it: so a client whose answer was lost, or whose threads came at the same time, gets the same successor
//! again, and there is one living chain whatever happens. That holds for a short while and until the successor is used;
//! whoever brings a token after that has it from somewhere else, and the family ends.

use super::{Client, Error, granted, permitted};
use crate::claims::AUDIENCE_LIVE;
use crate::store::authorizations::families::{self, FamilyId, StandingFamilyRow};
use crate::store::authorizations::refresh_tokens as rows;
use crate::tokens::{Grant, TOKEN_LIFETIME};
use crate::{Identity, apps};
use argus_core::ids::{self, ClientId, UserId};
use argus_core::store::{Reader, Tx};
use argus_core::users::User;
use argus_openapi::types::apps::GrantType;
use argus_openapi::types::error::OauthErrorCode;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{TokenRequest, TokenResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// The purpose of the keyed hash of a token.
pub(super) const TOKEN: &str = "refresh_token";
/// The purpose of what makes the next one of it.
const SUCCESSOR: &str = "refresh_token_successor";

/// A refresh token, and as it is kept.
#[derive(Clone)]
pub(super) struct RefreshToken {
    text: SecretText,
    hash: String,
}

impl RefreshToken {
    fn new(identity: &Identity, bytes: &[u8]) -> Self {
        let text = SecretText::from(URL_SAFE_NO_PAD.encode(bytes));
        Self { hash: super::hash(identity, TOKEN, text.expose()), text }
    }

    /// The first of a family.
    pub(super) fn fresh(identity: &Identity) -> Result<Self, Error> {
        let bytes = Zeroizing::new(ids::random::<32>().map_err(crate::Error::fault)?);
        Ok(Self::new(identity, &*bytes))
    }

    /// The next one after another.
    fn after(identity: &Identity, token: &str) -> Self {
        Self::new(identity, &Zeroizing::new(identity.pepper.seal(SUCCESSOR, &[token]))[..])
    }

    /// As it is kept.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }
}

/// A family that is alive, and its user, who may sign in.
pub(crate) struct Family {
    id: FamilyId,
    user: User,
    scopes: Vec<Scope>,
}

impl Family {
    /// On whose behalf.
    pub(super) fn user_id(&self) -> &UserId {
        &self.user.id
    }

    /// What may be granted.
    pub(super) fn scopes(&self) -> &[Scope] {
        &self.scopes
    }
}

impl TryFrom<StandingFamilyRow> for Family {
    type Error = Error;

    fn try_from(row: StandingFamilyRow) -> Result<Self, Error> {
        let user = row.user.into_user()?;
        let mut scopes: Vec<Scope> = apps::from_json(&row.granted_scopes)?;
        scopes.retain(|scope| user.may(*scope));
        Ok(Self { id: row.id, user, scopes })
    }
}

/// The living family of a client whose user is not disabled. Its scopes are those that the user has allowed and may give.
pub(super) fn standing(
    reader: &mut Reader<'_>,
    id: &FamilyId,
    client_id: &ClientId,
) -> Result<Option<Family>, Error> {
    let family = families::standing(reader, &[id])?.pop().filter(|family| family.client_id == *client_id);
    family.map(Family::try_from).transpose()
}

/// What came of a token that was brought.
enum Brought {
    Alive(Family),
    /// Nothing, for this reason. That it was tried stays in the store.
    Nothing(&'static str),
}

/// The tokens that a refresh token leads to.
pub(super) async fn answer(
    identity: &Identity,
    client: &Client,
    form: &TokenRequest,
) -> Result<TokenResponse, Error> {
    permitted(client, GrantType::AuthorizationCode)?;
    let token = form.refresh_token.clone().filter(|token| !token.expose().is_empty());
    let token = token.ok_or_else(|| Error::invalid_request("`refresh_token` is missing"))?;
    let hash = super::hash(identity, TOKEN, token.expose());
    let successor = RefreshToken::after(identity, token.expose());
    let (client_id, next) = (client.client_id.clone(), successor.clone());
    let context = client.context(identity);
    let brought = identity.store.write(&context, move |tx| bring(tx, &hash, &next, &client_id));
    match brought.await? {
        Brought::Alive(family) => response(identity, client, &family, form.scope.as_deref(), successor),
        Brought::Nothing(reason) => Err(Error::refused(OauthErrorCode::InvalidGrant, reason)),
    }
}

/// Takes a token and puts its successor in its place.
fn bring(
    tx: &mut Tx<'_>,
    hash: &str,
    successor: &RefreshToken,
    client_id: &ClientId,
) -> Result<Brought, Error> {
    const UNKNOWN: &str = "the refresh token is unknown, expired or ended, or another client's";
    const ENDED: &str = "the refresh token was used before; all that follows from it has ended";
    // Whose it is, before it is used up: no client ends another's.
    let Some(row) = rows::find(tx, hash)? else { return Ok(Brought::Nothing(UNKNOWN)) };
    let Some(family) = standing(tx, &row.family_id, client_id)? else { return Ok(Brought::Nothing(UNKNOWN)) };
    if rows::rotate(tx, hash)?.is_some() {
        rows::insert(tx, &successor.hash, &family.id, Some(hash))?;
        return Ok(Brought::Alive(family));
    }
    // Somebody was first, perhaps since it was looked at.
    let Some(row) = rows::find(tx, hash)? else { return Ok(Brought::Nothing(UNKNOWN)) };
    if !row.is_rotated {
        return Ok(Brought::Nothing(UNKNOWN));
    }
    let next = rows::find(tx, &successor.hash)?;
    if row.is_rotated_now && next.is_some_and(|next| !next.is_rotated && next.is_in_time) {
        return Ok(Brought::Alive(family));
    }
    super::end(tx, &family.id, "oauth.refresh_token.replay")?;
    Ok(Brought::Nothing(ENDED))
}

/// The answer of a living family: an access token of its user, and the refresh token to go on with. What the app is
/// approved for now bounds the scopes.
pub(super) fn response(
    identity: &Identity,
    client: &Client,
    family: &Family,
    asked: Option<&str>,
    refresh_token: RefreshToken,
) -> Result<TokenResponse, Error> {
    let approved: Vec<Scope> = apps::from_json(&client.row.approved_scopes)?;
    let possible = family.scopes.iter().copied().filter(|scope| approved.contains(scope)).collect();
    let scopes = granted(asked.unwrap_or_default(), possible)?;
    let grant = Grant {
        audience: AUDIENCE_LIVE,
        subject: family.user.id.as_str(),
        client_id: client.client_id.as_str(),
        tenant_id: client.row.tenant_id.as_str(),
        organization_id: family.user.organization_id.as_str(),
        scopes: &scopes,
        secrecy_level: family.user.secrecy_level,
        lifetime: i64::from(TOKEN_LIFETIME),
        family: Some(family.id.as_str()),
        scenarios: None,
    };
    super::response(identity, grant, Some(refresh_token.text))
}

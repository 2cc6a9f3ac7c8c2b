//! Authorization requests (RFC 6749, section 4.1.1; RFC 9700): what of them is refused, and where, and the codes that
//! answer them. Until the redirect URI is proven to be the app's, nobody is sent there.

use super::{Error, authorization_code, granted, pushed_request};
use crate::error::Error as DomainError;
use crate::store::apps::{self as rows, AppRow};
use crate::store::authorizations::codes::{self, NewCode};
use crate::store::authorizations::families::{self, FamilyId, NewFamily};
use crate::store::authorizations::{grants, pushed_requests};
use crate::{Identity, apps};
use argus_core::audit;
use argus_core::context::{Actor, Context, Live, Principal};
use argus_core::ids::{self, ClientId, UserId};
use argus_core::store::Reader;
use argus_core::users::{SignedIn, User};
use argus_openapi::types::apps::{ClientAuthenticationMethod, GrantType};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::error::OauthErrorCode;
use argus_openapi::types::oauth::{
    AuthorizationParameters, AuthorizationRequest, CodeChallengeMethod, ResponseType, STATE_MAX_LENGTH,
};
use argus_openapi::types::scopes::Scope;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fluent_uri::Uri;
use form_urlencoded::Serializer;
use zeroize::Zeroizing;

/// The one challenge method.
const S256: &str = CodeChallengeMethod::S256.as_str();
/// The length of a challenge: of 256 bits in base64url.
const CHALLENGE_LENGTH: usize = 43;

/// An app as the authorization endpoint knows it.
#[derive(Clone, Debug)]
pub struct App {
    /// Its client identifier.
    pub client_id: ClientId,
    /// Its name, for the user.
    pub name: String,
    /// Where its users may be led.
    pub redirect_uris: Vec<String>,
    /// The grants that it may use.
    pub grant_types: Vec<GrantType>,
    /// The scopes that it is approved for.
    pub approved: Vec<Scope>,
    /// Whether its requests must have a challenge.
    pub needs_pkce: bool,
}

/// A request that may be put before a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where the answer goes.
    pub redirect_uri: String,
    is_redirect_uri_needed: bool,
    /// What the app asks for, and is approved for.
    pub scopes: Vec<Scope>,
    state: Option<String>,
    code_challenge: Option<String>,
    /// Keyed hash of the reference, if it was pushed.
    pushed: Option<String>,
}

/// Why a request is refused, and who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The person at the browser: where to send them is not proven.
    Here(&'static str),
    /// The app, at its redirect URI.
    There {
        /// The redirect URI.
        redirect_uri: String,
        /// The request's own.
        state: Option<String>,
        /// The reason.
        code: OauthErrorCode,
        /// What to change, in English.
        description: String,
    },
}

impl Refusal {
    /// The refusal to a client that has pushed the request.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Here(description) => Error::invalid_request(description),
            Self::There { code, description, .. } => Error::refused(code, description),
        }
    }
}

/// The app with this identifier, and the context in which it acts; none when there is no such app.
pub async fn find(identity: &Identity, client_id: &str) -> Result<Option<(Context<Live>, App)>, Error> {
    let Ok(client_id) = client_id.parse::<ClientId>() else { return Ok(None) };
    let id = client_id.clone();
    let look = move |connection: &mut _| Ok::<_, DomainError>(rows::find_client(connection, &id)?);
    let row = identity.store.look_up(look).await?.filter(|row| !row.is_suspended);
    let Some(row) = row else { return Ok(None) };
    let principal = Principal {
        tenant_id: row.tenant_id,
        organization_id: row.organization_id,
        actor: Actor::App(client_id.clone()),
        user_id: None,
        scopes: Vec::new(),
        secrecy_level: SecrecyLevel::default(),
        is_sandboxed: false,
    };
    let context = Context::in_background(principal, identity.clock.clone());
    let app = app(identity, &context, &client_id).await?;
    Ok(Some((context, app)))
}

/// The app of the context's tenant.
pub(super) async fn app(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
) -> Result<App, Error> {
    let row: AppRow = apps::load(identity, context, client_id).await?;
    let is_public = row.token_endpoint_auth_method == ClientAuthenticationMethod::NoSecret.as_str();
    Ok(App {
        redirect_uris: apps::from_json(&row.redirect_uris)?,
        grant_types: apps::from_json(&row.grant_types)?,
        approved: apps::from_json(&row.approved_scopes)?,
        needs_pkce: row.enforce_pkce || is_public,
        client_id: row.client_id,
        name: row.name,
    })
}

/// A request, and the keyed hash of its reference where it was pushed.
type Resolved = (AuthorizationParameters, Option<String>);

/// The request behind a reference; none when the reference opens nothing here. A browser that has opened it before may do
/// so for longer. Any other request is its own.
pub async fn resolve(
    identity: &Identity,
    context: &Context<Live>,
    app: &App,
    request: &AuthorizationRequest,
    was_opened_here: bool,
) -> Result<Option<Resolved>, Error> {
    let Some(request_uri) = &request.request_uri else {
        return Ok(Some((request.parameters.clone(), None)));
    };
    let (hash, client_id) = (pushed_request::hash(identity, request_uri), app.client_id.clone());
    let opened = hash.clone();
    let open = identity.store.write(context, move |tx| {
        Ok::<_, Error>(pushed_requests::open(tx, &opened, &client_id, was_opened_here)?)
    });
    let Some(parameters) = open.await? else { return Ok(None) };
    let pushed = serde_json::from_str(&parameters).map_err(DomainError::fault)?;
    Ok(Some((pushed, Some(hash))))
}

/// What of a request may be put before a user.
pub fn judge(app: &App, request: &AuthorizationParameters) -> Result<Request, Refusal> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let asked = given(&request.redirect_uri);
    let redirect_uri = match (&asked, &app.redirect_uris[..]) {
        (Some(uri), registered) if registered.iter().any(|registered| is_same(registered, uri)) => {
            uri.clone()
        }
        (Some(_), _) => {
            return Err(Refusal::Here("`redirect_uri` is none of those that the app has registered"));
        }
        (None, [only]) => only.clone(),
        (None, _) => return Err(Refusal::Here("`redirect_uri` is missing, and the app has not exactly one")),
    };
    let state = given(&request.state);
    let is_state = |state: &String| {
        state.len() <= STATE_MAX_LENGTH as usize && state.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    };
    let refused = |code, description: String| {
        // What is none is not sent back.
        let state = state.clone().filter(is_state);
        Err(Refusal::There { redirect_uri: redirect_uri.clone(), state, code, description })
    };
    let invalid = |description: &str| refused(OauthErrorCode::InvalidRequest, description.to_owned());
    if !state.as_ref().is_none_or(is_state) {
        return invalid(&format!(
            "`state` has up to {STATE_MAX_LENGTH} visible characters of ASCII, and spaces"
        ));
    }
    match given(&request.response_type).map(|response_type| response_type.parse()) {
        Some(Ok(ResponseType::Code)) => {}
        None => return invalid("`response_type` is missing"),
        Some(Err(_)) => {
            let description = format!("`response_type` must be `{}`", ResponseType::Code);
            return refused(OauthErrorCode::UnsupportedResponseType, description);
        }
    }
    if !app.grant_types.contains(&GrantType::AuthorizationCode) {
        let description = format!("the app may not use `{}`", GrantType::AuthorizationCode);
        return refused(OauthErrorCode::UnauthorizedClient, description);
    }
    let code_challenge = match (given(&request.code_challenge), given(&request.code_challenge_method)) {
        (Some(challenge), Some(method)) if method == S256 && is_challenge(&challenge) => Some(challenge),
        (Some(_), Some(method)) if method == S256 => {
            return invalid("`code_challenge` must be 43 letters of base64url");
        }
        // A method that is not said is `plain` (RFC 7636, section 4.3).
        (Some(_), _) => return invalid("`code_challenge_method` must be `S256`"),
        (None, Some(_)) => return invalid("`code_challenge` is missing"),
        (None, None) if app.needs_pkce => {
            return invalid("the app must use PKCE: `code_challenge` is missing");
        }
        (None, None) => None,
    };
    let scopes = match granted(request.scope.as_deref().unwrap_or_default(), app.approved.clone()) {
        Ok(scopes) => scopes,
        Err(Error::Refused { refusal, description }) => return refused(refusal, description),
        Err(Error::Domain(_)) => {
            return refused(OauthErrorCode::ServerError, "a fault on this side".to_owned());
        }
    };
    let is_redirect_uri_needed = asked.is_some();
    Ok(Request { redirect_uri, is_redirect_uri_needed, scopes, state, code_challenge, pushed: None })
}

impl Request {
    /// The request, where it was pushed under this keyed hash.
    #[must_use]
    pub fn pushed(self, hash: Option<String>) -> Self {
        Self { pushed: hash, ..self }
    }

    /// The refusal of the user, or of what the user cannot give, to the app.
    pub fn denied(&self, description: &str) -> Refusal {
        Refusal::There {
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
            code: OauthErrorCode::AccessDenied,
            description: description.to_owned(),
        }
    }

    /// What the user can give of what is asked for.
    pub fn possible(&self, user: &User) -> Vec<Scope> {
        self.scopes.iter().copied().filter(|scope| user.may(*scope)).collect()
    }
}

/// Whether the user has allowed the app these scopes before.
pub async fn is_allowed(
    identity: &Identity,
    context: &Context<Live>,
    user_id: &UserId,
    app: &App,
    scopes: &[Scope],
) -> Result<bool, Error> {
    let (user_id, client_id) = (user_id.clone(), app.client_id.clone());
    let look = move |reader: &mut Reader<'_>| Ok::<_, Error>(grants::find(reader, &user_id, &client_id)?);
    let Some(allowed) = identity.store.read(context, look).await? else { return Ok(false) };
    let allowed: Vec<Scope> = apps::from_json(&allowed)?;
    Ok(scopes.iter().all(|scope| allowed.contains(scope)))
}

/// Notes that the user allows the app these scopes, besides those that were allowed before, and issues a code for them:
/// where the browser is sent. None where a pushed request has been used up.
pub async fn allow(
    identity: &Identity,
    context: &Context<Live>,
    signed_in: &SignedIn,
    app: &App,
    request: &Request,
    scopes: &[Scope],
) -> Result<Option<String>, Error> {
    let secret = Zeroizing::new(ids::random::<32>().map_err(DomainError::fault)?);
    let code = URL_SAFE_NO_PAD.encode(*secret);
    let family_id = FamilyId::fresh(&identity.clock)?;
    let new_code = NewCode {
        code_hash: super::hash(identity, authorization_code::CODE, &code),
        family_id: family_id.clone(),
        client_id: app.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        is_redirect_uri_needed: request.is_redirect_uri_needed,
        code_challenge: request.code_challenge.clone(),
    };
    let family = NewFamily {
        id: family_id,
        user_id: signed_in.user.id.clone(),
        session_id: signed_in.session.id.clone(),
        client_id: app.client_id.clone(),
        scopes: apps::to_json(scopes)?,
    };
    let (pushed, scopes) = (request.pushed.clone(), scopes.to_vec());
    let issued = identity.store.write(context, move |tx| {
        if let Some(hash) = &pushed
            && !pushed_requests::spend(tx, hash)?
        {
            return Ok::<_, Error>(false);
        }
        let before = grants::find(tx, &family.user_id, &family.client_id)?;
        let mut allowed: Vec<Scope> = before.as_deref().map_or(Ok(Vec::new()), apps::from_json)?;
        let grown: Vec<Scope> = scopes.iter().copied().filter(|scope| !allowed.contains(scope)).collect();
        if before.is_none() || !grown.is_empty() {
            allowed.extend(grown);
            grants::set(tx, &family.user_id, &family.client_id, &apps::to_json(&allowed)?)?;
            audit::append(tx, "oauth.consent", family.client_id.as_str())?;
        }
        families::insert(tx, &family)?;
        codes::insert(tx, &new_code)?;
        audit::append(tx, "oauth.code.issue", family.client_id.as_str())?;
        Ok(true)
    });
    if !issued.await? {
        return Ok(None);
    }
    let members = [("code", Some(code.as_str())), ("state", request.state.as_deref())];
    Ok(Some(answer(&identity.issuer, &request.redirect_uri, &members)))
}

/// Uses up a pushed request that the user has refused.
pub async fn refuse(identity: &Identity, context: &Context<Live>, request: &Request) -> Result<(), Error> {
    let Some(hash) = request.pushed.clone() else { return Ok(()) };
    let spend = identity.store.write(context, move |tx| Ok::<_, Error>(pushed_requests::spend(tx, &hash)?));
    spend.await.map(drop)
}

/// Where the browser is sent with a refusal of this issuer; none for one that stays here.
pub fn location(issuer: &str, refusal: &Refusal) -> Option<String> {
    let Refusal::There { redirect_uri, state, code, description } = refusal else { return None };
    let members = [
        ("error", Some(code.as_str())),
        ("error_description", Some(description.as_str())),
        ("state", state.as_deref()),
    ];
    Some(answer(issuer, redirect_uri, &members))
}

/// A redirect URI with what is answered, and who answers (RFC 9207).
fn answer(issuer: &str, redirect_uri: &str, members: &[(&str, Option<&str>)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in members {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.append_pair("iss", issuer);
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{}", query.finish())
}

/// Whether a URI is the registered one: letter for letter, but that a native app listens on whichever port is free
/// (RFC 8252, section 7.3).
fn is_same(registered: &str, uri: &str) -> bool {
    registered == uri
        || match (loopback(registered), loopback(uri)) {
            (Some(registered), Some(uri)) => registered == uri,
            _ => false,
        }
}

/// What a URI on a loopback address has beside its port.
fn loopback(text: &str) -> Option<(&str, &str)> {
    let uri = Uri::parse(text).ok()?;
    let authority = uri.authority()?;
    let is_loopback = matches!(authority.host(), "127.0.0.1" | "[::1]") && !authority.has_userinfo();
    let port = authority.port().map_or("", |port| port.as_str());
    let is_port = authority.port().is_none() || port.parse::<u16>().is_ok_and(|port| port > 0);
    if uri.scheme().as_str() != "http" || !is_loopback || !is_port {
        return None;
    }
    let (_, rest) = text.split_once("//")?;
    let host = authority.host();
    let behind = rest.strip_prefix(authority.as_str())?;
    // The host as it is written in the text itself.
    let start = text.len() - rest.len();
    Some((&text[start..start + host.len()], behind))
}

/// Whether a text is a challenge of `S256`.
fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE_LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_matched_letter_for_letter_but_for_the_port_of_a_loopback_address() {
        let https = "https://partner.example/callback?a=1";
        let native = "http://127.0.0.1/callback";
        for (registered, uri, is) in [
            (https, https, true),
            (https, "https://partner.example/callback", false),
            (https, "https://partner.example:443/callback?a=1", false),
            (https, "https://PARTNER.example/callback?a=1", false),
            (https, "https://partner.example/callback?a=1#", false),
            (native, "http://127.0.0.1:49152/callback", true),
            ("http://127.0.0.1:8000/callback", "http://127.0.0.1:9/callback", true),
            (native, "http://127.0.0.1:0/callback", false),
            (native, "http://127.0.0.1:49152/other", false),
            (native, "http://127.0.0.1:49152@evil.example/callback", false),
            (native, "http://127.0.0.1.evil.example:1/callback", false),
            (native, "https://127.0.0.1:49152/callback", false),
            (native, "http://[::1]:49152/callback", false),
            (native, "http://localhost:49152/callback", false),
            ("http://[::1]/", "http://[::1]:1/", true),
        ] {
            assert_eq!(is_same(registered, uri), is, "{registered} {uri}");
        }
    }
}

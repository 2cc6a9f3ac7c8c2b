//! Client authentication (RFC 6749, section 2.3): HTTP Basic, the form, or an assertion in it; a public client has nothing
//! to show but its name (section 2.1).

use super::Error;
use super::assertion::{self, Assertion, Endpoint};
use crate::Identity;
use crate::basic::{self, Credentials};
use crate::client_keys;
use crate::error::Error as DomainError;
use crate::store::apps::{self as rows, ClientRow};
use argus_core::Context;
use argus_core::context::{Actor, Live, Principal};
use argus_core::ids::ClientId;
use argus_openapi::types::apps::ClientAuthenticationMethod;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::error::OauthErrorCode;
use argus_openapi::types::oauth::{ClientAssertionType, ClientAuthentication, ClientForm};
use argus_openapi::types::secret::SecretText;

/// An app that has shown its credentials, or that has none to show.
pub struct Client {
    pub(super) client_id: ClientId,
    pub(super) row: ClientRow,
}

impl Client {
    /// What goes down to the store: the app itself acts.
    pub(super) fn context(&self, identity: &Identity) -> Context<Live> {
        let principal = Principal {
            tenant_id: self.row.tenant_id.clone(),
            organization_id: self.row.organization_id.clone(),
            actor: Actor::App(self.client_id.clone()),
            user_id: None,
            scopes: Vec::new(),
            secrecy_level: SecrecyLevel::default(),
            is_sandboxed: false,
        };
        Context::in_background(principal, identity.clock.clone())
    }
}

/// What a request shows of the client that it comes from.
enum Shown<'f> {
    /// A secret.
    Secret(Credentials),
    /// What it has signed.
    Assertion(Box<Assertion<'f>>),
    /// Its name, and nothing else.
    Name(String),
}

impl Shown<'_> {
    /// Which client it claims to come from.
    fn client_id(&self) -> &str {
        match self {
            Self::Secret(credentials) => &credentials.client_id,
            Self::Assertion(assertion) => assertion.client_id(),
            Self::Name(client_id) => client_id,
        }
    }

    /// The method of an app that shows this.
    fn method(&self) -> ClientAuthenticationMethod {
        match self {
            Self::Secret(_) => ClientAuthenticationMethod::ClientSecret,
            Self::Assertion(_) => ClientAuthenticationMethod::PrivateKeyJwt,
            Self::Name(_) => ClientAuthenticationMethod::NoSecret,
        }
    }

    /// Whether the app, if there is one, is who it claims to be. A secret is compared with something in any case.
    fn proves(&self, identity: &Identity, row: Option<&ClientRow>) -> Result<bool, Error> {
        let is_genuine = match self {
            Self::Secret(Credentials { client_id, secret }) => {
                let hashes = [
                    row.map(|row| row.secret_hash.as_str()),
                    row.and_then(|row| row.former_secret_hash.as_deref()),
                ];
                identity.pepper.secret_matches(client_id, secret, hashes)
            }
            Self::Assertion(assertion) => {
                let keys = client_keys::read(row.and_then(|row| row.jwks.as_deref()))?;
                keys.is_some_and(|keys| assertion.is_signed_by(&keys))
            }
            Self::Name(_) => true,
        };
        let is_its_method = row.is_some_and(|row| row.token_endpoint_auth_method == self.method().as_str());
        Ok(is_genuine && is_its_method)
    }

    /// What is said of an app that it is not, or that is not there.
    fn refusal(&self) -> Error {
        match self {
            Self::Assertion(_) => assertion::not_signed(),
            Self::Secret(_) | Self::Name(_) => Error::invalid_client(),
        }
    }
}

/// Authenticates a client at an endpoint. `authorization` is the value of the `Authorization` header, if there is one.
pub async fn authenticate(
    identity: &Identity,
    endpoint: Endpoint<'_>,
    authorization: Option<&str>,
    form: &(impl ClientForm + Sync),
) -> Result<Client, Error> {
    let shown = shown(authorization, form)?;
    if let Shown::Assertion(assertion) = &shown {
        assertion.judge(&identity.issuer, endpoint, identity.clock.now().timestamp())?;
    }
    // No app has an id of another form, and not every database takes every text.
    let client_id = shown.client_id().parse::<ClientId>().ok();
    let row = match client_id.clone() {
        None => None,
        Some(id) => {
            let find = move |connection: &mut _| Ok::<_, DomainError>(rows::find_client(connection, &id)?);
            identity.store.look_up(find).await?
        }
    };
    let is_proven = shown.proves(identity, row.as_ref())?;
    let (Some(client_id), Some(row)) = (client_id, row) else { return Err(shown.refusal()) };
    let count = || identity.refused_clients.count(&client_id, &row.tenant_id, &row.organization_id);
    if !is_proven {
        count();
        return Err(shown.refusal());
    }
    if row.is_suspended {
        let description = "an administrator has suspended the app";
        return Err(Error::refused(
            OauthErrorCode::UnauthorizedClient,
            format!("{description}: {client_id}"),
        ));
    }
    let client = Client { client_id: client_id.clone(), row: row.clone() };
    if let Shown::Assertion(assertion) = &shown {
        assertion.spend(identity, &client).await.inspect_err(|error| {
            if error.is_invalid_client() {
                count();
            }
        })?;
    }
    Ok(client)
}

/// Which client a request claims to come from, as far as that can be read.
pub fn claimed_client(authorization: Option<&str>, form: &impl ClientForm) -> Option<String> {
    shown(authorization, form).ok().map(|shown| shown.client_id().to_owned())
}

/// What the header or the form shows, and one of them alone. A parameter without a value counts as absent (RFC 6749,
/// section 3.2).
fn shown<'f>(authorization: Option<&str>, form: &'f impl ClientForm) -> Result<Shown<'f>, Error> {
    let given = |text: Option<&'f str>| text.filter(|text| !text.is_empty());
    let ClientAuthentication { client_id, client_secret, client_assertion_type, client_assertion } =
        form.client();
    let id = given(client_id.as_deref());
    let secret = given(client_secret.as_ref().map(SecretText::expose));
    let assertion = given(client_assertion.as_ref().map(SecretText::expose));
    const JWT_BEARER: &str = ClientAssertionType::JwtBearer.as_str();
    match (authorization, secret, assertion, given(client_assertion_type.as_deref())) {
        (None, None, Some(assertion), Some(JWT_BEARER)) => asserted(assertion, id),
        (None, None, Some(_), Some(_)) => {
            Err(assertion::refused(&format!("`client_assertion_type` must be `{JWT_BEARER}`")))
        }
        (None, None, Some(_), None) => Err(assertion::refused("`client_assertion_type` is missing")),
        (None, None, None, Some(_)) => Err(assertion::refused("`client_assertion` is missing")),
        (_, _, None, None) => secret_or_name(authorization, id, secret),
        _ => Err(Error::invalid_request(
            "authenticate with a secret or with `client_assertion` in the form, not both",
        )),
    }
}

/// An assertion, which names its client itself (RFC 7521, section 4.2).
fn asserted<'f>(assertion: &'f str, id: Option<&str>) -> Result<Shown<'f>, Error> {
    let assertion = Assertion::read(assertion)?;
    match id {
        Some(id) if id != assertion.client_id() => {
            Err(assertion::refused("`client_id` is not the `sub` of `client_assertion`"))
        }
        _ => Ok(Shown::Assertion(Box::new(assertion))),
    }
}

/// The credentials of the header or of the form; a public client has no secret among them.
fn secret_or_name<'f>(
    authorization: Option<&str>,
    id: Option<&str>,
    secret: Option<&str>,
) -> Result<Shown<'f>, Error> {
    let Some(authorization) = authorization else {
        return match (id, secret) {
            (Some(id), Some(secret)) => Ok(Shown::Secret(Credentials::new(id, secret))),
            (Some(id), None) => Ok(Shown::Name(id.to_owned())),
            (None, Some(_)) => Err(Error::invalid_request("`client_id` is missing")),
            (None, None) => Err(Error::invalid_client()),
        };
    };
    if secret.is_some() {
        return Err(Error::invalid_request(
            "authenticate with HTTP Basic or with `client_secret` in the form, not both",
        ));
    }
    let credentials = basic::parse(authorization).ok_or_else(Error::invalid_client)?;
    match id {
        Some(id) if id != credentials.client_id => {
            Err(Error::invalid_request("`client_id` is not the one that HTTP Basic names"))
        }
        // A public client, whose library sends its name so.
        _ if credentials.secret.is_empty() => Ok(Shown::Name(credentials.client_id)),
        _ => Ok(Shown::Secret(credentials)),
    }
}

//! What a partner gives to be let in, and which token an operation's host is shown.

use crate::authorization::{Registration, TokenStore, UserSession};
use crate::environment::{Environment, Host};
use crate::error::{Error, ErrorKind};
use crate::retry::Retry;
use crate::secret::Secret;
use crate::token_cache::TokenCache;
use crate::token_source::{ClientCredentialsSource, SandboxTokenSource};
use crate::transport::{Auth, Transport};
use std::sync::Arc;
use std::time::Duration;

const REFRESH_AHEAD: Duration = Duration::from_secs(60);

/// How a client proves who it is. Tokens are fetched on first use, cached, and refreshed before they
/// expire; concurrent calls share one request. `Debug` shows no secret.
///
/// ```
/// use argus_sdk::Credentials;
/// use std::time::Duration;
///
/// // Live: an app's own credentials.
/// let live = Credentials::client("app_1", "hunter2").scopes(["argus:jobs:write", "argus:jobs:read"]);
///
/// // Sandbox: an administrator's token or credentials mint the sandbox tokens of an app.
/// let sandbox = Credentials::sandbox(Credentials::token("hunter3"), "app_1")
///     .scenarios(["wallet.high-risk"])
///     .ttl(Duration::from_secs(900));
///
/// // Live, on behalf of a user who signs in.
/// let user = Credentials::user("app_1", argus_sdk::authorization::MemoryTokenStore::new());
/// assert!(!format!("{live:?} {sandbox:?} {user:?}").contains("hunter"));
/// ```
#[derive(Clone, Debug)]
pub struct Credentials {
    kind: Kind,
    refresh_ahead: Duration,
}

#[derive(Clone, Debug)]
enum Kind {
    None,
    Token(Secret),
    Client(ClientCredentials),
    Sandbox(Box<SandboxCredentials>),
    User(Box<Registration>),
}

#[derive(Clone, Debug)]
pub(crate) struct ClientCredentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) scopes: Vec<String>,
}

#[derive(Clone, Debug)]
struct SandboxCredentials {
    admin: Credentials,
    wish: SandboxWish,
}

/// What a sandbox token is to be.
#[derive(Clone, Debug)]
pub(crate) struct SandboxWish {
    pub(crate) client_id: String,
    pub(crate) scenarios: Vec<String>,
    pub(crate) ttl: Option<Duration>,
}

impl Credentials {
    /// Nothing: only public operations will be answered.
    pub fn none() -> Self {
        Self::of(Kind::None)
    }

    /// A token that you hold already: a service token, a sandbox token, an administrator's token. It
    /// is sent to every host and cannot be refreshed.
    pub fn token(token: impl Into<Secret>) -> Self {
        Self::of(Kind::Token(token.into()))
    }

    /// An app's client credentials (RFC 6749, section 4.4), with every approved scope unless
    /// [`Credentials::scopes`] names some.
    pub fn client(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self::of(Kind::Client(ClientCredentials {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scopes: Vec::new(),
        }))
    }

    /// Sandbox tokens for the app `client_id`, minted with an administrator's token or credentials.
    /// The sandbox host is shown the minted token, the auth host the administrator's.
    pub fn sandbox(admin: Credentials, client_id: impl Into<String>) -> Self {
        let wish = SandboxWish { client_id: client_id.into(), scenarios: Vec::new(), ttl: None };
        Self::of(Kind::Sandbox(Box::new(SandboxCredentials { admin, wish })))
    }

    /// The tokens of a user who has signed in at the app `client_id`, which `store` keeps, for the live hosts; see
    /// [`authorization`](crate::authorization) for how a user signs in. The app is a public client unless
    /// [`Credentials::client_secret`] makes it a confidential one (RFC 6749, section 2.1).
    pub fn user(client_id: impl Into<String>, store: impl TokenStore + 'static) -> Self {
        Self::of(Kind::User(Box::new(Registration::new(client_id.into(), store))))
    }

    /// The secret of a confidential client. Of use with [`Credentials::user`] only.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        if let Kind::User(registration) = &mut self.kind {
            registration.client_secret = Some(secret.into());
        }
        self
    }

    /// What the service calls itself (RFC 9207), `https://auth.knogin.com` by default; a development server is named
    /// after its address. Of use with [`Credentials::user`] only.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        if let Kind::User(registration) = &mut self.kind {
            registration.issuer = issuer.into();
        }
        self
    }

    /// The scopes to ask for. Of use with [`Credentials::client`] only.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        if let Kind::Client(client) = &mut self.kind {
            client.scopes = scopes.into_iter().map(Into::into).collect();
        }
        self
    }

    /// The scenarios to pin; without any, the sandbox rotates. Of use with [`Credentials::sandbox`]
    /// only.
    #[must_use]
    pub fn scenarios<S: Into<String>>(mut self, scenarios: impl IntoIterator<Item = S>) -> Self {
        if let Kind::Sandbox(sandbox) = &mut self.kind {
            sandbox.wish.scenarios = scenarios.into_iter().map(Into::into).collect();
        }
        self
    }

    /// Lifetime of sandbox tokens; the server clamps it to one minute to one day. Of use with
    /// [`Credentials::sandbox`] only.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        if let Kind::Sandbox(sandbox) = &mut self.kind {
            sandbox.wish.ttl = Some(ttl);
        }
        self
    }

    /// How long before its expiry a token is refreshed: one minute by default, and never more than
    /// half of the token's life.
    #[must_use]
    pub fn refresh_ahead(self, ahead: Duration) -> Self {
        Self { refresh_ahead: ahead, ..self }
    }

    fn of(kind: Kind) -> Self {
        Self { kind, refresh_ahead: REFRESH_AHEAD }
    }

    /// The tokens of these credentials.
    pub(crate) fn tokens(&self, environment: &Environment, retry: &Retry, http: &reqwest::Client) -> Tokens {
        let transport = |auth| Transport::new(environment.clone(), auth, retry.clone());
        match &self.kind {
            Kind::None => Tokens::default(),
            Kind::Token(token) => Tokens::everywhere(Some(Token::Fixed(token.clone()))),
            Kind::Client(client) => {
                let auth = Auth::Basic(client.client_id.clone(), client.client_secret.clone());
                let api = transport(auth).into_client(http.clone());
                let source = ClientCredentialsSource::new(api, client.scopes.clone());
                Tokens::everywhere(Some(Token::cached(TokenCache::new(source, self.refresh_ahead))))
            }
            Kind::User(registration) => {
                let ahead = self.refresh_ahead;
                let session = UserSession::new(registration, ahead, environment, retry, http);
                let token = Token::Cached(Arc::clone(session.cache()));
                Tokens { user: Some(session), ..Tokens::everywhere(Some(token)) }
            }
            Kind::Sandbox(sandbox) => {
                let admin = sandbox.admin.tokens(environment, retry, http);
                let api = transport(Auth::Tokens(admin.clone())).into_client(http.clone());
                let source = SandboxTokenSource::new(api, sandbox.wish.clone());
                let minted = Token::cached(TokenCache::new(source, self.refresh_ahead));
                Tokens { sandbox: Some(minted), ..admin }
            }
        }
    }
}

/// The tokens that a client shows, by host.
#[derive(Clone, Default)]
pub(crate) struct Tokens {
    live: Option<Token>,
    sandbox: Option<Token>,
    /// Whose tokens they are, if a user's.
    user: Option<UserSession>,
}

impl Tokens {
    fn everywhere(token: Option<Token>) -> Self {
        Self { live: token.clone(), sandbox: token, user: None }
    }

    /// The sign-in of the user whose tokens they are.
    pub(crate) fn user(&self) -> Option<&UserSession> {
        self.user.as_ref()
    }

    /// The token that this host is shown.
    pub(crate) fn of(&self, host: Host) -> Option<&Token> {
        match host {
            Host::Auth | Host::Api => self.live.as_ref(),
            Host::Sandbox => self.sandbox.as_ref(),
        }
    }
}

/// A token that does not change, or one that is kept fresh.
#[derive(Clone)]
pub(crate) enum Token {
    Fixed(Secret),
    Cached(Arc<TokenCache>),
}

impl Token {
    fn cached(cache: TokenCache) -> Self {
        Self::Cached(Arc::new(cache))
    }

    pub(crate) async fn get(&self) -> Result<Secret, Error> {
        match self {
            Self::Fixed(token) => Ok(token.clone()),
            Self::Cached(cache) => cache.get().await,
        }
    }

    /// Another token than the refused one, if there can be one. An error is what the caller should hear in place of the
    /// refusal.
    pub(crate) async fn replace(&self, refused: &Secret) -> Result<Option<Secret>, Error> {
        let Self::Cached(cache) = self else { return Ok(None) };
        cache.invalidate(refused);
        match cache.get().await {
            Ok(fresh) => Ok(Some(fresh).filter(|fresh| fresh.expose() != refused.expose())),
            Err(error) if error.kind() == ErrorKind::SignInRequired => Err(error),
            Err(_) => Ok(None),
        }
    }
}

//! People who sign in: accounts with a password each, the browsers that they are signed in with, and invitations to
//! choose a password. What they may do beyond that, and how a browser shows who it is, does not live here.
//!
//! An e-mail address names one person of the whole installation, because whoever signs in names no tenant. Disabling
//! somebody, and a new password, end all sessions.
//!
//! Passwords are what there is. Passkeys (WebAuthn) are left for later.

mod email;
mod invitations;
mod passwords;
mod rows;
mod sessions;

pub use email::EmailAddress;
pub use invitations::INVITATION_DAYS;
pub use passwords::{PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH, Password};
pub use rows::{USER_COLUMNS, UserRow};
pub use sessions::{Device, Session, SignedIn, end_session, sweep};

use crate::audit;
use crate::clock::Clock;
use crate::context::{Actor, Context, Live, Principal};
use crate::error::{Error, Fault};
use crate::ids::{self, OrganizationId, TenantId, UserId};
use crate::pepper::Pepper;
use crate::revocations;
use crate::store::{Reader, Store, Tx};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::name::Name;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_wire::hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use passwords::Passwords;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who it is.
    pub id: UserId,
    /// Whose data they see.
    pub tenant_id: TenantId,
    /// The organisation inside the tenant.
    pub organization_id: OrganizationId,
    /// What they sign in with.
    pub email: EmailAddress,
    /// What people call them.
    pub name: String,
    /// Their clearance.
    pub secrecy_level: SecrecyLevel,
    /// What they may do, and so may let an app do for them.
    pub scopes: Vec<Scope>,
    /// Since when they may not sign in, if that is so.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When they were given or chose their password; none while they are invited.
    pub password_changed_at: Option<DateTime<Utc>>,
    /// Since when they are known.
    pub created_at: DateTime<Utc>,
}

impl User {
    /// Whether they may let an app do what the scope names for them.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|held| held.implies(scope))
    }

    /// Whether they may not sign in.
    pub fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }

    /// The user as the one who acts.
    pub fn principal(&self) -> Principal {
        Principal {
            tenant_id: self.tenant_id.clone(),
            organization_id: self.organization_id.clone(),
            actor: Actor::User(self.id.clone()),
            user_id: None,
            scopes: self.scopes.clone(),
            secrecy_level: self.secrecy_level,
            is_sandboxed: false,
        }
    }
}

/// The user of the reader's tenant with this identifier.
pub fn find(reader: &mut Reader<'_>, id: &UserId) -> Result<Option<User>, Error> {
    rows::find(reader, id)?.map(UserRow::into_user).transpose()
}

/// Forgets somebody who leaves: sessions, invitations and access tokens end, and the address is free again. What the
/// audit trail says of them stays.
///
/// Errors: `NotFound`.
pub fn remove(tx: &mut Tx<'_>, id: &UserId) -> Result<(), Error> {
    rows::end_all(tx, id)?;
    rows::withdraw(tx, id)?;
    rows::remove(tx, id)?;
    revocations::end(tx, &[id.as_str()])?;
    audit::append(tx, "user.remove", id.as_str())
}

/// Somebody to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they sign in with.
    pub email: EmailAddress,
    /// What people call them.
    pub name: Name,
    /// Their clearance.
    pub secrecy_level: SecrecyLevel,
    /// What they may do; every partner scope when nothing is said.
    pub scopes: Option<Vec<Scope>>,
}

/// The people of an installation.
pub struct Users {
    store: Store,
    pepper: Arc<Pepper>,
    clock: Clock,
    passwords: Passwords,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}

impl Users {
    /// The people that this store knows.
    pub fn new(store: Store, pepper: Arc<Pepper>, clock: Clock) -> Self {
        Self { store, pepper, clock, passwords: Passwords::new() }
    }

    /// Adds somebody to the context's tenant, with this password or, without one, to be invited.
    ///
    /// Errors: `Invalid` where the address is somebody's already.
    pub async fn add(
        &self,
        context: &Context<Live>,
        new: NewUser,
        password: Option<&Password>,
    ) -> Result<User, Error> {
        let hash = match password {
            Some(password) => Some(self.passwords.hash(password.secret()).await?),
            None => None,
        };
        let id = UserId::fresh(&self.clock)?;
        let (inserted, email) = (id.clone(), new.email.clone());
        let add = move |tx: &mut Tx<'_>| {
            rows::insert(tx, &inserted, &new, hash.as_deref())?;
            audit::append(tx, "user.add", inserted.as_str())
        };
        self.store.write(context, add).await?;
        self.named(&email).await
    }

    /// The people of the context's tenant, by their addresses.
    pub async fn list(&self, context: &Context<Live>) -> Result<Vec<User>, Error> {
        let rows = self.store.read(context, |reader| Ok::<_, Error>(rows::list(reader)?)).await?;
        rows.into_iter().map(UserRow::into_user).collect()
    }

    /// Whoever has this address, of any tenant: for commands of the operator, who names no tenant.
    ///
    /// Errors: `NotFound`.
    pub async fn named(&self, email: &EmailAddress) -> Result<User, Error> {
        let account = self.account(email).await?.ok_or(Error::NotFound("user"))?;
        account.user.into_user()
    }

    /// Whose address and password these are. An unknown address, a disabled user and one without a password look like
    /// a wrong password, and take as long.
    ///
    /// Errors: `Store`, also where too many are being checked.
    pub async fn authenticate(&self, email: &str, password: &SecretText) -> Result<Option<User>, Error> {
        let account = match email.parse::<EmailAddress>() {
            Ok(email) => self.account(&email).await?,
            Err(_) => None,
        };
        let hash = account.as_ref().and_then(|account| account.password_hash.clone());
        let matches = self.passwords.matches(password.clone(), hash).await?;
        let user = account.map(|account| account.user.into_user()).transpose()?;
        Ok(user.filter(|user| matches && user.disabled_at.is_none()))
    }

    /// Keeps somebody from signing in, and ends all sessions and the access tokens of apps.
    ///
    /// Errors: `NotFound`.
    pub async fn disable(&self, context: &Context<Live>, id: &UserId) -> Result<(), Error> {
        let id = id.clone();
        let disable = move |tx: &mut Tx<'_>| {
            rows::disable(tx, &id)?;
            rows::end_all(tx, &id)?;
            revocations::end(tx, &[id.as_str()])?;
            audit::append(tx, "user.disable", id.as_str())
        };
        self.store.write(context, disable).await
    }

    /// Lets somebody sign in again.
    ///
    /// Errors: `NotFound`.
    pub async fn enable(&self, context: &Context<Live>, id: &UserId) -> Result<(), Error> {
        let id = id.clone();
        let enable = move |tx: &mut Tx<'_>| {
            rows::enable(tx, &id)?;
            revocations::set(tx, id.as_str())?;
            audit::append(tx, "user.enable", id.as_str())
        };
        self.store.write(context, enable).await
    }

    /// Replaces somebody's password, and ends all sessions, the access tokens of apps, and invitations.
    ///
    /// Errors: `NotFound`.
    pub async fn set_password(
        &self,
        context: &Context<Live>,
        id: &UserId,
        password: &Password,
    ) -> Result<(), Error> {
        let (id, hash) = (id.clone(), self.passwords.hash(password.secret()).await?);
        let replace = move |tx: &mut Tx<'_>| {
            rows::set_password(tx, &id, &hash)?;
            rows::end_all(tx, &id)?;
            revocations::set(tx, id.as_str())?;
            rows::withdraw(tx, &id)?;
            audit::append(tx, "user.password.set", id.as_str())
        };
        self.store.write(context, replace).await
    }

    async fn account(&self, email: &EmailAddress) -> Result<Option<rows::Account>, Error> {
        let email = email.clone();
        self.store.look_up(move |connection| Ok::<_, Error>(rows::find_account(connection, &email)?)).await
    }

    /// What is stored of a token.
    fn hashed(&self, purpose: &str, token: &SecretText) -> String {
        hex::encode(&self.pepper.seal(purpose, &[token.expose()]))
    }
}

/// A fresh token of 256 random bits.
fn fresh_token() -> Result<SecretText, Fault> {
    let bytes = Zeroizing::new(ids::random::<32>().map_err(Fault::new)?);
    Ok(SecretText::from(URL_SAFE_NO_PAD.encode(*bytes)))
}

//! The browsers that somebody is signed in with. A browser has a token of 256 random bits; what is stored is its keyed
//! hash, which is the session's identifier. A session lasts 12 hours behind its last use, and 30 days at most, by the
//! database's clock.

use super::{User, Users, fresh_token, rows};
use crate::audit;
use crate::context::{Context, Live};
use crate::error::Error;
use crate::ids::UserId;
use crate::store::{AnyConnection, Reader, Tx};
use argus_openapi::types::secret::SecretText;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use std::net::IpAddr;

/// How much is kept of what a browser calls itself, in characters.
const USER_AGENT_LENGTH: usize = 160;

/// What is known of a browser.
#[derive(Clone, Debug, Default)]
pub struct Device {
    user_agent: String,
    address: Option<IpAddr>,
}

impl Device {
    /// A browser that calls itself so and comes from there. Of its name an excerpt is kept.
    pub fn new(user_agent: &str, address: Option<IpAddr>) -> Self {
        let printable = user_agent.chars().filter(|letter| matches!(letter, ' '..='~'));
        Self { user_agent: printable.take(USER_AGENT_LENGTH).collect(), address }
    }
}

/// A browser in which somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The keyed hash of its token, which opens nothing.
    pub id: String,
    /// When they signed in.
    pub opened_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends unless it is used.
    pub expires_at: DateTime<Utc>,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Where it came from when they signed in.
    pub address: Option<String>,
}

/// Somebody who is signed in, and with which browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// With which browser.
    pub session: Session,
}

impl Users {
    /// Signs somebody in who was authenticated, for whom the context must be; answers with the browser's token. None
    /// where they were disabled or got another password since.
    pub async fn open_session(
        &self,
        context: &Context<Live>,
        user: &User,
        device: &Device,
    ) -> Result<Option<SecretText>, Error> {
        let token = fresh_token()?;
        let (id, user, device) = (self.session_id(&token), user.clone(), device.clone());
        let open = move |tx: &mut Tx<'_>| {
            if !rows::hold(tx, &user)? {
                return Ok(false);
            }
            let address = device.address.map(|address| address.to_string());
            rows::open(tx, &id, &user.id, &device.user_agent, address.as_deref())?;
            audit::append(tx, "session.open", user.id.as_str())?;
            Ok::<_, Error>(true)
        };
        let is_open = self.store.write(context, open).await?;
        Ok(is_open.then_some(token))
    }

    /// Whose session a browser's token is, while it lasts and its user is not disabled. That it is used is noted now and
    /// then.
    pub async fn find_session(&self, token: &SecretText) -> Result<Option<SignedIn>, Error> {
        let id = self.session_id(token);
        let find = {
            let id = id.clone();
            move |connection: &mut AnyConnection| Ok::<_, Error>(rows::find_session(connection, &id)?)
        };
        let Some(rows::FoundSession { session, user }) = self.store.look_up(find).await? else {
            return Ok(None);
        };
        let user = user.into_user()?;
        if rows::is_to_be_noted(&session, self.clock.now()) {
            let context = Context::in_background(user.principal(), self.clock.clone());
            self.store.write(&context, move |tx| Ok::<_, Error>(rows::note(tx, &id)?)).await?;
        }
        Ok(Some(SignedIn { user, session: session.into() }))
    }

    /// Somebody's sessions, the last used first, 100 at most.
    pub async fn sessions(&self, context: &Context<Live>, user: &User) -> Result<Vec<Session>, Error> {
        let user_id = user.id.clone();
        let list = move |reader: &mut Reader<'_>| Ok::<_, Error>(rows::sessions(reader, &user_id)?);
        Ok(self.store.read(context, list).await?.into_iter().map(Session::from).collect())
    }

    fn session_id(&self, token: &SecretText) -> String {
        self.hashed("session", token)
    }
}

/// Ends one of somebody's sessions.
///
/// Errors: `NotFound`, also for a session of somebody else.
pub fn end_session(tx: &mut Tx<'_>, user_id: &UserId, id: &str) -> Result<(), Error> {
    if !rows::end(tx, user_id, id)? {
        return Err(Error::NotFound("session"));
    }
    audit::append(tx, "session.end", user_id.as_str())
}

/// Removes some sessions and invitations whose time is over, and says how many.
pub fn sweep(connection: &mut AnyConnection) -> QueryResult<usize> {
    rows::sweep(connection)
}

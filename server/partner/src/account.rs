//! What somebody who is signed in has allowed, and how it ends: by app, or with the browser's session in which it was
//! allowed, or with the account.

use crate::apps;
use crate::error::Error;
use crate::store::authorizations::families::{self, Which};
use crate::store::authorizations::grants;
use argus_core::context::{Context, Live};
use argus_core::ids::{ClientId, UserId};
use argus_core::users::{self, User};
use argus_core::{Store, audit};
use argus_openapi::types::scopes::Scope;
use chrono::{DateTime, Utc};

/// What an app may do for somebody.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The app.
    pub client_id: ClientId,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When that was last allowed.
    pub allowed_at: DateTime<Utc>,
}

/// What a user has allowed, to which apps, the latest first.
pub async fn granted(
    store: &Store,
    context: &Context<Live>,
    user_id: &UserId,
) -> Result<Vec<Granted>, Error> {
    let user_id = user_id.clone();
    let rows = store.read(context, move |reader| Ok::<_, Error>(grants::list(reader, &user_id)?)).await?;
    let granted = rows.into_iter().map(|row| {
        Ok(Granted {
            scopes: apps::from_json(&row.scopes)?,
            client_id: row.client_id,
            name: row.name,
            allowed_at: DateTime::from_timestamp_micros(row.updated_at).unwrap_or_default(),
        })
    });
    granted.collect()
}

/// An app may do nothing any more for a user; its tokens end.
pub async fn withdraw(
    store: &Store,
    context: &Context<Live>,
    user_id: &UserId,
    client_id: &ClientId,
) -> Result<(), Error> {
    let (user_id, client_id) = (user_id.clone(), client_id.clone());
    let withdrawn = store.write(context, move |tx| {
        if !grants::delete(tx, &user_id, &client_id)? {
            return Err(Error::Core(argus_core::Error::NotFound("grant")));
        }
        families::end(tx, Which::OfGrant(&user_id, &client_id))?;
        Ok(audit::append(tx, "oauth.consent.withdraw", client_id.as_str())?)
    });
    withdrawn.await
}

/// Somebody leaves the organisation: the account goes, and with it all that it has allowed.
///
/// Errors: `NotFound`.
pub async fn remove(store: &Store, context: &Context<Live>, user_id: &UserId) -> Result<(), Error> {
    let user_id = user_id.clone();
    let removed = store.write(context, move |tx| {
        families::end(tx, Which::OfUser(&user_id))?;
        grants::delete_all(tx, &user_id)?;
        Ok::<_, Error>(users::remove(tx, &user_id)?)
    });
    removed.await
}

/// Ends a browser's session of a user, and the tokens of what was allowed in it.
///
/// Errors: `NotFound`, also for a session of somebody else.
pub async fn end_session(
    store: &Store,
    context: &Context<Live>,
    user: &User,
    session_id: &str,
) -> Result<(), Error> {
    let (user_id, session_id) = (user.id.clone(), session_id.to_owned());
    let ended = store.write(context, move |tx| {
        users::end_session(tx, &user_id, &session_id)?;
        families::end(tx, Which::OfSession(&user_id, &session_id))?;
        Ok::<_, Error>(())
    });
    ended.await
}

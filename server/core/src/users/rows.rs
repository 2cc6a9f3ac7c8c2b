//! The tables of people, sessions and invitations, and their queries; the same on both engines. Rules do not live here.
//! Look-ups before the tenant is known are functions of the owner's on PostgreSQL, which shows nobody a row of no tenant.

use super::{EmailAddress, NewUser, Session, User};
use crate::error::{Error, Fault};
use crate::ids::{OrganizationId, TenantId, UserId};
use crate::store::statement::{Statement, on_engine};
use crate::store::{AnyConnection, Reader, Tx};
use argus_openapi::types::scopes::Scope;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::sql_types::{BigInt, Nullable, Text};

const DAY: i64 = 24 * 3600 * 1_000_000;
/// How long a session lasts while nobody uses it: 12 hours, in microseconds.
const IDLE: i64 = DAY / 2;
/// How long it lasts at most.
const LONGEST: i64 = 30 * DAY;
/// How far a session's last use is behind before it is noted anew.
const NOTED: i64 = 60 * 1_000_000;
/// How long an invitation counts.
const INVITATION: i64 = super::INVITATION_DAYS as i64 * DAY;
/// How many rows are removed in one statement, so that none holds others up.
const BATCH: i64 = 500;

/// The columns of a [`UserRow`].
macro_rules! user_columns {
    () => {
        "users.user_id, users.tenant_id, users.organization_id, users.email, users.name, users.secrecy_level, \
         users.scopes, users.disabled_at, users.password_changed_at, users.created_at"
    };
}

/// The columns of a [`SessionRow`].
macro_rules! session_columns {
    () => {
        "sessions.session_id, sessions.opened_at, sessions.last_seen_at, sessions.expires_at, \
         sessions.user_agent, sessions.address"
    };
}

/// The columns of a [`UserRow`], of the table `users`, for statements that join it.
pub const USER_COLUMNS: &str = user_columns!();

/// A person as it is stored.
#[derive(Clone, QueryableByName)]
pub struct UserRow {
    #[diesel(sql_type = Text)]
    user_id: UserId,
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    secrecy_level: String,
    #[diesel(sql_type = Nullable<Text>)]
    scopes: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    disabled_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    password_changed_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
}

/// Somebody with what a password is compared with.
#[derive(Clone, QueryableByName)]
pub(super) struct Account {
    #[diesel(embed)]
    pub(super) user: UserRow,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) password_hash: Option<String>,
}

#[derive(Clone, QueryableByName)]
pub(super) struct SessionRow {
    #[diesel(sql_type = Text)]
    session_id: String,
    #[diesel(sql_type = BigInt)]
    opened_at: i64,
    #[diesel(sql_type = BigInt)]
    last_seen_at: i64,
    #[diesel(sql_type = BigInt)]
    expires_at: i64,
    #[diesel(sql_type = Text)]
    user_agent: String,
    #[diesel(sql_type = Nullable<Text>)]
    address: Option<String>,
}

/// A session and whose it is.
#[derive(Clone, QueryableByName)]
pub(super) struct FoundSession {
    #[diesel(embed)]
    pub(super) session: SessionRow,
    #[diesel(embed)]
    pub(super) user: UserRow,
}

impl UserRow {
    /// Errors: `Fault` where a row is not one that was written here.
    pub fn into_user(self) -> Result<User, Error> {
        let scopes = match &self.scopes {
            Some(scopes) => serde_json::from_str(scopes).map_err(Fault::new)?,
            None => Scope::partner().collect(),
        };
        Ok(User {
            id: self.user_id,
            tenant_id: self.tenant_id,
            organization_id: self.organization_id,
            email: self.email.parse()?,
            name: self.name,
            secrecy_level: self.secrecy_level.parse().map_err(|_| Fault::new("no such secrecy level"))?,
            scopes,
            disabled_at: self.disabled_at.map(moment),
            password_changed_at: self.password_changed_at.map(moment),
            created_at: moment(self.created_at),
        })
    }
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.session_id,
            opened_at: moment(row.opened_at),
            last_seen_at: moment(row.last_seen_at),
            expires_at: moment(row.expires_at),
            user_agent: row.user_agent,
            address: row.address,
        }
    }
}

fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// Errors: `Invalid` where the address is somebody's already.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    id: &UserId,
    new: &NewUser,
    password_hash: Option<&str>,
) -> Result<(), Error> {
    const INSERT: &str = "INSERT INTO users (user_id, tenant_id, organization_id, email, name, password_hash, \
        secrecy_level, scopes, password_changed_at, created_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, CASE WHEN CAST(? AS TEXT) IS NOT NULL THEN argus_now() END, argus_now())";
    let scopes = new.scopes.as_ref().map(serde_json::to_string).transpose().map_err(Fault::new)?;
    let organization_id = tx.invocation().principal.organization_id.clone();
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(INSERT)
        .bind::<Text, _>(id)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(&organization_id)
        .bind::<Text, _>(new.email.as_str())
        .bind::<Text, _>(new.name.as_str())
        .bind::<Nullable<Text>, _>(password_hash)
        .bind::<Text, _>(new.secrecy_level.as_str())
        .bind::<Nullable<Text>, _>(scopes.as_deref())
        .bind::<Nullable<Text>, _>(password_hash);
    match on_engine!(connection, |inner| statement.execute(inner)) {
        Err(QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(Error::Invalid(format!("{} is the address of a user already", new.email)))
        }
        other => Ok(other.map(drop)?),
    }
}

pub(super) fn find(reader: &mut Reader<'_>, id: &UserId) -> QueryResult<Option<UserRow>> {
    const FIND: &str =
        concat!("SELECT ", user_columns!(), " FROM users WHERE users.user_id = ? AND users.tenant_id = ?");
    let (connection, tenant_id) = reader.parts();
    let statement = Statement::new(FIND).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.get_result(inner)).optional()
}

pub(super) fn list(reader: &mut Reader<'_>) -> QueryResult<Vec<UserRow>> {
    const LIST: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE tenant_id = ? ORDER BY email");
    let (connection, tenant_id) = reader.parts();
    let statement = Statement::new(LIST).bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Whoever has this address, of any tenant.
pub(super) fn find_account(
    connection: &mut AnyConnection,
    email: &EmailAddress,
) -> QueryResult<Option<Account>> {
    const BY_FUNCTION: &str = "SELECT * FROM argus_find_user(?)";
    const IN_TABLE: &str =
        concat!("SELECT ", user_columns!(), ", users.password_hash FROM users WHERE users.email = ?");
    let find = |text: &'static str| Statement::new(text).bind::<Text, _>(email.as_str());
    match connection {
        AnyConnection::Pg(connection) => find(BY_FUNCTION).get_result(connection),
        AnyConnection::Sqlite(connection) => find(IN_TABLE).get_result(connection),
    }
    .optional()
}

/// The session of this keyed hash while it lasts, of any tenant, unless its user is disabled.
pub(super) fn find_session(connection: &mut AnyConnection, id: &str) -> QueryResult<Option<FoundSession>> {
    const BY_FUNCTION: &str = "SELECT * FROM argus_find_session(?)";
    const IN_TABLE: &str = concat!(
        "SELECT ",
        session_columns!(),
        ", ",
        user_columns!(),
        " FROM sessions JOIN users ON users.user_id = sessions.user_id \
         WHERE sessions.session_id = ? AND sessions.expires_at > argus_now() AND users.disabled_at IS NULL"
    );
    let find = |text: &'static str| Statement::new(text).bind::<Text, _>(id.to_owned());
    match connection {
        AnyConnection::Pg(connection) => find(BY_FUNCTION).get_result(connection),
        AnyConnection::Sqlite(connection) => find(IN_TABLE).get_result(connection),
    }
    .optional()
}

/// Who is invited by the invitation of this keyed hash, while it counts, of any tenant, unless they are disabled.
pub(super) fn find_invited(connection: &mut AnyConnection, id: &str) -> QueryResult<Option<UserRow>> {
    const BY_FUNCTION: &str = "SELECT * FROM argus_find_invitation(?)";
    const IN_TABLE: &str = concat!(
        "SELECT ",
        user_columns!(),
        " FROM invitations JOIN users ON users.user_id = invitations.user_id \
         WHERE invitations.invitation_id = ? AND invitations.expires_at > argus_now() AND users.disabled_at IS NULL"
    );
    let find = |text: &'static str| Statement::new(text).bind::<Text, _>(id.to_owned());
    match connection {
        AnyConnection::Pg(connection) => find(BY_FUNCTION).get_result(connection),
        AnyConnection::Sqlite(connection) => find(IN_TABLE).get_result(connection),
    }
    .optional()
}

pub(super) fn disable(tx: &mut Tx<'_>, id: &UserId) -> Result<(), Error> {
    change(tx, id, "disabled_at = COALESCE(disabled_at, argus_now())")
}

pub(super) fn enable(tx: &mut Tx<'_>, id: &UserId) -> Result<(), Error> {
    change(tx, id, "disabled_at = NULL")
}

fn change(tx: &mut Tx<'_>, id: &UserId, what: &str) -> Result<(), Error> {
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(format!("UPDATE users SET {what} WHERE user_id = ? AND tenant_id = ?"))
        .bind::<Text, _>(id)
        .bind::<Text, _>(tenant_id);
    found(on_engine!(connection, |inner| statement.execute(inner))?)
}

pub(super) fn set_password(tx: &mut Tx<'_>, id: &UserId, password_hash: &str) -> Result<(), Error> {
    const SET: &str = "UPDATE users SET password_hash = ?, password_changed_at = argus_now() \
        WHERE user_id = ? AND tenant_id = ?";
    let (connection, tenant_id) = tx.parts();
    let statement =
        Statement::new(SET).bind::<Text, _>(password_hash).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    found(on_engine!(connection, |inner| statement.execute(inner))?)
}

/// Forgets somebody.
pub(super) fn remove(tx: &mut Tx<'_>, id: &UserId) -> Result<(), Error> {
    const REMOVE: &str = "DELETE FROM users WHERE user_id = ? AND tenant_id = ?";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(REMOVE).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    found(on_engine!(connection, |inner| statement.execute(inner))?)
}

fn found(rows: usize) -> Result<(), Error> {
    if rows == 0 { Err(Error::NotFound("user")) } else { Ok(()) }
}

/// Keeps somebody from being changed until the transaction ends; says whether they may still sign in, with the password
/// that they had when they were looked at.
pub(super) fn hold(tx: &mut Tx<'_>, user: &User) -> QueryResult<bool> {
    const HOLD: &str = "UPDATE users SET name = name WHERE user_id = ? AND tenant_id = ? \
        AND disabled_at IS NULL AND password_changed_at = ?";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(HOLD)
        .bind::<Text, _>(&user.id)
        .bind::<Text, _>(tenant_id)
        .bind::<Nullable<BigInt>, _>(user.password_changed_at.map(|at| at.timestamp_micros()));
    Ok(on_engine!(connection, |inner| statement.execute(inner))? == 1)
}

pub(super) fn open(
    tx: &mut Tx<'_>,
    id: &str,
    user_id: &UserId,
    user_agent: &str,
    address: Option<&str>,
) -> QueryResult<()> {
    const OPEN: &str = "INSERT INTO sessions \
        (session_id, user_id, tenant_id, opened_at, last_seen_at, expires_at, user_agent, address) \
        VALUES (?, ?, ?, argus_now(), argus_now(), argus_now() + ?, ?, ?)";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(OPEN)
        .bind::<Text, _>(id)
        .bind::<Text, _>(user_id)
        .bind::<Text, _>(tenant_id)
        .bind::<BigInt, _>(IDLE)
        .bind::<Text, _>(user_agent)
        .bind::<Nullable<Text>, _>(address);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// Whether a session's last use should be noted anew.
pub(super) fn is_to_be_noted(session: &SessionRow, now: DateTime<Utc>) -> bool {
    now.timestamp_micros().saturating_sub(session.last_seen_at) >= NOTED
}

/// Notes that a session is used, so that it lasts on, but not for longer than any may.
pub(super) fn note(tx: &mut Tx<'_>, id: &str) -> QueryResult<()> {
    const SEEN: &str = "UPDATE sessions SET last_seen_at = argus_now(), expires_at = \
        CASE WHEN opened_at + ? < argus_now() + ? THEN opened_at + ? ELSE argus_now() + ? END \
        WHERE session_id = ? AND tenant_id = ? AND expires_at > argus_now()";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(SEEN)
        .bind::<BigInt, _>(LONGEST)
        .bind::<BigInt, _>(IDLE)
        .bind::<BigInt, _>(LONGEST)
        .bind::<BigInt, _>(IDLE)
        .bind::<Text, _>(id)
        .bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// Somebody's sessions, the last used first, 100 at most.
pub(super) fn sessions(reader: &mut Reader<'_>, user_id: &UserId) -> QueryResult<Vec<SessionRow>> {
    const LIST: &str = concat!(
        "SELECT ",
        session_columns!(),
        " FROM sessions WHERE user_id = ? AND tenant_id = ? AND expires_at > argus_now() \
         ORDER BY last_seen_at DESC, session_id LIMIT 100"
    );
    let (connection, tenant_id) = reader.parts();
    let statement = Statement::new(LIST).bind::<Text, _>(user_id).bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Ends one of somebody's sessions; says whether it was there.
pub(super) fn end(tx: &mut Tx<'_>, user_id: &UserId, id: &str) -> QueryResult<bool> {
    const END: &str = "DELETE FROM sessions WHERE session_id = ? AND user_id = ? AND tenant_id = ?";
    let (connection, tenant_id) = tx.parts();
    let statement =
        Statement::new(END).bind::<Text, _>(id).bind::<Text, _>(user_id).bind::<Text, _>(tenant_id);
    Ok(on_engine!(connection, |inner| statement.execute(inner))? > 0)
}

/// Ends all of them.
pub(super) fn end_all(tx: &mut Tx<'_>, user_id: &UserId) -> QueryResult<()> {
    remove_of(tx, "sessions", user_id)
}

/// Withdraws somebody's invitations.
pub(super) fn withdraw(tx: &mut Tx<'_>, user_id: &UserId) -> QueryResult<()> {
    remove_of(tx, "invitations", user_id)
}

fn remove_of(tx: &mut Tx<'_>, table: &str, user_id: &UserId) -> QueryResult<()> {
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(format!("DELETE FROM {table} WHERE user_id = ? AND tenant_id = ?"))
        .bind::<Text, _>(user_id)
        .bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

pub(super) fn invite(tx: &mut Tx<'_>, id: &str, user_id: &UserId) -> QueryResult<()> {
    const INVITE: &str = "INSERT INTO invitations (invitation_id, user_id, tenant_id, expires_at) \
        VALUES (?, ?, ?, argus_now() + ?)";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(INVITE)
        .bind::<Text, _>(id)
        .bind::<Text, _>(user_id)
        .bind::<Text, _>(tenant_id)
        .bind::<BigInt, _>(INVITATION);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// Uses an invitation up; says whether it counted.
pub(super) fn use_up(tx: &mut Tx<'_>, id: &str) -> QueryResult<bool> {
    const USE: &str =
        "DELETE FROM invitations WHERE invitation_id = ? AND tenant_id = ? AND expires_at > argus_now()";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(USE).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    Ok(on_engine!(connection, |inner| statement.execute(inner))? > 0)
}

/// Removes some sessions and invitations whose time is over, and says how many.
pub(super) fn sweep(connection: &mut AnyConnection) -> QueryResult<usize> {
    const SESSIONS: &str = "DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions \
        WHERE expires_at <= argus_now() ORDER BY expires_at LIMIT ?)";
    const INVITATIONS: &str = "DELETE FROM invitations WHERE invitation_id IN (SELECT invitation_id \
        FROM invitations WHERE expires_at <= argus_now() ORDER BY expires_at LIMIT ?)";
    let mut removed = 0;
    for text in [SESSIONS, INVITATIONS] {
        let statement = Statement::new(text).bind::<BigInt, _>(BATCH);
        removed += on_engine!(&mut *connection, |inner| statement.execute(inner))?;
    }
    Ok(removed)
}

//! Which tokens count no more before their time is over. A subject is what a token names: its family, itself, its user or
//! its app. What was issued until then counts no more, what is issued later does.

use crate::ids::{ClientId, UserId};
use crate::store::statement::{Statement, each_name, names, on_engine};
use crate::store::{AnyConnection, Reader, Tx};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

const SECOND: i64 = 1_000_000;
/// How long an access token lives at most, in microseconds: no node needs to know a revocation for longer.
const LONGEST_TOKEN: i64 = (24 * 3600 + 60) * SECOND;
/// How long what a user has allowed can be refreshed at most, in microseconds: 180 days. As long it stays written that
/// what a user or an app had before counts no more.
pub const LONGEST_GRANT: i64 = 180 * 24 * 3600 * SECOND;
/// How far the clock of a node that issues tokens may be ahead, and how long one may be on its way, in microseconds.
const AHEAD: i64 = 60 * SECOND;
/// Where every node is told that there is a new one.
pub(crate) const REVOKED: &str = "argus_token_revoked";

/// A revocation.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Revocation {
    /// What the tokens name.
    #[diesel(sql_type = Text)]
    pub subject: String,
    /// Those that were issued until then count no more; in microseconds.
    #[diesel(sql_type = BigInt)]
    pub not_before: i64,
}

/// The tokens that name this subject and were issued until now count no more; those that it is issued from now on do.
pub fn set(tx: &mut Tx<'_>, subject: &str) -> QueryResult<()> {
    until(tx, &[subject], 0)
}

/// The tokens that name one of these subjects count no more, those that are on their way included: nothing good is issued
/// to it any more, or not before [`set`] says so.
pub fn end(tx: &mut Tx<'_>, subjects: &[&str]) -> QueryResult<()> {
    if subjects.is_empty() { Ok(()) } else { until(tx, subjects, AHEAD) }
}

/// The tokens that name one of these subjects and are issued until so long from now count no more.
fn until(tx: &mut Tx<'_>, subjects: &[&str], ahead: i64) -> QueryResult<()> {
    let (connection, tenant_id) = tx.parts();
    // In a fixed order, so that two who end the same do not wait for each other.
    let mut subjects = subjects.to_vec();
    subjects.sort_unstable();
    let each = each_name(&*connection);
    let statement = Statement::new(format!(
        "INSERT INTO revocations (subject, tenant_id, not_before) \
         SELECT name, ?, argus_now() + CAST(? AS BIGINT) FROM {each} WHERE TRUE \
         ON CONFLICT (subject) DO UPDATE SET not_before = excluded.not_before"
    ));
    let statement =
        statement.bind::<Text, _>(tenant_id).bind::<BigInt, _>(ahead).bind::<Text, _>(names(&subjects));
    on_engine!(connection, |inner| statement.execute(inner))?;
    tell(connection)
}

/// The tokens that name this subject and were issued until this moment count no more, in microseconds. What was said
/// before is not taken back.
pub fn set_at(tx: &mut Tx<'_>, subject: &str, not_before: i64) -> QueryResult<()> {
    const SET: &str = "INSERT INTO revocations (subject, tenant_id, not_before) VALUES (?, ?, ?) \
        ON CONFLICT (subject) DO UPDATE SET not_before = excluded.not_before \
        WHERE revocations.not_before < excluded.not_before";
    let (connection, tenant_id) = tx.parts();
    let statement =
        Statement::new(SET).bind::<Text, _>(subject).bind::<Text, _>(tenant_id).bind::<BigInt, _>(not_before);
    on_engine!(connection, |inner| statement.execute(inner))?;
    tell(connection)
}

/// Tells every node with the commit, whichever process this is; who hears nothing looks now and then. The lock that a
/// notification takes at its commit is in nobody's way, since revocations are rare.
fn tell(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Pg(inner) => {
            Statement::new("SELECT pg_notify(?, '')").bind::<Text, _>(REVOKED).execute(inner).map(drop)
        }
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

/// The latest moment until which tokens that name one of these subjects count no more; in microseconds.
pub fn find(reader: &mut Reader<'_>, subjects: [&str; 4]) -> QueryResult<Option<i64>> {
    const FIND: &str = "SELECT subject, not_before FROM revocations \
        WHERE tenant_id = ? AND subject IN (?, ?, ?, ?) ORDER BY not_before DESC LIMIT 1";
    let (connection, tenant_id) = reader.parts();
    let [first, second, third, fourth] = subjects;
    let statement = Statement::new(FIND)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(first)
        .bind::<Text, _>(second)
        .bind::<Text, _>(third)
        .bind::<Text, _>(fourth);
    let found: Option<Revocation> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
    Ok(found.map(|found| found.not_before))
}

/// Every revocation that some living token may name, of every tenant.
pub fn all(connection: &mut AnyConnection) -> QueryResult<Vec<Revocation>> {
    const ALL: &str =
        "SELECT subject, not_before FROM revocations WHERE not_before > argus_now() - CAST(? AS BIGINT)";
    let statement = Statement::new(ALL).bind::<BigInt, _>(LONGEST_TOKEN);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Forgets what no living token names and no refresh asks for; says how many. A refresh asks for its user and its app, and
/// looks at its family itself.
pub fn sweep(connection: &mut AnyConnection) -> QueryResult<usize> {
    let statement = Statement::new(format!(
        "DELETE FROM revocations WHERE not_before <= argus_now() - CAST(? AS BIGINT) \
         AND (not_before <= argus_now() - CAST(? AS BIGINT) \
         OR subject NOT LIKE '{}!_%' ESCAPE '!' AND subject NOT LIKE '{}!_%' ESCAPE '!')",
        UserId::PREFIX,
        ClientId::PREFIX
    ));
    let statement = statement.bind::<BigInt, _>(LONGEST_TOKEN).bind::<BigInt, _>(LONGEST_GRANT + AHEAD);
    on_engine!(connection, |inner| statement.execute(inner))
}

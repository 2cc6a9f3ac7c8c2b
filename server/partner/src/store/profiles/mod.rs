//! Profiles: their rows and queries, the same on both engines. What a profile means does not live here.
//!
//! - `import`: what an import says of profiles
//! - `incidents`: the state of those that are incidents

mod import;
mod incidents;

pub use import::{ImportedRow, KeptRow, import};
pub use incidents::{IncidentColumns, IncidentRow, open_incidents, put_incidents};

use argus_core::context::Invocation;
use argus_core::ids::TenantId;
use argus_core::store::statement::{self, Statement, Values, on_engine};
use argus_core::store::{Reader, Resource, Tx};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::Sqlite;

/// A profile as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct ProfileRow {
    /// Identifier inside the tenant.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// What it is about.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Name for people.
    #[diesel(sql_type = Text)]
    pub display_name: String,
    /// Its secrecy.
    #[diesel(sql_type = Text)]
    pub secrecy_level: String,
    /// Overall risk, 0 to 100: the higher of what an import said and of what enrichments found.
    #[diesel(sql_type = Integer)]
    pub risk_score: i32,
    /// JSON array of relations to other profiles.
    #[diesel(sql_type = Text)]
    pub relations: String,
    /// JSON array of what enrichments found.
    #[diesel(sql_type = Text)]
    pub findings: String,
    /// Its state, if it is an incident.
    #[diesel(embed)]
    pub incident: IncidentColumns,
    /// When it was created.
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
    /// When it last changed.
    #[diesel(sql_type = BigInt)]
    pub updated_at: i64,
}

const COLUMNS: &str = "id, kind, display_name, secrecy_level, \
    CASE WHEN found_risk_score > risk_score THEN found_risk_score ELSE risk_score END AS risk_score, \
    relations, findings, incident_status, incident_severity, incident_summary, created_at, updated_at";

/// The condition on what a clearance may see.
fn visible(clearance: SecrecyLevel) -> String {
    // The levels are the contract's own words, without a quote.
    let levels: Vec<String> = SecrecyLevel::ALL
        .into_iter()
        .filter(|level| *level <= clearance)
        .map(|level| format!("'{level}'"))
        .collect();
    format!("secrecy_level IN ({})", levels.join(", "))
}

/// A profile and the clearance of who asks: what is above it does not exist.
pub type ProfileKey = (String, SecrecyLevel);

/// The key by which a caller finds a profile.
pub fn key(invocation: &Invocation, id: &str) -> ProfileKey {
    (id.to_owned(), invocation.principal.secrecy_level)
}

impl Resource for ProfileRow {
    type Id = ProfileKey;
    const NAME: &'static str = "profile";

    fn find(reader: &mut Reader<'_>, (id, clearance): &ProfileKey) -> QueryResult<Option<Self>> {
        let (connection, tenant_id) = reader.parts();
        let text = format!(
            "SELECT {COLUMNS} FROM profiles WHERE tenant_id = ? AND id = ? AND {}",
            visible(*clearance)
        );
        let statement = Statement::new(text).bind::<Text, _>(tenant_id).bind::<Text, _>(id);
        on_engine!(connection, |inner| statement.get_result(inner)).optional()
    }
}

/// Those of these profiles that a clearance may see, in no order.
pub fn find_all(
    reader: &mut Reader<'_>,
    clearance: SecrecyLevel,
    ids: &[String],
) -> QueryResult<Vec<ProfileRow>> {
    let (connection, tenant_id) = reader.parts();
    let text = format!(
        "SELECT {COLUMNS} FROM profiles WHERE tenant_id = ? AND {} AND {}",
        visible(clearance),
        statement::among(connection, "id")
    );
    let statement = Statement::new(text).bind::<Text, _>(tenant_id).bind::<Text, _>(statement::names(ids));
    on_engine!(connection, |inner| statement.load(inner))
}

/// Which profiles of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Of these kinds; of every kind when there is none.
    pub kinds: Vec<ProfileKind>,
    /// With at least this risk.
    pub min_risk_score: u8,
    /// Changed after this moment, in microseconds since 1970.
    pub updated_after: i64,
    /// Up to this secrecy.
    pub clearance: SecrecyLevel,
}

impl Selection {
    /// The condition behind the tenant's. It takes the risk twice, and the moment.
    fn condition(&self) -> String {
        let mut text = format!(
            "(risk_score >= ? OR found_risk_score >= ?) AND updated_at > ? AND {}",
            visible(self.clearance)
        );
        if !self.kinds.is_empty() {
            let kinds: Vec<String> = self.kinds.iter().map(|kind| format!("'{kind}'")).collect();
            text.push_str(&format!(" AND kind IN ({})", kinds.join(", ")));
        }
        text
    }

    /// A statement with the tenant and this condition behind it, and their values.
    fn statement<'s>(
        &self,
        text: String,
        tenant_id: &'s TenantId,
    ) -> Statement<impl Values<Pg> + Values<Sqlite> + use<'s>> {
        let risk = i32::from(self.min_risk_score);
        Statement::new(text)
            .bind::<Text, _>(tenant_id)
            .bind::<Integer, _>(risk)
            .bind::<Integer, _>(risk)
            .bind::<BigInt, _>(self.updated_after)
    }
}

/// The next profiles behind an identifier, in the order of identifiers.
pub fn behind(
    reader: &mut Reader<'_>,
    selection: &Selection,
    id: &str,
    limit: u32,
) -> QueryResult<Vec<ProfileRow>> {
    let (connection, tenant_id) = reader.parts();
    let text = format!(
        "SELECT {COLUMNS} FROM profiles WHERE tenant_id = ? AND {} AND id > ? ORDER BY id LIMIT ?",
        selection.condition()
    );
    let statement =
        selection.statement(text, tenant_id).bind::<Text, _>(id).bind::<BigInt, _>(i64::from(limit));
    on_engine!(connection, |inner| statement.load(inner))
}

/// How many profiles these are, up to a bound.
pub fn count(reader: &mut Reader<'_>, selection: &Selection, bound: u32) -> QueryResult<u64> {
    let (connection, tenant_id) = reader.parts();
    let text = format!(
        "SELECT count(*) AS count FROM (SELECT 1 FROM profiles WHERE tenant_id = ? AND {} LIMIT ?) AS counted",
        selection.condition()
    );
    let statement = selection.statement(text, tenant_id).bind::<BigInt, _>(i64::from(bound));
    let counted: Count = on_engine!(connection, |inner| statement.get_result(inner))?;
    Ok(counted.count.unsigned_abs())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A profile that nobody else changes before the transaction ends; none when it has gone.
pub fn lock(tx: &mut Tx<'_>, (id, clearance): &ProfileKey) -> QueryResult<Option<ProfileRow>> {
    let (connection, tenant_id) = tx.parts();
    let text = format!(
        "UPDATE profiles SET updated_at = argus_now() WHERE tenant_id = ? AND id = ? AND {} RETURNING {COLUMNS}",
        visible(*clearance)
    );
    let statement = Statement::new(text).bind::<Text, _>(tenant_id).bind::<Text, _>(id);
    on_engine!(connection, |inner| statement.get_result(inner)).optional()
}

/// Keeps what enrichments have found of a profile, with the risk that it amounts to, and returns the profile as it
/// is now.
pub fn enrich(tx: &mut Tx<'_>, id: &str, found_risk_score: u8, findings: &str) -> QueryResult<ProfileRow> {
    let (connection, tenant_id) = tx.parts();
    let text = format!(
        "UPDATE profiles SET found_risk_score = ?, findings = ? WHERE tenant_id = ? AND id = ? RETURNING {COLUMNS}"
    );
    let statement = Statement::new(text)
        .bind::<Integer, _>(i32::from(found_risk_score))
        .bind::<Text, _>(findings)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(id);
    on_engine!(connection, |inner| statement.get_result(inner))
}

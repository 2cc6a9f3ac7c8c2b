//! Profiles as an import writes them.

use super::incidents::IncidentColumns;
use super::visible;
use argus_core::ids::TenantId;
use argus_core::store::statement::Statement;
use argus_core::store::{AnyConnection, Tx};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::incidents::IncidentState;
use argus_openapi::types::profiles::ProfileKind;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Text};
use diesel::{PgConnection, SqliteConnection};

/// What an import says of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRow {
    /// Identifier inside the tenant.
    pub id: String,
    /// What it is about.
    pub kind: ProfileKind,
    /// Name for people.
    pub display_name: String,
    /// Its secrecy.
    pub secrecy_level: SecrecyLevel,
    /// Overall risk, 0 to 100.
    pub risk_score: u8,
    /// JSON array of relations to other profiles.
    pub relations: String,
    /// State of the incident, if the import says one. It is not written with the rest: [`super::put_incidents`].
    pub incident: Option<IncidentState>,
}

/// A profile that an import has written.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct KeptRow {
    /// Identifier inside the tenant.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// The state that was known of it before, if it is an incident.
    #[diesel(embed)]
    pub incident: IncidentColumns,
}

const COLUMNS: &str =
    "tenant_id, id, kind, display_name, secrecy_level, risk_score, relations, created_at, updated_at";

/// What is done about a profile that is there. What is no incident any more has no state.
fn replaced(clearance: SecrecyLevel) -> String {
    let state = |column: &str| {
        format!(
            "incident_{column} = CASE WHEN excluded.kind = 'incident' THEN profiles.incident_{column} END"
        )
    };
    format!(
        "ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind, display_name = excluded.display_name, \
         secrecy_level = excluded.secrecy_level, risk_score = excluded.risk_score, relations = excluded.relations, \
         {}, {}, {}, updated_at = excluded.updated_at WHERE profiles.{} \
         RETURNING id, incident_status, incident_severity, incident_summary",
        state("status"),
        state("severity"),
        state("summary"),
        visible(clearance)
    )
}

/// Creates profiles, each with an identifier of its own, or replaces what was imported of them before; what enrichments
/// found stays, and so does the state of an incident. Those above the writer's clearance are left as they are, and not
/// returned. The others stay locked until the transaction ends.
pub fn import(tx: &mut Tx<'_>, rows: &[ImportedRow]) -> QueryResult<Vec<KeptRow>> {
    let clearance = tx.invocation().principal.secrecy_level;
    let (connection, tenant_id) = tx.parts();
    match connection {
        AnyConnection::Pg(connection) => write_together(connection, tenant_id, clearance, rows),
        AnyConnection::Sqlite(connection) => {
            let kept = rows.iter().map(|row| write_one(connection, tenant_id, clearance, row));
            kept.filter_map(Result::transpose).collect()
        }
    }
}

/// In one statement, because each costs a round trip. Profiles are locked in the order of their identifiers, so that
/// two imports of the same ones do not wait for each other.
fn write_together(
    connection: &mut PgConnection,
    tenant_id: &TenantId,
    clearance: SecrecyLevel,
    rows: &[ImportedRow],
) -> QueryResult<Vec<KeptRow>> {
    let column = |of: fn(&ImportedRow) -> &str| rows.iter().map(of).collect::<Vec<_>>();
    let risk_scores: Vec<i32> = rows.iter().map(|row| i32::from(row.risk_score)).collect();
    let text = format!(
        "INSERT INTO profiles ({COLUMNS}) \
         SELECT ?, id, kind, display_name, secrecy_level, risk_score, relations, argus_now(), argus_now() \
         FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::integer[], ?::text[]) \
         AS imported (id, kind, display_name, secrecy_level, risk_score, relations) \
         ORDER BY id COLLATE \"C\" {}",
        replaced(clearance)
    );
    Statement::new(text)
        .bind::<Text, _>(tenant_id)
        .bind::<Array<Text>, _>(column(|row| &row.id))
        .bind::<Array<Text>, _>(column(|row| row.kind.as_str()))
        .bind::<Array<Text>, _>(column(|row| &row.display_name))
        .bind::<Array<Text>, _>(column(|row| row.secrecy_level.as_str()))
        .bind::<Array<Integer>, _>(risk_scores)
        .bind::<Array<Text>, _>(column(|row| &row.relations))
        .load(connection)
}

fn write_one(
    connection: &mut SqliteConnection,
    tenant_id: &TenantId,
    clearance: SecrecyLevel,
    row: &ImportedRow,
) -> QueryResult<Option<KeptRow>> {
    let text = format!(
        "INSERT INTO profiles ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, argus_now(), argus_now()) {}",
        replaced(clearance)
    );
    let statement = Statement::new(text)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(&*row.id)
        .bind::<Text, _>(row.kind.as_str())
        .bind::<Text, _>(&*row.display_name)
        .bind::<Text, _>(row.secrecy_level.as_str())
        .bind::<Integer, _>(i32::from(row.risk_score))
        .bind::<Text, _>(&*row.relations);
    statement.get_result(connection).optional()
}

//! The state of profiles that are incidents. What a change of it means does not live here.

use super::visible;
use argus_core::ids::TenantId;
use argus_core::store::statement::{Statement, on_engine};
use argus_core::store::{AnyConnection, Reader, Tx};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::incidents::{IncidentState, Summary};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel::{PgConnection, SqliteConnection};
use std::fmt::Display;

/// The state of an incident as it is stored, beside its profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct IncidentColumns {
    #[diesel(sql_type = Nullable<Text>)]
    incident_status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    incident_severity: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    incident_summary: Option<String>,
}

impl IncidentColumns {
    /// The state, if one is known.
    ///
    /// # Errors
    ///
    /// When it is not as this version writes it.
    pub fn state(&self) -> Result<Option<IncidentState>, String> {
        let foreign = |error: &dyn Display| format!("the state of an incident: {error}");
        let (Some(status), Some(severity)) = (&self.incident_status, &self.incident_severity) else {
            return Ok(None);
        };
        let summary = self.incident_summary.as_deref().map(str::parse::<Summary>).transpose();
        Ok(Some(IncidentState {
            status: status.parse().map_err(|error| foreign(&error))?,
            severity: severity.parse().map_err(|error| foreign(&error))?,
            summary: summary.map_err(|error| foreign(&error))?,
        }))
    }
}

/// A profile whose state was written, and when.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct IncidentRow {
    /// Identifier inside the tenant.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// When it last changed.
    #[diesel(sql_type = BigInt)]
    pub updated_at: i64,
}

/// Keeps the states of profiles, each with an identifier of its own, which the transaction has locked.
pub fn put_incidents(tx: &mut Tx<'_>, states: &[(&str, &IncidentState)]) -> QueryResult<Vec<IncidentRow>> {
    let (connection, tenant_id) = tx.parts();
    match connection {
        AnyConnection::Pg(connection) => put_together(connection, tenant_id, states),
        AnyConnection::Sqlite(connection) => {
            states.iter().map(|(id, state)| put_one(connection, tenant_id, id, state)).collect()
        }
    }
}

fn summary(state: &IncidentState) -> Option<&str> {
    state.summary.as_ref().map(Summary::as_str)
}

/// In one statement, because each costs a round trip.
fn put_together(
    connection: &mut PgConnection,
    tenant_id: &TenantId,
    states: &[(&str, &IncidentState)],
) -> QueryResult<Vec<IncidentRow>> {
    const PUT: &str = "UPDATE profiles SET incident_status = said.status, incident_severity = said.severity, \
        incident_summary = said.summary, updated_at = argus_now() \
        FROM unnest(?::text[], ?::text[], ?::text[], ?::text[]) AS said (id, status, severity, summary) \
        WHERE profiles.tenant_id = ? AND profiles.id = said.id RETURNING profiles.id, profiles.updated_at";
    let column = |of: fn(&(&str, &IncidentState)) -> String| states.iter().map(of).collect::<Vec<_>>();
    let summaries: Vec<Option<&str>> = states.iter().map(|(_, state)| summary(state)).collect();
    Statement::new(PUT)
        .bind::<Array<Text>, _>(states.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column(|(_, state)| state.status.to_string()))
        .bind::<Array<Text>, _>(column(|(_, state)| state.severity.to_string()))
        .bind::<Array<Nullable<Text>>, _>(summaries)
        .bind::<Text, _>(tenant_id)
        .load(connection)
}

fn put_one(
    connection: &mut SqliteConnection,
    tenant_id: &TenantId,
    id: &str,
    state: &IncidentState,
) -> QueryResult<IncidentRow> {
    const PUT: &str = "UPDATE profiles SET incident_status = ?, incident_severity = ?, incident_summary = ?, \
        updated_at = argus_now() WHERE tenant_id = ? AND id = ? RETURNING id, updated_at";
    Statement::new(PUT)
        .bind::<Text, _>(state.status.as_str())
        .bind::<Text, _>(state.severity.as_str())
        .bind::<Nullable<Text>, _>(summary(state))
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(id)
        .get_result(connection)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// The next incidents behind an identifier that are not known to be closed, in the order of identifiers.
pub fn open_incidents(
    reader: &mut Reader<'_>,
    clearance: SecrecyLevel,
    behind: &str,
    limit: u32,
) -> QueryResult<Vec<String>> {
    let (connection, tenant_id) = reader.parts();
    let text = format!(
        "SELECT id FROM profiles WHERE tenant_id = ? AND kind = 'incident' \
         AND (incident_status IS NULL OR incident_status <> '{}') AND {} AND id > ? ORDER BY id LIMIT ?",
        IncidentState::CLOSED,
        visible(clearance)
    );
    let statement = Statement::new(text)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(behind)
        .bind::<BigInt, _>(i64::from(limit));
    let ids: Vec<Id> = on_engine!(connection, |inner| statement.load(inner))?;
    Ok(ids.into_iter().map(|Id { id }| id).collect())
}

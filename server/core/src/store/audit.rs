//! The audit trail: append-only, written in the transaction of the change that it records.

use super::connection::AnyConnection;
use super::schema::audit_events;
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// One entry of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = audit_events)]
pub struct AuditEvent {
    /// ULID.
    pub id: String,
    /// When it happened.
    pub occurred_at: NaiveDateTime,
    /// Tenant whose data was touched.
    pub tenant_id: String,
    /// Client id of the caller, or the operator's own name.
    pub actor: String,
    /// Operation, as in `app.create`.
    pub action: String,
    /// What it was done to.
    pub subject: String,
    /// Secrecy of the event.
    pub secrecy_level: String,
}

/// Appends an event; call it in the transaction of the change.
pub fn append(connection: &mut AnyConnection, event: &AuditEvent) -> QueryResult<()> {
    diesel::insert_into(audit_events::table).values(event).execute(connection)?;
    Ok(())
}

/// A tenant's events, oldest first.
pub fn list(connection: &mut AnyConnection, tenant_id: &str, limit: u32) -> QueryResult<Vec<AuditEvent>> {
    audit_events::table
        .filter(audit_events::tenant_id.eq(tenant_id))
        .order((audit_events::occurred_at, audit_events::id))
        .limit(i64::from(limit))
        .select(AuditEvent::as_select())
        .load(connection)
}

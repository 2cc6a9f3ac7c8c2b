//! An entry of the audit trail, as the one who acts appends it.

use super::Environment;
use crate::context::Invocation;
use crate::error::{Error, Fault};
use crate::ids;
use crate::store::schema::audit_events;
use crate::store::{Reader, Tx};
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
    /// The user on whose behalf it acted, if there was one.
    pub user_id: Option<String>,
    /// Operation, as in `app.create`.
    pub action: String,
    /// What it was done to.
    pub subject: String,
    /// Secrecy of the event; `sandbox` for what happens there.
    pub secrecy_level: String,
    /// How often it has happened since the entry before; more than once for what is recorded in aggregate.
    pub occurrences: i64,
    /// Where it happened: `live` or `sandbox`.
    pub environment: String,
}

/// Appends that the caller of the transaction has done `action` to `subject`.
pub fn append(tx: &mut Tx<'_>, action: &str, subject: &str) -> Result<(), Error> {
    append_times(tx, action, subject, 1)
}

/// Appends that it was done so many times.
pub fn append_times(tx: &mut Tx<'_>, action: &str, subject: &str, occurrences: i64) -> Result<(), Error> {
    let invocation = tx.invocation();
    let event = AuditEvent {
        id: ids::ulid(&invocation.clock).map_err(Fault::new)?.to_string(),
        occurred_at: tx.now(),
        tenant_id: invocation.tenant_id().as_str().to_owned(),
        actor: invocation.principal.actor.as_str().to_owned(),
        user_id: invocation.principal.user_id.clone().map(String::from),
        action: action.to_owned(),
        subject: subject.to_owned(),
        secrecy_level: secrecy_level(invocation).to_owned(),
        occurrences,
        environment: environment(invocation).as_str().to_owned(),
    };
    diesel::insert_into(audit_events::table).values(event).execute(tx.parts().0)?;
    Ok(())
}

fn environment(invocation: &Invocation) -> Environment {
    if invocation.principal.is_sandboxed { Environment::Sandbox } else { Environment::Live }
}

/// What the sandbox shows is made up, whatever the caller's clearance.
fn secrecy_level(invocation: &Invocation) -> &'static str {
    match environment(invocation) {
        Environment::Live => invocation.principal.secrecy_level.as_str(),
        Environment::Sandbox => Environment::Sandbox.as_str(),
    }
}

/// The tenant's events on the live hosts, oldest first, at most `limit`.
pub fn list(reader: &mut Reader<'_>, limit: u32) -> QueryResult<Vec<AuditEvent>> {
    let (connection, tenant_id) = reader.parts();
    audit_events::table
        .filter(audit_events::tenant_id.eq(tenant_id).and(audit_events::environment.eq(Environment::LIVE)))
        .order((audit_events::occurred_at, audit_events::id))
        .limit(i64::from(limit))
        .select(AuditEvent::as_select())
        .load(connection)
}

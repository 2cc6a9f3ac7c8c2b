//! Building audit events from a caller and an action.

use super::ids;
use crate::gate::Principal;
use crate::problem::{Outcome, Problem};
use crate::store::audit::AuditEvent;
use chrono::NaiveDateTime;

/// An event of `caller` having done `action` to `subject`.
pub(super) fn event(
    caller: &Principal,
    action: &'static str,
    subject: &str,
    occurred_at: NaiveDateTime,
) -> Outcome<AuditEvent> {
    Ok(AuditEvent {
        id: ids::ulid().map_err(Problem::internal)?.to_string(),
        occurred_at,
        tenant_id: caller.tenant_id.clone(),
        actor: caller.client_id.clone(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        secrecy_level: caller.secrecy_level.as_str().to_owned(),
    })
}

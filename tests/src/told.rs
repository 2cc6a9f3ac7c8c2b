//! What was told of jobs. Couriers take events out of the outbox, so that a test that counts them subscribes first, to
//! a receiver that is never sent anything: the deliveries are kept instead.

use crate::sql::execute;
use argus_core::store::AnyConnection;

/// Every event of a job that was told, as a table: `subject` and `event`.
pub const TOLD: &str = "(SELECT subject, event FROM outbox UNION ALL \
    SELECT job_id, event FROM deliveries WHERE job_id IS NOT NULL AND event IS NOT NULL) AS told";

/// Keeps what is told of the jobs of every tenant that there is.
pub fn keep_what_is_told(connection: &mut AnyConnection) {
    let subscribe = "INSERT INTO webhooks (id, tenant_id, organization_id, secrecy_level, url, events, status, \
            disabled_reason, created_at, updated_at) \
        SELECT replace(tenant_id, 'tnt_', 'wh_'), tenant_id, organization_id, 'secret', 'https://receiver.example/', \
            '[\"job.succeeded\",\"job.failed\",\"job.cancelled\"]', 'disabled', 'requested', 0, 0 FROM organizations";
    execute(connection, subscribe).unwrap();
}

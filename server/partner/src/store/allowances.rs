//! The allowance of scopes of a tenant: the table and its queries; the same on both engines.

use argus_core::store::Tx;
use argus_core::store::statement::{Statement, on_engine};
use diesel::prelude::*;
use diesel::sql_types::Text;

diesel::table! {
    /// Which scopes the apps of a tenant get when they ask for them, where an operator has said so.
    scope_allowances (tenant_id) {
        /// The tenant.
        tenant_id -> Text,
        /// JSON array of scopes.
        scopes -> Text,
    }
}

/// What was said of the transaction's tenant, if anything was.
pub fn find(tx: &mut Tx<'_>) -> QueryResult<Option<String>> {
    let (connection, tenant_id) = tx.parts();
    scope_allowances::table
        .filter(scope_allowances::tenant_id.eq(tenant_id))
        .select(scope_allowances::scopes)
        .get_result(connection)
        .optional()
}

/// Says it anew.
pub fn set(tx: &mut Tx<'_>, scopes: &str) -> QueryResult<()> {
    const SET: &str = "INSERT INTO scope_allowances (tenant_id, scopes) VALUES (?, ?) \
        ON CONFLICT (tenant_id) DO UPDATE SET scopes = excluded.scopes";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(SET).bind::<Text, _>(tenant_id).bind::<Text, _>(scopes);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

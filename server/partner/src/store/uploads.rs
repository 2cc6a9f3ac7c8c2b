//! Uploads: that they were offered, so that their objects are removed when their time is over. The bytes lie in
//! the store of objects.

use argus_core::ids::TenantId;
use argus_core::store::statement::{Statement, on_engine};
use argus_core::store::{AnyConnection, Tx};
use argus_core::typed_id;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// For how long an upload can be used, in microseconds: 7 days.
const KEPT: i64 = 7 * 24 * 3600 * 1_000_000;
/// How many are looked at in one statement.
const BATCH: i64 = 500;

typed_id! {
    /// An upload.
    UploadId = "upl"
}

/// An upload whose time is over.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct UploadRow {
    /// The upload.
    #[diesel(sql_type = Text)]
    pub id: UploadId,
    /// Whose it is.
    #[diesel(sql_type = Text)]
    pub tenant_id: TenantId,
}

/// Notes that an upload was offered.
pub fn insert(tx: &mut Tx<'_>, id: &UploadId) -> QueryResult<()> {
    const INSERT: &str = "INSERT INTO uploads (id, tenant_id, created_at) VALUES (?, ?, argus_now())";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(INSERT).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// Uploads whose time is over, behind the first ones.
pub fn over(connection: &mut AnyConnection, skip: usize) -> QueryResult<Vec<UploadRow>> {
    const OVER: &str = "SELECT id, tenant_id FROM uploads WHERE created_at <= argus_now() - ? \
        ORDER BY created_at, id LIMIT ? OFFSET ?";
    let skip = i64::try_from(skip).unwrap_or(i64::MAX);
    let statement =
        Statement::new(OVER).bind::<BigInt, _>(KEPT).bind::<BigInt, _>(BATCH).bind::<BigInt, _>(skip);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Forgets an upload whose object is gone.
pub fn remove(connection: &mut AnyConnection, id: &UploadId) -> QueryResult<()> {
    let statement = Statement::new("DELETE FROM uploads WHERE id = ?").bind::<Text, _>(id);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

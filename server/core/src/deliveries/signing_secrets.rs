//! The secrets that sign deliveries: of a subscription, or of an app, whose callbacks it signs. A secret that is
//! replaced signs on for a while, so that receivers can be changed over. They are sealed before they come here.

use crate::error::Error;
use crate::ids;
use crate::jobs::{SECOND, moment};
use crate::store::statement::{Statement, on_engine};
use crate::store::{Reader, Tx};
use argus_openapi::types::secret::SecretText;
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

/// What secrets are sealed for.
pub const PURPOSE: &str = "signing_secret";
/// How many random bytes a secret has.
const LENGTH: usize = 32;

/// A fresh secret in the form of Standard Webhooks.
pub fn fresh() -> Result<SecretText, Unspecified> {
    let bytes = zeroize::Zeroizing::new(ids::random::<LENGTH>()?);
    Ok(format!("whsec_{}", STANDARD.encode(*bytes)).into())
}

/// Keeps the first secret of an owner of the transaction's tenant.
pub fn insert(tx: &mut Tx<'_>, owner: &str, sealed: &str) -> Result<(), Error> {
    const INSERT: &str = "INSERT INTO signing_secrets (owner, tenant_id, secret) VALUES (?, ?, ?)";
    let (connection, tenant_id) = tx.parts();
    let statement =
        Statement::new(INSERT).bind::<Text, _>(owner).bind::<Text, _>(tenant_id).bind::<Text, _>(sealed);
    on_engine!(connection, |inner| statement.execute(inner))?;
    Ok(())
}

/// Replaces the secret of an owner, or keeps its first one; says until when the former one signs beside it.
pub fn replace(
    tx: &mut Tx<'_>,
    owner: &str,
    sealed: &str,
    overlap_seconds: i64,
) -> Result<Option<DateTime<Utc>>, Error> {
    const REPLACE: &str = "UPDATE signing_secrets SET \
            former_secret = CASE WHEN CAST(? AS BIGINT) > 0 THEN secret END, \
            former_until = CASE WHEN CAST(? AS BIGINT) > 0 THEN argus_now() + ? END, \
            secret = ? \
        WHERE owner = ? AND tenant_id = ? RETURNING former_until";
    let overlap = overlap_seconds.max(0).saturating_mul(SECOND);
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(REPLACE)
        .bind::<BigInt, _>(overlap)
        .bind::<BigInt, _>(overlap)
        .bind::<BigInt, _>(overlap)
        .bind::<Text, _>(sealed)
        .bind::<Text, _>(owner)
        .bind::<Text, _>(tenant_id);
    let replaced: Option<Until> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
    match replaced {
        Some(Until { former_until }) => Ok(former_until.map(moment)),
        None => insert(tx, owner, sealed).map(|()| None),
    }
}

/// Whether an owner of the reader's tenant has one.
pub fn exists(reader: &mut Reader<'_>, owner: &str) -> Result<bool, Error> {
    const FIND: &str = "SELECT former_until FROM signing_secrets WHERE owner = ? AND tenant_id = ?";
    let (connection, tenant_id) = reader.parts();
    let statement = Statement::new(FIND).bind::<Text, _>(owner).bind::<Text, _>(tenant_id);
    let found: Option<Until> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
    Ok(found.is_some())
}

/// Forgets the secrets of an owner.
pub fn remove(tx: &mut Tx<'_>, owner: &str) -> Result<(), Error> {
    const REMOVE: &str = "DELETE FROM signing_secrets WHERE owner = ? AND tenant_id = ?";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(REMOVE).bind::<Text, _>(owner).bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.execute(inner))?;
    Ok(())
}

#[derive(QueryableByName)]
struct Until {
    #[diesel(sql_type = Nullable<BigInt>)]
    former_until: Option<i64>,
}

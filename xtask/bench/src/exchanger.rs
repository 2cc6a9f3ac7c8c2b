//! What a bare server does that exchanges codes: one transaction that redeems a code and keeps a refresh token, and one
//! RS256 signature. The rows are as wide as the server's; everything that makes them safe is left out.

use crate::baseline::Signer;
use crate::database;
use argus_core::on_engine;
use argus_core::store::AnyConnection;
use argus_core::store::statement::Statement;
use bytes::Bytes;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, QueryResult, RunQueryDsl};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The tables of the bare server.
pub const TABLES: &str = "CREATE TABLE bare_codes (code BIGINT NOT NULL PRIMARY KEY, family TEXT NOT NULL, \
    redirect_uri TEXT NOT NULL, code_challenge TEXT NOT NULL, expires_at BIGINT NOT NULL, redeemed_at BIGINT); \
    CREATE TABLE bare_refresh_tokens (token_hash TEXT NOT NULL PRIMARY KEY, family TEXT NOT NULL, \
    expires_at BIGINT NOT NULL)";

const REDEEM: &str = "UPDATE bare_codes SET redeemed_at = 1 WHERE code = ? AND redeemed_at IS NULL";
const KEEP: &str = "INSERT INTO bare_refresh_tokens (token_hash, family, expires_at) VALUES (?, 'fam_0', 1)";

/// Connections to a server; a file has one writer.
const CONNECTIONS: usize = 8;

/// Exchanges codes.
pub struct Exchanger {
    signer: Signer,
    claims: Bytes,
    connections: Vec<Mutex<AnyConnection>>,
    next: AtomicUsize,
}

impl Exchanger {
    /// One that signs these claims and commits there.
    pub fn open(url: &str, claims: Bytes) -> Result<Self, Box<dyn Error>> {
        let connections = if url.starts_with("sqlite:") { 1 } else { CONNECTIONS };
        let connections = (0..connections).map(|_| Ok(Mutex::new(database::connect(url)?)));
        let connections = connections.collect::<Result<_, Box<dyn Error>>>()?;
        Ok(Self { signer: Signer::new()?, claims, connections, next: AtomicUsize::new(0) })
    }

    /// A token response; nothing where the code is not there to be redeemed.
    pub async fn answer(self: Arc<Self>, form: Bytes) -> Bytes {
        let redeemed = tokio::task::spawn_blocking(move || {
            let number = number(&form)?;
            let connection = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
            let mut connection = self.connections[connection].lock().unwrap_or_else(PoisonError::into_inner);
            let is_redeemed = redeem(&mut connection, number).ok()?;
            drop(connection);
            is_redeemed.then(|| self.signer.token(&self.claims))
        });
        redeemed.await.ok().flatten().unwrap_or_default()
    }
}

/// The number in the place of the code.
fn number(form: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(form).ok()?;
    let (_, code) = text.split_once("code=")?;
    i64::from_str_radix(code.get(..16)?, 16).ok()
}

fn redeem(connection: &mut AnyConnection, code: i64) -> QueryResult<bool> {
    on_engine!(connection, |inner| inner.transaction(|inner| {
        let redeemed = Statement::new(REDEEM).bind::<BigInt, _>(code).execute(inner)?;
        Statement::new(KEEP).bind::<Text, _>(format!("{code:043}")).execute(inner)?;
        Ok(redeemed == 1)
    }))
}

//! A plain loop: it posts bytes that are there, and commits the rows that deliveries commit, in batches of the same size:
//! each is inserted as its event is removed, leased, and ended with its history. It signs nothing, chooses nothing,
//! looks for nothing, and cannot be interrupted.

use crate::database::BenchDatabase;
use argus_core::on_engine;
use argus_core::store::AnyConnection;
use argus_core::store::statement::Statement;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, mpsc};

/// How many events become deliveries in a batch, and how many ends are written in one at most: as many as the engine's.
const BATCH: usize = 500;
/// How many are leased in a batch, and how many posts are on their way at a time: as many as the engine sends to a
/// receiver at most, of which it claims at least half as many again at a time.
const AT_A_TIME: usize = 64;

/// The tables that the loop writes: the very same, with their indexes on PostgreSQL; without them on SQLite.
const POSTGRES: &str = "CREATE TABLE bare_deliveries (LIKE deliveries INCLUDING ALL); \
    CREATE TABLE bare_outbox (LIKE outbox INCLUDING ALL)";
const SQLITE: &str = "CREATE TABLE bare_deliveries (id TEXT NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, \
    webhook_id TEXT, signer TEXT NOT NULL, lane TEXT NOT NULL, event TEXT, job_id TEXT, body TEXT NOT NULL, \
    traceparent TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, \
    history TEXT NOT NULL DEFAULT '', sent TEXT, lease INTEGER, lease_until INTEGER, give_up_at BIGINT NOT NULL, \
    created_at BIGINT NOT NULL, attempted_at BIGINT); \
    CREATE TABLE bare_outbox (sequence INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, event TEXT NOT NULL, \
    subject TEXT NOT NULL, traceparent TEXT NOT NULL, occurred_at BIGINT NOT NULL)";
const INSERT: &str = "INSERT INTO bare_deliveries (id, tenant_id, webhook_id, signer, lane, event, job_id, body, \
    traceparent, status, give_up_at, created_at) ";

#[derive(QueryableByName)]
struct Sample {
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Text)]
    sent: String,
    #[diesel(sql_type = Text)]
    history: String,
}

/// The loop, and what it sends.
pub struct PlainLoop {
    connection: Option<Box<AnyConnection>>,
    client: reqwest::Client,
    url: String,
    sample: Arc<Sample>,
    headers: HeaderMap,
    next: i64,
}

impl PlainLoop {
    /// Sends what was sent last.
    pub fn like_the_last_delivery(
        database: &BenchDatabase,
        receiver: SocketAddr,
    ) -> Result<Self, Box<dyn Error>> {
        database.execute(if database.is_postgres() { POSTGRES } else { SQLITE })?;
        let mut connection = database.connect()?;
        let last =
            Statement::new("SELECT body, sent, history FROM deliveries ORDER BY created_at DESC LIMIT 1");
        let sample: Sample = on_engine!(&mut connection, |inner| last.get_result(inner))?;
        let mut headers = HeaderMap::new();
        for (name, value) in serde_json::from_str::<BTreeMap<String, String>>(&sample.sent)? {
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(&value)?);
        }
        let client = reqwest::Client::builder().http1_only().no_proxy().build()?;
        let (connection, sample) = (Some(Box::new(connection)), Arc::new(sample));
        Ok(Self { connection, client, url: format!("http://{receiver}/argus"), sample, headers, next: 0 })
    }

    /// Posts so many, and says how many were posted and committed a second.
    pub async fn send(&mut self, count: u64) -> Result<f64, Box<dyn Error>> {
        let (begin, end) = (self.next, self.next + i64::try_from(count)?);
        self.next = end;
        let mut connection = self.connection.take().ok_or("the loop has failed before")?;
        happen(&mut connection, begin, end)?;
        let started = Instant::now();
        let sample = Arc::clone(&self.sample);
        let (made, mut to_send) = mpsc::channel::<i64>(2 * AT_A_TIME);
        let (sent, mut to_note) = mpsc::unbounded_channel::<i64>();
        // One connection does both, as a plain loop would.
        let writing = tokio::task::spawn_blocking(move || {
            let mut connection = connection;
            let (mut inserted, mut next, mut noted) = (begin, begin, begin);
            let mut ends = Vec::new();
            while noted < end {
                if next == inserted && next < end {
                    let batch: Vec<i64> = (next..end).take(BATCH).collect();
                    insert(&mut connection, &sample, &batch)?;
                    inserted += i64::try_from(batch.len()).unwrap_or(0);
                }
                if next < inserted && made.capacity() >= AT_A_TIME {
                    let batch: Vec<i64> = (next..inserted).take(AT_A_TIME).collect();
                    lease(&mut connection, &batch)?;
                    next += i64::try_from(batch.len()).unwrap_or(0);
                    for id in batch {
                        made.try_send(id).map_err(|_| diesel::result::Error::RollbackTransaction)?;
                    }
                }
                to_note.blocking_recv_many(&mut ends, BATCH);
                note(&mut connection, &sample, &ends)?;
                noted += i64::try_from(ends.len()).unwrap_or(0);
                ends.clear();
            }
            Ok::<_, diesel::result::Error>(connection)
        });
        let slots = Arc::new(Semaphore::new(AT_A_TIME));
        while let Some(id) = to_send.recv().await {
            let slot = Arc::clone(&slots).acquire_owned().await?;
            let request =
                self.client.post(&self.url).headers(self.headers.clone()).body(self.sample.body.clone());
            let sent = sent.clone();
            tokio::spawn(async move {
                if let Ok(answer) = request.send().await {
                    // Read, so that the connection can be used again.
                    let _ = answer.bytes().await;
                    let _ = sent.send(id);
                }
                drop(slot);
            });
        }
        self.connection = Some(writing.await??);
        Ok(count as f64 / started.elapsed().as_secs_f64())
    }
}

/// What has happened, before it is told.
fn happen(connection: &mut AnyConnection, begin: i64, end: i64) -> QueryResult<()> {
    let numbers = match connection {
        AnyConnection::Pg(_) => format!("SELECT n FROM generate_series({begin}, {end} - 1) AS series (n)"),
        AnyConnection::Sqlite(_) => format!(
            "WITH RECURSIVE series (n) AS (SELECT {begin} UNION ALL SELECT n + 1 FROM series WHERE n < {end} - 1) \
             SELECT n FROM series"
        ),
    };
    let identity = if matches!(connection, AnyConnection::Pg(_)) { "OVERRIDING SYSTEM VALUE" } else { "" };
    let text = format!(
        "INSERT INTO bare_outbox (sequence, tenant_id, event, subject, traceparent, occurred_at) {identity} \
         SELECT n, '{TENANT}', 'job.succeeded', 'job_01j0000000000000' || n, '{TRACEPARENT}', 1764370539000000 \
         FROM ({numbers}) AS numbers"
    );
    let statement = Statement::new(text);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TENANT: &str = "tnt_01j00000000000000000000000";
const WEBHOOK: &str = "wh_01j00000000000000000000000";

fn insert(connection: &mut AnyConnection, sample: &Sample, batch: &[i64]) -> QueryResult<()> {
    let values = |id: &str| {
        format!(
            "'dlv_01j0000000000000' || {id}, '{TENANT}', '{WEBHOOK}', '{WEBHOOK}', '{WEBHOOK}', 'job.succeeded', \
             'job_01j0000000000000' || {id}, ?, '{TRACEPARENT}', 'queued', 1764370539000000, 1764370539000000"
        )
    };
    match connection {
        AnyConnection::Pg(connection) => connection.transaction(|connection| {
            // Each row's body goes over the wire, as it must.
            let text = format!(
                "{INSERT} SELECT {} FROM unnest(?::text[], ?::bigint[]) AS made (body, id)",
                values("made.id").replacen('?', "made.body", 1)
            );
            let bodies: Vec<&str> = batch.iter().map(|_| sample.body.as_str()).collect();
            let insert = Statement::new(text).bind::<Array<Text>, _>(bodies).bind::<Array<BigInt>, _>(batch);
            insert.execute(connection)?;
            let remove = Statement::new("DELETE FROM bare_outbox WHERE sequence = ANY(?)");
            remove.bind::<Array<BigInt>, _>(batch).execute(connection).map(drop)
        }),
        AnyConnection::Sqlite(connection) => connection.immediate_transaction(|connection| {
            let text = format!("{INSERT} VALUES ({})", values("?"));
            for id in batch {
                let insert = Statement::new(text.clone()).bind::<BigInt, _>(*id).bind::<BigInt, _>(*id);
                insert.bind::<Text, _>(&*sample.body).execute(connection)?;
                let remove = Statement::new("DELETE FROM bare_outbox WHERE sequence = ?");
                remove.bind::<BigInt, _>(*id).execute(connection)?;
            }
            QueryResult::Ok(())
        }),
    }
}

fn lease(connection: &mut AnyConnection, batch: &[i64]) -> QueryResult<()> {
    const LEASE: &str = "UPDATE bare_deliveries SET lease = 1, lease_until = 1764370539000000";
    match connection {
        AnyConnection::Pg(connection) => {
            let text = format!(
                "{LEASE} FROM unnest(?::bigint[]) AS leased (id) \
                 WHERE bare_deliveries.id = 'dlv_01j0000000000000' || leased.id"
            );
            Statement::new(text).bind::<Array<BigInt>, _>(batch).execute(connection).map(drop)
        }
        AnyConnection::Sqlite(connection) => connection.immediate_transaction(|connection| {
            let text = format!("{LEASE} WHERE id = 'dlv_01j0000000000000' || ?");
            for id in batch {
                Statement::new(text.clone()).bind::<BigInt, _>(*id).execute(connection)?;
            }
            QueryResult::Ok(())
        }),
    }
}

fn note(connection: &mut AnyConnection, sample: &Sample, ends: &[i64]) -> QueryResult<()> {
    const NOTE: &str = "UPDATE bare_deliveries SET status = 'succeeded', attempts = 1, lease = NULL, lease_until = NULL, \
        attempted_at = 1764370539000000";
    match connection {
        AnyConnection::Pg(connection) => {
            let text = format!(
                "{NOTE}, history = ended.history, sent = ended.sent \
                 FROM unnest(?::text[], ?::text[], ?::bigint[]) AS ended (history, sent, id) \
                 WHERE bare_deliveries.id = 'dlv_01j0000000000000' || ended.id"
            );
            let column = |text: &str| ends.iter().map(|_| text.to_owned()).collect::<Vec<_>>();
            let note = Statement::new(text).bind::<Array<Text>, _>(column(&sample.history));
            let note = note.bind::<Array<Text>, _>(column(&sample.sent)).bind::<Array<BigInt>, _>(ends);
            note.execute(connection).map(drop)
        }
        AnyConnection::Sqlite(connection) => connection.immediate_transaction(|connection| {
            let text = format!("{NOTE}, history = ?, sent = ? WHERE id = 'dlv_01j0000000000000' || ?");
            for id in ends {
                let note = Statement::new(text.clone()).bind::<Text, _>(&*sample.history);
                note.bind::<Text, _>(&*sample.sent).bind::<BigInt, _>(*id).execute(connection)?;
            }
            QueryResult::Ok(())
        }),
    }
}

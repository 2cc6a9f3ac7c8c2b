//! Who attempts a delivery, and how that ended. A claim gives one attempt the delivery for a while; what it writes in
//! the end counts only while the lease is the one that was read, so that an attempt whose lease was over changes
//! nothing. The database's clock alone decides when that is.
//!
//! What either engine does in its own way lies in [`postgres`] and [`sqlite`].

mod postgres;
mod sqlite;

use super::FAILING_TIME;
use crate::error::{Error, Fault};
use crate::ids::{DeliveryId, TenantId, random};
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use std::collections::HashMap;
use std::time::Duration;

/// One attempt at a delivery, for as long as it keeps its lease.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The delivery.
    pub id: DeliveryId,
    /// Which attempt; no two claims have the same.
    pub token: i64,
}

/// A delivery that was claimed.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The attempt.
    pub lease: Lease,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The receiver.
    pub lane: String,
    /// Where it goes; none if its subscription has ended.
    pub url: Option<String>,
    /// The subscription, unless it is a callback.
    pub webhook_id: Option<String>,
    /// Whether the subscription is disabled, and this is no test of it.
    pub is_to_be_skipped: bool,
    /// Whether every attempt for the subscription has failed of late.
    pub is_failing: bool,
    /// Whose secret signs.
    pub signer: String,
    /// The secrets that sign, sealed: the present one, and the former one while it counts.
    pub secrets: Vec<String>,
    /// What is sent.
    pub body: String,
    /// The job that it is about.
    pub job_id: Option<String>,
    /// The trace in which it happened.
    pub traceparent: String,
    /// What vendors have added to the trace.
    pub tracestate: Option<String>,
    /// How many attempts there were before.
    pub attempts: u32,
    /// Where it stands in its lane.
    pub place: Place,
}

/// Where a delivery stands in its lane: when it was queued, in microseconds, and its identifier.
pub type Place = (i64, DeliveryId);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: DeliveryId,
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = Nullable<Text>)]
    url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    webhook_id: Option<String>,
    #[diesel(sql_type = Bool)]
    is_to_be_skipped: bool,
    #[diesel(sql_type = Bool)]
    is_failing: bool,
    #[diesel(sql_type = Text)]
    signer: String,
    #[diesel(sql_type = Nullable<Text>)]
    secret: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    former_secret: Option<String>,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Nullable<Text>)]
    job_id: Option<String>,
    #[diesel(sql_type = Text)]
    traceparent: String,
    #[diesel(sql_type = Nullable<Text>)]
    tracestate: Option<String>,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
}

/// What a claim reads of a delivery and of the subscription and the secrets that it belongs to.
const COLUMNS: &str = "deliveries.id, deliveries.tenant_id, deliveries.lane, \
    coalesce(deliveries.callback_url, webhooks.url) AS url, deliveries.webhook_id, \
    coalesce(webhooks.status = 'disabled' AND deliveries.event IS NOT NULL, FALSE) AS is_to_be_skipped, \
    webhooks.failing_since IS NOT NULL AS is_failing, deliveries.signer, signing_secrets.secret, \
    CASE WHEN signing_secrets.former_until > argus_now() THEN signing_secrets.former_secret END AS former_secret, \
    deliveries.body, deliveries.job_id, deliveries.traceparent, deliveries.tracestate, deliveries.attempts, deliveries.created_at";

impl Row {
    fn claimed(self, token: i64) -> Claimed {
        Claimed {
            place: (self.created_at, self.id.clone()),
            lease: Lease { id: self.id, token },
            tenant_id: self.tenant_id,
            lane: self.lane,
            url: self.url,
            webhook_id: self.webhook_id,
            is_to_be_skipped: self.is_to_be_skipped,
            is_failing: self.is_failing,
            signer: self.signer,
            secrets: self.secret.into_iter().chain(self.former_secret).collect(),
            body: self.body,
            job_id: self.job_id,
            traceparent: self.traceparent,
            tracestate: self.tracestate,
            attempts: self.attempts.unsigned_abs(),
        }
    }
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = Text)]
    id: DeliveryId,
}

#[derive(QueryableByName)]
struct LaneRow {
    #[diesel(sql_type = Nullable<Text>)]
    lane: Option<String>,
}

/// Where the next claim begins, so that receivers take turns: behind the one that was served last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn(String);

/// How much may be claimed.
#[derive(Clone, Debug)]
pub struct Room {
    /// In all.
    pub limit: u32,
    /// For each receiver that nothing else is known of.
    pub each: u32,
    /// For each of these receivers.
    pub lanes: HashMap<String, u32>,
}

/// Where a receiver's deliveries are looked for: behind this one, which was claimed last, or from the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind(Option<Place>);

impl Behind {
    /// Everything has its place behind this.
    fn parts(&self) -> (i64, &str) {
        self.0.as_ref().map_or((i64::MIN, ""), |(at, id)| (*at, id.as_str()))
    }
}

/// A receiver, how many of its deliveries may be claimed, and where they are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The receiver.
    pub lane: String,
    /// How many.
    pub free: u32,
    /// Where.
    pub behind: Behind,
}

/// What a claim saw of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The receiver.
    pub lane: String,
    /// Where there may be more of its deliveries, which it left; none if it left none.
    pub left: Option<Behind>,
}

/// What a claim found.
#[derive(Debug)]
pub struct Claim {
    /// The deliveries, at most as many as there was room for.
    pub deliveries: Vec<Claimed>,
    /// Where the next one begins.
    pub next: Turn,
    /// Whether there may be more that could be claimed at once.
    pub more: bool,
    /// The receivers that it looked at.
    pub seen: Vec<Seen>,
}

/// Looks which receivers have deliveries, and claims for `time` as many as there is room for.
pub fn claim(
    connection: &mut AnyConnection,
    room: &Room,
    time: Duration,
    turn: &Turn,
) -> Result<Claim, Error> {
    let limit = i64::from(room.limit);
    // Receivers without room are passed by, so that they must not use up those that are looked at.
    let looked_at = limit + i64::try_from(room.lanes.len()).unwrap_or(limit);
    let found = lanes(connection, turn, looked_at)?;
    let is_last_round = (found.len() as i64) < looked_at;
    let next = found.last().filter(|_| !is_last_round).map(|last| Turn(last.clone())).unwrap_or_default();
    let (open, full): (Vec<Open>, Vec<Open>) = found
        .into_iter()
        .map(|lane| {
            let free = room.lanes.get(&lane).copied().unwrap_or(room.each);
            Open { lane, free, behind: Behind::default() }
        })
        .partition(|open| open.free > 0);
    let mut claim = claim_from(connection, &open, room.limit, time)?;
    claim.seen.extend(full.into_iter().map(|full| Seen { lane: full.lane, left: Some(full.behind) }));
    // Whoever comes behind those that have taken all the room is first in the next turn.
    let last_served = claim.deliveries.iter().map(|claimed| &claimed.lane).max().filter(|_| claim.more);
    let next = last_served.map_or(next, |lane| Turn(lane.clone()));
    claim.more |= next != Turn::default() || *turn != Turn::default();
    Ok(Claim { next, ..claim })
}

/// Claims for `time` from these receivers, as many as there is room for.
pub fn claim_from(
    connection: &mut AnyConnection,
    open: &[Open],
    limit: u32,
    time: Duration,
) -> Result<Claim, Error> {
    let token = i64::from_be_bytes(random().map_err(Fault::new)?);
    let rows = match connection {
        _ if open.is_empty() => Vec::new(),
        AnyConnection::Pg(connection) => postgres::claim(connection, open, limit, token, micros(time))?,
        AnyConnection::Sqlite(connection) => sqlite::claim(connection, open, limit, token, micros(time))?,
    };
    let more = rows.len() >= limit as usize;
    let deliveries: Vec<Claimed> = rows.into_iter().map(|row| row.claimed(token)).collect();
    let mut taken: HashMap<&str, (u32, &Place)> = HashMap::new();
    for claimed in &deliveries {
        let (count, last) = taken.entry(&claimed.lane).or_insert((0, &claimed.place));
        *count += 1;
        *last = (*last).max(&claimed.place);
    }
    let seen = |open: &Open| {
        let (count, last) = taken.get(&*open.lane).map_or((0, None), |(count, last)| (*count, Some(*last)));
        // Where the room was at an end, nobody has looked further.
        let may_have_more = more || count >= open.free;
        let behind = || last.map_or_else(|| open.behind.clone(), |last| Behind(Some(last.clone())));
        Seen { lane: open.lane.clone(), left: may_have_more.then(behind) }
    };
    let seen = open.iter().map(seen).collect();
    Ok(Claim { deliveries, next: Turn::default(), more, seen })
}

/// Receivers with deliveries that can be attempted, from the one behind `turn` on: one look into the index for each,
/// however many deliveries it has.
fn lanes(connection: &mut AnyConnection, turn: &Turn, limit: i64) -> QueryResult<Vec<String>> {
    const NEXT: &str = "SELECT min(lane) FROM deliveries WHERE status = 'queued' AND due_at IS NULL AND lease IS NULL AND lane > ";
    let text = format!(
        "WITH RECURSIVE turn (lane, place) AS (SELECT ({NEXT} ?), 1 UNION ALL \
         SELECT ({NEXT} turn.lane), place + 1 FROM turn WHERE turn.lane IS NOT NULL AND place < ?) \
         SELECT lane FROM turn WHERE lane IS NOT NULL"
    );
    let statement = Statement::new(text).bind::<Text, _>(&*turn.0).bind::<BigInt, _>(limit);
    let rows: Vec<LaneRow> = on_engine!(connection, |inner| statement.load(inner))?;
    Ok(rows.into_iter().filter_map(|row| row.lane).collect())
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The receiver took it.
    Succeeded(Record),
    /// It will be attempted again after a while, unless its time is over by then.
    Again(Record, Duration),
    /// It will not be attempted again.
    Failed(Record),
    /// Nothing was sent: the subscription is disabled.
    Skipped,
    /// Nothing was sent, nor will be: the subscription has ended.
    Dropped,
    /// Nothing was done; the attempt does not count.
    Released,
}

/// What is kept of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it began, in microseconds since 1970.
    pub attempted_at: i64,
    /// The attempt as JSON, in one line.
    pub attempt: String,
    /// Its headers as JSON.
    pub sent: String,
}

/// An ending as columns.
struct Settled<'e> {
    lease: &'e Lease,
    status: &'static str,
    record: Option<&'e Record>,
    /// In microseconds.
    after: Option<i64>,
}

impl<'e> Settled<'e> {
    fn of((lease, ending): &'e (Lease, Ending)) -> Option<Self> {
        let (status, record, after) = match ending {
            Ending::Succeeded(record) => ("succeeded", Some(record), None),
            Ending::Again(record, after) => ("queued", Some(record), Some(micros(*after))),
            Ending::Failed(record) => ("failed", Some(record), None),
            Ending::Skipped => ("skipped", None, None),
            Ending::Released => ("queued", None, None),
            Ending::Dropped => return None,
        };
        Some(Self { lease, status, record, after })
    }
}

/// Writes how attempts ended, and returns those whose lease held: nothing is written for the others.
pub fn settle(connection: &mut AnyConnection, endings: &[(Lease, Ending)]) -> QueryResult<Vec<DeliveryId>> {
    let settled: Vec<Settled<'_>> = endings.iter().filter_map(Settled::of).collect();
    let mut held = match connection {
        _ if settled.is_empty() => Vec::new(),
        AnyConnection::Pg(connection) => postgres::settle(connection, &settled)?,
        AnyConnection::Sqlite(connection) => sqlite::settle(connection, &settled)?,
    };
    for (lease, ending) in endings {
        if *ending == Ending::Dropped && drop_one(connection, lease)? {
            held.push(lease.id.clone());
        }
    }
    Ok(held)
}

fn drop_one(connection: &mut AnyConnection, lease: &Lease) -> QueryResult<bool> {
    const DROP: &str = "DELETE FROM deliveries WHERE id = ? AND lease = ?";
    let statement = Statement::new(DROP).bind::<Text, _>(&lease.id).bind::<BigInt, _>(lease.token);
    on_engine!(connection, |inner| statement.execute(inner)).map(|removed| removed > 0)
}

/// What attempts say of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The receiver took something, after a time in which it had not.
    Recovered,
    /// The receiver did not take it.
    Failing,
    /// The receiver is gone.
    Gone,
}

/// Notes what attempts say of subscriptions: one that is gone, or has been failing for five days, is disabled, and
/// that is an event.
pub fn note_health(connection: &mut AnyConnection, webhook_id: &str, health: Health) -> QueryResult<()> {
    const RECOVERED: &str =
        "UPDATE webhooks SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL";
    const FAILING: &str = "UPDATE webhooks SET failing_since = argus_now() WHERE id = ? AND failing_since IS NULL AND status = 'enabled'";
    match health {
        Health::Recovered => {
            let statement = Statement::new(RECOVERED).bind::<Text, _>(webhook_id);
            on_engine!(connection, |inner| statement.execute(inner)).map(drop)
        }
        Health::Failing => {
            let statement = Statement::new(FAILING).bind::<Text, _>(webhook_id);
            if on_engine!(connection, |inner| statement.execute(inner))? > 0 {
                return Ok(());
            }
            disable(connection, webhook_id, "failing", FAILING_TIME)
        }
        Health::Gone => disable(connection, webhook_id, "gone", -1),
    }
}

/// Disables a subscription that has been failing for longer than `failing_time` microseconds, whatever that is if it
/// is negative.
fn disable(
    connection: &mut AnyConnection,
    webhook_id: &str,
    reason: &'static str,
    failing_time: i64,
) -> QueryResult<()> {
    match connection {
        AnyConnection::Pg(connection) => postgres::disable(connection, webhook_id, reason, failing_time),
        AnyConnection::Sqlite(connection) => sqlite::disable(connection, webhook_id, reason, failing_time),
    }
}

/// Takes deliveries from attempts whose lease is over, and says how many.
pub fn reap(connection: &mut AnyConnection) -> QueryResult<usize> {
    const REAP: &str = "UPDATE deliveries SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL AND lease_until < argus_now()";
    on_engine!(connection, |inner| Statement::new(REAP).execute(inner))
}

/// Lets deliveries whose pause is over be claimed, and says how many.
pub fn wake(connection: &mut AnyConnection) -> QueryResult<usize> {
    match connection {
        AnyConnection::Pg(connection) => postgres::wake(connection),
        AnyConnection::Sqlite(connection) => sqlite::wake(connection),
    }
}

/// How many deliveries are woken in one statement.
const BATCH: i64 = 1_000;
/// How many attempts are kept one by one.
const RECORDED: i32 = 100;

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2)
}

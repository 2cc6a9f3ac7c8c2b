//! From events to deliveries: one for each subscription that wants to be told, and one for the callback of a job. The
//! event leaves the outbox in the transaction that makes its deliveries, so that none is lost and none is made twice.

use super::PATIENCE;
use super::webhooks::Subscriber;
use crate::Clock;
use crate::error::{Error, Fault};
use crate::ids::{DeliveryId, EventId, JobId, TenantId};
use crate::jobs::{moment, trace_id};
use crate::objects::Objects;
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::events::{Event, JobNotice};
use argus_openapi::types::webhooks::WebhookStatus;
use argus_wire::canonical;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// How many events are taken at a time.
pub const BATCH: usize = 500;

/// What became of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FannedOut {
    /// How many there were.
    pub events: usize,
    /// How many deliveries they made.
    pub deliveries: usize,
}

/// Takes events, oldest first, and queues their deliveries. To be run as one transaction.
pub fn fan_out(connection: &mut AnyConnection, clock: &Clock, objects: &Objects) -> Result<FannedOut, Error> {
    let happened = take(connection)?;
    if happened.is_empty() {
        return Ok(FannedOut::default());
    }
    let jobs = jobs(connection, &happened)?;
    let subscribers = subscribers(connection, &happened)?;
    let (mut deliveries, mut told) = (Vec::new(), Vec::with_capacity(happened.len()));
    for event in &happened {
        if !event.is_young {
            told.push(event.sequence);
            continue;
        }
        let subscribers = subscribers.get(&event.tenant_id).map_or(&[][..], Vec::as_slice);
        match of_event(clock, objects, event, jobs.get(&event.subject), subscribers) {
            Ok(made) => {
                deliveries.extend(made);
                told.push(event.sequence);
            }
            Err(fault) => put_aside(connection, event, &fault)?,
        }
    }
    insert(connection, &deliveries)?;
    remove(connection, &told)?;
    Ok(FannedOut { events: happened.len(), deliveries: deliveries.len() })
}

/// The deliveries of an event.
fn of_event<'e>(
    clock: &Clock,
    objects: &Objects,
    event: &'e Happened,
    job: Option<&'e EndedJob>,
    subscribers: &'e [Subscriber],
) -> Result<Vec<NewDelivery<'e>>, Error> {
    let mut deliveries = Vec::new();
    let notice = job.map(|job| job.notice(objects)).transpose()?;
    if let (Some(job), Some(notice)) = (job, &notice) {
        deliveries.extend(callback(clock, event, job, notice)?);
    }
    let Some(told) = Told::of(event, job, notice.as_ref())? else { return Ok(deliveries) };
    let wanting: Vec<&Subscriber> =
        subscribers.iter().filter(|subscriber| told.is_for(event, subscriber)).collect();
    if !wanting.is_empty() {
        let body = told.body(clock, event)?;
        for subscriber in wanting {
            deliveries.push(delivery(clock, event, subscriber, &body, job)?);
        }
    }
    Ok(deliveries)
}

/// Keeps an event that no delivery can be made of from holding up those behind it.
fn put_aside(connection: &mut AnyConnection, event: &Happened, fault: &Error) -> QueryResult<()> {
    const PUT_ASIDE: &str = "UPDATE outbox SET fault = ? WHERE sequence = ?";
    tracing::error!(sequence = event.sequence, cause = %fault, "an event cannot be told; see `argus outbox list`");
    let statement =
        Statement::new(PUT_ASIDE).bind::<Text, _>(fault.to_string()).bind::<BigInt, _>(event.sequence);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

fn remove(connection: &mut AnyConnection, told: &[i64]) -> QueryResult<()> {
    match connection {
        AnyConnection::Pg(connection) => {
            let statement = Statement::new("DELETE FROM outbox WHERE sequence = ANY(?)");
            statement.bind::<Array<BigInt>, _>(told).execute(connection).map(drop)
        }
        AnyConnection::Sqlite(connection) => told.iter().try_for_each(|sequence| {
            let statement = Statement::new("DELETE FROM outbox WHERE sequence = ?");
            statement.bind::<BigInt, _>(*sequence).execute(connection).map(drop)
        }),
    }
}

/// An event as the outbox has it.
#[derive(Debug, QueryableByName)]
struct Happened {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    event: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Nullable<Text>)]
    data: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    secrecy_level: Option<String>,
    #[diesel(sql_type = Text)]
    traceparent: String,
    #[diesel(sql_type = Nullable<Text>)]
    tracestate: Option<String>,
    #[diesel(sql_type = BigInt)]
    occurred_at: i64,
    /// Whether a delivery of it could still be attempted: what is older than a day is told to nobody.
    #[diesel(sql_type = Bool)]
    is_young: bool,
}

fn take(connection: &mut AnyConnection) -> QueryResult<Vec<Happened>> {
    const OLDEST: &str = "SELECT sequence, tenant_id, event, subject, data, secrecy_level, traceparent, tracestate, \
        occurred_at, occurred_at > argus_now() - ? AS is_young FROM outbox WHERE fault IS NULL ORDER BY sequence LIMIT ?";
    let batch = BATCH as i64;
    match connection {
        AnyConnection::Pg(connection) => {
            let text = format!("{OLDEST} FOR UPDATE SKIP LOCKED");
            Statement::new(text).bind::<BigInt, _>(PATIENCE).bind::<BigInt, _>(batch).load(connection)
        }
        AnyConnection::Sqlite(connection) => {
            Statement::new(OLDEST).bind::<BigInt, _>(PATIENCE).bind::<BigInt, _>(batch).load(connection)
        }
    }
}

/// An ended job.
#[derive(QueryableByName)]
struct EndedJob {
    #[diesel(sql_type = Text)]
    id: JobId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    secrecy_level: String,
    #[diesel(sql_type = Nullable<Text>)]
    callback_url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    result_key: Option<String>,
    #[diesel(sql_type = Text)]
    traceparent: String,
}

impl EndedJob {
    fn notice(&self, objects: &Objects) -> Result<JobNotice, Error> {
        let key = self.result_key.as_deref().map(str::parse).transpose().map_err(Fault::new)?;
        Ok(JobNotice {
            id: self.id.as_str().to_owned(),
            kind: self.kind.parse().map_err(Fault::new)?,
            status: self.status.parse().map_err(Fault::new)?,
            trace_id: trace_id(&self.traceparent),
            result_ref: key.map(|key| objects.reference(&key)),
        })
    }
}

/// The jobs that events without data of their own are about, by identifier.
fn jobs(connection: &mut AnyConnection, happened: &[Happened]) -> QueryResult<HashMap<String, EndedJob>> {
    const SELECT: &str = "SELECT id, kind, status, actor, secrecy_level, callback_url, result_key, traceparent FROM jobs \
        WHERE id = ";
    let of_jobs = happened.iter().filter(|event| event.data.is_none());
    let ids: Vec<&str> = of_jobs.map(|event| event.subject.as_str()).collect();
    let jobs: Vec<EndedJob> = match connection {
        _ if ids.is_empty() => Vec::new(),
        AnyConnection::Pg(connection) => {
            Statement::new(format!("{SELECT} ANY(?)")).bind::<Array<Text>, _>(ids).load(connection)?
        }
        AnyConnection::Sqlite(connection) => {
            let mut jobs = Vec::with_capacity(ids.len());
            for id in ids {
                let one = Statement::new(format!("{SELECT} ?")).bind::<Text, _>(id);
                jobs.extend(one.load::<EndedJob>(connection)?);
            }
            jobs
        }
    };
    Ok(jobs.into_iter().map(|job| (job.id.as_str().to_owned(), job)).collect())
}

#[derive(QueryableByName)]
struct SubscriberRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    secrecy_level: String,
    #[diesel(sql_type = Text)]
    events: String,
    #[diesel(sql_type = Text)]
    status: String,
}

/// The subscriptions of the events' tenants.
fn subscribers(
    connection: &mut AnyConnection,
    happened: &[Happened],
) -> Result<HashMap<TenantId, Vec<Subscriber>>, Error> {
    const SELECT: &str = "SELECT id, tenant_id, secrecy_level, events, status FROM webhooks WHERE deleted_at IS NULL \
        AND tenant_id = ";
    let tenants: BTreeSet<&str> = happened.iter().map(|event| event.tenant_id.as_str()).collect();
    let rows: Vec<SubscriberRow> = match connection {
        AnyConnection::Pg(connection) => {
            let tenants: Vec<&str> = tenants.into_iter().collect();
            Statement::new(format!("{SELECT} ANY(?)")).bind::<Array<Text>, _>(tenants).load(connection)?
        }
        AnyConnection::Sqlite(connection) => {
            let mut rows = Vec::new();
            for tenant_id in tenants {
                let of_one = Statement::new(format!("{SELECT} ?")).bind::<Text, _>(tenant_id);
                rows.extend(of_one.load::<SubscriberRow>(connection)?);
            }
            rows
        }
    };
    let mut subscribers: HashMap<TenantId, Vec<Subscriber>> = HashMap::new();
    for row in rows {
        let subscriber = Subscriber {
            is_enabled: row.status == WebhookStatus::Enabled.as_str(),
            secrecy_level: row.secrecy_level.parse().map_err(Fault::new)?,
            events: serde_json::from_str(&row.events).map_err(Fault::new)?,
            tenant_id: row.tenant_id,
            id: row.id,
        };
        subscribers.entry(subscriber.tenant_id.clone()).or_default().push(subscriber);
    }
    Ok(subscribers)
}

/// What is told of an event, and who may know it.
struct Told {
    data: Value,
    secrecy_level: SecrecyLevel,
}

impl Told {
    /// Nothing, for a job that is gone.
    fn of(
        event: &Happened,
        job: Option<&EndedJob>,
        notice: Option<&JobNotice>,
    ) -> Result<Option<Self>, Error> {
        let (data, secrecy_level) = match (&event.data, job, notice) {
            (Some(data), ..) => {
                let level = event.secrecy_level.as_deref().unwrap_or(SecrecyLevel::Secret.as_str());
                (serde_json::from_str(data).map_err(Fault::new)?, level)
            }
            (None, Some(job), Some(notice)) => {
                (serde_json::to_value(notice).map_err(Fault::new)?, job.secrecy_level.as_str())
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { data, secrecy_level: secrecy_level.parse().map_err(Fault::new)? }))
    }

    /// A subscription is not told of itself: that it is disabled, it cannot hear.
    fn is_for(&self, event: &Happened, subscriber: &Subscriber) -> bool {
        subscriber.events.contains(&event.event)
            && self.secrecy_level <= subscriber.secrecy_level
            && subscriber.id != event.subject
    }

    fn body(self, clock: &Clock, event: &Happened) -> Result<String, Error> {
        let body = Event {
            id: EventId::fresh(clock)?.into(),
            r#type: &event.event,
            sequence: event.sequence.unsigned_abs(),
            occurred_at: moment(event.occurred_at).into(),
            data: self.data,
        };
        Ok(body.to_body().map_err(Fault::new)?)
    }
}

/// A delivery to insert.
pub(super) struct NewDelivery<'e> {
    pub(super) id: DeliveryId,
    pub(super) tenant_id: &'e TenantId,
    pub(super) webhook_id: Option<&'e str>,
    pub(super) callback_url: Option<&'e str>,
    pub(super) signer: &'e str,
    pub(super) lane: String,
    pub(super) event: Option<&'e str>,
    pub(super) job_id: Option<&'e str>,
    pub(super) body: String,
    pub(super) traceparent: &'e str,
    pub(super) tracestate: Option<&'e str>,
    pub(super) status: &'static str,
}

fn delivery<'e>(
    clock: &Clock,
    event: &'e Happened,
    subscriber: &'e Subscriber,
    body: &str,
    job: Option<&'e EndedJob>,
) -> Result<NewDelivery<'e>, Error> {
    Ok(NewDelivery {
        id: DeliveryId::fresh(clock)?,
        tenant_id: &event.tenant_id,
        webhook_id: Some(&subscriber.id),
        callback_url: None,
        signer: &subscriber.id,
        lane: subscriber.id.clone(),
        event: Some(&event.event),
        job_id: job.map(|job| job.id.as_str()),
        body: body.to_owned(),
        traceparent: &event.traceparent,
        tracestate: event.tracestate.as_deref(),
        status: if subscriber.is_enabled { "queued" } else { "skipped" },
    })
}

/// The callback of a job that asked for one.
fn callback<'e>(
    clock: &Clock,
    event: &'e Happened,
    job: &'e EndedJob,
    notice: &JobNotice,
) -> Result<Option<NewDelivery<'e>>, Error> {
    let Some(url) = job.callback_url.as_deref() else { return Ok(None) };
    let body = serde_json::to_value(notice).map_err(Fault::new)?;
    Ok(Some(NewDelivery {
        id: DeliveryId::fresh(clock)?,
        tenant_id: &event.tenant_id,
        webhook_id: None,
        callback_url: Some(url),
        signer: &job.actor,
        lane: format!("{} {}", event.tenant_id, origin(url)),
        event: None,
        job_id: Some(job.id.as_str()),
        body: canonical::to_string(&body),
        traceparent: &event.traceparent,
        tracestate: event.tracestate.as_deref(),
        status: "queued",
    }))
}

/// Scheme and authority of a URL.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + "://".len());
    let end = url[authority..].find(['/', '?']).map_or(url.len(), |at| authority + at);
    &url[..end]
}

pub(super) fn insert(connection: &mut AnyConnection, deliveries: &[NewDelivery<'_>]) -> QueryResult<()> {
    const COLUMNS: &str = "id, tenant_id, webhook_id, callback_url, signer, lane, event, job_id, body, traceparent, \
        tracestate, status";
    if deliveries.is_empty() {
        return Ok(());
    }
    match connection {
        AnyConnection::Pg(connection) => {
            let text = format!(
                "INSERT INTO deliveries ({COLUMNS}, give_up_at, created_at) SELECT {COLUMNS}, argus_now() + ?, argus_now() \
                 FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], \
                     ?::text[], ?::text[], ?::text[], ?::text[]) AS made ({COLUMNS})"
            );
            let column = |of: fn(&NewDelivery<'_>) -> String| deliveries.iter().map(of).collect::<Vec<_>>();
            let nullable =
                |of: fn(&NewDelivery<'_>) -> Option<String>| deliveries.iter().map(of).collect::<Vec<_>>();
            Statement::new(text)
                .bind::<BigInt, _>(PATIENCE)
                .bind::<Array<Text>, _>(column(|each| each.id.as_str().to_owned()))
                .bind::<Array<Text>, _>(column(|each| each.tenant_id.as_str().to_owned()))
                .bind::<Array<Nullable<Text>>, _>(nullable(|each| each.webhook_id.map(str::to_owned)))
                .bind::<Array<Nullable<Text>>, _>(nullable(|each| each.callback_url.map(str::to_owned)))
                .bind::<Array<Text>, _>(column(|each| each.signer.to_owned()))
                .bind::<Array<Text>, _>(column(|each| each.lane.clone()))
                .bind::<Array<Nullable<Text>>, _>(nullable(|each| each.event.map(str::to_owned)))
                .bind::<Array<Nullable<Text>>, _>(nullable(|each| each.job_id.map(str::to_owned)))
                .bind::<Array<Text>, _>(column(|each| each.body.clone()))
                .bind::<Array<Text>, _>(column(|each| each.traceparent.to_owned()))
                .bind::<Array<Nullable<Text>>, _>(nullable(|each| each.tracestate.map(str::to_owned)))
                .bind::<Array<Text>, _>(column(|each| each.status.to_owned()))
                .execute(connection)?;
        }
        AnyConnection::Sqlite(connection) => {
            let text = format!(
                "INSERT INTO deliveries ({COLUMNS}, give_up_at, created_at) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, argus_now() + ?, argus_now())"
            );
            for each in deliveries {
                Statement::new(text.clone())
                    .bind::<Text, _>(&each.id)
                    .bind::<Text, _>(each.tenant_id)
                    .bind::<Nullable<Text>, _>(each.webhook_id)
                    .bind::<Nullable<Text>, _>(each.callback_url)
                    .bind::<Text, _>(each.signer)
                    .bind::<Text, _>(&*each.lane)
                    .bind::<Nullable<Text>, _>(each.event)
                    .bind::<Nullable<Text>, _>(each.job_id)
                    .bind::<Text, _>(&*each.body)
                    .bind::<Text, _>(each.traceparent)
                    .bind::<Nullable<Text>, _>(each.tracestate)
                    .bind::<Text, _>(each.status)
                    .bind::<BigInt, _>(PATIENCE)
                    .execute(connection)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn deliveries_to_one_authority_share_a_lane() {
        for (url, expected) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example/b/c", "https://a.example"),
            ("https://a.example:8443?b=/", "https://a.example:8443"),
            ("http://[::1]:9/b", "http://[::1]:9"),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}

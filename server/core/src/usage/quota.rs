//! How many calls a tenant or one of its apps may make in a day or a month, in UTC.
//!
//! A node knows the total of all nodes as of its last refresh, and adds what it has let through itself since. So all
//! nodes together let through at most as much more than the quota as the others do between two refreshes. The calls
//! that are under way while a node refreshes may be known twice or not at all until the next refresh.

use super::report::COUNTED;
use crate::audit;
use crate::error::Error;
use crate::ids::{ClientId, TenantId};
use crate::store::statement::{Statement, on_engine};
use crate::store::{AnyConnection, Tx};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most calls that a quota can have.
const CALLS_MAX: i64 = 1_000_000_000_000;

/// After what time a quota is whole again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A day in UTC.
    Day,
    /// A month in UTC.
    Month,
}

impl Period {
    const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// What settings and the database call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.name() == name)
    }

    /// Its first day.
    fn first(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Month => day.with_day(1).unwrap_or(day),
        }
    }

    /// When the one that has this moment began, and when the next one begins.
    fn bounds(self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let first = self.first(now.date_naive());
        let next = match self {
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Month => first.checked_add_months(Months::new(1)),
        };
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        (midnight(first), midnight(next.unwrap_or(NaiveDate::MAX)))
    }
}

/// So many calls in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    calls: i64,
    period: Period,
}

/// What is written is no quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quota is written as in `1000000/month` or `5000/day`, with 1 to 1000000000000 calls")]
pub struct NoQuota;

impl FromStr for Quota {
    type Err = NoQuota;

    fn from_str(text: &str) -> Result<Self, NoQuota> {
        let (calls, period) = text.split_once('/').ok_or(NoQuota)?;
        let period = Period::named(period).ok_or(NoQuota)?;
        let calls = calls.parse().ok().filter(|calls| (1..=CALLS_MAX).contains(calls)).ok_or(NoQuota)?;
        Ok(Self { calls, period })
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.calls, self.period.name())
    }
}

/// Whose calls a quota counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// Those of all apps of the tenant, and of the operator inside it.
    Tenant,
    /// Those of one app.
    App(ClientId),
}

impl Whose {
    /// As it is stored.
    fn actor(&self) -> &str {
        match self {
            Self::Tenant => "",
            Self::App(client_id) => client_id.as_str(),
        }
    }
}

/// A quota with what is known of its use.
#[derive(Debug)]
pub struct QuotaState {
    /// Whether it is the tenant's, or else that of an app.
    pub is_tenants: bool,
    /// So many calls in a period.
    quota: Quota,
    used: Mutex<Used>,
}

#[derive(Clone, Copy, Debug)]
struct Used {
    began_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    /// What all nodes had used at the last refresh.
    known: i64,
    /// What this node has let through since.
    since: i64,
}

impl Used {
    fn new(period: Period, now: DateTime<Utc>, known: i64, since: i64) -> Self {
        let (began_at, ends_at) = period.bounds(now);
        Self { began_at, ends_at, known, since }
    }
}

/// A quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The quota.
    pub quota: Quota,
    /// Whether it is the tenant's, or else that of an app.
    pub is_tenants: bool,
    /// When it is whole again.
    pub retry_after: Duration,
}

/// How much of a quota is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLeft {
    /// How many calls it has.
    pub calls: i64,
    /// How many are left.
    pub left: i64,
    /// How long its period is.
    pub window: Duration,
    /// How long it is until the next one.
    pub reset: Duration,
}

impl QuotaState {
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The use in the period of this moment. A new period begins with nothing, whenever the next refresh is.
    fn current(&self, now: DateTime<Utc>) -> MutexGuard<'_, Used> {
        let mut used = self.used();
        if !(used.began_at..used.ends_at).contains(&now) {
            *used = Used::new(self.quota.period, now, 0, 0);
        }
        used
    }

    pub(super) fn take(&self, now: DateTime<Utc>) -> Result<(), Exceeded> {
        let mut used = self.current(now);
        if used.known.saturating_add(used.since) >= self.quota.calls {
            let retry_after = until(now, used.ends_at);
            return Err(Exceeded { quota: self.quota, is_tenants: self.is_tenants, retry_after });
        }
        used.since += 1;
        Ok(())
    }

    /// Gives back what a call has taken that does not count.
    pub(super) fn give_back(&self) {
        self.used().since -= 1;
    }

    /// How much is left.
    pub fn left(&self, now: DateTime<Utc>) -> QuotaLeft {
        let used = *self.current(now);
        QuotaLeft {
            calls: self.quota.calls,
            left: (self.quota.calls - used.known.saturating_add(used.since)).clamp(0, self.quota.calls),
            window: until(used.began_at, used.ends_at),
            reset: until(now, used.ends_at),
        }
    }
}

fn until(now: DateTime<Utc>, then: DateTime<Utc>) -> Duration {
    (then - now).to_std().unwrap_or_default()
}

/// The quotas that a node knows, of every tenant.
#[derive(Default)]
pub(super) struct Quotas(HashMap<TenantId, HashMap<String, Arc<QuotaState>>>);

/// What each quota had been taken from at a moment.
pub(super) type Marks = HashMap<(TenantId, String), i64>;

impl Quotas {
    /// Those of the tenant and of the actor.
    pub(super) fn of(&self, tenant_id: &TenantId, actor: &str) -> Vec<Arc<QuotaState>> {
        // Of no tenant at all, as a rule.
        if self.0.is_empty() {
            return Vec::new();
        }
        let Some(quotas) = self.0.get(tenant_id) else { return Vec::new() };
        [Whose::Tenant.actor(), actor].iter().filter_map(|name| quotas.get(*name)).cloned().collect()
    }

    pub(super) fn marks(&self) -> Marks {
        let of_tenant = |(tenant_id, quotas): (&TenantId, &HashMap<String, Arc<QuotaState>>)| {
            let tenant_id = tenant_id.clone();
            let mark = move |(actor, state): (&String, &Arc<QuotaState>)| {
                ((tenant_id.clone(), actor.clone()), state.used().since)
            };
            quotas.iter().map(mark).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_tenant).collect()
    }

    /// Takes over what the database says. What was let through before the marks is in its totals.
    pub(super) fn replace(&mut self, rows: Vec<QuotaRow>, marks: &Marks, now: DateTime<Utc>) {
        let mut before = std::mem::take(&mut self.0);
        for row in rows {
            let Some(period) = Period::named(&row.period) else { continue };
            let quota = Quota { calls: row.calls, period };
            let state = before.get_mut(&row.tenant_id).and_then(|quotas| quotas.remove(&row.actor));
            let state = match state.filter(|state| state.quota == quota) {
                Some(state) => {
                    let mark = marks.get(&(row.tenant_id.clone(), row.actor.clone()));
                    let mut used = state.current(now);
                    // A period that has begun since has forgotten what the mark counts.
                    used.since = (used.since - mark.copied().unwrap_or_default()).max(0);
                    used.known = row.used;
                    drop(used);
                    state
                }
                None => Arc::new(QuotaState {
                    is_tenants: row.actor.is_empty(),
                    quota,
                    used: Mutex::new(Used::new(period, now, row.used, 0)),
                }),
            };
            self.0.entry(row.tenant_id).or_default().insert(row.actor, state);
        }
    }
}

/// A quota, and what was used of it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub(super) struct QuotaRow {
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = Text)]
    period: String,
    #[diesel(sql_type = BigInt)]
    used: i64,
}

/// Every quota with what was used of it until now.
pub(super) fn with_totals(connection: &mut AnyConnection, today: NaiveDate) -> QueryResult<Vec<QuotaRow>> {
    let text = format!(
        "SELECT quotas.tenant_id, quotas.actor, quotas.calls, quotas.period, \
         CAST(coalesce((SELECT sum(counted.calls) FROM {COUNTED} WHERE counted.tenant_id = quotas.tenant_id \
         AND (quotas.actor = '' OR counted.actor = quotas.actor) \
         AND counted.day >= CASE quotas.period WHEN 'day' THEN ? ELSE ? END), 0) AS BIGINT) AS used FROM quotas"
    );
    let first = |period: Period| period.first(today).to_string();
    let statement =
        Statement::new(text).bind::<Text, _>(first(Period::Day)).bind::<Text, _>(first(Period::Month));
    on_engine!(connection, |inner| statement.load(inner))
}

/// Sets a quota of the caller's tenant, or takes it away.
pub fn set_quota(tx: &mut Tx<'_>, whose: &Whose, quota: Option<Quota>) -> Result<(), Error> {
    const SET: &str = "INSERT INTO quotas (tenant_id, actor, calls, period) VALUES (?, ?, ?, ?) \
        ON CONFLICT (tenant_id, actor) DO UPDATE SET calls = excluded.calls, period = excluded.period";
    const REMOVE: &str = "DELETE FROM quotas WHERE tenant_id = ? AND actor = ?";
    let (connection, tenant_id) = tx.parts();
    let tenant_id = tenant_id.clone();
    match quota {
        Some(Quota { calls, period }) => {
            let statement = Statement::new(SET)
                .bind::<Text, _>(&tenant_id)
                .bind::<Text, _>(whose.actor())
                .bind::<BigInt, _>(calls)
                .bind::<Text, _>(period.name());
            on_engine!(connection, |inner| statement.execute(inner))?
        }
        None => {
            let statement = Statement::new(REMOVE).bind::<Text, _>(&tenant_id).bind::<Text, _>(whose.actor());
            on_engine!(connection, |inner| statement.execute(inner))?
        }
    };
    let subject = match whose {
        Whose::Tenant => tenant_id.as_str(),
        Whose::App(client_id) => client_id.as_str(),
    };
    audit::append(tx, "tenant.quota.set", subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn state(quota: &str, known: i64, now: DateTime<Utc>) -> QuotaState {
        let quota: Quota = quota.parse().expect("a quota");
        QuotaState { is_tenants: true, quota, used: Mutex::new(Used::new(quota.period, now, known, 0)) }
    }

    #[test]
    fn a_quota_is_written_as_calls_and_a_period_and_nothing_else_is_one() {
        for text in ["1/day", "1000000000000/month"] {
            assert_eq!(text.parse::<Quota>().expect(text).to_string(), text);
        }
        for text in ["", "1", "0/day", "-1/day", "1/week", "1/Day", "1 /day", "1000000000001/day", "/day"] {
            assert_eq!(text.parse::<Quota>(), Err(NoQuota), "{text}");
        }
    }

    #[test]
    fn a_quota_ends_with_its_period_and_says_when() {
        let now = at("2028-02-28T23:59:30Z");
        let month = state("3/month", 1, now);
        assert!(month.take(now).is_ok() && month.take(now).is_ok());
        let exceeded = month.take(now).expect_err("used up");
        assert_eq!(exceeded.retry_after, Duration::from_secs(30 + 24 * 3_600), "a leap year");
        assert_eq!(month.left(now).window, Duration::from_secs(29 * 24 * 3_600));
        month.give_back();
        assert!(month.take(now).is_ok(), "what does not count is given back");
        assert_eq!(month.left(at("2028-03-01T00:00:00Z")).left, 3);
        let day = state("1/day", 1, now);
        assert_eq!(day.take(now).expect_err("used up").retry_after, Duration::from_secs(30));
        assert!(day.take(at("2028-02-29T00:00:00Z")).is_ok());
    }

    #[test]
    fn a_refresh_replaces_what_was_let_through_before_it_and_keeps_what_came_meanwhile() {
        let now = at("2026-12-01T12:00:00Z");
        let tenant_id: TenantId = "tnt_01jx0000000000000000000000".parse().expect("an identifier");
        let row = |used| QuotaRow {
            tenant_id: tenant_id.clone(),
            actor: String::new(),
            calls: 10,
            period: "day".to_owned(),
            used,
        };
        let mut quotas = Quotas::default();
        quotas.replace(vec![row(2)], &Marks::new(), now);
        let take = |quotas: &Quotas| quotas.of(&tenant_id, "app")[0].take(now);
        let left = |quotas: &Quotas| quotas.of(&tenant_id, "app")[0].left(now).left;
        (0..3).for_each(|_| take(&quotas).expect("some left"));
        assert_eq!(left(&quotas), 5);
        let marks = quotas.marks();
        take(&quotas).expect("some left");
        // Another node has let two through.
        quotas.replace(vec![row(7)], &marks, now);
        assert_eq!(left(&quotas), 2);
        quotas.replace(Vec::new(), &Marks::new(), now);
        assert!(quotas.of(&tenant_id, "app").is_empty());
    }
}

//! What was counted, for the operator.

use crate::ids::TenantId;
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// What lines are told apart by, beside the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// What was called.
    #[default]
    Operation,
    /// Who has called.
    App,
    /// The day in UTC.
    Day,
}

impl By {
    /// What the column is called in a report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::App => "app",
            Self::Day => "day",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::App => "actor",
            Self::Day => "day",
        }
    }
}

/// So many calls of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Line {
    /// The tenant.
    #[diesel(sql_type = Text)]
    pub tenant_id: TenantId,
    /// The operation, the app or the day.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// How often.
    #[diesel(sql_type = BigInt)]
    pub calls: i64,
}

/// Both places where numbers are, read by one statement, so that what is just being added up is there once.
pub(super) const COUNTED: &str = "(SELECT tenant_id, day, actor, operation, calls FROM usage_by_day \
    UNION ALL SELECT tenant_id, day, actor, operation, calls FROM usage_increments) AS counted";

/// The calls of one tenant, or of each, from one day to another, both with them.
pub fn report(
    connection: &mut AnyConnection,
    tenant: Option<&TenantId>,
    (from, to): (NaiveDate, NaiveDate),
    by: By,
) -> QueryResult<Vec<Line>> {
    let column = by.column();
    let text = format!(
        "SELECT tenant_id, {column} AS name, CAST(sum(calls) AS BIGINT) AS calls FROM {COUNTED} \
         WHERE day >= ? AND day <= ? AND (tenant_id = ? OR ? = '') \
         GROUP BY tenant_id, {column} ORDER BY tenant_id, {column}"
    );
    let tenant = tenant.map_or("", TenantId::as_str);
    let statement = Statement::new(text)
        .bind::<Text, _>(from.to_string())
        .bind::<Text, _>(to.to_string())
        .bind::<Text, _>(tenant)
        .bind::<Text, _>(tenant);
    on_engine!(connection, |inner| statement.load(inner))
}

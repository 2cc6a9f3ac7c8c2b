//! `argus usage`: how often live operations were called. What nodes have counted in memory and not written yet is not
//! there; that is never more than a few seconds.

use super::{CommandResult, print, run};
use crate::service::PRODUCTS;
use crate::settings::{Settings, UsageArgs, UsageBy, UsageFormat};
use argus_core::Clock;
use argus_core::store::{Database, Error};
use argus_core::usage::{self, By, Line};
use chrono::Datelike;
use serde_json::{Value, json};
use std::path::Path;

pub(super) fn usage(args: UsageArgs, config: Option<&Path>) -> CommandResult {
    let UsageArgs { tenant, from, to, by, format, data } = args;
    let settings = Settings::load(&data.into(), config)?;
    let today = Clock::system().now().date_naive();
    let (to, first) = (to.unwrap_or(today), today.with_day(1).unwrap_or(today));
    let from = from.unwrap_or(first.min(to));
    if from > to {
        return Err("`--from` is behind `--to`".into());
    }
    let by = match by {
        UsageBy::Operation => By::Operation,
        UsageBy::App => By::App,
        UsageBy::Day => By::Day,
    };
    run::block_on(async {
        let tenant = tenant.as_deref().map(super::tenant_named).transpose()?;
        let database = Database::open(&settings.store, PRODUCTS)?.every_tenant;
        let report = database.run(move |connection| {
            Ok::<_, Error>(usage::report(connection, tenant.as_ref(), (from, to), by)?)
        });
        let lines: Vec<Line> = report.await?;
        match format {
            UsageFormat::Table => table(&lines),
            UsageFormat::Json => print(Value::from_iter(lines.iter().map(|line| object(line, by)))),
            UsageFormat::Csv => csv(&lines, by),
        }
    })
}

fn table(lines: &[Line]) -> CommandResult {
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or_default();
    lines.iter().try_for_each(|Line { tenant_id, name, calls }| {
        print(format!("{tenant_id}  {name:width$}  {calls:>12}"))
    })
}

fn object(Line { tenant_id, name, calls }: &Line, by: By) -> Value {
    json!({ "tenant_id": tenant_id.as_str(), by.name(): name, "calls": calls })
}

/// Identifiers, operations and days need no quotes.
fn csv(lines: &[Line], by: By) -> CommandResult {
    print(format!("tenant_id,{},calls", by.name()))?;
    lines.iter().try_for_each(|Line { tenant_id, name, calls }| print(format!("{tenant_id},{name},{calls}")))
}

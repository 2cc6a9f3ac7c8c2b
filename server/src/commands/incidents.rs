//! `argus incidents`: ask the dispatch system about the incidents of a tenant.

use super::{CommandResult, print, run};
use crate::service::PRODUCTS;
use crate::settings::{IncidentsAction, RefreshArgs, Settings};
use argus_core::store::Database;
use argus_core::{Clock, tenants};
use argus_openapi::types::common::Identifier;
use argus_openapi::types::webhooks::WebhookEvent;
use argus_partner::connectors::Connectors;
use argus_partner::incidents::{AT_A_TIME, Outcome, Refresh, Refreshed};
use std::error::Error;
use std::path::Path;

const NOT_CONFIGURED: &str = "there is no dispatch system to ask: name one with --dispatch-url and --dispatch-token \
    (ARGUS_DISPATCH_URL, ARGUS_DISPATCH_TOKEN, or `[connectors.dispatch]` in the file of --config)";

pub(super) fn incidents(action: IncidentsAction, config: Option<&Path>) -> CommandResult {
    let IncidentsAction::Refresh(args) = action;
    let settings = Settings::load(&args.clone().into(), config)?;
    run::block_on(refresh(args, settings))
}

async fn refresh(RefreshArgs { tenant, ids, .. }: RefreshArgs, settings: Settings) -> CommandResult {
    let (clock, tenant_id) = (Clock::system(), super::tenant_named(&tenant)?);
    let ids = ids.iter().map(|id| id.parse().map_err(|error| format!("`{id}`: {error}")));
    let ids = ids.collect::<Result<Vec<Identifier>, _>>()?;
    let connectors = Connectors::open(&settings.connectors, &clock)?;
    let database = Database::open(&settings.store, PRODUCTS)?;
    // A context of the live environment, made of the tenant: that is what connectors take for a caller.
    let context = tenants::view(&database.requests, &tenant_id).await?.cleared_operator(&clock);
    let refresh = Refresh { store: &database.requests, connectors: &connectors, context: &context };
    if !refresh.is_possible() {
        return Err(NOT_CONFIGURED.into());
    }
    let mut tally = Tally::default();
    if ids.is_empty() {
        every_open(&refresh, &mut tally).await?
    } else {
        named(&refresh, &ids, &mut tally).await?
    }
    tally.end()
}

async fn named(refresh: &Refresh<'_>, ids: &[Identifier], tally: &mut Tally) -> CommandResult {
    let absent: Vec<&str> = refresh.absent(ids).await?.into_iter().map(Identifier::as_str).collect();
    if !absent.is_empty() {
        return Err(format!("the tenant has no incident {}; nothing was asked", absent.join(", ")).into());
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ask(refresh, &ids, tally).await
}

async fn every_open(refresh: &Refresh<'_>, tally: &mut Tally) -> CommandResult {
    let mut open = refresh.open_behind(String::new()).await?;
    while let Some(last) = open.last().cloned() {
        ask(refresh, &open, tally).await?;
        open = refresh.open_behind(last).await?;
    }
    Ok(())
}

async fn ask(refresh: &Refresh<'_>, ids: &[String], tally: &mut Tally) -> CommandResult {
    for ids in ids.chunks(AT_A_TIME) {
        let (refreshed, failed): (Vec<_>, Vec<_>) =
            refresh.of(ids).await.into_iter().partition(Result::is_ok);
        // What was told is said, whatever has become of the others.
        for refreshed in refreshed.into_iter().flatten() {
            tally.count(&refreshed);
            print(line(&refreshed))?;
        }
        failed.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    Ok(())
}

/// How many incidents were asked about, and how many of them in vain.
#[derive(Default)]
struct Tally {
    asked: usize,
    unanswered: usize,
}

impl Tally {
    fn count(&mut self, refreshed: &Refreshed) {
        self.asked += 1;
        self.unanswered += usize::from(matches!(refreshed.outcome, Outcome::Unanswered(_)));
    }

    fn end(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self { unanswered: 0, .. } => Ok(()),
            Self { asked, unanswered } => Err(format!(
                "{unanswered} of {asked} incidents are as they were: nothing is known of them now"
            )
            .into()),
        }
    }
}

fn line(Refreshed { id, outcome, state }: &Refreshed) -> String {
    let (outcome, reason) = match outcome {
        Outcome::Told(WebhookEvent::IncidentClosed) => ("closed", None),
        Outcome::Told(_) => ("updated", None),
        Outcome::Unchanged => ("unchanged", None),
        Outcome::Unknown => ("unknown", None),
        Outcome::Unanswered(reason) => ("unanswered", Some(reason)),
    };
    let state =
        state.as_ref().map(|state| format!("  {}  {}", state.severity, state.status)).unwrap_or_default();
    let reason = reason.map(|reason| format!("  {reason}")).unwrap_or_default();
    format!("{id}  {outcome:10}{state}{reason}").trim_end().to_owned()
}

//! The operator's look at a tenant's incidents: the dispatch system is asked about each, and a state that is new is kept
//! and told as after an enrichment. What it has found beside that is a partner's to ask for.

use crate::connectors::{Connectors, System};
use crate::error::Error;
use crate::store::profiles::{self as rows, ProfileRow};
use crate::{incidents, profiles};
use argus_core::context::{Context, Live};
use argus_core::store::Resource;
use argus_core::{Store, audit};
use argus_openapi::types::common::Identifier;
use argus_openapi::types::incidents::IncidentState;
use argus_openapi::types::profiles::{EnrichmentSource, ProfileKind};
use argus_openapi::types::webhooks::WebhookEvent;
use futures::future::join_all;

/// How many incidents are looked up at a time.
const PAGE: u32 = 500;
/// How many are asked about at a time: few enough that partners get their turns, too.
pub const AT_A_TIME: usize = 4;

/// The incidents of a tenant, with the way to its dispatch system.
pub struct Refresh<'a> {
    /// The database.
    pub store: &'a Store,
    /// The systems.
    pub connectors: &'a Connectors,
    /// Whose incidents, and who looks. Connectors refuse a caller of the sandbox here as everywhere.
    pub context: &'a Context<Live>,
}

/// What became of the look at one incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Refreshed {
    /// Identifier of the incident.
    pub id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The state that is known now, if any is.
    pub state: Option<IncidentState>,
}

/// How the look at an incident ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It had changed, which is told.
    Told(WebhookEvent),
    /// Nothing is new.
    Unchanged,
    /// The system answered, and does not know its state.
    Unknown,
    /// The system did not answer the question: why.
    Unanswered(String),
}

impl Refresh<'_> {
    /// Whether there is a dispatch system to ask.
    pub fn is_possible(&self) -> bool {
        self.connectors.configured().any(|system| system == System::Dispatch)
    }

    /// Those of these that are no incident of the tenant.
    pub async fn absent<'i>(&self, ids: &'i [Identifier]) -> Result<Vec<&'i Identifier>, Error> {
        let mut absent = Vec::new();
        for id in ids {
            match profiles::view(self.store, self.context, id.as_str()).await {
                Ok(profile) if profile.kind == ProfileKind::Incident => {}
                Ok(_) | Err(Error::Core(argus_core::Error::NotFound(_))) => absent.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok(absent)
    }

    /// The next incidents behind an identifier that are not known to be closed; none when there are no more.
    pub async fn open_behind(&self, id: String) -> Result<Vec<String>, Error> {
        let clearance = self.context.principal.secrecy_level;
        let open = self.store.read(self.context, move |reader| {
            Ok::<_, Error>(rows::open_incidents(reader, clearance, &id, PAGE)?)
        });
        open.await
    }

    /// Asks about a few incidents at the same time; says of each what became of it.
    pub async fn of(&self, ids: &[String]) -> Vec<Result<Refreshed, Error>> {
        join_all(ids.iter().map(|id| self.of_one(id))).await
    }

    async fn of_one(&self, id: &str) -> Result<Refreshed, Error> {
        let Self { store, connectors, context } = self;
        let dispatch = [EnrichmentSource::Dispatch];
        let (before, _, asked) = profiles::ask(store, connectors, context, id, &dispatch).await?;
        if let Some(reason) = asked.outcomes.iter().find_map(|outcome| outcome.message.clone()) {
            let state = before.incident.state().map_err(Error::fault)?;
            return Ok(Refreshed { id: id.to_owned(), outcome: Outcome::Unanswered(reason), state });
        }
        let (key, is_known) = (rows::key(context, id), asked.incident.is_some());
        let kept = store.write(context, move |tx| {
            let Some(row) = rows::lock(tx, &key)? else {
                return Err(argus_core::Error::NotFound(ProfileRow::NAME).into());
            };
            audit::append(tx, "incident.refresh", &row.id)?;
            let news = incidents::keep(tx, &row, &before, &asked)?;
            let said = news.and_then(|_| asked.incident.clone());
            Ok::<_, Error>((news, said.map_or_else(|| row.incident.state(), |said| Ok(Some(said)))))
        });
        let (news, state) = kept.await?;
        let outcome = match news {
            Some(event) => Outcome::Told(event),
            None if is_known => Outcome::Unchanged,
            None => Outcome::Unknown,
        };
        Ok(Refreshed { id: id.to_owned(), outcome, state: state.map_err(Error::fault)? })
    }
}

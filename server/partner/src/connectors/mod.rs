//! What Argus asks other systems about a profile. Four systems serve the five sources of an enrichment, each
//! through a [`Connector`], if an operator has configured one; [`Connectors`] asks them beside each other and says of
//! each source how that ended.
//!
//! - `caller`: who may reach them; `wire`: what goes over the wire
//! - `client`: the connector over HTTP; `retry` and `breaker`: what it does about failures
//! - `settings`: where the systems are
//!
//! What an enrichment does with the findings lives in [`crate::profiles`].

mod breaker;
mod caller;
mod client;
mod retry;
mod settings;
mod wire;

pub use caller::{LiveCaller, SandboxCaller};
pub use settings::{ConnectorSettings, Limits, Provider, ProviderFault};
pub use wire::{Answer, FINDINGS_MAX, FINDINGS_PATH, Question, read_answer};

use crate::error::Error;
use argus_core::Clock;
use argus_openapi::types::incidents::IncidentState;
use argus_openapi::types::profiles::{EnrichmentSource, Finding, ProfileKind, SourceOutcome, SourceStatus};
use client::Factory;
use futures::future::{BoxFuture, join_all};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A system that answers questions about profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// Chain and payment analytics.
    Finance,
    /// Open-source intelligence.
    Osint,
    /// Dispatch and its patient care reports.
    Dispatch,
    /// Device telemetry.
    Telemetry,
}

impl System {
    /// Every system.
    pub const ALL: [Self; 4] = [Self::Finance, Self::Osint, Self::Dispatch, Self::Telemetry];

    /// Its name in settings and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finance => "finance",
            Self::Osint => "osint",
            Self::Dispatch => "dispatch",
            Self::Telemetry => "telemetry",
        }
    }

    /// The system that serves a source.
    pub const fn of(source: EnrichmentSource) -> Self {
        match source {
            EnrichmentSource::Finance => Self::Finance,
            EnrichmentSource::Osint => Self::Osint,
            EnrichmentSource::Dispatch | EnrichmentSource::Epcr => Self::Dispatch,
            EnrichmentSource::Telemetry => Self::Telemetry,
        }
    }
}

/// The way to one system.
pub trait Connector: Send + Sync {
    /// Asks about a profile, on behalf of a live caller. It comes back within the limits of the connector, whatever
    /// the system does, and may be dropped at any time.
    fn ask<'a>(
        &'a self,
        caller: LiveCaller<'a>,
        question: &'a Question,
    ) -> BoxFuture<'a, Result<Answer, Failure>>;
}

/// Why a connector has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The caller is none of the live environment.
    Sandbox(SandboxCaller),
    /// It may have some later: why not now, for the partner.
    Unavailable(&'static str),
    /// The system did not take the question: how it answered, for the partner.
    Refused(String),
}

/// What was asked for, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// How it ended, source by source.
    pub outcomes: Vec<SourceOutcome>,
    /// What those that answered found, most severe first.
    pub findings: Vec<Finding>,
    /// The state of the incident, if it is one and dispatch said it.
    pub incident: Option<IncidentState>,
}

impl Asked {
    /// The sources that answered.
    pub fn answered(&self) -> impl Iterator<Item = EnrichmentSource> {
        let answered = self.outcomes.iter().filter(|outcome| outcome.status == SourceStatus::Answered);
        answered.map(|outcome| outcome.source)
    }
}

/// The connectors of an installation. Clones share them.
#[derive(Clone)]
pub struct Connectors(Arc<Shared>);

struct Shared {
    /// At the place of their system.
    connectors: [Option<Box<dyn Connector>>; System::ALL.len()],
    tally: Tally,
}

/// How often asking a source ended in which way.
#[derive(Default)]
struct Tally([[AtomicU64; SourceStatus::ALL.len()]; EnrichmentSource::ALL.len()]);

impl Tally {
    fn count(&self, outcomes: &[SourceOutcome]) {
        for outcome in outcomes {
            self.0[outcome.source as usize][outcome.status as usize].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a partner is told of a source without a connector.
const NOT_CONFIGURED: &str = "this installation has no connector to it";

impl fmt::Debug for Connectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.configured().map(System::name)).finish()
    }
}

impl Connectors {
    /// Those that are configured. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the system has no certificates, or something else that clients need.
    pub fn open(settings: &ConnectorSettings, clock: &Clock) -> Result<Self, reqwest::Error> {
        let factory = if settings.providers.is_empty() {
            None
        } else {
            Some(Factory::new(settings.limits, clock.clone())?)
        };
        let connectors = System::ALL.map(|system| {
            let (factory, provider) = (factory.as_ref()?, settings.providers.get(&system)?);
            Some(Box::new(factory.connector(system, provider)) as Box<dyn Connector>)
        });
        Ok(Self(Arc::new(Shared { connectors, tally: Tally::default() })))
    }

    /// The systems that there is a connector to.
    pub fn configured(&self) -> impl Iterator<Item = System> {
        System::ALL.into_iter().filter(|system| self.of(*system).is_some())
    }

    fn of(&self, system: System) -> Option<&dyn Connector> {
        self.0.connectors.get(system as usize)?.as_deref()
    }

    /// Asks these sources about a profile, all systems at the same time. A source that does not answer costs the
    /// others nothing.
    ///
    /// # Errors
    ///
    /// 403 when a connector finds that the caller is none of the live environment.
    pub async fn ask(
        &self,
        caller: LiveCaller<'_>,
        (id, kind, display_name): (&str, ProfileKind, &str),
        sources: &[EnrichmentSource],
    ) -> Result<Asked, Error> {
        let asked = System::ALL.map(|system| async move {
            let applies = |source: &EnrichmentSource| source.kinds().contains(&kind);
            let of_system = sources.iter().copied().filter(|source| System::of(*source) == system);
            let sources: Vec<EnrichmentSource> = of_system.filter(applies).collect();
            match self.of(system) {
                Some(connector) if !sources.is_empty() => {
                    let (profile_id, display_name) = (id.to_owned(), display_name.to_owned());
                    let question = Question { profile_id, kind, display_name, sources };
                    Some(connector.ask(caller, &question).await)
                }
                _ => None,
            }
        });
        let (mut ends, mut findings, mut incident) = (Vec::new(), Vec::new(), None);
        for answer in join_all(asked).await {
            ends.push(match answer {
                None => (SourceStatus::NotConfigured, Some(NOT_CONFIGURED.to_owned())),
                Some(Ok(answer)) => {
                    findings.extend(answer.findings);
                    incident = incident.or(answer.incident);
                    (SourceStatus::Answered, None)
                }
                Some(Err(Failure::Sandbox(refusal))) => return Err(refusal.into()),
                Some(Err(Failure::Unavailable(message))) => {
                    (SourceStatus::Unavailable, Some(message.to_owned()))
                }
                Some(Err(Failure::Refused(message))) => (SourceStatus::Refused, Some(message)),
            });
        }
        let outcome = |source: &EnrichmentSource| match &ends[System::of(*source) as usize] {
            _ if !source.kinds().contains(&kind) => SourceOutcome::not_applicable(*source, kind),
            (status, message) => SourceOutcome { source: *source, status: *status, message: message.clone() },
        };
        let outcomes: Vec<SourceOutcome> = sources.iter().map(outcome).collect();
        self.0.tally.count(&outcomes);
        Finding::sort(&mut findings);
        Ok(Asked { outcomes, findings, incident })
    }

    /// How often asking a source ended in which way, since the process began.
    pub fn tally(&self) -> impl Iterator<Item = (EnrichmentSource, SourceStatus, u64)> {
        let sources = EnrichmentSource::ALL.into_iter().zip(&self.0.tally.0);
        sources.flat_map(|(source, counts)| {
            let counts = SourceStatus::ALL.into_iter().zip(counts);
            counts.map(move |(status, count)| (source, status, count.load(Ordering::Relaxed)))
        })
    }
}

//! Profiles and their enrichment. Which scenario a profile follows is decided in
//! [`super::subject`], so that a view and an enrichment agree.

use crate::engine::clock::at;
use crate::engine::digest::Frame;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::sandbox::{Context, Sandbox};
use crate::partner::subject::Subject;
use argus_openapi::Operation;
use argus_openapi::types::incidents::Incident;
use argus_openapi::types::profiles as types;
use argus_openapi::types::profiles::{EnrichmentSource, Profile, ProfileEnrichment, SourceOutcome};

/// `profile_view`
pub struct ProfileView<'a> {
    /// The profile, as in the path.
    pub id: &'a str,
}

impl Mock for ProfileView<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::ProfileView;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id } = self;
        frame.part(id.as_bytes());
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let subject = Subject::choose(&context.data.fixtures(context.caller), self.id, None);
        let profile = &subject.primary.profile;
        Ok(Reply::json(
            200,
            &Profile {
                id: self.id.to_owned(),
                kind: profile.kind,
                display_name: subject.display_name(),
                secrecy_level: profile.secrecy_level,
                risk: subject.risk(),
                finding_codes: subject.finding_codes(),
                incident: subject.incident().map(Incident::from),
                created_at: profile.created_at,
                updated_at: profile.updated_at,
            },
        ))
    }
}

/// `profile_enrich`
pub struct ProfileEnrich<'a> {
    /// The profile, as in the path.
    pub id: &'a str,
    /// The body; its default when the request had none.
    pub body: &'a types::ProfileEnrich,
}

impl Mock for ProfileEnrich<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::ProfileEnrich;
    const SHOWS_TIME: bool = true;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id, body } = self;
        let types::ProfileEnrich { sources } = body;
        frame.part(id.as_bytes());
        frame.scalar(sources);
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let subject = Subject::choose(&context.data.fixtures(context.caller), self.id, None);
        let asked =
            |source: &EnrichmentSource| self.body.sources.is_empty() || self.body.sources.contains(source);
        let mut findings = subject.findings();
        findings.retain(|finding| asked(&finding.source));
        let kind = subject.primary.profile.kind;
        let sources: Vec<EnrichmentSource> = EnrichmentSource::ALL.into_iter().filter(asked).collect();
        let outcome = |source: EnrichmentSource| {
            // A scenario of the operator's may know more of a profile than a live source would.
            let found = findings.iter().any(|finding| finding.source == source);
            if found || source.kinds().contains(&kind) {
                SourceOutcome::answered(source)
            } else {
                SourceOutcome::not_applicable(source, kind)
            }
        };
        Ok(Reply::json(
            200,
            &ProfileEnrichment {
                profile_id: self.id.to_owned(),
                kind,
                risk: subject.risk(),
                outcomes: sources.iter().copied().map(outcome).collect(),
                sources,
                findings,
                enriched_at: at(i64::from(context.clock.unwrap_or(0))),
                trace_id: context.digest.trace().trace_hex(),
            },
        ))
    }
}

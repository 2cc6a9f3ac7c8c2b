//! Which scenario a profile follows. Every valid id has one; it depends on the id and on the pinned
//! scenarios alone.

use crate::engine::digest::{Digest, Frame};
use crate::engine::template::Values;
use crate::partner::fixture::{Fixture, FixtureView, ROTATED};
use argus_openapi::types::incidents::IncidentState;
use argus_openapi::types::profiles::{Finding, ProfileKind, Risk};

/// A profile with the scenarios that it follows.
pub(crate) struct Subject<'a> {
    id: &'a str,
    hours: u32,
    pub(crate) primary: &'a Fixture,
    /// Pinned scenarios whose findings join.
    joined: Vec<&'a Fixture>,
}

impl<'a> Subject<'a> {
    /// Chooses the scenario of a profile: among the pinned ones, or among the shipped ones when none is
    /// pinned or none is of the kind that is needed.
    pub(crate) fn choose(fixtures: &FixtureView<'a>, id: &'a str, kind: Option<ProfileKind>) -> Self {
        let fits = |fixture: &Fixture| kind.is_none_or(|kind| fixture.profile.kind == kind);
        let mut candidates: Vec<&Fixture> = fixtures.pinned().filter(|fixture| fits(fixture)).collect();
        if candidates.is_empty() {
            candidates = fixtures.all.iter().take(ROTATED).filter(|fixture| fits(fixture)).collect();
        }
        let digest = subject_digest(id);
        // The shipped fixtures cover every kind, so that there always is a candidate.
        let primary = candidates[digest.below(candidates.len())];
        let joins = |other: &&Fixture| primary.combines_with.contains(&other.scenario.id);
        Self {
            id,
            hours: 2 + (digest.tail() >> 32) as u32 % 71,
            joined: fixtures.pinned().filter(joins).collect(),
            primary,
        }
    }

    /// What placeholders stand for.
    pub(crate) fn values(&self) -> Values<'a> {
        Values { id: self.id, hours: self.hours }
    }

    pub(crate) fn display_name(&self) -> String {
        self.values().text(&self.primary.profile.display_name)
    }

    /// The state of the scenario's incident, if the profile is one.
    pub(crate) fn incident(&self) -> Option<IncidentState> {
        let Fixture { profile, incident, .. } = self.primary;
        let incident = incident.as_ref().filter(|_| profile.kind == ProfileKind::Incident)?;
        let summary = incident.timeline.last().map(|entry| entry.summary.clone());
        Some(IncidentState { status: incident.status.clone(), severity: incident.severity, summary })
    }

    /// The findings of all scenarios that join, most severe first.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let values = self.values();
        let fixtures = std::iter::once(self.primary).chain(self.joined.iter().copied());
        let mut findings: Vec<Finding> = fixtures
            .flat_map(|fixture| &fixture.profile.findings)
            .map(|finding| Finding {
                code: finding.code.clone(),
                source: finding.source,
                severity: finding.severity,
                summary: values.text(&finding.summary),
                observed_at: values.moment(&finding.observed_at),
                evidence: values.object(&finding.evidence),
            })
            .collect();
        Finding::sort(&mut findings);
        findings
    }

    /// The codes of the findings, most severe first, each once.
    pub(crate) fn finding_codes(&self) -> Vec<String> {
        Finding::codes(&self.findings())
    }

    /// The highest risk of the scenarios that join.
    pub(crate) fn risk(&self) -> Risk {
        let risks = self.joined.iter().map(|fixture| &fixture.profile.risk);
        let highest =
            risks.fold(
                &self.primary.profile.risk,
                |highest, risk| {
                    if risk.score > highest.score { risk } else { highest }
                },
            );
        highest.clone()
    }
}

fn subject_digest(id: &str) -> Digest {
    let mut frame = Frame::new("profile");
    frame.part(id.as_bytes());
    frame.finish()
}

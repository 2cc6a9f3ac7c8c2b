//! `intelligence.enrich.bulk`: asks the sources about each profile. A source that this installation has no
//! connector for says so, profile by profile; nothing is made up in its place. One profile that cannot be
//! enriched costs the others nothing.

use super::result::{Form, ResultWriter};
use super::{Workshop, unfinished};
use crate::error::Error;
use crate::store::profiles::{self, ProfileRow};
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::work::{Assignment, Unfinished, Work};
use argus_openapi::types::jobs::{EnrichPayload, JobKind};
use argus_openapi::types::profiles::EnrichmentSource;
use serde::Serialize;

/// Enriches profiles.
pub struct Enrich(pub(super) Workshop);

/// What became of one profile, a line of the result.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Asked { profile_id: &'a str, outcomes: Vec<Outcome> },
    Refused { profile_id: &'a str, error: Refusal },
}

/// What a source answered.
#[derive(Debug, PartialEq, Serialize)]
struct Outcome {
    source: EnrichmentSource,
    status: Status,
}

/// How asking a source ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// There is no connector for it here.
    NotConfigured,
}

/// Why a profile was not enriched.
#[derive(Debug, PartialEq, Serialize)]
struct Refusal {
    code: &'static str,
    message: &'static str,
}

const NO_SUCH_PROFILE: Refusal = Refusal { code: "not_found", message: "no such profile" };

impl Work for Enrich {
    const KIND: &'static str = JobKind::IntelligenceEnrichBulk.as_str();
    type Payload = EnrichPayload;

    async fn run(
        &self,
        job: &Assignment,
        payload: EnrichPayload,
    ) -> Result<Option<StoredResult>, Unfinished> {
        let mut result = ResultWriter::begin(&self.0.objects, job, Form::Ndjson)?;
        let sources = match payload.sources.as_slice() {
            [] => EnrichmentSource::ALL.to_vec(),
            some => some.to_vec(),
        };
        for (done, id) in (0_u64..).zip(&payload.profile_ids) {
            job.go_on()?;
            job.report(done, payload.profile_ids.len() as u64);
            let profile_id = id.as_str();
            result.json(&match self.find(job, profile_id).await? {
                Some(_) => Line::Asked { profile_id, outcomes: sources.iter().copied().map(ask).collect() },
                None => Line::Refused { profile_id, error: NO_SUCH_PROFILE },
            })?;
            result.text("\n");
            result.pass_on().await?;
        }
        result.finish().await
    }
}

impl Enrich {
    /// The profile, if the job may see it.
    async fn find(&self, job: &Assignment, id: &str) -> Result<Option<ProfileRow>, Unfinished> {
        let key = profiles::key(&job.context, id);
        let found = self
            .0
            .store
            .read_row(&job.context, move |reader| Ok::<_, Error>(reader.load::<ProfileRow>(&key)?));
        match found.await {
            Ok(profile) => Ok(Some(profile)),
            Err(Error::Core(argus_core::Error::NotFound(_))) => Ok(None),
            Err(error) => Err(unfinished(error)),
        }
    }
}

/// Asks a source. No installation has a connector yet.
fn ask(source: EnrichmentSource) -> Outcome {
    Outcome { source, status: Status::NotConfigured }
}

//! `intelligence.enrich.bulk`: each profile as `profile_enrich` enriches it, a line each. One that cannot be enriched,
//! or a source that does not answer, costs the others nothing.

use super::result::ResultWriter;
use super::{Workshop, unfinished};
use crate::error::Error;
use crate::profiles;
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::work::{Assignment, Unfinished, Work};
use argus_openapi::types::common::Identifier;
use argus_openapi::types::jobs::results::ResultForm;
use argus_openapi::types::jobs::{EnrichPayload, JobKind};
use argus_openapi::types::profiles::{EnrichmentSource, ProfileEnrichment};
use futures::FutureExt;
use futures::future::join_all;
use serde::Serialize;

/// Enriches profiles.
pub struct Enrich(pub(super) Workshop);

/// How many profiles of a job are asked about at a time: few enough that a job does not take all turns at a system.
const AT_A_TIME: usize = 4;

/// What became of one profile, a line of the result.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Enriched(Box<ProfileEnrichment>),
    Refused { profile_id: &'a str, error: Refusal },
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
        let mut result = ResultWriter::begin(&self.0.objects, job, ResultForm::Ndjson)?;
        let mut done = 0;
        for ids in payload.profile_ids.chunks(AT_A_TIME) {
            let enriching = join_all(ids.iter().map(|id| self.enrich(job, id, &payload.sources).boxed()));
            for line in job.stop.run_until_cancelled(enriching).await.ok_or(Unfinished::Stopped)? {
                result.json(&line?)?;
                result.text("\n");
            }
            result.pass_on().await?;
            done += ids.len() as u64;
            job.report(done, payload.profile_ids.len() as u64);
        }
        result.finish().await
    }
}

impl Enrich {
    async fn enrich<'p>(
        &self,
        job: &Assignment,
        id: &'p Identifier,
        sources: &[EnrichmentSource],
    ) -> Result<Line<'p>, Unfinished> {
        let (Workshop { store, connectors, .. }, profile_id) = (&self.0, id.as_str());
        match profiles::enrich(store, connectors, &job.context, profile_id, sources).await {
            Ok(enrichment) => Ok(Line::Enriched(Box::new(enrichment))),
            Err(Error::Core(argus_core::Error::NotFound(_))) => {
                Ok(Line::Refused { profile_id, error: NO_SUCH_PROFILE })
            }
            Err(error) => Err(unfinished(error)),
        }
    }
}

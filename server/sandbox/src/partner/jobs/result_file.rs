//! The file that a job makes, in the shape of the live host's: made-up profiles, as the job's id chooses them.
//! The id does not carry the payload, so that the file tells of as many profiles as were named and not of those
//! themselves, and a signed URL brings no token, so that pinned scenarios have no say.

use crate::engine::digest::{Digest, Frame};
use crate::engine::mock::Caller;
use crate::engine::preferences::Preferences;
use crate::engine::reply::json;
use crate::engine::scenario_set::ScenarioSet;
use crate::partner::fixture::FixtureView;
use crate::partner::ids::JobId;
use crate::partner::jobs::state::DURATION;
use crate::partner::profiles::ProfileEnrich;
use crate::partner::sandbox::Sandbox;
use crate::partner::subject::Subject;
use argus_openapi::types::common::{SecrecyLevel, WholeNumber};
use argus_openapi::types::jobs::results::{Degree, GraphComputed, ImportReport, RefusedRow, ResultForm};
use argus_openapi::types::jobs::{JobKind, csv};
use argus_openapi::types::profiles as types;
use argus_openapi::types::profiles::{ProfileRecord, ProfileRelation, RiskScore};
use flate2::write::GzEncoder;
use std::io::Write;

/// Profiles of an export: at least so many, and so many more at most.
const EXPORTED: usize = 200;
const EXPORTED_MORE: usize = 300;
/// Profiles of a graph that names none.
const WHOLE_GRAPH: usize = 12;
/// Numbers of the made-up profiles.
const NUMBERS: usize = 9_000;

/// The bytes of a job's result.
pub(crate) fn bytes(sandbox: &Sandbox, job: &JobId) -> Vec<u8> {
    let mut frame = Frame::new("result file");
    frame.part(job.seal().text.as_bytes());
    let (digest, nothing_pinned) = (frame.finish(), ScenarioSet::default());
    let people = People { view: sandbox.every_fixture(&nothing_pinned), first: 1 + digest.below(NUMBERS) };
    match job.kind {
        JobKind::IntelligenceEnrichBulk => enriched(sandbox, &people, job),
        JobKind::ExportBulk => exported(&people, &digest, job.form()),
        JobKind::ImportBulk => imported(&digest, u64::from(job.items.max(1))),
        JobKind::GraphCompute => computed(&people, usize::from(job.items)),
    }
}

/// Made-up profiles, in the order of their identifiers.
struct People<'a> {
    view: FixtureView<'a>,
    first: usize,
}

impl People<'_> {
    fn id(&self, place: usize) -> String {
        format!("profile_{:05}", self.first + place)
    }
}

/// Each line is what `profile_enrich` says of that profile when the job ends.
fn enriched(sandbox: &Sandbox, people: &People<'_>, job: &JobId) -> Vec<u8> {
    let clock = u32::try_from(job.created + DURATION).ok();
    let caller = Caller {
        tenant_id: "",
        organization_id: "",
        secrecy_level: SecrecyLevel::default(),
        scenarios: people.view.scenarios,
        preferences: &Preferences { clock, ..Preferences::default() },
    };
    let mut file = Vec::new();
    for id in (0..usize::from(job.items.max(1))).map(|place| people.id(place)) {
        let reply =
            sandbox.answer(&caller, &ProfileEnrich { id: &id, body: &types::ProfileEnrich::default() });
        file.extend_from_slice(&reply.body.unwrap_or_default());
        file.push(b'\n');
    }
    file
}

fn exported(people: &People<'_>, digest: &Digest, form: ResultForm) -> Vec<u8> {
    let is_csv = matches!(form, ResultForm::Csv | ResultForm::CsvGzip);
    let mut file = Vec::new();
    if is_csv {
        csv::write_header(&mut file);
    }
    let count = EXPORTED + digest.below(EXPORTED_MORE);
    for record in (0..count).filter_map(|place| record(people, place)) {
        if is_csv {
            csv::write(&mut file, &record);
        } else {
            file.append(&mut json(&record));
            file.push(b'\n');
        }
    }
    match form {
        ResultForm::NdjsonGzip | ResultForm::CsvGzip => compressed(&file),
        ResultForm::Json | ResultForm::Ndjson | ResultForm::Csv => file,
    }
}

/// A made-up profile. Each third one is related to the next.
fn record(people: &People<'_>, place: usize) -> Option<ProfileRecord> {
    let id = people.id(place);
    let subject = Subject::choose(&people.view, &id, None);
    let next = ProfileRelation { to: people.id(place + 1).parse().ok()?, label: "associate".parse().ok()? };
    Some(ProfileRecord {
        id: id.parse().ok()?,
        kind: subject.primary.profile.kind,
        display_name: subject.display_name().parse().ok()?,
        secrecy_level: Some(subject.primary.profile.secrecy_level),
        risk_score: RiskScore::try_from(WholeNumber(subject.risk().score.into())).ok(),
        incident: subject.incident(),
        relations: if place.is_multiple_of(3) { vec![next] } else { Vec::new() },
    })
}

/// Without compression, whose outcome is the compressor's business and not the contract's.
fn compressed(file: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::none());
    // Writing to memory cannot fail.
    let _ = gzip.write_all(file);
    gzip.finish().unwrap_or_default()
}

/// Of some imports of several rows, one row was refused.
fn imported(digest: &Digest, count: u64) -> Vec<u8> {
    let line = 1 + digest.below(count as usize) as u64;
    let message = "a profile with this `id` cannot be changed by this job";
    let is_refused = count > 1 && digest.below(3) == 0;
    let errors = if is_refused { vec![RefusedRow { line, message }] } else { Vec::new() };
    let refused = errors.len() as u64;
    with_newline(json(&ImportReport { errors, imported: count - refused, refused }))
}

/// A ring, in which all profiles are alike.
fn computed(people: &People<'_>, named: usize) -> Vec<u8> {
    let count = if named > 1 { named } else { WHOLE_GRAPH };
    let ids: Vec<String> = (0..count).map(|place| people.id(place)).collect();
    let rank = 1.0 / count as f64;
    with_newline(json(&GraphComputed {
        profiles: count,
        relations: count,
        pagerank: Some(ids.iter().map(|id| (id.clone(), rank)).collect()),
        degree: Some(ids.iter().map(|id| (id.clone(), Degree { incoming: 1, outgoing: 1 })).collect()),
        components: Some(vec![ids]),
        shortest_paths: Vec::new(),
    }))
}

fn with_newline(mut document: Vec<u8>) -> Vec<u8> {
    document.push(b'\n');
    document
}

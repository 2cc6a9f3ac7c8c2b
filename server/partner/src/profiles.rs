//! Profiles as partners have them: they are imported, one is viewed, or enriched with what the sources say of it. How
//! the sources are asked lives in [`crate::connectors`], what is told of incidents in [`crate::incidents`].

use crate::connectors::{Asked, Connectors, LiveCaller};
use crate::error::Error;
use crate::incidents::{self, Said};
use crate::store::profiles::{self as rows, ImportedRow, KeptRow, ProfileKey, ProfileRow};
use argus_core::context::{Context, Live};
use argus_core::outbox::{self, Happened};
use argus_core::store::{Reader, Resource, Tx};
use argus_core::{Store, audit};
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::events::EnrichedNotice;
use argus_openapi::types::incidents::Incident;
use argus_openapi::types::profiles::{
    EnrichmentSource, Finding, Profile, ProfileEnrichment, ProfileKind, ProfileRelation, RiskLevel,
};
use argus_openapi::types::webhooks::WebhookEvent;
use chrono::DateTime;
use std::collections::{HashMap, HashSet};

/// One profile. One that is above the caller's clearance does not exist, nor does that of another tenant.
pub async fn view(store: &Store, context: &Context<Live>, id: &str) -> Result<Profile, Error> {
    profile(load(store, context, id).await?)
}

/// A profile with all that is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    /// The profile.
    pub(crate) profile: Profile,
    /// What enrichments found, most severe first.
    pub(crate) findings: Vec<Finding>,
    /// What other profiles are to it.
    pub(crate) relations: Vec<ProfileRelation>,
}

/// Those of these profiles that the caller may see, in one statement.
pub(crate) async fn view_all(
    store: &Store,
    context: &Context<Live>,
    ids: Vec<String>,
) -> Result<Vec<Details>, Error> {
    let clearance = context.principal.secrecy_level;
    let count = ids.len();
    let look = move |reader: &mut Reader<'_>| Ok::<_, Error>(rows::find_all(reader, clearance, &ids)?);
    store.read_rows(context, count, look).await?.into_iter().map(details).collect()
}

fn details(row: ProfileRow) -> Result<Details, Error> {
    let findings = known(&row.findings)?;
    let relations = serde_json::from_str(&row.relations).map_err(Error::fault)?;
    Ok(Details { findings, relations, profile: profile(row)? })
}

async fn load(store: &Store, context: &Context<Live>, id: &str) -> Result<ProfileRow, Error> {
    let key = rows::key(context, id);
    Ok(store.read_row(context, move |reader| reader.load::<ProfileRow>(&key)).await?)
}

fn profile(row: ProfileRow) -> Result<Profile, Error> {
    let incident = row.incident.state().map_err(Error::fault)?;
    Ok(Profile {
        kind: row.kind.parse().map_err(Error::fault)?,
        display_name: row.display_name,
        secrecy_level: row.secrecy_level.parse().map_err(Error::fault)?,
        risk: risk_score(row.risk_score).into(),
        finding_codes: Finding::codes(&known(&row.findings)?),
        incident: incident.map(Incident::from),
        created_at: moment(row.created_at),
        updated_at: moment(row.updated_at),
        id: row.id,
    })
}

/// A moment as it is stored.
pub(crate) fn moment(micros: i64) -> Timestamp {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().into()
}

fn risk_score(stored: i32) -> u8 {
    u8::try_from(stored).unwrap_or(u8::MAX)
}

/// The findings that are stored with a profile.
fn known(findings: &str) -> Result<Vec<Finding>, Error> {
    serde_json::from_str(findings).map_err(Error::fault)
}

/// Keeps what an import says of profiles, and tells what is new of incidents; says of each row whether it was kept.
pub fn import(tx: &mut Tx<'_>, rows: &[ImportedRow]) -> Result<Vec<bool>, Error> {
    let mut kept = Vec::with_capacity(rows.len());
    for run in distinct(rows) {
        let known = rows::import(tx, run)?;
        let known: HashMap<&str, &KeptRow> = known.iter().map(|row| (&*row.id, row)).collect();
        let said = run.iter().filter_map(|row| {
            let (known, state) = (known.get(&*row.id)?, row.incident.as_ref()?);
            let (id, title, secrecy_level) = (&*row.id, &*row.display_name, row.secrecy_level);
            let known = known.incident.state().map_err(Error::fault);
            Some(known.map(|known| Said { id, title, secrecy_level, known, state }))
        });
        incidents::record(tx, &said.collect::<Result<Vec<_>, _>>()?)?;
        kept.extend(run.iter().map(|row| known.contains_key(&*row.id)));
    }
    Ok(kept)
}

/// Cuts rows where an identifier comes again: the later row then replaces what the earlier one said.
fn distinct(rows: &[ImportedRow]) -> Vec<&[ImportedRow]> {
    let (mut runs, mut begin, mut seen) = (Vec::new(), 0, HashSet::new());
    for (place, row) in rows.iter().enumerate() {
        if !seen.insert(&*row.id) {
            runs.push(&rows[begin..place]);
            begin = place;
            seen = HashSet::from([&*row.id]);
        }
    }
    if begin < rows.len() {
        runs.push(&rows[begin..]);
    }
    runs
}

/// Asks sources about a profile, all of them where none is named, and keeps what they found.
pub async fn enrich(
    store: &Store,
    connectors: &Connectors,
    context: &Context<Live>,
    id: &str,
    sources: &[EnrichmentSource],
) -> Result<ProfileEnrichment, Error> {
    let chosen = |source: &EnrichmentSource| sources.is_empty() || sources.contains(source);
    let sources: Vec<EnrichmentSource> = EnrichmentSource::ALL.into_iter().filter(chosen).collect();
    let (row, kind, asked) = ask_and_keep(store, connectors, context, id, &sources).await?;
    let trace = context.trace.as_ref().ok_or_else(|| Error::fault("a call without a trace"))?;
    Ok(ProfileEnrichment {
        profile_id: row.id,
        kind,
        risk: risk_score(row.risk_score).into(),
        sources,
        outcomes: asked.outcomes,
        findings: asked.findings,
        enriched_at: context.clock.now().into(),
        trace_id: trace.parent.ids.trace_hex(),
    })
}

/// Asks these sources about a profile and keeps what they found. Nobody else is kept waiting meanwhile: the transaction
/// begins when every source has answered.
pub(crate) async fn ask_and_keep(
    store: &Store,
    connectors: &Connectors,
    context: &Context<Live>,
    id: &str,
    sources: &[EnrichmentSource],
) -> Result<(ProfileRow, ProfileKind, Asked), Error> {
    let (before, kind, asked) = ask(store, connectors, context, id, sources).await?;
    let (key, found) = (rows::key(context, id), asked.clone());
    let row = store.write(context, move |tx| keep(tx, &key, &before, &found)).await?;
    Ok((row, kind, asked))
}

/// Asks these sources about a profile; returns it as it was before they were asked.
pub(crate) async fn ask(
    store: &Store,
    connectors: &Connectors,
    context: &Context<Live>,
    id: &str,
    sources: &[EnrichmentSource],
) -> Result<(ProfileRow, ProfileKind, Asked), Error> {
    let row = load(store, context, id).await?;
    let kind: ProfileKind = row.kind.parse().map_err(Error::fault)?;
    let about = (id, kind, &*row.display_name);
    let asked = connectors.ask(LiveCaller::from(context), about, sources).await?;
    Ok((row, kind, asked))
}

/// Puts what was found in the place of what the same sources had found before.
fn keep(tx: &mut Tx<'_>, key: &ProfileKey, before: &ProfileRow, asked: &Asked) -> Result<ProfileRow, Error> {
    let Some(row) = rows::lock(tx, key)? else {
        return Err(argus_core::Error::NotFound(ProfileRow::NAME).into());
    };
    audit::append(tx, "profile.enrich", &row.id)?;
    incidents::keep(tx, &row, before, asked)?;
    let mut findings = known(&row.findings)?;
    findings.retain(|finding| asked.answered().all(|source| source != finding.source));
    findings.extend_from_slice(&asked.findings);
    Finding::sort(&mut findings);
    let worst = findings.iter().map(|finding| finding.severity).max();
    let text = serde_json::to_string(&findings).map_err(Error::fault)?;
    let row = rows::enrich(tx, &row.id, worst.map_or(0, RiskLevel::least_score), &text)?;
    let sources: Vec<EnrichmentSource> = asked.answered().collect();
    if !sources.is_empty() {
        let secrecy_level = row.secrecy_level.parse().map_err(Error::fault)?;
        let (profile_id, risk) = (row.id.clone(), risk_score(row.risk_score).into());
        let data = EnrichedNotice { profile_id, sources, risk };
        let (event, subject) = (WebhookEvent::ProfileEnriched, &*row.id);
        outbox::append(tx, &Happened { event, subject, secrecy_level, data })?;
    }
    Ok(row)
}

//! Profiles as partners have them: one is viewed, or enriched with what the sources say of it. How the sources are
//! asked lives in [`crate::connectors`].

use crate::connectors::{Asked, Connectors, LiveCaller};
use crate::error::Error;
use crate::store::profiles::{self as rows, ProfileKey, ProfileRow};
use argus_core::context::{Context, Live};
use argus_core::outbox;
use argus_core::store::{Resource, Tx};
use argus_core::{Store, audit};
use argus_openapi::types::events::EnrichedNotice;
use argus_openapi::types::profiles::{
    EnrichmentSource, Finding, Profile, ProfileEnrichment, ProfileKind, RiskLevel,
};
use argus_openapi::types::webhooks::WebhookEvent;
use chrono::DateTime;

/// One profile. One that is above the caller's clearance does not exist, nor does that of another tenant.
pub async fn view(store: &Store, context: &Context<Live>, id: &str) -> Result<Profile, Error> {
    profile(load(store, context, id).await?)
}

async fn load(store: &Store, context: &Context<Live>, id: &str) -> Result<ProfileRow, Error> {
    let key = rows::key(context, id);
    Ok(store.read_row(context, move |reader| reader.load::<ProfileRow>(&key)).await?)
}

fn profile(row: ProfileRow) -> Result<Profile, Error> {
    let moment = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
    Ok(Profile {
        kind: row.kind.parse().map_err(Error::fault)?,
        display_name: row.display_name,
        secrecy_level: row.secrecy_level.parse().map_err(Error::fault)?,
        risk: risk_score(row.risk_score).into(),
        finding_codes: Finding::codes(&known(&row.findings)?),
        created_at: moment(row.created_at).into(),
        updated_at: moment(row.updated_at).into(),
        id: row.id,
    })
}

fn risk_score(stored: i32) -> u8 {
    u8::try_from(stored).unwrap_or(u8::MAX)
}

/// The findings that are stored with a profile.
fn known(findings: &str) -> Result<Vec<Finding>, Error> {
    serde_json::from_str(findings).map_err(Error::fault)
}

/// Asks sources about a profile, all of them where none is named, and keeps what they found. Nobody else is kept
/// waiting meanwhile: the transaction begins when every source has answered.
pub async fn enrich(
    store: &Store,
    connectors: &Connectors,
    context: &Context<Live>,
    id: &str,
    sources: &[EnrichmentSource],
) -> Result<ProfileEnrichment, Error> {
    let row = load(store, context, id).await?;
    let kind: ProfileKind = row.kind.parse().map_err(Error::fault)?;
    let chosen = |source: &EnrichmentSource| sources.is_empty() || sources.contains(source);
    let sources: Vec<EnrichmentSource> = EnrichmentSource::ALL.into_iter().filter(chosen).collect();
    let about = (id, kind, &*row.display_name);
    let asked = connectors.ask(LiveCaller::from(context), about, &sources).await?;
    let (key, found) = (rows::key(context, id), asked.clone());
    let row = store.write(context, move |tx| keep(tx, &key, &found)).await?;
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

/// Puts what was found in the place of what the same sources had found before.
fn keep(tx: &mut Tx<'_>, key: &ProfileKey, asked: &Asked) -> Result<ProfileRow, Error> {
    let Some(row) = rows::lock(tx, key)? else {
        return Err(argus_core::Error::NotFound(ProfileRow::NAME).into());
    };
    audit::append(tx, "profile.enrich", &row.id)?;
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
        let notice = EnrichedNotice { profile_id, sources, risk };
        outbox::append(tx, WebhookEvent::ProfileEnriched, &row.id, secrecy_level, &notice)?;
    }
    Ok(row)
}

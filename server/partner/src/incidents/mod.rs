//! Incidents: what is told when the state of one changes, whoever says so. An incident is a profile; how profiles are
//! written lives in [`crate::profiles`], the operator's look at what is open in `refresh`.

mod refresh;

pub use refresh::{AT_A_TIME, Outcome, Refresh, Refreshed};

use crate::connectors::Asked;
use crate::error::Error;
use crate::profiles::moment;
use crate::store::profiles::{self as rows, ProfileRow};
use argus_core::outbox::{self, Happened};
use argus_core::store::Tx;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::events::IncidentNotice;
use argus_openapi::types::incidents::IncidentState;
use argus_openapi::types::profiles::ProfileKind;
use argus_openapi::types::webhooks::WebhookEvent;
use std::collections::HashMap;

/// What somebody says of an incident, whose profile the transaction has locked.
pub(crate) struct Said<'a> {
    /// Identifier of the profile.
    pub(crate) id: &'a str,
    /// What people call it.
    pub(crate) title: &'a str,
    /// The least clearance that may know it.
    pub(crate) secrecy_level: SecrecyLevel,
    /// The state that was known.
    pub(crate) known: Option<IncidentState>,
    /// The state that it is said to have.
    pub(crate) state: &'a IncidentState,
}

impl Said<'_> {
    /// What is told of it, if it is anything new.
    pub(crate) fn news(&self) -> Option<WebhookEvent> {
        let was_closed = self.known.as_ref().is_some_and(IncidentState::is_closed);
        match &self.known {
            Some(known) if known == self.state => None,
            _ if self.state.is_closed() && !was_closed => Some(WebhookEvent::IncidentClosed),
            _ => Some(WebhookEvent::IncidentUpdated),
        }
    }
}

/// Keeps what is new of it, and tells it. Each incident is said something of once.
pub(crate) fn record(tx: &mut Tx<'_>, said: &[Said<'_>]) -> Result<(), Error> {
    let news: Vec<(WebhookEvent, &Said<'_>)> =
        said.iter().filter_map(|said| Some((said.news()?, said))).collect();
    if news.is_empty() {
        return Ok(());
    }
    let states: Vec<_> = news.iter().map(|(_, said)| (said.id, said.state)).collect();
    let written = rows::put_incidents(tx, &states)?;
    let moments: HashMap<&str, i64> = written.iter().map(|row| (&*row.id, row.updated_at)).collect();
    let happened = news.iter().map(|(event, said)| {
        let written = moments.get(said.id).ok_or_else(|| Error::fault("a state that was not written"))?;
        let (event, subject, secrecy_level) = (*event, said.id, said.secrecy_level);
        Ok(Happened { event, subject, secrecy_level, data: notice(said, *written) })
    });
    Ok(outbox::append_all(tx, &happened.collect::<Result<Vec<_>, Error>>()?)?)
}

/// Keeps the state that was said of a profile, and says what was told of it. While its sources were asked it may have
/// become something else, or somebody may have said something newer: then the answer is about what is past.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    row: &ProfileRow,
    before: &ProfileRow,
    asked: &Asked,
) -> Result<Option<WebhookEvent>, Error> {
    let is_as_it_was = row.kind == ProfileKind::Incident.as_str() && row.incident == before.incident;
    let Some(state) = asked.incident.as_ref().filter(|_| is_as_it_was) else { return Ok(None) };
    let said = Said {
        id: &row.id,
        title: &row.display_name,
        secrecy_level: row.secrecy_level.parse().map_err(Error::fault)?,
        known: row.incident.state().map_err(Error::fault)?,
        state,
    };
    record(tx, std::slice::from_ref(&said))?;
    Ok(said.news())
}

fn notice(said: &Said<'_>, updated_at: i64) -> IncidentNotice {
    IncidentNotice {
        id: said.id.to_owned(),
        title: said.title.to_owned(),
        status: said.state.status.to_string(),
        severity: said.state.severity,
        summary: said.state.summary.as_ref().map(ToString::to_string),
        updated_at: moment(updated_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_openapi::types::profiles::RiskLevel::{self, High, Low};

    fn state(status: &str, severity: RiskLevel, summary: Option<&str>) -> IncidentState {
        let summary = summary.map(|text| text.parse().expect("a summary"));
        IncidentState { status: status.parse().expect("a status"), severity, summary }
    }

    fn news(known: Option<IncidentState>, state: &IncidentState) -> Option<&'static str> {
        let said = Said { id: "i1", title: "Fire", secrecy_level: SecrecyLevel::default(), known, state };
        said.news().map(WebhookEvent::as_str)
    }

    #[test]
    fn an_incident_is_closed_once_and_every_other_change_is_an_update() {
        let (updated, closed) = (Some("incident.updated"), Some("incident.closed"));
        let (open, over) = (state("on scene", High, None), state("closed", High, None));
        for (known, said, told) in [
            (None, open.clone(), updated),
            (None, over.clone(), closed),
            (Some(open.clone()), open.clone(), None),
            (Some(open.clone()), state("leaving", High, None), updated),
            (Some(open.clone()), state("on scene", Low, None), updated),
            (Some(open.clone()), state("on scene", High, Some("Backup came.")), updated),
            (Some(open.clone()), over.clone(), closed),
            (Some(over.clone()), over.clone(), None),
            (Some(over.clone()), state("closed", Low, None), updated),
            (Some(over.clone()), state("closed", High, Some("All are well.")), updated),
            (Some(over), open, updated),
        ] {
            assert_eq!(news(known.clone(), &said), told, "{known:?} {said:?}");
        }
    }
}

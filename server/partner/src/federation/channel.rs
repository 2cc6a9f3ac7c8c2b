//! One channel: its catalogue is asked when somebody wants to know, at most once in a while, and by one at a time.

use super::settings::ChannelSettings;
use argus_core::context::Principal;
use argus_core::dialler::Dialler;
use argus_openapi::types::common::{Identifier, SecrecyLevel};
use argus_openapi::types::discovery::FederatedSource;
use argus_openapi::types::name::Name;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// For how long an answer is good.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// For how long nobody asks again after a failure.
const REST: Duration = Duration::from_secs(5);
/// How long a caller waits for a catalogue.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of an answer, and what it may list.
const ANSWER_BYTES: usize = 1024 * 1024;
const SOURCES_MAX: usize = 2_000;

/// A channel, and what was last heard over it.
pub(super) struct Channel {
    settings: ChannelSettings,
    heard: Mutex<Option<Heard>>,
}

struct Heard {
    until: Instant,
    /// Nothing after a failure.
    sources: Option<Arc<[FederatedSource]>>,
}

/// What is read of an answer: that of `data_schema_list`, whose further members are of no interest.
#[derive(Deserialize)]
struct Catalogue {
    schemas: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: Identifier,
    title: Name,
    secrecy_level: SecrecyLevel,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl From<ChannelSettings> for Channel {
    fn from(settings: ChannelSettings) -> Self {
        Self { settings, heard: Mutex::default() }
    }
}

impl Channel {
    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(super) fn secrecy_max(&self) -> SecrecyLevel {
        self.settings.secrecy_max
    }

    /// Whether the caller's tenant or organisation is one that it is approved for.
    pub(super) fn is_approved_for(&self, principal: &Principal) -> bool {
        self.settings.tenants.contains(&principal.tenant_id)
            || self.settings.organizations.contains(&principal.organization_id)
    }

    /// What it shares; nothing while its catalogue is out of reach.
    pub(super) async fn sources(&self, dialler: &Dialler) -> Option<Arc<[FederatedSource]>> {
        // Whoever comes meanwhile waits, and is answered with the same.
        let mut heard = self.heard.lock().await;
        if let Some(heard) = heard.as_ref().filter(|heard| Instant::now() < heard.until) {
            return heard.sources.clone();
        }
        let asked = timeout(PATIENCE, self.ask(dialler)).await;
        let sources = asked.unwrap_or_else(|_| Err("there was no answer in time".to_owned()));
        let sources = sources.inspect_err(|reason| {
            tracing::warn!(channel = self.name(), reason = %reason, "a federated catalogue is out of reach");
        });
        let sources = sources.ok();
        let until = Instant::now() + if sources.is_some() { GOOD_FOR } else { REST };
        heard.insert(Heard { until, sources }).sources.clone()
    }

    async fn ask(&self, dialler: &Dialler) -> Result<Arc<[FederatedSource]>, String> {
        let authorization = self.settings.authorization();
        let headers: HeaderMap = authorization.map(|value| (AUTHORIZATION, value)).into_iter().collect();
        let body = dialler.get(&self.settings.url, headers, ANSWER_BYTES).await;
        let body = body.map_err(|failure| failure.to_string())?;
        // What is wrong with it, and where, without what it says.
        let unusable =
            |error: serde_json::Error| format!("its answer does not fit, in line {}", error.line());
        let Catalogue { mut schemas } = serde_json::from_slice(&body).map_err(unusable)?;
        if schemas.len() > SOURCES_MAX {
            return Err(format!("it lists more than {SOURCES_MAX} sources"));
        }
        schemas.sort_by(|left, right| left.id.as_str().cmp(right.id.as_str()));
        let source = |Entry { id, title, secrecy_level }| FederatedSource {
            id: id.as_str().to_owned(),
            title: title.to_string(),
            channel: self.settings.name.clone(),
            secrecy_level,
        };
        Ok(schemas.into_iter().map(source).collect())
    }
}

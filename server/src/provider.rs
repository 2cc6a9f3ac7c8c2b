//! A provider that stands in for the systems of connectors in development: a real HTTP server on this machine whose
//! findings follow from the question alone. What a real one has to keep to lives in `argus_partner::connectors`.

use argus_core::pepper::fresh_secret;
use argus_openapi::read::MediaType;
use argus_openapi::types::incidents::{Incident, IncidentState};
use argus_openapi::types::profiles::{EnrichmentSource, Finding, ProfileKind, RiskLevel};
use argus_openapi::types::secret::SecretText;
use argus_partner::connectors::{FINDINGS_PATH, Provider, ProviderFault, Question};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// The longest question, in bytes.
const QUESTION_MAX: usize = 16 * 1024;
/// 2026-05-08T12:00:00Z, where the sandbox begins, too.
const NOON: DateTime<chrono::Utc> = DateTime::from_timestamp(1_778_241_600, 0).unwrap();

/// The running provider. It ends when this is dropped.
pub struct StandIn {
    address: SocketAddr,
    token: SecretText,
    serving: AbortHandle,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl StandIn {
    /// Starts it on a free port of this machine, with a token of its own.
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, token) = (listener.local_addr()?, SecretText::from(fresh_secret()?));
        let serving = tokio::spawn(serve(listener, Arc::new(token.clone()))).abort_handle();
        Ok(Self { address, token, serving })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How a connector reaches it.
    pub fn provider(&self) -> Result<Provider, ProviderFault> {
        Provider::new(&self.url(), self.token.clone())
    }
}

/// Takes connections until it is aborted, which ends them as well.
async fn serve(listener: TcpListener, token: Arc<SecretText>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, Arc::clone(&token)))),
                Err(error) => tracing::warn!(cause = %error, "the stand-in provider cannot take a connection"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, token: Arc<SecretText>) {
    let service = service_fn(async |request| Ok::<_, Infallible>(answer(request, &token).await));
    let served =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(cause = %error, "a connection to the stand-in provider broke");
    }
}

async fn answer(request: Request<Incoming>, token: &SecretText) -> Response<Full<Bytes>> {
    if request.uri().path() != FINDINGS_PATH || request.method() != Method::POST {
        return reply(StatusCode::NOT_FOUND, &json!({ "message": "questions go to POST /v1/findings" }));
    }
    if bearer(request.headers()).as_ref() != Some(token) {
        return reply(StatusCode::UNAUTHORIZED, &json!({ "message": "the bearer token is another one" }));
    }
    let body = Limited::new(request.into_body(), QUESTION_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match MediaType::Json.parse::<Question>(&body) {
        Ok(question) => reply(StatusCode::OK, &known(&question)),
        Err(error) => reply(StatusCode::BAD_REQUEST, &json!({ "message": error.message })),
    }
}

fn bearer(headers: &HeaderMap) -> Option<SecretText> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(|token| SecretText::from(token.to_owned()))
}

fn reply(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(MediaType::Json.as_str()));
    response
}

/// What a source may find, each with its severity.
const fn catalogue(source: EnrichmentSource) -> [(&'static str, RiskLevel, &'static str); 3] {
    use RiskLevel::{Critical, High, Low, Medium};
    match source {
        EnrichmentSource::Osint => [
            ("no_adverse_media", Low, "No adverse media was found."),
            ("adverse_media", Medium, "Adverse media was found."),
            ("sanctions_match", Critical, "The name is on a sanctions list."),
        ],
        EnrichmentSource::Finance => [
            ("low_activity", Low, "Little moves there."),
            ("rapid_fire_transfers", High, "Many transfers follow each other within minutes."),
            ("mixer_interaction", Critical, "Funds passed through a mixer within two hops."),
        ],
        EnrichmentSource::Dispatch => [
            ("units_assigned", Low, "Units are assigned."),
            ("backup_requested", Medium, "Units on the scene asked for backup."),
            ("mass_casualty", Critical, "More people are hurt than the units there can treat."),
        ],
        EnrichmentSource::Epcr => [
            ("vitals_stable", Low, "The vital signs are stable."),
            ("vitals_falling", High, "The vital signs are falling."),
            ("cardiac_arrest", Critical, "The patient is in cardiac arrest."),
        ],
        EnrichmentSource::Telemetry => [
            ("self_test_passed", Low, "The last self-test passed."),
            ("battery_low", Medium, "The battery is low."),
            ("device_offline", High, "The device has not been heard from."),
        ],
    }
}

/// Everything that it knows of a profile.
fn known(question: &Question) -> serde_json::Value {
    let mut known = json!({ "findings": findings(question) });
    if question.kind == ProfileKind::Incident && question.sources.contains(&EnrichmentSource::Dispatch) {
        known["incident"] = json!(incident(&question.profile_id));
    }
    known
}

/// The state of an incident, which depends on its identifier alone.
fn incident(id: &str) -> Incident {
    use RiskLevel::{High, Low, Medium};
    const STATES: [(&str, RiskLevel, &str); 4] = [
        ("dispatched", Medium, "Units are on their way."),
        ("on scene", High, "The first units are there."),
        ("under control", Low, "No more units are needed."),
        (IncidentState::CLOSED, Low, "All units have left."),
    ];
    let digest = Sha256::digest(format!("incident:{id}"));
    let (status, severity, summary) = STATES[usize::from(digest[0]) % STATES.len()];
    Incident { status: status.to_owned(), severity, summary: Some(summary.to_owned()) }
}

/// One finding of each source that was asked, which depends on the profile's identifier alone.
fn findings(question: &Question) -> Vec<Finding> {
    let found = question.sources.iter().map(|source| {
        let digest = Sha256::digest(format!("{source}:{}", question.profile_id));
        let (code, severity, summary) = catalogue(*source)[usize::from(digest[0]) % 3];
        let evidence = json!({ "reference": format!("stand-in-{:02x}{:02x}", digest[1], digest[2]) });
        Finding {
            code: code.to_owned(),
            source: *source,
            severity,
            summary: summary.to_owned(),
            observed_at: (NOON - TimeDelta::hours(digest[3].into())).into(),
            evidence: evidence.as_object().cloned().unwrap_or_default(),
        }
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_openapi::types::profiles::ProfileKind;
    use argus_partner::connectors::read_answer;
    use std::collections::BTreeSet;

    #[test]
    fn what_it_finds_follows_from_the_question_and_is_what_a_connector_takes() {
        for kind in ProfileKind::ALL {
            let applies = |source: &EnrichmentSource| source.kinds().contains(&kind);
            let sources: Vec<_> = EnrichmentSource::ALL.into_iter().filter(applies).collect();
            let question = |id: &str| Question {
                profile_id: id.to_owned(),
                kind,
                display_name: "A name".to_owned(),
                sources: sources.clone(),
            };
            let (mut codes, mut statuses) = (BTreeSet::new(), BTreeSet::new());
            for id in (0..50).map(|number| format!("p{number}")) {
                let found = findings(&question(&id));
                let body = known(&question(&id)).to_string();
                let answer = read_answer(body.as_bytes(), &sources).expect("it fits");
                assert_eq!(answer.findings, found);
                assert_eq!(answer.incident.is_some(), kind == ProfileKind::Incident);
                statuses.extend(answer.incident.map(|state| state.status.to_string()));
                assert_eq!(findings(&question(&id)), found);
                codes.extend(found.into_iter().map(|finding| finding.code));
            }
            assert_eq!(codes.len(), 3 * sources.len(), "{codes:?}");
            assert_eq!(statuses.len(), if kind == ProfileKind::Incident { 4 } else { 0 }, "{statuses:?}");
        }
    }
}

//! One attempt at a delivery: its headers, its signatures, and what came of it.

use super::backoff;
use super::lanes::Verdict;
use super::lease::{Claimed, Ending, Health, Record};
use super::signing_secrets::PURPOSE;
use crate::Clock;
use crate::dialler::{Answer, Dialler, Failure};
use crate::envelope::Envelope;
use argus_openapi::types::webhooks::{AttemptFailure, DeliveryAttempt};
use argus_wire::signature::{
    ARGUS_SIGNATURE, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, argus_signature, standard_signature,
};
use argus_wire::trace_context::Traceparent;
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Whoever takes longer for an answer, or lets its body drip for so long, is spared.
const SLOW: Duration = Duration::from_secs(3);

/// Makes attempts. Clones share the connections.
#[derive(Clone)]
pub struct Attempts {
    /// The way to receivers.
    pub dialler: Dialler,
    /// Opens secrets.
    pub envelope: Arc<Envelope>,
    /// Tells the time that is signed.
    pub clock: Clock,
}

/// An attempt that was made, or was not to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// How it ended.
    pub ending: Ending,
    /// What it says of its subscription, if that is news.
    pub health: Option<Health>,
    /// What it says of its receiver.
    pub verdict: Verdict,
}

impl Made {
    /// An end without an attempt.
    pub(super) fn without(ending: Ending) -> Self {
        Self { ending, health: None, verdict: Verdict::Unknown }
    }
}

impl Attempts {
    /// Makes an attempt at a claimed delivery.
    pub async fn make(&self, claimed: &Claimed) -> Made {
        let Some(url) = &claimed.url else { return Made::without(Ending::Dropped) };
        if claimed.is_to_be_skipped {
            return Made::without(Ending::Skipped);
        }
        let attempted_at = self.clock.now();
        let headers = match self.headers(claimed, attempted_at.timestamp()) {
            Ok(headers) => headers,
            Err(fault) => {
                tracing::error!(delivery = %claimed.lease.id, cause = %fault, "a delivery cannot be signed");
                return Made::without(Ending::Again(
                    self.record(attempted_at, Duration::ZERO, None, &BTreeMap::new()),
                    backoff::pause(claimed.attempts + 1, None),
                ));
            }
        };
        let began = Instant::now();
        let body = Bytes::from(claimed.body.clone());
        let outcome = self.dialler.send(url, header_map(&headers), body).await;
        let took = began.elapsed();
        let made = judge(claimed, &outcome, self.record(attempted_at, took, Some(&outcome), &headers));
        let is_slow = made.verdict == Verdict::Answers && took > SLOW;
        Made { verdict: if is_slow { Verdict::IsSlow } else { made.verdict }, ..made }
    }

    /// The headers of an attempt at this moment, signed with every secret that counts.
    fn headers(&self, claimed: &Claimed, timestamp: i64) -> Result<BTreeMap<String, String>, String> {
        let secrets = self.secrets(claimed)?;
        let (id, body) = (claimed.lease.id.as_str(), claimed.body.as_bytes());
        let standard: Vec<String> =
            secrets.iter().map(|secret| standard_signature(secret, id, timestamp, body)).collect();
        let argus: Vec<String> = secrets.iter().map(|secret| argus_signature(secret, body)).collect();
        let mut headers = unsigned(claimed);
        headers.insert(WEBHOOK_TIMESTAMP.to_owned(), timestamp.to_string());
        headers.insert(WEBHOOK_SIGNATURE.to_owned(), standard.join(" "));
        headers.insert(ARGUS_SIGNATURE.to_owned(), argus.join(", "));
        Ok(headers)
    }

    fn secrets(&self, claimed: &Claimed) -> Result<Vec<Zeroizing<String>>, String> {
        if claimed.secrets.is_empty() {
            return Err(format!("{} has no signing secret", claimed.signer));
        }
        let opened =
            claimed.secrets.iter().map(|sealed| self.envelope.open(PURPOSE, &claimed.signer, sealed));
        opened.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    fn record(
        &self,
        attempted_at: chrono::DateTime<chrono::Utc>,
        took: Duration,
        outcome: Option<&Result<Answer, Failure>>,
        headers: &BTreeMap<String, String>,
    ) -> Record {
        let attempt = DeliveryAttempt {
            attempted_at: attempted_at.into(),
            duration_ms: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
            response_status: outcome.and_then(|outcome| Some(outcome.as_ref().ok()?.status)),
            response_excerpt: outcome.and_then(|outcome| Some(outcome.as_ref().ok()?.excerpt.clone())),
            failure: outcome.and_then(|outcome| Some(failure(*outcome.as_ref().err()?))),
        };
        let mut line = serde_json::to_string(&attempt).unwrap_or_default();
        line.push('\n');
        Record {
            attempted_at: attempted_at.timestamp_micros(),
            attempt: line,
            sent: serde_json::to_string(headers).unwrap_or_default(),
        }
    }
}

/// The headers of a delivery that every attempt has.
fn unsigned(claimed: &Claimed) -> BTreeMap<String, String> {
    headers_of(
        claimed.lease.id.as_str(),
        claimed.job_id.as_deref(),
        &claimed.traceparent,
        claimed.tracestate.as_deref(),
    )
}

/// The headers of a delivery without its signatures and their time.
pub fn headers_of(
    id: &str,
    job_id: Option<&str>,
    traceparent: &str,
    tracestate: Option<&str>,
) -> BTreeMap<String, String> {
    let parent = Traceparent::parse(traceparent)
        .map(|parent| Traceparent { ids: parent.ids.with_span(rand::random()), flags: parent.flags });
    let trace_id = parent.map(|parent| parent.ids.trace_hex());
    let pairs = [
        ("content-type", Some("application/json".to_owned())),
        (WEBHOOK_ID, Some(id.to_owned())),
        ("x-argus-trace-id", trace_id),
        ("x-argus-job-id", job_id.map(str::to_owned)),
        ("traceparent", parent.map(|parent| parent.to_string())),
        ("tracestate", tracestate.map(str::to_owned)),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn header_map(headers: &BTreeMap<String, String>) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        let (name, value) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
        Some((name.ok()?, value.ok()?))
    };
    headers.iter().filter_map(pair).collect()
}

/// What an outcome means for the delivery, its subscription and its receiver.
fn judge(claimed: &Claimed, outcome: &Result<Answer, Failure>, record: Record) -> Made {
    match outcome {
        Ok(Answer { status: 200..300, .. }) => Made {
            ending: Ending::Succeeded(record),
            health: claimed.is_failing.then_some(Health::Recovered),
            verdict: Verdict::Answers,
        },
        // The receiver says that nothing will ever take it.
        Ok(Answer { status: 410, .. }) => {
            Made { ending: Ending::Failed(record), health: Some(Health::Gone), verdict: Verdict::Answers }
        }
        Ok(Answer { status, retry_after, .. }) => {
            let spares = matches!(status, 429 | 500..600);
            Made {
                ending: Ending::Again(record, backoff::pause(claimed.attempts + 1, *retry_after)),
                health: Some(Health::Failing),
                verdict: if spares { Verdict::Fails } else { Verdict::Answers },
            }
        }
        Err(_) => Made {
            ending: Ending::Again(record, backoff::pause(claimed.attempts + 1, None)),
            health: Some(Health::Failing),
            verdict: Verdict::Fails,
        },
    }
}

/// The contract's word for a failure.
fn failure(failure: Failure) -> AttemptFailure {
    match failure {
        Failure::UrlNotAllowed => AttemptFailure::UrlNotAllowed,
        Failure::AddressNotAllowed => AttemptFailure::AddressNotAllowed,
        Failure::NameNotResolved => AttemptFailure::NameNotResolved,
        Failure::ConnectionRefused => AttemptFailure::ConnectionRefused,
        Failure::ConnectionFailed => AttemptFailure::ConnectionFailed,
        Failure::TlsFailed => AttemptFailure::TlsFailed,
        Failure::TimedOut => AttemptFailure::TimedOut,
        Failure::AnswerUnusable => AttemptFailure::AnswerUnusable,
    }
}

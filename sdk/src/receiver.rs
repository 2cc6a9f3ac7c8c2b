//! Receiving deliveries: from the request that came to a typed event, and with what to answer. How signatures are
//! checked lives in [`crate::webhooks`]; the events are generated; what depends on a server's framework lives below.

#[cfg(feature = "axum")]
mod axum;

pub use crate::generated_events::Event;

use crate::trace::TraceContext;
use crate::types;
use crate::webhooks::{VerificationError, Verifier, WEBHOOK_ID};
use http::{HeaderMap, Request, StatusCode};
use serde::Deserialize;

/// The longest body that is read from a request, in bytes; no delivery comes near it.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;

/// Takes deliveries: verifies each and reads what it tells.
///
/// A delivery comes at least once. Keep [`Delivery::id`] with what you do about it, and answer one that you have taken
/// before with a 2xx status and nothing else; answer a failure with [`ReceiveError::status`]. Deliveries that are not
/// answered with a 2xx status come again, and 410 ends them for good.
///
/// ```
/// use argus_sdk::receiver::{Event, Receiver};
/// use argus_sdk::webhooks::Verifier;
/// use http::{Request, StatusCode};
///
/// fn answer(receiver: &Receiver, request: &Request<Vec<u8>>) -> StatusCode {
///     match receiver.receive(request.headers(), request.body()) {
///         Ok(delivery) => {
///             match delivery.event {
///                 Event::JobSucceeded(event) => println!("{} made {:?}", event.data.id, event.data.result_ref),
///                 other => println!("{:?} in trace {:?}", other.name(), delivery.trace_id),
///             }
///             StatusCode::NO_CONTENT
///         }
///         Err(error) => error.status(),
///     }
/// }
/// let receiver = Receiver::new(Verifier::new("the signing secret").accept_also("the one before"));
/// assert_eq!(answer(&receiver, &Request::new(Vec::new())), StatusCode::BAD_REQUEST);
/// ```
///
/// With the feature `axum`, [`Delivery`] is an extractor for handlers whose state has a `Receiver`.
#[derive(Clone, Debug)]
pub struct Receiver {
    verifier: Verifier,
}

/// A delivery that was verified.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its identifier, the same each time that it comes.
    pub id: String,
    /// What it tells.
    pub event: Event,
    /// Trace of the request that led to it.
    pub trace_id: Option<String>,
    /// The same trace with the attempt as its span: [`crate::ArgusClient::with_trace`] continues it.
    pub trace: Option<TraceContext>,
    /// The job that it is about, if it is about one.
    pub job_id: Option<String>,
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// It is not known to come from Argus, or not now.
    #[error(transparent)]
    Verification(#[from] VerificationError),
    /// It is signed, and its body is not what its type says.
    #[error("the body is none that the contract publishes: {0}")]
    Body(#[from] serde_json::Error),
    /// Its body is longer than [`BODY_MAX_BYTES`].
    #[error("the body is too long")]
    TooLong,
    /// Its body did not come to its end.
    #[error("the body did not come to its end")]
    Unfinished,
}

impl ReceiveError {
    /// The status to answer with: the delivery comes again, as it should where the secret is not up to date yet.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Verification(
                VerificationError::WrongSignature | VerificationError::TooOld | VerificationError::TooNew,
            ) => StatusCode::UNAUTHORIZED,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Verification(_) | Self::Body(_) | Self::Unfinished => StatusCode::BAD_REQUEST,
        }
    }
}

impl Receiver {
    /// Takes what this verifier accepts: its secrets, two of them while one is being replaced, and its tolerance.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier }
    }

    /// Takes the delivery with these headers and this body, as it came: what a parser has made of it is signed by
    /// nobody.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<Delivery, ReceiveError> {
        if body.len() > BODY_MAX_BYTES {
            return Err(ReceiveError::TooLong);
        }
        self.verifier.verify(headers, body)?;
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        Ok(Delivery {
            id: text(WEBHOOK_ID).ok_or(VerificationError::MissingHeader(WEBHOOK_ID))?,
            event: read(body)?,
            trace_id: text("x-argus-trace-id"),
            trace: trace(text("traceparent"), text("tracestate")),
            job_id: text("x-argus-job-id"),
        })
    }

    /// As [`Receiver::receive`], of a request whose body is at hand.
    pub fn receive_request<B: AsRef<[u8]>>(&self, request: &Request<B>) -> Result<Delivery, ReceiveError> {
        self.receive(request.headers(), request.body().as_ref())
    }
}

fn trace(traceparent: Option<String>, tracestate: Option<String>) -> Option<TraceContext> {
    let trace: TraceContext = traceparent?.parse().ok()?;
    Some(trace.with_tracestate(tracestate.unwrap_or_default()))
}

/// What tells the bodies apart: a callback has no type.
#[derive(Deserialize)]
struct Head {
    r#type: Option<String>,
}

fn read(body: &[u8]) -> serde_json::Result<Event> {
    match serde_json::from_slice::<Head>(body)?.r#type {
        Some(name) => Event::of_type(name, body),
        None => Ok(Event::Callback(serde_json::from_slice::<types::JobNotice>(body)?)),
    }
}

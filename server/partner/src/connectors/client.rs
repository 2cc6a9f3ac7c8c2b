//! A connector over HTTP. All of them are made by one factory, so that each request carries the caller's trace, each
//! answer has a bound, and nothing follows a redirect or a proxy of the environment.

use super::breaker::{Breaker, Verdict};
use super::caller::LiveCaller;
use super::retry::{Fault, Repetitions};
use super::settings::{Limits, Provider};
use super::wire::{Answer, Question, read_answer};
use super::{Connector, Failure, System};
use argus_core::context::Trace;
use argus_core::{Clock, ids};
use argus_openapi::read::MediaType;
use argus_wire::trace_context::Traceparent;
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, retry};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

const JSON: HeaderValue = HeaderValue::from_static(MediaType::Json.as_str());

/// What a partner is told; the operator's log says more.
const OUT_OF_REACH: &str = "it could not be reached, or its answer could not be used; try again later";
const LEFT_ALONE: &str = "it has failed again and again and is left alone for a while; try again later";
const NO_TIME: &str = "it did not answer in time; try again later";

/// Makes connectors.
pub(super) struct Factory {
    client: Client,
    limits: Limits,
    clock: Clock,
}

impl Factory {
    pub(super) fn new(limits: Limits, clock: Clock) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            // Here it is known what may be repeated, and how often.
            .retry(retry::never())
            .referer(false)
            .connect_timeout(limits.connect)
            .timeout(limits.attempt)
            .user_agent(concat!("argus/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, limits, clock })
    }

    pub(super) fn connector(&self, system: System, provider: &Provider) -> HttpConnector {
        HttpConnector {
            system,
            provider: provider.clone(),
            client: self.client.clone(),
            limits: self.limits,
            turns: Semaphore::new(self.limits.concurrency),
            repetitions: Repetitions::new(self.limits),
            breaker: Breaker::new(self.clock.clone(), self.limits.failures, self.limits.rest),
        }
    }
}

/// The way to a system over HTTP.
pub(super) struct HttpConnector {
    system: System,
    provider: Provider,
    client: Client,
    limits: Limits,
    turns: Semaphore,
    repetitions: Repetitions,
    breaker: Breaker,
}

impl Connector for HttpConnector {
    fn ask<'a>(
        &'a self,
        caller: LiveCaller<'a>,
        question: &'a Question,
    ) -> BoxFuture<'a, Result<Answer, Failure>> {
        async move {
            caller.check().map_err(Failure::Sandbox)?;
            let answered = timeout(self.limits.question, self.ask_again(caller.trace(), question));
            let failure = match answered.await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Unavailable(NO_TIME),
            };
            tracing::debug!(system = self.system.name(), ?failure, "no answer");
            Err(failure)
        }
        .boxed()
    }
}

impl HttpConnector {
    /// Asks until an answer stands, or it is of no use to ask again.
    async fn ask_again(&self, trace: Option<&Trace>, question: &Question) -> Result<Answer, Failure> {
        // Nobody closes the semaphore.
        let _turn = self.turns.acquire().await;
        self.repetitions.earn();
        for attempt in 1.. {
            let admitted = self.breaker.admit().ok_or(Failure::Unavailable(LEFT_ALONE))?;
            let answer = self.send(trace, question).await;
            admitted.end(verdict(&answer));
            let fault = match answer {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            tracing::warn!(system = self.system.name(), attempt, %fault, "a connector failed");
            match self.repetitions.pause(attempt, &fault) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(failure(&fault)),
            }
        }
        Err(Failure::Unavailable(OUT_OF_REACH))
    }

    /// Sends the question once and reads the answer.
    async fn send(&self, trace: Option<&Trace>, question: &Question) -> Result<Answer, Fault> {
        let body = serde_json::to_vec(question).map_err(|error| Fault::Unusable(error.to_string()))?;
        let request = self
            .client
            .post(self.provider.endpoint.clone())
            .headers(trace_headers(trace))
            .header(AUTHORIZATION, self.provider.authorization())
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, JSON)
            .body(body);
        let response = request.send().await.map_err(|error| fault(&error))?;
        if response.status() != StatusCode::OK {
            let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
            return Err(Fault::Status { status, retry_after });
        }
        let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        MediaType::Json.accept(content_type).map_err(|error| Fault::Unusable(error.message))?;
        let answer = self.read(response).await?;
        read_answer(&answer, &question.sources).map_err(Fault::Unusable)
    }

    /// The whole answer, unless it is too long.
    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Fault> {
        let mut answer = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| fault(&error))? {
            if answer.len() + piece.len() > self.limits.answer_bytes {
                return Err(Fault::TooLong);
            }
            answer.extend_from_slice(&piece);
        }
        Ok(answer)
    }
}

/// The caller's trace with a span of the request's own.
fn trace_headers(trace: Option<&Trace>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(Trace { parent, state }) = trace else { return headers };
    let ids = ids::random().map_or(parent.ids, |span_id| parent.ids.with_span(span_id));
    let traceparent = Traceparent { ids, flags: parent.flags };
    if let Ok(value) = HeaderValue::from_bytes(&traceparent.to_bytes()) {
        headers.insert("traceparent", value);
    }
    if let Some(value) = state.as_deref().and_then(|state| HeaderValue::from_str(state).ok()) {
        headers.insert("tracestate", value);
    }
    headers
}

/// What the end of a request says of the system. That it refuses a question or is busy does not make it broken.
fn verdict(answer: &Result<Answer, Fault>) -> Verdict {
    match answer {
        Ok(_) => Verdict::Works,
        Err(Fault::Status { status: 400..500, .. }) => Verdict::Unknown,
        Err(_) => Verdict::Broken,
    }
}

/// What a partner is told of a fault.
fn failure(fault: &Fault) -> Failure {
    match fault {
        Fault::Status { status: status @ (400..=407 | 409..=428 | 430..500), .. } => {
            Failure::Refused(format!("it did not take the question: it answered with status {status}"))
        }
        Fault::TimedOut => Failure::Unavailable(NO_TIME),
        _ => Failure::Unavailable(OUT_OF_REACH),
    }
}

fn fault(error: &reqwest::Error) -> Fault {
    // A connection that takes too long is both.
    if error.is_connect() {
        Fault::NoConnection
    } else if error.is_timeout() {
        Fault::TimedOut
    } else {
        Fault::BrokenOff
    }
}

/// The whole seconds of `Retry-After`; a date says nothing, since clocks differ.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

//! Recorded traces. Every valid trace id has one, derived from the id.

use crate::engine::clock::EPOCH_UNIX_SECONDS;
use crate::engine::digest::Frame;
use crate::engine::errors::invalid;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::sandbox::{Context, Sandbox};
use argus_openapi::Operation;
use argus_openapi::types::traces::{Ingestion, Span, SpanStatus, Trace};
use argus_wire::trace_context::is_trace_id;
use std::collections::BTreeMap;

/// The spans that a trace can have, parents before children: name, parent, attribute.
const SPANS: [(&str, Option<usize>, (&str, &str)); 5] = [
    ("POST /v1/jobs", None, ("http.request.method", "POST")),
    ("gate.verify_token", Some(0), ("argus.audience", "sandbox")),
    ("jobs.create", Some(0), ("argus.job.kind", "intelligence.enrich.bulk")),
    ("store.insert", Some(2), ("db.system.name", "sqlite")),
    ("outbox.enqueue", Some(2), ("messaging.operation.name", "send")),
];

/// Fewest spans of a trace.
const LEAST: usize = 3;

/// `trace_view`
pub struct TraceView<'a> {
    /// The trace, as in the path.
    pub trace_id: &'a str,
}

impl Mock for TraceView<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::TraceView;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = true;

    fn frame(&self, frame: &mut Frame) {
        let Self { trace_id } = self;
        frame.part(trace_id.as_bytes());
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let trace_id = self.trace_id;
        if !is_trace_id(trace_id) {
            return Err(invalid("a trace id has 32 lower-case hexadecimal digits, not all of them zero"));
        }
        let mut frame = Frame::new("trace");
        frame.part(trace_id.as_bytes());
        let digest = frame.finish();
        let count = LEAST + digest.below(SPANS.len() - LEAST + 1);
        let span_ids: Vec<String> = (0..count).map(|index| span_id(trace_id, index)).collect();
        // Each span begins inside its parent and is shorter, so that the tree can be drawn.
        let start = EPOCH_UNIX_SECONDS as u64 * 1_000_000_000;
        let unit = 100_000 + digest.tail() % 900_000;
        let spans = SPANS[..count].iter().enumerate().map(|(index, (name, parent, attribute))| {
            let depth = parent.map_or(0, |parent| 1 + usize::from(parent > 0)) as u64;
            Span {
                span_id: span_ids[index].clone(),
                parent_span_id: parent.map(|parent| span_ids[parent].clone()),
                name: (*name).to_owned(),
                start_unix_nano: start + index as u64 * unit,
                duration_ns: match depth {
                    0 => 16 * unit,
                    1 => 8 * unit,
                    _ => 2 * unit,
                },
                status_code: SpanStatus::Ok,
                attributes: BTreeMap::from([
                    (attribute.0.to_owned(), attribute.1.to_owned()),
                    ("argus.sandbox".to_owned(), "true".to_owned()),
                ]),
            }
        });
        Ok(Reply::json(
            200,
            &Trace {
                trace_id: trace_id.to_owned(),
                tenant_id: context.caller.tenant_id.to_owned(),
                spans: spans.collect(),
                ingestion: Ingestion::Complete,
            },
        ))
    }
}

fn span_id(trace_id: &str, index: usize) -> String {
    let mut frame = Frame::new("span");
    frame.part(trace_id.as_bytes());
    frame.part(&(index as u64).to_be_bytes());
    frame.finish().trace().span_hex()
}

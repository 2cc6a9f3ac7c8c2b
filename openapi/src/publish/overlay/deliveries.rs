//! What webhooks and callbacks have in common: a signed `POST` that partners answer. Which there are and what they
//! hold stands in [`super::webhooks`] and [`super::callbacks`].

use crate::Contract;
use crate::publish::PublishError;
use argus_wire::signature::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use schemars::schema::Schema;
use serde_json::{Value, json};

/// What partners need to know to receive one.
const HOW: &str = "\
Verify a signature over the raw body, before anything reads it, and answer with a 2xx status within 15 seconds; leave \
long work for later. The same delivery can come more than once, with the same `webhook-id`, and deliveries come in any \
order.";

/// What is delivered.
pub(super) struct Delivery {
    /// The operation id.
    pub(super) id: String,
    /// What happened, in a sentence.
    pub(super) summary: &'static str,
    /// Whose secret signs it, in a sentence.
    pub(super) signed: &'static str,
    /// Tag of the operation.
    pub(super) tag: Value,
    /// Whether a header names a job.
    pub(super) of_job: bool,
    /// The schema of the body.
    pub(super) schema: Schema,
}

impl Delivery {
    /// The operation that a partner serves.
    pub(super) fn operation(self, contract: &Contract) -> Result<Value, PublishError> {
        let Self { id, summary, signed, tag, of_job, schema } = self;
        let headers = parameters();
        let headers = headers.as_object().into_iter().flatten().map(|(component, _)| component);
        let headers: Vec<Value> = headers
            .filter(|component| of_job || *component != JOB_ID)
            .map(|component| reference("parameters", component))
            .collect();
        let schema = serde_json::to_value(schema).map_err(|error| PublishError::Shape(error.to_string()))?;
        let mut operation = json!({
            "operationId": id,
            "summary": summary.trim_end_matches('.'),
            "description": format!("{summary} {signed}\n\n{HOW}"),
            "tags": [tag],
            // The signatures are what a receiver goes by.
            "security": [],
            "parameters": headers,
            "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } },
            "responses": {
                "2XX": reference("responses", "DeliveryTaken"),
                "410": reference("responses", "ReceiverGone"),
                "default": reference("responses", "DeliveryRepeated"),
            },
        });
        let stability = format!("x-{}-stability", contract.name);
        operation[stability] = json!(crate::Stability::Stable.as_str());
        Ok(operation)
    }
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// What a receiver can answer.
pub(super) fn responses() -> Value {
    json!({
        "DeliveryTaken": { "description": "The delivery is taken. What the body says does not matter." },
        "ReceiverGone": {
            "description": "Nobody will ever take it: the delivery is not repeated, and the subscription that it was \
                made for is disabled.",
        },
        "DeliveryRepeated": {
            "description": "Anything else, a redirection too, and no answer in time: the delivery is repeated with \
                growing pauses for about a day.",
            "headers": {
                "Retry-After": {
                    "description": "How long to wait before the next attempt, in seconds or until a date; between a \
                        second and six hours are obeyed.",
                    "schema": { "type": "string" },
                    "example": "120",
                },
            },
        },
    })
}

/// The one header that not every delivery has.
const JOB_ID: &str = "DeliveryJobId";

/// The headers of a delivery, as shared parameters.
pub(super) fn parameters() -> Value {
    json!({
        "DeliveryId": {
            "name": WEBHOOK_ID,
            "in": "header",
            "description": "Identifier of the delivery, the same in every attempt (Standard Webhooks): whoever has taken \
                it before answers with a 2xx status and does nothing more.",
            "required": true,
            "schema": { "type": "string" },
            "example": "dlv_123",
        },
        "DeliveryTimestamp": {
            "name": WEBHOOK_TIMESTAMP,
            "in": "header",
            "description": "When the attempt was made, in Unix seconds (Standard Webhooks). A receiver refuses one that \
                lies more than five minutes from now.",
            "required": true,
            "schema": { "type": "integer", "format": "int64", "minimum": 0 },
            "example": 1_774_267_200,
        },
        "DeliverySignature": {
            "name": WEBHOOK_SIGNATURE,
            "in": "header",
            "description": "`v1,` and the Base64 HMAC-SHA256 of `webhook-id`, `webhook-timestamp` and the raw body, joined \
                by `.`, with the signing secret as key (Standard Webhooks); a secret `whsec_<base64>` is decoded first. \
                Several are separated by spaces while a secret is being replaced: one that fits is enough.",
            "required": true,
            "schema": { "type": "string" },
            "example": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        "DeliveryArgusSignature": {
            "name": "X-Argus-Signature",
            "in": "header",
            "description": "`sha256=` and the hexadecimal HMAC-SHA256 of the raw body alone, with the signing secret as it \
                was given as key. Several are separated by commas while a secret is being replaced. It covers no \
                timestamp: a receiver that goes by it alone takes replays.",
            "required": true,
            "schema": { "type": "string" },
            "example": "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        },
        "DeliveryTraceId": {
            "name": "X-Argus-Trace-ID",
            "in": "header",
            "description": "W3C trace id of the request that led to the delivery.",
            "required": true,
            "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
            "example": "0af7651916cd43dd8448eb211c80319c",
        },
        JOB_ID: {
            "name": "X-Argus-Job-ID",
            "in": "header",
            "description": "Identifier of the job that the delivery is about.",
            "required": true,
            "schema": { "type": "string" },
            "example": "01HFXYZ9A7Q3M5N8P2R4T6V8WB",
        },
        "DeliveryTraceparent": {
            "name": "traceparent",
            "in": "header",
            "description": "W3C Trace Context of the attempt: continues the trace of `X-Argus-Trace-ID`.",
            "schema": { "type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" },
            "example": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
        "DeliveryTracestate": {
            "name": "tracestate",
            "in": "header",
            "description": "The `tracestate` of that request, untouched; absent when it sent none.",
            "schema": { "type": "string" },
            "example": "vendor=value",
        },
    })
}

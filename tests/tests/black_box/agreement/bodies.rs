//! JSON bodies.

use super::inputs::{inputs, shapes};
use super::{INPUTS, OVER_A_SOCKET, Reader, assert_agreed, is_of_the_domain};
use crate::black_box::support::{every_scope, samples};
use argus_openapi::contract::ARGUS;
use argus_openapi::read::{MediaType, Readable, within_bounds};
use argus_openapi::row::RequestBody;
use argus_openapi::types::error::Error;
use argus_openapi::types::{apps, graphql, jobs, profiles, tokens, webhooks};
use argus_tests::published::{request_body, validator};
use argus_tests::{TestServer, audience, claims};
use jsonschema::Validator;
use serde_json::Value;
use std::collections::HashSet;
use validator::Validate;

const BODIES: [(&str, Reader); 11] = [
    ("app_create", body::<apps::AppCreate>),
    ("app_governance_update", body::<apps::GovernanceUpdate>),
    ("app_sandbox_token_create", body::<tokens::SandboxTokenCreate>),
    ("app_secret_rotate", body::<apps::AppSecretRotate>),
    ("app_service_token_create", body::<tokens::ServiceTokenCreate>),
    ("graphql_execute", body::<graphql::GraphqlRequest>),
    ("job_create", body::<jobs::JobCreate>),
    ("profile_enrich", body::<profiles::ProfileEnrich>),
    ("webhook_create", body::<webhooks::WebhookCreate>),
    ("webhook_replay", body::<webhooks::WebhookReplay>),
    ("webhook_update", body::<webhooks::WebhookUpdate>),
];

fn body<T: Readable + Validate>(body: &[u8]) -> Result<(), Error> {
    within_bounds(MediaType::Json.parse::<T>(body)?).map(drop)
}

pub(super) fn is_compared(id: &str) -> bool {
    BODIES.iter().any(|(compared, _)| *compared == id)
}

/// Why a schema cannot tell that an input is refused, and of which inputs that holds.
type Exemption = (&'static str, fn(&str) -> bool);

/// What the service refuses though it fits its schema.
const UNSEEN: [Exemption; 1] = [(
    "no escape for a character beyond U+FFFF is one in the regular expressions of every language",
    |input| {
        let is_hidden = |each: char| ('\u{e0000}'..='\u{e0fff}').contains(&each);
        serde_json::from_str::<Value>(input).is_ok_and(|value| value.to_string().contains(is_hidden))
    },
)];

/// Whether a body fits the published schema.
fn published(validator: &Validator, input: &str) -> bool {
    // What is no JSON fits nothing, and a member that stands twice is gone before a schema looks.
    let once = body::<OnceEach>(input.as_bytes()).is_ok();
    once && serde_json::from_str(input).is_ok_and(|value: Value| validator.is_valid(&value))
}

/// Any object, for the rule that no schema can express: each member once.
#[derive(serde::Deserialize, Validate)]
#[serde(transparent)]
struct OnceEach {
    #[allow(dead_code)]
    members: argus_openapi::types::json_object::JsonObject,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_taken_exactly_if_it_fits_the_published_schema() {
    let server = TestServer::start();
    let samples = samples(&server).await;
    for (id, reader) in BODIES {
        let row = ARGUS.row(id).unwrap();
        let sample = samples.of(&server, row, row.hosts[0]).await;
        let sample = serde_json::from_slice(&sample.body.unwrap().1).unwrap();
        let validator = validator(request_body(id).unwrap());
        for shape in shapes(id, &sample) {
            let inputs = inputs(&shape, |input| published(&validator, input));
            let distinct = inputs.iter().collect::<HashSet<_>>().len();
            assert!(distinct >= INPUTS, "{id}: {distinct} inputs");
            let mut taken = 0;
            for input in &inputs {
                let served = reader(input.as_bytes());
                taken += usize::from(served.is_ok());
                let start: String = input.chars().take(300).collect();
                let refused = served.as_ref().err();
                let unseen = refused.is_some_and(|error| {
                    is_of_the_domain(&error.message) || UNSEEN.iter().any(|(_, holds)| holds(input))
                });
                let fits = published(&validator, input) && !unseen;
                assert_eq!(served.is_ok(), fits, "{id}: {start}: {served:?}");
            }
            assert!(taken >= 10 && taken + 100 < inputs.len(), "{id}: {taken} of {}", inputs.len());
        }
    }
}

/// Every thirtieth of the inputs over a socket, so that nothing between it and the types has another opinion.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_answers_agrees_with_the_published_schema() {
    let server = TestServer::start();
    let samples = samples(&server).await;
    for (id, _) in BODIES {
        let row = ARGUS.row(id).unwrap();
        let host = row.hosts[0];
        let mut sample = samples.of(&server, row, host).await;
        let members = serde_json::from_slice(&sample.body.as_ref().unwrap().1).unwrap();
        let validator = validator(request_body(id).unwrap());
        let mut claims = claims(audience(host), &samples.tenant_id, &every_scope());
        claims.organization_id.clone_from(&samples.organization_id);
        let token = server.sign(&claims);
        let shapes = shapes(id, &members);
        let inputs = shapes.iter().flat_map(|shape| inputs(shape, |input| published(&validator, input)));
        for input in inputs.step_by(OVER_A_SOCKET) {
            if UNSEEN.iter().any(|(_, holds)| holds(&input)) {
                continue;
            }
            // An optional body may be empty.
            let fits =
                published(&validator, &input) || input.is_empty() && row.body == RequestBody::OptionalJson;
            sample.body = Some(("application/json", input.clone().into_bytes()));
            let answer = server.send(server.sample(host, &sample).bearer_auth(&token)).await;
            // Bytes are counted before anybody looks at what they say.
            if input.len() > row.body_max_bytes {
                answer.expect_error(413, "body_too_large");
                continue;
            }
            assert_agreed(&answer, fits, &format!("{id}: {input:.300}"));
        }
    }
}

//! Request headers that operations document with bounds. What HTTP lets through at all is what is compared:
//! printable ASCII, without spaces at its ends, which a parser takes away.

use super::texts::texts;
use super::{INPUTS, OVER_A_SOCKET};
use crate::black_box::support::{every_scope, samples};
use argus_openapi::contract::ARGUS;
use argus_openapi::read;
use argus_openapi::types::error::Error;
use argus_openapi::types::{graphql, jobs};
use argus_tests::published::{parameters, validator};
use argus_tests::{TestServer, audience, claims};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use validator::Validate;

/// How the service reads a header.
type HeaderReader = fn(&str, &str) -> Result<(), Error>;

fn header<T: DeserializeOwned + Validate>(name: &str, text: &str) -> Result<(), Error> {
    read::header::<T>(name, read::single_header(name, [text.as_bytes()])?).map(drop)
}

const HEADERS: [(&str, &str, HeaderReader); 2] = [
    ("graphql_execute", "X-Tenant-ID", header::<graphql::GraphqlHeaders>),
    ("job_create", "Idempotency-Key", header::<jobs::JobCreateHeaders>),
];

/// Those of an operation: lists of entity tags have no bounds, and every text is one.
pub(super) fn compared(id: &str) -> Vec<String> {
    let of_the_operation = HEADERS.iter().filter(|(compared, ..)| *compared == id);
    let conditions = ["If-Match", "If-None-Match"].into_iter().filter(|_| ARGUS.row(id).unwrap().is_tagged());
    conditions.chain(of_the_operation.map(|(_, name, _)| *name)).map(str::to_owned).collect()
}

fn is_sent(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

fn published(id: &str, name: &str) -> &'static Value {
    let published: BTreeMap<String, &'static Value> = parameters(id, "header");
    published[name]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_is_taken_exactly_if_it_fits_the_published_parameters() {
    let server = TestServer::start();
    let samples = samples(&server).await;
    for (id, name, reader) in HEADERS {
        let row = ARGUS.row(id).unwrap();
        let host = *row.hosts.last().unwrap();
        let mut sample = samples.of(&server, row, host).await;
        let mut claims = claims(audience(host), &samples.tenant_id, &every_scope());
        claims.organization_id.clone_from(&samples.organization_id);
        let token = server.sign(&claims);
        let (schema, of_this_kind) = (published(id, name), [samples.tenant_id.clone(), "k".repeat(200)]);
        let validator = validator(schema);
        let texts = texts(schema, &of_this_kind, 5 * INPUTS).into_iter().filter(|text| is_sent(text));
        let texts: Vec<String> = texts.take(INPUTS).collect();
        assert_eq!(texts.len(), INPUTS, "{id}: {name}");
        let mut taken = 0;
        for (number, text) in texts.iter().enumerate() {
            let (fits, read) = (validator.is_valid(&json!(text)), reader(name, text));
            taken += usize::from(fits);
            assert_eq!(read.is_ok(), fits, "{id}: {text:?}: {read:?}");
            if number % OVER_A_SOCKET > 0 {
                continue;
            }
            sample.headers = vec![(name.to_owned(), text.clone())];
            let answer = server.send(server.sample(host, &sample).bearer_auth(&token)).await;
            assert_eq!(answer.status != 400, fits, "{id}: {text:?}\n{answer:?}");
        }
        assert!(taken >= 100 && taken < texts.len(), "{id}: {taken} of {}", texts.len());
    }
}

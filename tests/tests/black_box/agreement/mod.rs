//! The published schemas and the service have one opinion of every input: thousands of bodies, queries, forms,
//! path parameters and headers of each operation, made from its sample and its schema, are judged by both.
//!
//! - `inputs`: JSON bodies; `texts`: what stands in a path, a query or a header
//! - `bodies`, `queries`, `forms`, `authorizations`, `paths`, `headers`: the comparisons. What a schema cannot see stands
//!   beside each, with its reason
//!
//! Most inputs go to the types that read them, without a server; every thirtieth goes over a socket.

mod authorizations;
mod bodies;
mod forms;
mod headers;
mod inputs;
mod paths;
mod queries;
mod texts;

use argus_openapi::types::error::Error;
use argus_tests::Answer;
use argus_tests::published::{operations, parameters, request_body};

/// How many different inputs an operation is asked about.
const INPUTS: usize = 2_000;

/// A prime, so that every pair has its turn.
const STRIDE: usize = 7_919;

/// One in so many goes over a socket.
const OVER_A_SOCKET: usize = 30;

/// How the service reads an input.
type Reader = fn(&[u8]) -> Result<(), Error>;

/// Why the service refuses what fits its schema: rules between members, and what there is and what there is not.
const DOMAIN: [&str; 19] = [
    "needs at least one entry for the grant",
    "declares no variable",
    "the variable $",
    "operationName must be",
    "there is no bundle",
    "unknown scenario",
    "the app is not approved for",
    "`scope` names an unknown scope",
    "the client could not be authenticated",
    "not both",
    "the app may not use",
    "`code` is missing",
    "`refresh_token` is missing",
    "goes with the kind",
    "goes with the `",
    "has a `kid` twice",
    "the code is unknown",
    "the refresh token is unknown",
    "`client_assertion",
];

/// Whether an error names what no schema can say.
fn is_of_the_domain(text: &str) -> bool {
    DOMAIN.iter().any(|reason| text.contains(reason))
}

#[track_caller]
fn assert_agreed(answer: &Answer, fits: bool, input: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    let of_the_domain = is_of_the_domain(&text);
    assert!(answer.status == 400 || fits, "taken, and does not fit: {input}\n{answer:?}");
    assert!(answer.status != 400 || !fits || of_the_domain, "refused, and fits: {input}\n{answer:?}");
}

#[test]
fn every_part_of_a_request_that_an_operation_publishes_is_compared() {
    for id in operations() {
        let has = |kind: &str| !parameters(id, kind).is_empty();
        assert_eq!(
            request_body(id).is_some(),
            forms::is_compared(id) || bodies::is_compared(id) || id == authorizations::FORM,
            "body of {id}"
        );
        let is_compared = queries::is_compared(id) || id == authorizations::QUERY;
        assert_eq!(has("query"), is_compared, "query of {id}");
        assert_eq!(has("path"), paths::is_compared(id), "path of {id}");
        let names: Vec<String> = parameters(id, "header").into_keys().collect();
        assert_eq!(names, headers::compared(id), "headers of {id}");
    }
}

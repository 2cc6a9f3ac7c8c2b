//! Query strings.

use super::texts::{MANY, texts};
use super::{INPUTS, Reader, STRIDE};
use argus_openapi::read;
use argus_openapi::types::error::Error;
use argus_openapi::types::{common, discovery, jobs};
use argus_tests::published::{parameters, validator};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use validator::Validate;

const QUERIES: [(&str, Reader); 5] = [
    ("app_list", query::<common::PageQuery>),
    ("data_schema_list", query::<discovery::DataSchemaQuery>),
    ("job_list", query::<jobs::JobQuery>),
    ("webhook_list", query::<common::PageQuery>),
    ("webhook_delivery_list", query::<common::PageQuery>),
];

fn query<T: DeserializeOwned + JsonSchema + Validate>(query: &[u8]) -> Result<(), Error> {
    read::query::<T>(std::str::from_utf8(query).unwrap()).map(drop)
}

pub(super) fn is_compared(id: &str) -> bool {
    QUERIES.iter().any(|(compared, _)| *compared == id)
}

/// What a parameter's text stands for: a number or a truth value where there is to be one and it is written as
/// JSON writes it.
fn decoded(schema: &Value, text: &str) -> Value {
    let is_to_be = |kind: &str| {
        let types = &schema["type"];
        types == kind || types.as_array().is_some_and(|types| types.contains(&json!(kind)))
    };
    let fits = |value: &Value| {
        is_to_be("boolean") && value.is_boolean() || is_to_be("integer") && (value.is_i64() || value.is_u64())
    };
    // JSON would allow for spaces around it.
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    serde_json::from_str(text).ok().filter(|value| plain && fits(value)).unwrap_or_else(|| json!(text))
}

/// A query: some parameters with their texts.
type Pairs = Vec<(String, String)>;

/// Texts for each parameter, and those that fit.
struct Choices(Vec<(String, Vec<String>, Vec<String>)>);

impl Choices {
    fn of(parameters: &BTreeMap<String, &'static Value>) -> Self {
        let choices = parameters.iter().map(|(name, schema)| {
            let texts = texts(schema, &[], MANY);
            let fits = |text: &&String| validator(schema).is_valid(&decoded(schema, text));
            let fitting = texts.iter().filter(fits).cloned().collect();
            (name.clone(), texts, fitting)
        });
        Self(choices.collect())
    }

    /// The queries in their turn: all of it fitting, all but one parameter, or any. Each parameter is left out at
    /// times.
    fn pairs(&self, turn: usize) -> Pairs {
        let mut pick = turn / 3 * STRIDE;
        let mut pairs = Vec::new();
        for (place, (name, any, fitting)) in self.0.iter().enumerate() {
            let texts = match turn % 3 {
                0 => fitting,
                1 if place != turn / 3 % self.0.len() => fitting,
                _ => any,
            };
            pairs.extend(texts.get(pick % (texts.len() + 1)).map(|text| (name.clone(), text.clone())));
            pick /= texts.len() + 1;
        }
        pairs
    }

    /// Different queries, and some with what no operation takes: another parameter, and one that stands twice.
    fn queries(&self) -> BTreeSet<Pairs> {
        let mut queries = BTreeSet::new();
        for turn in 0..100 * INPUTS {
            queries.insert(self.pairs(turn));
            if queries.len() == INPUTS {
                break;
            }
        }
        let some: Vec<Pairs> = queries.iter().step_by(50).cloned().collect();
        let unknown = [("colour".to_owned(), "1".to_owned())];
        queries.extend(some.iter().map(|pairs| [&pairs[..], &unknown].concat()));
        queries
            .extend(some.iter().filter_map(|pairs| Some([&pairs[..], &[pairs.first()?.clone()]].concat())));
        queries
    }
}

#[test]
fn a_query_is_taken_exactly_if_it_fits_the_published_parameters() {
    for (id, reader) in QUERIES {
        let parameters = parameters(id, "query");
        let queries = Choices::of(&parameters).queries();
        assert!(queries.len() >= INPUTS, "{id}: {} queries", queries.len());
        let mut taken = 0;
        for pairs in &queries {
            let names: BTreeSet<&String> = pairs.iter().map(|(name, _)| name).collect();
            let fits = names.len() == pairs.len()
                && pairs.iter().all(|(name, text)| {
                    let schema = parameters.get(name);
                    schema.is_some_and(|schema| validator(schema).is_valid(&decoded(schema, text)))
                });
            let sent = serde_urlencoded::to_string(pairs).unwrap();
            let served = reader(sent.as_bytes());
            taken += usize::from(served.is_ok());
            assert_eq!(served.is_ok(), fits, "{id}: {pairs:?}: {served:?}");
        }
        assert!(taken >= 10 && taken + 100 < queries.len(), "{id}: {taken} of {}", queries.len());
    }
}

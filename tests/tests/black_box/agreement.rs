//! The published schemas and the service have one opinion of every input: thousands of bodies and queries of
//! each operation, made from its sample and its schema, are judged by both. What a schema cannot see stands
//! here, each with its reason.

use super::support::{every_scope, samples};
use argus_openapi::contract::ARGUS;
use argus_openapi::read::{self, MediaType, within_bounds};
use argus_openapi::row::RequestBody;
use argus_openapi::types::error::Error;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::{apps, common, discovery, graphql, jobs, profiles, tokens, webhooks};
use argus_tests::published::{operations, parameters, request_body, resolve, validator};
use argus_tests::{Answer, TestServer, audience, claims};
use jsonschema::Validator;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};
use std::iter::once;
use validator::Validate;

/// How many inputs an operation is asked about.
const INPUTS: usize = 2_000;

/// How the service reads a body or a query.
type Reader = fn(&[u8]) -> Result<(), Error>;

fn body<T: DeserializeOwned + Validate>(body: &[u8]) -> Result<(), Error> {
    within_bounds(MediaType::Json.parse::<T>(body)?).map(drop)
}

fn query<T: DeserializeOwned + JsonSchema + Validate>(query: &[u8]) -> Result<(), Error> {
    read::query::<T>(std::str::from_utf8(query).unwrap()).map(drop)
}

const BODIES: [(&str, Reader); 9] = [
    ("app_create", body::<apps::AppCreate>),
    ("app_governance_update", body::<apps::GovernanceUpdate>),
    ("app_sandbox_token_create", body::<tokens::SandboxTokenCreate>),
    ("app_service_token_create", body::<tokens::ServiceTokenCreate>),
    ("graphql_execute", body::<graphql::GraphqlRequest>),
    ("job_create", body::<jobs::JobCreate>),
    ("profile_enrich", body::<profiles::ProfileEnrich>),
    ("webhook_create", body::<webhooks::WebhookCreate>),
    ("webhook_update", body::<webhooks::WebhookUpdate>),
];

const QUERIES: [(&str, Reader); 5] = [
    ("app_list", query::<common::PageQuery>),
    ("data_schema_list", query::<discovery::DataSchemaQuery>),
    ("job_list", query::<jobs::JobQuery>),
    ("webhook_list", query::<common::PageQuery>),
    ("webhook_delivery_list", query::<common::PageQuery>),
];

/// JSON texts for any place: of each type, of each way to write it, and nearly right.
const VALUES: [&str; 66] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "1.0",
    "1e2",
    "1.5",
    "-1.5",
    "1e-7",
    "59",
    "60",
    "3600.0",
    "36e2",
    "3600.5",
    "86401",
    "1e300",
    "-1e300",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    r#""""#,
    r#"" ""#,
    r#""a""#,
    r#""1""#,
    r#""null""#,
    r#""true""#,
    r#""a b""#,
    r#"" a""#,
    r#""a ""#,
    r#""a\u0000""#,
    r#""a\nb""#,
    r#""\u202ea""#,
    r#""a\u200db""#,
    r#""\u0645\u200c\u062e""#,
    r#""\ud83d\udcc1 \u00e9""#,
    r#""\ud83d""#,
    r#""https://a.example/""#,
    r#""https://a.example:8443/b?c=%20""#,
    r#""https:///x""#,
    r#""https:a.example""#,
    r#""https://@a.example/""#,
    r#""https://a.example/\n""#,
    r#""https://a.example/%zz""#,
    r#""http://127.0.0.1:1/""#,
    r#""http://localhost/""#,
    r#""http://0177.0.0.1/""#,
    "[]",
    "[null]",
    "[[]]",
    "[1]",
    r#"[""]"#,
    r#"["a"]"#,
    r#"["a","a"]"#,
    "[{}]",
    r#"["https://a.example/"]"#,
    "{}",
    r#"{"a":1}"#,
    r#"{"a":{"b":[1.5,null,{"c":"\u0000"}]}}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"a":[{"b":1,"\u0062":2}]}"#,
    "nonsense",
];

/// A member of a body as it is written; none where it is left out.
type Member = (String, Option<String>);

/// What an operation's body is made from.
struct Shape {
    properties: BTreeMap<String, &'static Value>,
    sample: BTreeMap<String, String>,
}

impl Shape {
    fn of(schema: &'static Value, sample: &Map<String, Value>) -> Self {
        let properties = resolve(schema)["properties"].as_object().unwrap();
        Self {
            properties: properties.iter().map(|(name, schema)| (name.clone(), schema)).collect(),
            sample: sample.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        }
    }

    /// Every single change of the sample.
    fn changes(&self) -> Vec<Member> {
        let mut changes: Vec<Member> = vec![("colour".to_owned(), Some("1".to_owned()))];
        for (name, schema) in &self.properties {
            changes.extend([(name.clone(), None), (name.clone(), self.sample.get(name).cloned())]);
            let lists = lists(resolve(schema), INPUTS / self.properties.len());
            let values = VALUES.iter().map(ToString::to_string).chain(near(schema)).chain(lists);
            changes.extend(values.map(|value| (name.clone(), Some(value))));
            changes.push((name.to_uppercase(), self.sample.get(name).cloned()));
        }
        changes
    }

    /// The sample with these changes.
    fn with(&self, changes: &[&Member]) -> String {
        let mut members = self.sample.clone();
        for (name, value) in changes {
            match value {
                Some(value) => members.insert(name.clone(), value.clone()),
                None => members.remove(name),
            };
        }
        written(members.iter())
    }

    /// The sample with each of its members twice.
    fn twice(&self) -> Vec<String> {
        self.sample.iter().map(|again| written(self.sample.iter().chain(once(again)))).collect()
    }
}

fn written<'a>(members: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let members: Vec<String> = members.map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// Values at the bounds of a schema, on both sides.
fn near(schema: &'static Value) -> Vec<String> {
    let schema = resolve(schema);
    let mut values = Vec::new();
    let bound = |name: &str| schema[name].as_u64().map(|bound| usize::try_from(bound).unwrap());
    let around = |bound: usize| [bound.saturating_sub(1), bound, bound + 1];
    for length in ["minLength", "maxLength"].into_iter().filter_map(bound).flat_map(around) {
        values.push(json!("\u{1f5c2}".repeat(length)).to_string());
        values.push(
            json!("https://a.example/".to_owned() + &"a".repeat(length.saturating_sub(18))).to_string(),
        );
    }
    for value in schema["enum"].as_array().into_iter().flatten() {
        values.extend([value.to_string(), value.to_string().to_uppercase(), json!([value]).to_string()]);
        values.push(json!({ value.as_str().unwrap(): null }).to_string());
    }
    for branch in schema["anyOf"].as_array().into_iter().flatten() {
        values.extend(near(branch));
    }
    if let Some(items) = schema.get("items") {
        let items = near(items);
        values.extend(items.iter().map(|item| format!("[{item}]")));
        for (index, count) in
            ["minItems", "maxItems"].into_iter().filter_map(bound).flat_map(around).enumerate()
        {
            let item = items.get(index % items.len().max(1)).map_or("\"a\"", String::as_str);
            values.push(format!("[{}]", vec![item; count].join(",")));
        }
    }
    values
}

/// Lists of two items, of all kinds.
fn lists(schema: &'static Value, most: usize) -> impl Iterator<Item = String> {
    let items: Vec<String> = schema.get("items").map_or(Vec::new(), |items| {
        VALUES.iter().map(ToString::to_string).chain(near(items)).chain(near(items)).collect()
    });
    let pairs = items.len() * items.len();
    let pair = move |turn: usize| {
        let pair = turn * 7_919 % pairs;
        format!("[{},{}]", items[pair % items.len()], items[pair / items.len()])
    };
    (0..most.min(pairs)).map(pair)
}

/// Different bodies: every single change first, then pairs of them: both fitting, one, or any.
fn inputs(shape: &Shape, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let changes: Vec<Member> = shape.changes();
    let mut inputs = shape.twice();
    inputs.extend(["[]", "null", "\"a\"", "1", "", "{", "{} {}", "{}"].map(str::to_owned));
    inputs.extend(changes.iter().map(|change| shape.with(&[change])));
    let any: Vec<&Member> = changes.iter().collect();
    let fitting: Vec<&Member> = changes.iter().filter(|change| fits(&shape.with(&[change]))).collect();
    let mut known: HashSet<String> = inputs.iter().cloned().collect();
    for turn in 0..50 * INPUTS {
        if known.len() >= INPUTS {
            break;
        }
        let (first, second) = match turn % 3 {
            0 => (&fitting, &fitting),
            1 => (&fitting, &any),
            _ => (&any, &any),
        };
        // A stride that is a prime, so that every pair has its turn.
        let pair = turn / 3 * 7_919 % (first.len() * second.len());
        let (first, second) = (first[pair % first.len()], second[pair / first.len()]);
        let input = shape.with(&[first, second]);
        if known.insert(input.clone()) {
            inputs.push(input);
        }
    }
    inputs
}

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

/// Names that hide something beyond U+FFFF are none of these inputs; the tests of the type have them.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_taken_exactly_if_it_fits_the_published_schema() {
    let server = TestServer::start();
    let samples = samples(&server).await;
    for (id, reader) in BODIES {
        let row = ARGUS.row(id).unwrap();
        let sample = samples.of(&server, row, row.hosts[0]).await;
        let sample = serde_json::from_slice(&sample.body.unwrap().1).unwrap();
        let schema = request_body(id).unwrap();
        let (shape, validator) = (Shape::of(schema, &sample), validator(schema));
        let inputs = inputs(&shape, |input| published(&validator, input));
        assert!(inputs.len() >= INPUTS, "{id}: {} inputs", inputs.len());
        let mut taken = 0;
        for input in &inputs {
            let served = reader(input.as_bytes());
            taken += usize::from(served.is_ok());
            let start: String = input.chars().take(300).collect();
            assert_eq!(served.is_ok(), published(&validator, input), "{id}: {start}: {served:?}");
        }
        assert!(taken >= 10 && taken + 100 < inputs.len(), "{id}: {taken} of {}", inputs.len());
    }
}

/// Texts for any parameter of a query.
const TEXTS: [&str; 26] = [
    "",
    " ",
    "0",
    "1",
    "7",
    "200",
    "201",
    "-1",
    "+1",
    "01",
    "1.0",
    "1e2",
    " 1",
    "1 ",
    "0x1",
    "4294967296",
    "many",
    "null",
    "true",
    "false",
    "True",
    "[]",
    "a",
    "\0",
    "\u{e9}",
    "\u{1f5c2}",
];

/// Those of some JSON values that are texts.
fn texts(values: Vec<String>) -> impl Iterator<Item = String> {
    let values = values.into_iter().filter_map(|value| serde_json::from_str(&value).ok());
    values.filter_map(|value: Value| value.as_str().map(str::to_owned))
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

#[test]
fn a_query_is_taken_exactly_if_it_fits_the_published_parameters() {
    for (id, reader) in QUERIES {
        let parameters = parameters(id, "query");
        let mut texts = BTreeMap::new();
        for (name, schema) in &parameters {
            let near = near(schema).into_iter().filter_map(|value| serde_json::from_str(&value).ok());
            let near = near.filter_map(|value: Value| value.as_str().map(str::to_owned));
            texts
                .insert(name.as_str(), TEXTS.iter().map(ToString::to_string).chain(near).collect::<Vec<_>>());
        }
        let mut taken = 0;
        for turn in 0..INPUTS {
            let mut pairs = Vec::new();
            let mut fits = true;
            for (place, (name, texts)) in texts.iter().enumerate() {
                // Each parameter in a rhythm of its own, and left out at times.
                if let Some(text) = texts.get(turn * (2 * place + 1) / (3 * place + 1) % (texts.len() + 5)) {
                    let schema = parameters[*name];
                    fits &= validator(schema).is_valid(&decoded(schema, text));
                    pairs.push((*name, text.as_str()));
                }
            }
            if turn % 50 == 0 {
                fits = false;
                pairs.push(if turn % 100 == 0 || pairs.is_empty() { ("colour", "1") } else { pairs[0] });
            }
            let sent = serde_urlencoded::to_string(&pairs).unwrap();
            let served = reader(sent.as_bytes());
            taken += usize::from(served.is_ok());
            assert_eq!(served.is_ok(), fits, "{id}: {pairs:?}: {served:?}");
        }
        assert!(taken >= 10 && taken + 100 < INPUTS, "{id}: {taken}");
    }
}

/// Why the service refuses what fits its schema: rules between members, and what there is and what there is not.
const DOMAIN: [&str; 7] = [
    "needs at least one entry for the grant",
    "declares no variable",
    "the variable $",
    "operationName must be",
    "unknown scenario",
    "the app is not approved for",
    "`scope` names an unknown scope",
];

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
        let schema = request_body(id).unwrap();
        let (shape, validator) = (Shape::of(schema, &members), validator(schema));
        let mut claims = claims(audience(host), &samples.tenant_id, &every_scope());
        claims.organization_id.clone_from(&samples.organization_id);
        let token = server.sign(&claims);
        for input in inputs(&shape, |input| published(&validator, input)).into_iter().step_by(30) {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_token_request_is_taken_exactly_if_it_fits_the_published_schema() {
    let server = TestServer::start();
    let app = server.app(&[Scope::JobsRead, Scope::WebhooksWrite]).await;
    let (id, secret) = app.basic().unwrap();
    let schema = validator(request_body("oauth_token").unwrap());
    let grants = ["client_credentials", "", " client_credentials", "Client_credentials", "password", "null"];
    let scopes = [
        "",
        "argus:jobs:read",
        "webhooks:write argus:jobs:read",
        " ",
        "  ",
        " argus:jobs:read",
        "argus:jobs:read ",
        "argus:jobs:read  webhooks:write",
        "argus:jobs:read\twebhooks:write",
        "argus:jobs:read\nwebhooks:write",
        "a",
        "a\"b",
        "a\\b",
        "\0",
        "\u{7f}",
        "\u{e9}",
        "argus:jobs:read\u{a0}webhooks:write",
        "argus:jobs:write",
        "+",
        "%20",
    ];
    let grants = grants.map(|grant| vec![("grant_type", grant)]).into_iter().chain([Vec::new()]);
    for grant in grants {
        for scope in scopes.map(|scope| vec![("scope", scope)]).into_iter().chain([Vec::new()]) {
            let form: Vec<_> = [grant.clone(), scope, vec![("resource", "ignored")]].concat();
            let members: Map<String, Value> =
                form.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            let answer = server.token_request(&form, Some((id, secret))).await;
            assert_agreed(&answer, schema.is_valid(&members.into()), &format!("{form:?}"));
        }
    }
    let twice = [("grant_type", "client_credentials"), ("scope", ""), ("scope", "")];
    server.token_request(&twice, Some((id, secret))).await.expect(400);
}

#[track_caller]
fn assert_agreed(answer: &Answer, fits: bool, input: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    let of_the_domain = DOMAIN.iter().any(|reason| text.contains(reason));
    assert!(answer.status == 400 || fits, "taken, and does not fit: {input}\n{answer:?}");
    assert!(answer.status != 400 || !fits || of_the_domain, "refused, and fits: {input}\n{answer:?}");
}

/// A path holds more than a schema can refuse: nothing at all and dots make another path, which clients tidy up.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_taken_exactly_if_it_fits_the_published_parameters() {
    let server = TestServer::start();
    let samples = samples(&server).await;
    for id in operations() {
        let row = ARGUS.row(id).unwrap();
        let host = *row.hosts.last().unwrap();
        let mut sample = samples.of(&server, row, host).await;
        let mut claims = claims(audience(host), &samples.tenant_id, &every_scope());
        claims.organization_id.clone_from(&samples.organization_id);
        let token = server.sign(&claims);
        let published = parameters(id, "path");
        for place in 0..sample.path_parameters.len() {
            let (name, given) = sample.path_parameters[place].clone();
            let schema = published[&name];
            let texts = TEXTS.iter().map(ToString::to_string).chain(texts(near(schema)));
            let alike =
                [given.to_uppercase(), given.to_lowercase(), "0".repeat(given.len()), format!("{given}%")];
            for text in texts.chain(alike).filter(|text| !text.is_empty()) {
                sample.path_parameters[place].1 = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
                let answer = server.send(server.sample(host, &sample).bearer_auth(&token)).await;
                let fits = validator(schema).is_valid(&json!(text));
                // There is no document that is not among the values.
                let refused = answer.status == 400 || schema["enum"].is_array() && answer.status == 404;
                assert_eq!(!refused, fits, "{id}: {text:?}\n{answer:?}");
            }
            sample.path_parameters[place].1 = given;
        }
    }
}

#[test]
fn every_operation_that_takes_a_body_or_a_query_is_compared() {
    let compared: HashSet<&str> = BODIES.iter().chain(&QUERIES).map(|(id, _)| *id).collect();
    for id in operations() {
        // Its form has a test of its own.
        let takes = request_body(id).is_some() || !parameters(id, "query").is_empty();
        assert_eq!(takes, compared.contains(id) || id == "oauth_token", "{id}");
    }
}

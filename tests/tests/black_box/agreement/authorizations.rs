//! Authorization requests, in a browser's query and pushed. Their types read any text, so that each refusal can be the one
//! that RFC 6749 has for it: what does not fit is refused over the socket.

use super::texts::{MANY, texts};
use super::{INPUTS, OVER_A_SOCKET, STRIDE};
use crate::black_box::authorization::Scene;
use argus_tests::published::{parameters, request_body, resolve, validator};
use argus_tests::{Answer, TestServer};
use http::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const QUERY: &str = "oauth_authorize";
pub(super) const FORM: &str = "oauth_par";

/// Says who asks, or that all the rest stands elsewhere.
const NOT_COMPARED: [&str; 2] = ["client_id", "request_uri"];

/// Why the service refuses what fits: what is left out, and what there is not.
const DOMAIN: [&str; 5] = [
    "`redirect_uri` is none of those that the app has registered",
    "`response_type` is missing",
    "`code_challenge` is missing",
    "`scope` names an unknown scope",
    "the app is not approved for",
];

type Pairs = Vec<(String, String)>;

/// The usual request with one parameter changed, with two, and with one that stands twice.
fn requests(scene: &Scene) -> BTreeSet<Pairs> {
    let usual: BTreeMap<String, String> = scene.request(&[]).into_iter().collect();
    let published = parameters(QUERY, "query");
    let changes: Vec<(&String, String)> = published
        .iter()
        .filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str()))
        .flat_map(|(name, schema)| {
            texts(schema, &[usual[name].clone()], MANY).into_iter().map(move |text| (name, text))
        })
        .collect();
    let with = |changed: &[&(&String, String)]| -> Pairs {
        let mut pairs = usual.clone();
        pairs.extend(changed.iter().map(|(name, text)| ((*name).clone(), text.clone())));
        pairs.into_iter().collect()
    };
    let mut requests: BTreeSet<Pairs> = changes.iter().map(|change| with(&[change])).collect();
    for turn in 0.. {
        let pair = turn * STRIDE;
        requests.insert(with(&[&changes[pair % changes.len()], &changes[pair / 7 % changes.len()]]));
        if requests.len() >= INPUTS {
            break;
        }
    }
    let twice: Pairs = usual.iter().map(|(name, text)| (name.clone(), text.clone())).collect();
    requests.extend(twice.iter().map(|pair| [&twice[..], std::slice::from_ref(pair)].concat()));
    requests
}

/// Whether a request fits the schemas of its parameters. One without a value counts as absent (RFC 6749, section 3.1).
fn fits(schemas: &BTreeMap<String, &'static Value>, request: &Pairs) -> bool {
    let names: BTreeSet<&String> = request.iter().map(|(name, _)| name).collect();
    let mut given = request.iter().filter(|(_, text)| !text.is_empty());
    let each = given.all(|(name, text)| validator(schemas[name]).is_valid(&text.as_str().into()));
    names.len() == request.len() && each
}

/// Asserts that a request was taken exactly if it fits, and says whether it was. A request that fits may be refused for
/// what no schema can say.
fn assert_agreed(request: &Pairs, fits: bool, refused: Option<String>, answer: &Answer) -> bool {
    let Some(reason) = refused else {
        assert!(fits, "taken, and does not fit: {request:?}\n{answer:?}");
        return true;
    };
    let given = |name: &str| request.iter().any(|(given, text)| given == name && !text.is_empty());
    // A method that is not said is `plain` (RFC 7636, section 4.3).
    let is_plain = reason.contains("`code_challenge_method` must be") && !given("code_challenge_method");
    let is_of_the_domain = is_plain || DOMAIN.iter().any(|domain| reason.contains(domain));
    assert!(!fits || is_of_the_domain, "refused, and fits: {request:?}\n{answer:?}");
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_request_is_taken_exactly_if_it_fits_the_published_parameters() {
    let scene = Scene::new(TestServer::start()).await;
    let (requests, schemas) = (requests(&scene), parameters(QUERY, "query"));
    assert!(requests.len() >= INPUTS, "{} requests", requests.len());
    let mut taken = 0;
    for request in &requests {
        let path = format!("/v1/oauth/authorize?{}", serde_urlencoded::to_string(request).unwrap());
        let sent = scene.server.request(argus_openapi::Host::Auth, Method::GET, &path);
        let answer = scene.server.send(sent).await;
        taken += usize::from(assert_agreed(request, fits(&schemas, request), refusal(&answer), &answer));
    }
    assert!(taken >= 10 && taken + 100 < requests.len(), "{taken} of {}", requests.len());
}

/// Why a browser is not led to the page to sign in.
fn refusal(answer: &Answer) -> Option<String> {
    // Nobody is led anywhere: the parameters cannot be read, or the redirect URI is not the app's.
    if answer.status == 400 {
        let is_page = answer.header("content-type").starts_with("text/html");
        return Some(if is_page { DOMAIN[0].to_owned() } else { "it cannot be read".to_owned() });
    }
    assert_eq!(answer.status, 302, "{answer:?}");
    let location = answer.header("location");
    let (to, query) = location.split_once('?').unwrap_or((location, ""));
    let said: BTreeMap<String, String> = serde_urlencoded::from_str(query).unwrap();
    (to != "/sign-in").then(|| said["error_description"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_authorization_request_is_taken_exactly_if_it_fits_the_published_schema() {
    let scene = Scene::new(TestServer::start()).await;
    let properties = resolve(request_body(FORM).unwrap())["properties"].as_object().unwrap();
    let schemas = properties.iter().map(|(name, schema)| (name.clone(), schema)).collect();
    let requests = requests(&scene);
    let mut taken = 0;
    // What judges them is what judges those of browsers.
    let some = requests.iter().step_by(OVER_A_SOCKET / 10);
    let count = some.len();
    for request in some {
        let form: Vec<(&str, &str)> = request.iter().map(|(name, text)| (&**name, &**text)).collect();
        let answer = scene.post("/v1/oauth/par", &form).await;
        // Bytes are counted before anybody looks at what they say.
        if answer.status == 413 {
            continue;
        }
        let refused = (answer.status != 201).then(|| answer.text("error_description"));
        taken += usize::from(assert_agreed(request, fits(&schemas, request), refused, &answer));
    }
    assert!(taken >= 10 && taken + 100 < count, "{taken} of {count}");
}

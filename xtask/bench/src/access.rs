//! Access on behalf of users, and GraphQL: exchanging a code beside a bare server that signs one token and commits the same
//! two rows on the same engine, and an approved document beside one job.

use crate::database::BenchDatabase;
use crate::exchanger::TABLES;
use crate::load::{Exchange, NUMBER};
use crate::measure::{self, Contender, Plan, compare, load_generator};
use crate::place::{Engine, Lines, Place};
use crate::process::{self, Ready, Under};
use crate::report::Line;
use crate::requests;
use argus_core::pepper::Pepper;
use argus_openapi::graphql::SHIPPED;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;

/// How many codes there are to be exchanged, and how many rows go into one statement.
const CODES: u64 = 80_000;
const AT_ONCE: u64 = 500;

const REDIRECT_URI: &str = "https://partner.example/callback";
/// A verifier and its challenge (RFC 7636, appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// When what is there ends.
const FAR: i64 = 9_000_000_000_000_000;

/// The lines of the table that are about access on an engine.
pub fn lines(plan: &Plan, engine: &Engine, lines: &mut Lines) -> Result<(), Box<dyn Error>> {
    let client = load_generator()?;
    let place = Place::new(engine)?;
    lines.add([client.block_on(exchange(plan, &place.database, place.data()))?]);
    let place = Place::new(engine)?;
    lines.add([client.block_on(graphql(plan, &place.database, place.data()))?]);
    Ok(())
}

/// Exchanging codes beside the bare server.
async fn exchange(plan: &Plan, database: &BenchDatabase, data: &Path) -> Result<Line, Box<dyn Error>> {
    let mut variables = database.migrate(&plan.server, data)?;
    variables.push(("ARGUS_ROLE", "api".to_owned()));
    let (server, ready, _) = process::argus_with(&plan.server, data, Under::Nothing, &variables)?;
    let auth = process::address(&ready.auth)?;
    let app = register(&ready).await?;
    let member = |name: &str| app[name].as_str().ok_or("an app without credentials");
    let (client_id, client_secret) = (member("client_id")?, member("client_secret")?);
    issue(database, &Pepper::open(data)?, &ready.tenant_id, client_id)?;
    database.analyze()?;
    let form = format!(
        "grant_type=authorization_code&code={NUMBER}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}\
         &client_id={client_id}&client_secret={client_secret}"
    );
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let request = || Exchange::new("POST", "/v1/oauth/token", &headers, &form, 200).numbered_from(0);
    let (exchanged, bare) = (request(), request());
    let response: Value = serde_json::from_slice(&exchanged.once(auth).await?)?;
    let claims = data.join("claims.json");
    std::fs::write(&claims, measure::claims(response["access_token"].as_str().ok_or("no access token")?)?)?;
    database.execute(TABLES)?;
    database.execute(&format!(
        "INSERT INTO bare_codes SELECT n, 'fam_0', '{REDIRECT_URI}', '{CHALLENGE}', {FAR}, NULL FROM ({}) AS numbers",
        database.numbers(0..CODES)
    ))?;
    let options = ["--database", &database.url];
    let (exchanger, address) = process::baseline_with("exchanger", &claims, Under::Nothing, &options)?;
    let contenders = [
        Contender { name: "argus", process: &server, address: auth, exchange: &exchanged },
        Contender { name: "hyper that signs and commits", process: &exchanger, address, exchange: &bare },
    ];
    let reached = measure::take_turns(plan, &contenders).await?;
    server.end()?;
    drop(exchanger);
    database.execute("DROP TABLE bare_codes; DROP TABLE bare_refresh_tokens")?;
    Ok(compare(&format!("code exchange on {}", database.engine()), &reached[0], &reached[1], "0.85"))
}

/// An app that exchanges codes.
async fn register(ready: &Ready) -> Result<Value, Box<dyn Error>> {
    let registration = json!({
        "name": "Bench", "grant_types": ["authorization_code"], "redirect_uris": [REDIRECT_URI],
        "requested_scopes": ["argus:jobs:read"],
    });
    let authorization = format!("Bearer {}", ready.admin_token);
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let exchange = Exchange::new("POST", "/v1/platform/apps", &headers, &registration.to_string(), 201);
    Ok(serde_json::from_slice(&exchange.once(process::address(&ready.auth)?).await?)?)
}

/// Issues codes to an app as the service does, each with a family of its own: the numbers from 0 on.
fn issue(
    database: &BenchDatabase,
    pepper: &Pepper,
    tenant_id: &str,
    client_id: &str,
) -> Result<(), Box<dyn Error>> {
    let user = format!("(SELECT user_id FROM users WHERE tenant_id = '{tenant_id}' LIMIT 1)");
    for begin in (0..CODES).step_by(usize::try_from(AT_ONCE)?) {
        let (mut families, mut codes) = (Vec::new(), Vec::new());
        for number in begin..begin + AT_ONCE {
            let code = format!("{number:016x}");
            let hash = URL_SAFE_NO_PAD.encode(pepper.seal("authorization_code", &[&code]));
            families.push(format!(
                "('fam_{code}', '{tenant_id}', {user}, 'session', '{client_id}', '[\"argus:jobs:read\"]', 1, {FAR})"
            ));
            codes.push(format!(
                "('{hash}', '{tenant_id}', 'fam_{code}', '{client_id}', '{REDIRECT_URI}', true, '{CHALLENGE}', {FAR})"
            ));
        }
        database.execute(&format!(
            "INSERT INTO token_families (id, tenant_id, user_id, session_id, client_id, scopes, created_at, expires_at) \
             VALUES {}; INSERT INTO authorization_codes (code_hash, tenant_id, family_id, client_id, redirect_uri, \
             is_redirect_uri_needed, code_challenge, expires_at) VALUES {}",
            families.join(", "),
            codes.join(", ")
        ))?;
    }
    Ok(())
}

/// An approved document beside one job.
async fn graphql(plan: &Plan, database: &BenchDatabase, data: &Path) -> Result<Line, Box<dyn Error>> {
    let mut variables = database.migrate(&plan.server, data)?;
    variables.push(("ARGUS_ROLE", "api".to_owned()));
    let (server, ready, _) = process::argus_with(&plan.server, data, Under::Nothing, &variables)?;
    let (authorization, api) =
        (requests::graphql_authorization(&ready).await?, process::address(&ready.api)?);
    database.execute(&format!(
        "INSERT INTO profiles (tenant_id, id, kind, display_name, secrecy_level, risk_score, relations, created_at, \
         updated_at) VALUES ('{}', 'p1', 'wallet', 'A wallet', 'standard', 65, '[]', 1, 1)",
        ready.tenant_id
    ))?;
    let created: Value = serde_json::from_slice(&requests::new_job(&authorization).once(api).await?)?;
    let path = format!("/v1/jobs/{}", created["id"].as_str().ok_or("no id")?);
    let view = Exchange::new("GET", &path, &[("Authorization", &authorization)], "", 200);
    let (.., document) =
        SHIPPED.iter().find(|(_, name, _)| *name == "profile-risk.graphql").ok_or("no such document")?;
    let body = json!({"query": document, "variables": {"id": "p1"}}).to_string();
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("X-Tenant-ID", ready.tenant_id.as_str()),
    ];
    let document = Exchange::new("POST", "/graphql", &headers, &body, 200);
    let answered: Value = serde_json::from_slice(&document.once(api).await?)?;
    if answered["data"]["profile"]["id"] != "p1" {
        return Err(format!("the document was answered with {answered}").into());
    }
    let contenders = [
        Contender { name: "argus", process: &server, address: api, exchange: &document },
        Contender { name: "job_view", process: &server, address: api, exchange: &view },
    ];
    let reached = measure::take_turns(plan, &contenders).await?;
    server.end()?;
    let what = format!("GraphQL, an approved document, on {}", database.engine());
    Ok(compare(&what, &reached[0], &reached[1], if database.is_postgres() { "-" } else { "0.40" }))
}

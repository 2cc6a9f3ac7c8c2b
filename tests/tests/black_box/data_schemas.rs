//! The data schemas on the live host: those of the contract that the tenant reaches, and what other installations share.

use super::support::binary;
use argus_core::context::Context;
use argus_core::ids::{OrganizationId, TenantId};
use argus_core::store::{Reader, Tx};
use argus_core::{Error, audit};
use argus_openapi::Host;
use argus_openapi::published::SCHEMAS;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Installation, TestServer, on_both_engines, run_on_sqlite, sql};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

on_both_engines! {
    a_tenant_sees_the_schemas_of_what_its_apps_may_be_approved_for
    each_look_is_in_the_audit_trail_of_the_tenant
}

const PATH: &str = "/v1/discovery/data-schemas";
const READ: [Scope; 1] = [Scope::DiscoveryRead];
const TENANT: &str = "tnt_of_the_community";
const ORGANIZATION: &str = "org_of_the_community";

fn ids(list: &Value, member: &str) -> Vec<String> {
    let entries = list[member].as_array().unwrap().iter();
    entries.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

async fn a_tenant_sees_the_schemas_of_what_its_apps_may_be_approved_for(server: TestServer) {
    let caller = server.caller(Host::Api, &READ).await;
    let every: Vec<&str> = SCHEMAS.iter().map(|schema| schema.id).collect();
    let list = caller.get(PATH).await.expect(200).json();
    assert_eq!(ids(&list, "schemas"), every);
    assert_eq!(list["tenant_id"], caller.tenancy.tenant_id);
    assert_eq!((&list["federated_sources"], &list["unavailable_channels"]), (&json!([]), &json!([])),);
    let profile = &list["schemas"][every.iter().position(|id| *id == "argus.profile.v1").unwrap()];
    assert_eq!(profile["schema_url"], "https://api.knogin.com/.well-known/schemas/argus.profile.v1.json");

    let scopes = "argus:discovery:read argus:jobs:read argus:jobs:write";
    let set = ["tenant", "set", "--tenant", &caller.tenancy.tenant_id, "--scopes", scopes];
    let output = server.command(binary(), &set);
    assert!(output.status.success(), "{output:?}");
    let fewer = ids(&caller.get(PATH).await.expect(200).json(), "schemas");
    assert!(fewer.len() < every.len());
    for (id, is_seen) in [
        ("argus.job.v1", true),
        ("argus.api-error.v1", true),
        ("argus.app.v1", true),
        ("argus.profile-enrichment.v1", false),
        ("argus.trace.v1", false),
    ] {
        assert!(every.contains(&id) && fewer.iter().any(|seen| seen == id) == is_seen, "{id}");
    }
    let others = server.caller(Host::Api, &READ).await;
    assert_eq!(ids(&others.get(PATH).await.expect(200).json(), "schemas"), every);
}

async fn each_look_is_in_the_audit_trail_of_the_tenant(server: TestServer) {
    let caller = server.caller(Host::Api, &READ).await;
    caller.get(PATH).await.expect(200);
    caller.get(&format!("{PATH}?include_federated=true&secrecy_max=secret")).await.expect(200);
    caller.get(&format!("{PATH}?secrecy_max=none")).await.expect(400);
    let tenant_id: TenantId = caller.tenancy.tenant_id.parse().unwrap();
    let organization_id: OrganizationId = caller.tenancy.organization_id.parse().unwrap();
    let app = server.state();
    let context = Context::of_operator(tenant_id, organization_id, app.clock.clone());
    let list = |reader: &mut Reader<'_>| Ok::<_, Error>(audit::list(reader, 100)?);
    let events = app.database.requests.read(&context, list).await.unwrap();
    let looks = events.iter().filter(|event| event.action == "discovery.schemas.read");
    assert_eq!(looks.filter(|event| event.subject == caller.tenancy.tenant_id).count(), 2);
}

/// A token of a tenant and an organisation with a clearance.
fn token(server: &TestServer, tenant_id: &str, organization_id: &str, clearance: SecrecyLevel) -> String {
    let mut claims = server.claims(Host::Api, tenant_id, &READ);
    organization_id.clone_into(&mut claims.organization_id);
    claims.secrecy_level = clearance;
    server.sign(&claims)
}

/// A server with these channels: name, URL, token, highest secrecy, and whom they are approved for.
async fn federated(
    mut installation: Installation,
    channels: &[(&str, &str, &str, &str, &str)],
) -> TestServer {
    let mut text = String::new();
    for (name, url, token, secrecy_max, approved) in channels {
        text.push_str(&format!(
            "[[channel]]\nname = {name:?}\nurl = {url:?}\ntoken = {token:?}\nsecrecy_max = {secrecy_max:?}\n{approved}\n"
        ));
    }
    let path = installation.scratch().join("federation.toml");
    write_private(&path, &text);
    installation.settings.federation_file = Some(path);
    let server = installation.into();
    put_tenants(&server, &[TENANT, "tnt_other"]).await;
    server
}

/// Tenants whose names were known before there was a server.
async fn put_tenants(server: &TestServer, names: &[&str]) {
    for name in names {
        let put =
            format!("INSERT INTO tenants (tenant_id, name, created_at) VALUES ('{name}', 'T', '2026-01-01')");
        sql::execute(&mut server.connect(), &put).unwrap();
        let (tenant_id, app) = (name.parse::<TenantId>().unwrap(), server.state());
        let context =
            Context::of_operator(tenant_id.clone(), ORGANIZATION.parse().unwrap(), app.clock.clone());
        let append = move |tx: &mut Tx<'_>| audit::append(tx, "tenant.create", tenant_id.as_str());
        app.database.requests.write(&context, append).await.unwrap();
    }
}

/// Another installation, as it is, and a token for what it lists.
async fn upstream() -> (TestServer, String) {
    let upstream = TestServer::start();
    put_tenants(&upstream, &["tnt_of_ours_there"]).await;
    let token = upstream.sign(&upstream.claims(Host::Api, "tnt_of_ours_there", &READ));
    (upstream, token)
}

fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn what_an_approved_channel_shares_is_shown_to_those_that_it_is_approved_for() {
    run_on_sqlite(|installation: Installation| async {
        let (upstream, of_upstream) = upstream().await;
        let url = upstream.url(Host::Api, PATH);
        let approved_for_tenant = format!("tenants = [{TENANT:?}]");
        let approved_for_organization = format!("organizations = [{ORGANIZATION:?}]");
        let server = federated(
            installation,
            &[
                ("coi-health", &url, &of_upstream, "secret", &approved_for_tenant),
                ("coi-maritime", &url, &of_upstream, "secret", &approved_for_organization),
            ],
        )
        .await;
        let ask = async |tenant_id: &str, organization_id: &str, query: &str| {
            let token = token(&server, tenant_id, organization_id, SecrecyLevel::Standard);
            server.get(Host::Api, &format!("{PATH}{query}"), Some(&token)).await.expect(200).json()
        };
        let channels = |list: &Value| {
            let sources = list["federated_sources"].as_array().unwrap();
            let mut channels: Vec<String> =
                sources.iter().map(|source| source["channel"].as_str().unwrap().to_owned()).collect();
            channels.dedup();
            (channels, sources.len())
        };
        let both = ask(TENANT, ORGANIZATION, "?include_federated=true").await;
        assert_eq!(channels(&both), (vec!["coi-health".into(), "coi-maritime".into()], 2 * SCHEMAS.len()));
        assert_eq!(both["unavailable_channels"], json!([]));
        let first = &both["federated_sources"][0];
        assert_eq!((&first["id"], &first["title"]), (&json!(SCHEMAS[0].id), &json!(SCHEMAS[0].title)));
        let one = ask(TENANT, "org_other", "?include_federated=true").await;
        assert_eq!(channels(&one), (vec!["coi-health".into()], SCHEMAS.len()));
        for (tenant_id, organization_id, query) in [
            ("tnt_other", "org_other", "?include_federated=true"),
            (TENANT, ORGANIZATION, ""),
            (TENANT, ORGANIZATION, "?include_federated=false"),
        ] {
            let none = ask(tenant_id, organization_id, query).await;
            assert_eq!(channels(&none), (vec![], 0), "{tenant_id} {query}");
        }
    });
}

#[test]
fn a_channel_that_fails_is_named_and_costs_the_others_nothing() {
    run_on_sqlite(|installation: Installation| async {
        let (upstream, of_upstream) = upstream().await;
        let good = upstream.url(Host::Api, PATH);
        let no_catalogue = upstream.url(Host::Auth, "/.well-known/jwks.json");
        // Takes connections and never answers.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = format!("http://{}{PATH}", silent.local_addr().unwrap());
        let approved = format!("tenants = [{TENANT:?}]");
        let server = federated(
            installation,
            &[
                ("a-good", &good, &of_upstream, "standard", &approved),
                ("b-refused", &good, "no-token", "standard", &approved),
                ("c-nobody", "http://127.0.0.1:9/", "t", "standard", &approved),
                ("d-no-catalogue", &no_catalogue, "t", "standard", &approved),
                ("e-silent", &silent, "t", "standard", &approved),
                ("f-private", "https://10.255.255.1/", "t", "standard", &approved),
                ("g-metadata", "http://169.254.169.254/latest", "t", "standard", &approved),
            ],
        )
        .await;
        let token = token(&server, TENANT, ORGANIZATION, SecrecyLevel::Standard);
        let path = format!("{PATH}?include_federated=true");
        let list = server.get(Host::Api, &path, Some(&token)).await.expect(200).json();
        assert_eq!(ids(&list, "federated_sources").len(), SCHEMAS.len());
        let failed = ["b-refused", "c-nobody", "d-no-catalogue", "e-silent", "f-private", "g-metadata"];
        assert_eq!(list["unavailable_channels"], json!(failed));
    });
}

#[test]
fn a_file_of_channels_that_cannot_be_used_is_refused_before_there_is_any_data() {
    run_on_sqlite(|installation: Installation| async move {
        let path = installation.scratch().join("federation.toml");
        let data_dir = installation.scratch().join("nothing");
        let start = |text: &str, mode: u32| {
            write_private(&path, text);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let arguments = ["serve", "--federation-file", path.to_str().unwrap()];
            let output = argus_tests::argus(binary(), &data_dir, &arguments);
            assert!(!output.status.success() && !data_dir.exists(), "{output:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        let channel = "[[channel]]\nname = \"coi\"\nurl = \"https://a.example/\"\ntoken = \"hunter2\"\n";
        let unapproved = start(channel, 0o600);
        assert!(unapproved.contains("channel `coi`") && !unapproved.contains("hunter2"), "{unapproved}");
        let open = start(&format!("{channel}tenants = [\"tnt_1\"]\n"), 0o644);
        assert!(open.contains("federation.toml") && open.contains("read"), "{open}");
    });
}

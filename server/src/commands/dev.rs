//! `argus dev`: all three hosts on this machine, a demo tenant and app, and lines to paste.

use super::ready_file::{Demo, Ready};
use super::run::{self, Running};
use super::{CommandResult, print};
use crate::hosts::{App, BaseUrls};
use crate::provider::StandIn;
use crate::scenarios;
use crate::service::{self, Names, Service};
use crate::settings::{DevArgs, Role, Settings};
use argus_core::context::{Context, Live};
use argus_core::files::{self, Replace};
use argus_core::ids::ClientId;
use argus_core::pepper::fresh_secret;
use argus_core::tenants::{self, Tenant};
use argus_core::users::NewUser;
use argus_openapi::Host;
use argus_openapi::graphql::Bundles;
use argus_openapi::types::apps::{AppCreate, GovernanceUpdate, GrantType};
use argus_openapi::types::common::{SecrecyLevel, Timestamp, WholeNumber};
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{SANDBOX_TTL_MAX, SandboxTokenCreate};
use argus_partner::connectors::System;
use argus_partner::{Error, apps, bootstrap, tokens};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// A kept token is replaced when less than this is left of it, in seconds.
const RENEW_BELOW: i64 = 3600;
/// With what the demo user signs in.
const DEMO_EMAIL: &str = "demo@example.com";

/// What `dev` keeps, owner-only, so that a restart prints the same.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Credentials {
    issuer: String,
    /// Other issuers that this data directory has had: a service on a free port has another one each time.
    #[serde(default)]
    former_issuers: Vec<String>,
    tenant_id: String,
    client_id: String,
    client_secret: String,
    admin_token: String,
    /// What was kept by an earlier version has none.
    #[serde(default)]
    live_token: String,
    sandbox_token: String,
    expires_at: Timestamp,
    /// Of the demo user; what was kept by an earlier version has none.
    #[serde(default)]
    user_password: String,
}

pub(super) fn dev(DevArgs { run: args, with_provider }: &DevArgs, config: Option<&Path>) -> CommandResult {
    let mut settings = Settings::load(&args.options, config)?;
    if settings.role == Role::Worker {
        return Err(
            "argus dev serves the hosts; a node that only works is `argus serve --role worker`".into()
        );
    }
    // Receivers under development are on this machine.
    settings.dialler.loopback = true;
    run::block_on(async {
        let provider = if *with_provider { Some(stand_in(&mut settings).await?) } else { None };
        let kept = settings.identity.data_dir.join("dev.json");
        let former_issuers = former_issuers(&kept, &settings.identity.issuer);
        let running = Running::start(&settings, args.ready_file.as_deref(), |addresses| {
            let [auth, api, sandbox] = Host::ALL.map(|host| addresses.base_url(host));
            Names {
                // Clients look for the metadata of an issuer where its URL leads.
                issuer: settings.auth_url.clone().unwrap_or_else(|| auth.clone()),
                base_urls: BaseUrls { auth, api, sandbox },
                former_issuers: former_issuers.clone(),
            }
        })?;
        let turn = service::take_turn(&settings)?;
        let credentials = credentials(&running.service.app, &kept).await?;
        drop(turn);
        // Examples and tools find a development server without being told.
        let ready_file =
            args.ready_file.clone().unwrap_or_else(|| settings.identity.data_dir.join("ready.json"));
        announce(&ready_file, &running.service, &credentials)?;
        if let Some(provider) = &provider {
            announce_provider(provider, &running.service.app, &credentials)?;
        }
        let watching = watch(&settings, &running.service.app);
        let outcome = running.until_signal().await;
        watching.iter().for_each(tokio::task::AbortHandle::abort);
        outcome
    })
}

/// Loads the scenarios anew whenever their directory changes.
fn watch(settings: &Settings, app: &Arc<App>) -> Option<tokio::task::AbortHandle> {
    let (directory, sandbox) = (settings.scenario_dir.clone()?, Arc::clone(&app.sandbox));
    let watching = async move {
        scenarios::watch(directory, &sandbox, |line| eprintln!("argus: {line}")).await;
    };
    Some(tokio::spawn(watching).abort_handle())
}

/// Starts the provider that stands in for every system that is not configured.
async fn stand_in(settings: &mut Settings) -> Result<StandIn, Box<dyn std::error::Error>> {
    let provider = StandIn::start().await?;
    for system in System::ALL {
        settings.connectors.providers.entry(system).or_insert(provider.provider()?);
    }
    Ok(provider)
}

/// The issuers whose tokens this data directory may have given out: those that `dev` had, and the one by
/// which `argus token` calls itself.
fn former_issuers(kept: &Path, usual: &str) -> Vec<String> {
    let kept = files::read(kept).ok().and_then(|text| serde_json::from_str::<Credentials>(&text).ok());
    let kept = kept.into_iter().flat_map(|kept| kept.former_issuers.into_iter().chain([kept.issuer]));
    kept.chain([usual.to_owned()]).collect()
}

async fn credentials(app: &App, kept: &Path) -> Result<Credentials, Box<dyn std::error::Error>> {
    let issuer = app.identity.issuer();
    let mut credentials = match read(kept)? {
        Some(credentials) if is_usable(app, &credentials).await? => credentials,
        _ => create(app, issuer).await?,
    };
    if credentials.issuer != issuer {
        let former = std::mem::replace(&mut credentials.issuer, issuer.to_owned());
        if !credentials.former_issuers.contains(&former) {
            credentials.former_issuers.push(former);
        }
    }
    let left = credentials.expires_at.timestamp() - app.clock.now().timestamp();
    if left < RENEW_BELOW || credentials.live_token.is_empty() {
        renew(app, &mut credentials).await?;
    }
    demo_user(app, &mut credentials).await?;
    let text = serde_json::to_vec_pretty(&credentials)?;
    files::write(kept, &text, Replace::Existing).map_err(|error| unusable(kept, &error))?;
    Ok(credentials)
}

/// The kept credentials, or none at the first start. A file that holds none is moved out of the way,
/// because the demo tenant in it is not the only copy of anything.
fn read(kept: &Path) -> Result<Option<Credentials>, Box<dyn std::error::Error>> {
    let text = match files::read(kept) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
        other => other.map_err(|error| unusable(kept, &error))?,
    };
    // The error would show a part of the file.
    if let Ok(credentials) = serde_json::from_str(&text) {
        return Ok(Some(credentials));
    }
    let aside = kept.with_extension("json.unreadable");
    std::fs::rename(kept, &aside).map_err(|error| unusable(kept, &error))?;
    eprintln!(
        "argus: {} holds no credentials; it is now {}, and new credentials are made",
        kept.display(),
        aside.display()
    );
    Ok(None)
}

fn unusable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot use {}: {error}", path.display())
}

/// Whether the kept credentials belong to this store and to a key that is still published.
async fn is_usable(app: &App, credentials: &Credentials) -> Result<bool, Error> {
    let identity = &app.identity;
    let Ok(tenant) = tenant(app, credentials).await else { return Ok(false) };
    let Ok(client_id) = credentials.client_id.parse::<ClientId>() else { return Ok(false) };
    let known = apps::view(identity, &operator(app, &tenant), &client_id).await.is_ok();
    Ok(known && identity.keys().verify_signature(&credentials.admin_token).is_ok())
}

async fn tenant(app: &App, credentials: &Credentials) -> Result<Tenant, Error> {
    let unknown = |_| Error::from(argus_core::Error::NotFound("tenant"));
    let tenant_id = credentials.tenant_id.parse().map_err(unknown)?;
    Ok(tenants::view(&app.database.requests, &tenant_id).await?)
}

fn operator(app: &App, tenant: &Tenant) -> Context<Live> {
    tenant.operator(&app.clock)
}

/// The demo tenant and its app, approved for every partner scope and every bundle that ships.
async fn create(app: &App, issuer: &str) -> Result<Credentials, Error> {
    let identity = &app.identity;
    let tenant = bootstrap::first_tenant(identity).await?;
    let administrator = operator(app, &tenant);
    let request = AppCreate {
        name: "Demo app".parse().map_err(Error::fault)?,
        grant_types: vec![GrantType::ClientCredentials],
        redirect_uris: Vec::new(),
        requested_scopes: Scope::partner().collect(),
        token_endpoint_auth_method: None,
        jwks: None,
    };
    let created = apps::create(identity, &administrator, &request).await?;
    let client_id = created.app.client_id.parse().map_err(Error::fault)?;
    let secret = created.client_secret.ok_or_else(|| Error::fault("the demo app is no public client"))?;
    // What the sandbox runs for everybody, the demo app may run on the live host, too.
    let approved_bundles = Some(Bundles::shipped().iter().map(|bundle| bundle.id.clone()).collect());
    let allow_service_tokens = Some(true);
    let allow = GovernanceUpdate { allow_service_tokens, approved_bundles, ..GovernanceUpdate::default() };
    apps::governance_update(identity, &administrator, &client_id, &allow).await?;
    let mut credentials = Credentials {
        issuer: issuer.to_owned(),
        former_issuers: Vec::new(),
        tenant_id: tenant.tenant_id.into(),
        client_id: client_id.into(),
        client_secret: secret.expose().to_owned(),
        admin_token: String::new(),
        live_token: String::new(),
        sandbox_token: String::new(),
        expires_at: Timestamp::default(),
        user_password: String::new(),
    };
    renew(app, &mut credentials).await?;
    Ok(credentials)
}

/// Sees to it that the demo user is there and has the password that is kept.
async fn demo_user(app: &App, credentials: &mut Credentials) -> Result<(), Error> {
    let (users, kept) = (&app.users, SecretText::from(credentials.user_password.clone()));
    if users.authenticate(DEMO_EMAIL, &kept).await?.is_some() {
        return Ok(());
    }
    credentials.user_password = fresh_secret().map_err(Error::fault)?;
    let (email, password) = (DEMO_EMAIL.parse()?, credentials.user_password.parse()?);
    match users.named(&email).await {
        Ok(user) => {
            let administrator = operator(app, &tenants::view(&app.database.requests, &user.tenant_id).await?);
            users.set_password(&administrator, &user.id, &password).await?;
            Ok(users.enable(&administrator, &user.id).await?)
        }
        Err(_) => {
            let name = "Demo user".parse().map_err(Error::fault)?;
            let new = NewUser { email, name, secrecy_level: SecrecyLevel::default(), scopes: None };
            let administrator = operator(app, &tenant(app, credentials).await?);
            users.add(&administrator, new, Some(&password)).await?;
            Ok(())
        }
    }
}

async fn renew(app: &App, credentials: &mut Credentials) -> Result<(), Error> {
    let identity = &app.identity;
    let tenant = tenant(app, credentials).await?;
    let admin =
        tokens::operator_token_create(identity, &tenant, &[Scope::PlatformAdmin], SANDBOX_TTL_MAX).await?;
    let scopes: Vec<Scope> = Scope::partner().collect();
    let live = tokens::operator_token_create(identity, &tenant, &scopes, SANDBOX_TTL_MAX).await?;
    let request =
        SandboxTokenCreate { scenarios: Vec::new(), ttl_seconds: Some(WholeNumber(SANDBOX_TTL_MAX)) };
    let client_id = credentials.client_id.parse().map_err(Error::fault)?;
    let sandbox =
        tokens::sandbox_token_create(identity, &operator(app, &tenant), &client_id, &request, app).await?;
    credentials.admin_token = admin.token.expose().to_owned();
    credentials.sandbox_token = sandbox.token.expose().to_owned();
    credentials.live_token = live.token.expose().to_owned();
    credentials.expires_at = admin.expires_at.min(live.expires_at).min(sandbox.expires_at);
    Ok(())
}

fn announce(ready_file: &Path, service: &Service, credentials: &Credentials) -> CommandResult {
    let [auth, api, sandbox] = Host::ALL.map(|host| service.app.addresses.base_url(host));
    let ready = ready_file.display();
    let Credentials {
        tenant_id,
        client_id,
        client_secret,
        admin_token,
        live_token,
        sandbox_token,
        user_password,
        ..
    } = credentials;
    print(format!(
        "argus dev: three hosts are up. Ctrl-C stops them; a restart prints the same credentials.

  auth     {auth}
  api      {api}
  sandbox  {sandbox}

  tenant         {tenant_id}
  client id      {client_id}
  client secret  {client_secret}

  sign in at     {auth}/sign-in
  as             {DEMO_EMAIL}
  password       {user_password}

Paste these lines into another terminal; they work for a day:

export SANDBOX_TOKEN={sandbox_token}
export LIVE_TOKEN={live_token}
export ADMIN_TOKEN={admin_token}

# The same request gives the same bytes, twice:
curl -sw '\\n' {sandbox}/v1/jobs -H \"Authorization: Bearer $SANDBOX_TOKEN\" -H 'Content-Type: application/json' -d '{{\"kind\": \"intelligence.enrich.bulk\", \"payload\": {{\"profile_ids\": [\"p1\", \"p2\"]}}}}'
curl -sw '\\n' {sandbox}/v1/jobs -H \"Authorization: Bearer $SANDBOX_TOKEN\" -H 'Content-Type: application/json' -d '{{\"kind\": \"intelligence.enrich.bulk\", \"payload\": {{\"profile_ids\": [\"p1\", \"p2\"]}}}}'

# The scenario catalogue, and a token that is pinned to one scenario:
curl -sw '\\n' {sandbox}/v1/sandbox/scenarios -H \"Authorization: Bearer $SANDBOX_TOKEN\"
curl -sw '\\n' -X POST {auth}/v1/platform/apps/{client_id}/sandbox-token -H \"Authorization: Bearer $ADMIN_TOKEN\" -H 'Content-Type: application/json' -d '{{\"scenarios\": [\"wallet.high-risk\"]}}'

# The same through the SDK, from this repository:
ARGUS_READY_FILE={ready} cargo run --package argus-sdk --example quick_start

# Import, enrich, export and download, once on each surface:
ARGUS_URL={sandbox} ARGUS_TOKEN=$SANDBOX_TOKEN cargo run --package argus-sdk --example import_enrich_export -- /tmp
ARGUS_URL={api} ARGUS_TOKEN=$LIVE_TOKEN cargo run --package argus-sdk --example import_enrich_export -- /tmp

# Webhooks, to a receiver of its own on this machine:
ARGUS_READY_FILE={ready} cargo run --package argus-sdk --features axum --example receive_webhooks

# Somebody signs in at an app, in the browser, as above:
ARGUS_READY_FILE={ready} cargo run --package argus-sdk --features loopback --example sign_in

# The contract:
curl -sw '\\n' {api}/.well-known/openapi.json
"
    ))?;
    let demo = Demo {
        admin_token,
        live_token,
        sandbox_token,
        tenant_id,
        client_id,
        client_secret,
        user_email: DEMO_EMAIL,
        user_password,
    };
    Ready { hosts: service.urls(), demo: Some(demo) }.write(ready_file)
}

fn announce_provider(provider: &StandIn, app: &App, credentials: &Credentials) -> CommandResult {
    let [auth, api, _] = Host::ALL.map(|host| app.addresses.base_url(host));
    let Credentials { client_id, client_secret, .. } = credentials;
    let url = provider.url();
    print(format!(
        "A provider at {url} stands in for each of the systems finance, osint, dispatch and telemetry that is not configured.
To see it work, import a profile, and enrich it a moment later:

export LIVE_TOKEN=$(curl -s {auth}/v1/oauth/token -u {client_id}:{client_secret} -d grant_type=client_credentials | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')
curl -sw '\\n' {api}/v1/jobs -H \"Authorization: Bearer $LIVE_TOKEN\" -H 'Content-Type: application/json' -d '{{\"kind\": \"import.bulk\", \"payload\": {{\"profiles\": [{{\"id\": \"p1\", \"kind\": \"wallet\", \"display_name\": \"Wallet p1\"}}]}}}}'
curl -sw '\\n' -X POST {api}/v1/profiles/p1/enrich -H \"Authorization: Bearer $LIVE_TOKEN\"
"
    ))
}

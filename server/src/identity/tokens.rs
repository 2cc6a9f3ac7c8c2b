//! Minting for administrators and the operator: service, sandbox and operator tokens. Client
//! credentials live in [`super::oauth`]; reading tokens lives in [`super::signing_keys`].

use super::claims::{AUDIENCE_LIVE, AUDIENCE_SANDBOX, Claims};
use super::signing_keys::TOKEN_LIFETIME_MAX;
use super::tenants::Tenant;
use super::{Identity, OPERATOR, apps, audit, ids};
use crate::gate::Principal;
use crate::problem::{Outcome, Problem};
use crate::store::{self, apps as rows};
use argus_openapi::types::common::{SecrecyLevel, Timestamp};
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::tokens::{SandboxToken, SandboxTokenCreate, ServiceToken, ServiceTokenCreate};
use argus_openapi::{Access, Host, Operation};
use chrono::{DateTime, Utc};

/// Lifetime of service tokens and of client credentials tokens, in seconds.
pub const TOKEN_LIFETIME: u32 = 3_600;

/// Scopes that every sandbox token carries.
const SANDBOX_SCOPES: [Scope; 4] =
    [Scope::ProfilesRead, Scope::ProfilesWrite, Scope::JobsRead, Scope::JobsWrite];

/// What a token says that differs from one to the next.
pub(super) struct Grant<'a> {
    pub(super) audience: &'static str,
    pub(super) client_id: &'a str,
    pub(super) tenant_id: &'a str,
    pub(super) organization_id: &'a str,
    pub(super) scopes: &'a [Scope],
    pub(super) lifetime: i64,
    pub(super) scenarios: Option<Vec<String>>,
}

/// A signed token and the end of its life.
pub(super) struct Minted {
    pub(super) token: String,
    pub(super) expires_at: Timestamp,
}

/// Signs a token that says `grant`.
pub(super) fn mint(identity: &Identity, grant: Grant<'_>) -> Outcome<Minted> {
    let issued_at = Utc::now().timestamp();
    let claims = Claims {
        iss: identity.issuer.clone(),
        sub: grant.client_id.to_owned(),
        aud: grant.audience.to_owned(),
        exp: issued_at + grant.lifetime,
        iat: issued_at,
        jti: ids::ulid().map_err(Problem::internal)?.to_string(),
        client_id: grant.client_id.to_owned(),
        scope: join(grant.scopes),
        tenant_id: grant.tenant_id.to_owned(),
        organization_id: grant.organization_id.to_owned(),
        // Apps have no clearance of their own, so their tokens carry the lowest.
        secrecy_level: SecrecyLevel::default(),
        scenarios: grant.scenarios,
    };
    let expires_at = DateTime::from_timestamp(claims.exp, 0)
        .ok_or_else(|| Problem::internal("the clock is outside the range of dates"))?;
    let token = identity.keys.sign(&claims).map_err(Problem::internal)?;
    Ok(Minted { token, expires_at })
}

/// Mints a service token for an app whose governance allows it.
pub async fn service_token_create(
    identity: &Identity,
    caller: &Principal,
    client_id: &str,
    request: &ServiceTokenCreate,
) -> Outcome<ServiceToken> {
    let row = find_app(identity, caller, client_id).await?;
    if !row.allow_service_tokens {
        return Err(Problem::new(
            ErrorCode::ServiceTokensNotAllowed,
            "the app's governance does not allow service tokens; set `allow_service_tokens` first",
        ));
    }
    let approved: Vec<Scope> = apps::from_json(&row.approved_scopes)?;
    let scopes = apps::distinct(&request.scopes);
    if scopes.is_empty() {
        return Err(Problem::invalid("`scopes` needs at least one entry"));
    }
    if let Some(scope) = scopes.iter().find(|scope| !approved.contains(scope)) {
        return Err(Problem::new(
            ErrorCode::ScopeNotApproved,
            format!("the app is not approved for `{scope}`"),
        ));
    }
    record(identity, caller, "app.service_token.create", client_id).await?;
    let minted = mint(identity, live(&row, &scopes))?;
    Ok(ServiceToken { token: minted.token.into(), expires_at: minted.expires_at })
}

/// Mints a sandbox token for an app. `sandbox_host` is the base URL to use it at; `validate` knows the
/// scenarios: it answers with the set to pin, sorted, or with a message that names the valid ids.
pub async fn sandbox_token_create(
    identity: &Identity,
    caller: &Principal,
    client_id: &str,
    request: &SandboxTokenCreate,
    sandbox_host: &str,
    validate: impl Fn(&[String]) -> Result<Vec<String>, String>,
) -> Outcome<SandboxToken> {
    let row = find_app(identity, caller, client_id).await?;
    let pinned =
        validate(&request.scenarios).map_err(|message| Problem::new(ErrorCode::UnknownScenario, message))?;
    let approved: Vec<Scope> = apps::from_json(&row.approved_scopes)?;
    let scopes = sandbox_scopes(&approved);
    record(identity, caller, "app.sandbox_token.create", client_id).await?;
    let minted = mint(
        identity,
        Grant {
            audience: AUDIENCE_SANDBOX,
            lifetime: request.ttl_seconds(),
            scenarios: Some(pinned),
            ..live(&row, &scopes)
        },
    )?;
    Ok(SandboxToken {
        token: minted.token.into(),
        expires_at: minted.expires_at,
        audience: AUDIENCE_SANDBOX.to_owned(),
        scopes,
        sandbox_host: sandbox_host.to_owned(),
        scenarios: apps::distinct(&request.scenarios),
    })
}

/// Mints a live token for the operator inside `tenant`; the lifetime is clamped to 1 minute to 24 hours.
pub async fn operator_token_create(
    identity: &Identity,
    tenant: &Tenant,
    scopes: &[Scope],
    lifetime_seconds: i64,
) -> Outcome<ServiceToken> {
    let scopes = apps::distinct(scopes);
    if scopes.is_empty() {
        return Err(Problem::invalid("name at least one scope"));
    }
    record(identity, &tenant.operator(), "operator.token.create", OPERATOR).await?;
    let minted = mint(
        identity,
        Grant {
            audience: AUDIENCE_LIVE,
            client_id: OPERATOR,
            tenant_id: &tenant.tenant_id,
            organization_id: &tenant.organization_id,
            scopes: &scopes,
            lifetime: lifetime_seconds.clamp(60, TOKEN_LIFETIME_MAX),
            scenarios: None,
        },
    )?;
    Ok(ServiceToken { token: minted.token.into(), expires_at: minted.expires_at })
}

/// Scopes as they stand in a token.
pub(super) fn join(scopes: &[Scope]) -> String {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    names.join(" ")
}

/// The scopes that every sandbox token carries, then those of the sandbox host that the app is
/// approved for, in catalogue order.
fn sandbox_scopes(approved: &[Scope]) -> Vec<Scope> {
    let served = |scope: Scope| {
        let mut operations = Operation::ALL.iter();
        operations.any(|operation| {
            operation.served_by(Host::Sandbox) && operation.row().access == Access::Scope(scope)
        })
    };
    let further = Scope::catalogue()
        .filter(|scope| !SANDBOX_SCOPES.contains(scope) && approved.contains(scope) && served(*scope));
    SANDBOX_SCOPES.into_iter().chain(further).collect()
}

fn live<'a>(row: &'a rows::AppRow, scopes: &'a [Scope]) -> Grant<'a> {
    Grant {
        audience: AUDIENCE_LIVE,
        client_id: &row.client_id,
        tenant_id: &row.tenant_id,
        organization_id: &row.organization_id,
        scopes,
        lifetime: i64::from(TOKEN_LIFETIME),
        scenarios: None,
    }
}

async fn find_app(identity: &Identity, caller: &Principal, client_id: &str) -> Outcome<rows::AppRow> {
    let (tenant_id, client_id) = (caller.tenant_id.clone(), client_id.to_owned());
    let row =
        identity.store.run(move |connection| Ok(rows::find(connection, &tenant_id, &client_id)?)).await?;
    row.ok_or_else(apps::no_such_app)
}

/// An audit entry precedes the token: no token without one.
async fn record(identity: &Identity, caller: &Principal, action: &'static str, subject: &str) -> Outcome<()> {
    let event = audit::event(caller, action, subject, store::now())?;
    identity.store.run(move |connection| Ok(store::audit::append(connection, &event)?)).await
}

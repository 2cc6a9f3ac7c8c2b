//! Minting for administrators and the operator: service, sandbox and operator tokens. Client
//! credentials live in [`crate::oauth`]; reading tokens lives in [`crate::signing_keys`].

use crate::claims::{AUDIENCE_LIVE, AUDIENCE_SANDBOX, Claims};
use crate::error::Error;
use crate::signing_keys::TOKEN_LIFETIME_MAX;
use crate::store::apps::AppRow;
use crate::{Identity, apps};
use argus_core::audit;
use argus_core::context::{Actor, Context, Live};
use argus_core::ids::{self, ClientId};
use argus_core::tenants::Tenant;
use argus_openapi::types::common::{SecrecyLevel, Timestamp};
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::tokens::{SandboxToken, SandboxTokenCreate, ServiceToken, ServiceTokenCreate};
use argus_openapi::{Access, Host, Operation};
use chrono::DateTime;

/// Lifetime of service tokens and of client credentials tokens, in seconds.
pub const TOKEN_LIFETIME: u32 = 3_600;

/// Scopes that every sandbox token carries.
const SANDBOX_SCOPES: [Scope; 4] =
    [Scope::ProfilesRead, Scope::ProfilesWrite, Scope::JobsRead, Scope::JobsWrite];

/// What a token says that differs from one to the next.
pub(crate) struct Grant<'a> {
    pub(crate) audience: &'static str,
    pub(crate) subject: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) tenant_id: &'a str,
    pub(crate) organization_id: &'a str,
    pub(crate) scopes: &'a [Scope],
    pub(crate) secrecy_level: SecrecyLevel,
    pub(crate) lifetime: i64,
    pub(crate) family: Option<&'a str>,
    pub(crate) scenarios: Option<Vec<String>>,
}

/// A signed token and the end of its life.
pub(crate) struct Minted {
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
}

/// Signs a token that says `grant`.
pub(crate) fn mint(identity: &Identity, grant: Grant<'_>) -> Result<Minted, Error> {
    let issued_at = identity.clock.now().timestamp();
    let claims = Claims {
        iss: identity.issuer.clone(),
        sub: grant.subject.to_owned(),
        aud: grant.audience.to_owned(),
        exp: issued_at + grant.lifetime,
        iat: issued_at,
        nbf: None,
        jti: ids::ulid(&identity.clock).map_err(Error::fault)?.to_string(),
        client_id: grant.client_id.to_owned(),
        scope: join(grant.scopes),
        tenant_id: grant.tenant_id.to_owned(),
        organization_id: grant.organization_id.to_owned(),
        secrecy_level: grant.secrecy_level,
        sid: grant.family.map(str::to_owned),
        scenarios: grant.scenarios,
    };
    let expires_at = DateTime::from_timestamp(claims.exp, 0)
        .ok_or_else(|| Error::fault("the clock is outside the range of dates"))?;
    let token = identity.keys.sign(&claims).map_err(Error::fault)?;
    Ok(Minted { token, expires_at: expires_at.into() })
}

/// Mints a service token for an app whose governance allows it.
pub async fn service_token_create(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
    request: &ServiceTokenCreate,
) -> Result<ServiceToken, Error> {
    let row = apps::load(identity, context, client_id).await?;
    not_suspended(&row)?;
    if !row.allow_service_tokens {
        return Err(Error::refused(
            ErrorCode::ServiceTokensNotAllowed,
            "the app's governance does not allow service tokens; set `allow_service_tokens` first",
        ));
    }
    let approved: Vec<Scope> = apps::from_json(&row.approved_scopes)?;
    let scopes = apps::distinct(&request.scopes);
    if scopes.is_empty() {
        return Err(Error::invalid("`scopes` needs at least one entry"));
    }
    if let Some(scope) = scopes.iter().find(|scope| !approved.contains(scope)) {
        return Err(Error::refused(
            ErrorCode::ScopeNotApproved,
            format!("the app is not approved for `{scope}`"),
        ));
    }
    record(identity, context, "app.service_token.create", client_id.as_str()).await?;
    let minted = mint(identity, live(&row, &scopes))?;
    Ok(ServiceToken { token: minted.token.into(), expires_at: minted.expires_at })
}

/// No tokens are minted for an app that an administrator has stopped.
fn not_suspended(row: &AppRow) -> Result<(), Error> {
    match row.is_suspended {
        true => Err(Error::refused(ErrorCode::Conflict, "the app is suspended")),
        false => Ok(()),
    }
}

/// What minting needs to know of the sandbox.
pub trait SandboxHost {
    /// Base URL to use a token at.
    fn base_url(&self) -> &str;

    /// The set of scenarios to pin, sorted, or a message that names the valid ids.
    fn pinned(&self, ids: &[String]) -> Result<Vec<String>, String>;
}

/// Mints a sandbox token for an app.
pub async fn sandbox_token_create(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
    request: &SandboxTokenCreate,
    sandbox: &impl SandboxHost,
) -> Result<SandboxToken, Error> {
    let row = apps::load(identity, context, client_id).await?;
    not_suspended(&row)?;
    let scenarios: Vec<String> = request.scenarios.iter().map(ToString::to_string).collect();
    let pinned =
        sandbox.pinned(&scenarios).map_err(|message| Error::refused(ErrorCode::UnknownScenario, message))?;
    let approved: Vec<Scope> = apps::from_json(&row.approved_scopes)?;
    let scopes = sandbox_scopes(&approved);
    record(identity, context, "app.sandbox_token.create", client_id.as_str()).await?;
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
        sandbox_host: sandbox.base_url().to_owned(),
        scenarios: apps::distinct(&scenarios),
    })
}

/// Mints a live token for the operator inside `tenant`; the lifetime is clamped to 1 minute to 24 hours.
pub async fn operator_token_create(
    identity: &Identity,
    tenant: &Tenant,
    scopes: &[Scope],
    lifetime_seconds: i64,
) -> Result<ServiceToken, Error> {
    let scopes = apps::distinct(scopes);
    if scopes.is_empty() {
        return Err(Error::invalid("name at least one scope"));
    }
    record(identity, &tenant.operator(&identity.clock), "operator.token.create", Actor::OPERATOR).await?;
    let minted = mint(
        identity,
        Grant {
            audience: AUDIENCE_LIVE,
            subject: Actor::OPERATOR,
            client_id: Actor::OPERATOR,
            tenant_id: tenant.tenant_id.as_str(),
            organization_id: tenant.organization_id.as_str(),
            scopes: &scopes,
            secrecy_level: SecrecyLevel::default(),
            lifetime: lifetime_seconds.clamp(60, TOKEN_LIFETIME_MAX),
            family: None,
            scenarios: None,
        },
    )?;
    Ok(ServiceToken { token: minted.token.into(), expires_at: minted.expires_at })
}

/// Scopes as they stand in a token.
pub(crate) fn join(scopes: &[Scope]) -> String {
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

fn live<'a>(row: &'a AppRow, scopes: &'a [Scope]) -> Grant<'a> {
    Grant {
        audience: AUDIENCE_LIVE,
        subject: row.client_id.as_str(),
        client_id: row.client_id.as_str(),
        tenant_id: row.tenant_id.as_str(),
        organization_id: row.organization_id.as_str(),
        scopes,
        // Apps have no clearance of their own, so their tokens carry the lowest.
        secrecy_level: SecrecyLevel::default(),
        lifetime: i64::from(TOKEN_LIFETIME),
        family: None,
        scenarios: None,
    }
}

/// An audit entry precedes the token: no token without one.
async fn record(
    identity: &Identity,
    context: &Context<Live>,
    action: &'static str,
    subject: &str,
) -> Result<(), Error> {
    let subject = subject.to_owned();
    Ok(identity.store.write(context, move |tx| audit::append(tx, action, &subject)).await?)
}

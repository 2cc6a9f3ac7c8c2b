//! Apps of the caller's tenant: registration, reading, governance and secret rotation.

use crate::Identity;
use crate::error::Error;
use crate::store::apps::{self as rows, AppPosition, AppRow, GovernanceChange};
use argus_core::context::{Context, Live};
use argus_core::deliveries::signing_secrets::{self, PURPOSE};
use argus_core::ids::ClientId;
use argus_core::page::PageRequest;
use argus_core::{audit, pepper};
use argus_openapi::types::apps::{
    App, AppCallbackSecret, AppCreate, AppCreated, AppGovernance, AppList, AppSecret, Governance,
    GovernanceUpdate, GrantType,
};
use argus_openapi::types::common::{PAGE_LIMIT_MAX, PageQuery};
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::webhooks::SECRET_OVERLAP_SECONDS;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Registers an app. The secrets in the answer are shown this once.
pub async fn create(
    identity: &Identity,
    context: &Context<Live>,
    request: &AppCreate,
) -> Result<AppCreated, Error> {
    let grant_types = distinct(&request.grant_types);
    let requested_scopes = distinct(&request.requested_scopes);
    if let Some(scope) =
        requested_scopes.iter().find(|scope| !Scope::catalogue().any(|known| known == **scope))
    {
        return Err(Error::invalid(format!("`requested_scopes`: `{scope}` is not a scope of the catalogue")));
    }
    if grant_types.is_empty() || requested_scopes.is_empty() {
        return Err(Error::invalid("`grant_types` and `requested_scopes` need at least one entry each"));
    }
    let redirect_uris = distinct(&request.redirect_uris);
    if redirect_uris.is_empty() && grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(Error::invalid(
            "`redirect_uris` needs at least one entry for the grant `authorization_code`",
        ));
    }

    let now = context.clock.timestamp();
    let governance = Governance::default();
    let client_id = ClientId::fresh(&context.clock)?;
    let client_secret = pepper::fresh_secret().map_err(Error::fault)?;
    let (callback_secret, sealed) = callback_secret(identity, &client_id)?;
    let row = AppRow {
        secret_hash: identity.pepper.hash_secret(client_id.as_str(), &client_secret),
        client_id,
        tenant_id: context.principal.tenant_id.clone(),
        organization_id: context.principal.organization_id.clone(),
        name: request.name.to_string(),
        grant_types: to_json(&grant_types)?,
        redirect_uris: to_json(&redirect_uris)?,
        approved_scopes: to_json(&requested_scopes)?,
        allow_service_tokens: governance.allow_service_tokens,
        enforce_pkce: governance.enforce_pkce,
        secret_rotated_at: now,
        created_at: now,
    };
    let app = to_app(row.clone())?;
    identity
        .store
        .write(context, move |tx| {
            rows::insert(tx, &row)?;
            signing_secrets::insert(tx, row.client_id.as_str(), &sealed)?;
            audit::append(tx, "app.create", row.client_id.as_str())
        })
        .await?;
    Ok(AppCreated { app, client_secret: client_secret.into(), callback_secret })
}

/// A fresh secret for the callbacks of an app, and as it is kept.
fn callback_secret(identity: &Identity, client_id: &ClientId) -> Result<(SecretText, String), Error> {
    let secret = signing_secrets::fresh().map_err(Error::fault)?;
    let sealed = identity.envelope.seal(PURPOSE, client_id.as_str(), secret.expose());
    Ok((secret, sealed.map_err(Error::fault)?))
}

/// One page of the tenant's apps, newest first.
pub async fn list(identity: &Identity, context: &Context<Live>, page: &PageQuery) -> Result<AppList, Error> {
    let (pepper, tenant_id) = (&identity.pepper, context.tenant_id());
    let limit = page.limit().clamp(1, PAGE_LIMIT_MAX);
    let request = PageRequest::<AppPosition>::new(pepper, tenant_id, page.cursor.as_deref(), limit)?;
    let query = request.clone();
    let found =
        identity.store.read(context, move |reader| Ok::<_, Error>(rows::list(reader, &query)?)).await?;
    let page = request.page(pepper, tenant_id, found, |row| AppPosition::from(row));
    let apps = page.items.into_iter().map(to_app).collect::<Result<_, Error>>()?;
    Ok(AppList { apps, next_cursor: page.next_cursor })
}

/// One app of the tenant.
pub async fn view(identity: &Identity, context: &Context<Live>, client_id: &ClientId) -> Result<App, Error> {
    to_app(load(identity, context, client_id).await?)
}

/// Changes the governance flags that are given.
pub async fn governance_update(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
    change: &GovernanceUpdate,
) -> Result<AppGovernance, Error> {
    let GovernanceUpdate { allow_service_tokens, enforce_pkce } = *change;
    let client_id = client_id.clone();
    let row = identity
        .store
        .write(context, move |tx| {
            let app = tx.load::<AppRow>(&client_id)?;
            rows::update_governance(tx, &app, GovernanceChange { allow_service_tokens, enforce_pkce })?;
            audit::append(tx, "app.governance.update", client_id.as_str())?;
            Ok::<_, Error>(tx.load::<AppRow>(&client_id)?)
        })
        .await?;
    Ok(AppGovernance { governance: governance(&row), client_id: row.client_id.into() })
}

/// Replaces the client secret. The old one stops working with the commit; the new one is shown this
/// once.
pub async fn secret_rotate(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
) -> Result<AppSecret, Error> {
    let client_secret = pepper::fresh_secret().map_err(Error::fault)?;
    let hash = identity.pepper.hash_secret(client_id.as_str(), &client_secret);
    let rotated = client_id.clone();
    identity
        .store
        .write(context, move |tx| {
            let app = tx.load::<AppRow>(&rotated)?;
            rows::update_secret(tx, &app, &hash)?;
            audit::append(tx, "app.secret.rotate", rotated.as_str())
        })
        .await?;
    Ok(AppSecret { client_id: client_id.as_str().to_owned(), client_secret: client_secret.into() })
}

/// Replaces the secret that signs an app's callbacks. The new one is shown this once; the former one signs beside it
/// for a day.
pub async fn callback_secret_rotate(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
) -> Result<AppCallbackSecret, Error> {
    let (callback_secret, sealed) = callback_secret(identity, client_id)?;
    let rotated = client_id.clone();
    let replaced = identity.store.write(context, move |tx| {
        tx.load::<AppRow>(&rotated)?;
        let until = signing_secrets::replace(tx, rotated.as_str(), &sealed, SECRET_OVERLAP_SECONDS)?;
        audit::append(tx, "app.callback_secret.rotate", rotated.as_str())?;
        Ok::<_, Error>(until)
    });
    Ok(AppCallbackSecret {
        former_secret_expires_at: replaced.await?.map(Into::into),
        client_id: client_id.as_str().to_owned(),
        callback_secret,
    })
}

/// The tenant's app with this id.
pub(crate) async fn load(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
) -> Result<AppRow, Error> {
    let client_id = client_id.clone();
    Ok(identity.store.read_row(context, move |reader| reader.load::<AppRow>(&client_id)).await?)
}

fn to_app(row: AppRow) -> Result<App, Error> {
    Ok(App {
        governance: governance(&row),
        grant_types: from_json(&row.grant_types)?,
        redirect_uris: from_json(&row.redirect_uris)?,
        requested_scopes: from_json(&row.approved_scopes)?,
        client_id: row.client_id.into(),
        name: row.name,
        tenant_id: row.tenant_id.into(),
        organization_id: row.organization_id.into(),
        created_at: row.created_at.and_utc().into(),
    })
}

fn governance(row: &AppRow) -> Governance {
    Governance { allow_service_tokens: row.allow_service_tokens, enforce_pkce: row.enforce_pkce }
}

/// The entries in their order, each once.
pub(crate) fn distinct<T: Clone + PartialEq>(entries: &[T]) -> Vec<T> {
    let mut once = Vec::with_capacity(entries.len());
    for entry in entries {
        if !once.contains(entry) {
            once.push(entry.clone());
        }
    }
    once
}

fn to_json<T: Serialize>(list: &[T]) -> Result<String, Error> {
    serde_json::to_string(list).map_err(Error::fault)
}

/// Reads a list that [`create`] wrote.
pub(crate) fn from_json<T: DeserializeOwned>(list: &str) -> Result<Vec<T>, Error> {
    serde_json::from_str(list).map_err(Error::fault)
}

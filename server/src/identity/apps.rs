//! Apps of the caller's tenant: registration, reading, governance and secret rotation.

use super::{Identity, audit, ids, page_cursor, pepper, redirects};
use crate::gate::Principal;
use crate::problem::{Outcome, Problem};
use crate::store::{self, apps as rows};
use argus_openapi::types::apps::{
    App, AppCreate, AppCreated, AppGovernance, AppList, AppSecret, Governance, GovernanceUpdate,
};
use argus_openapi::types::common::{PAGE_LIMIT_MAX, PageQuery};
use argus_openapi::types::scopes::Scope;
use rows::{AppPosition, AppRow};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Registers an app. The client secret in the answer is shown this once.
pub async fn create(identity: &Identity, caller: &Principal, request: &AppCreate) -> Outcome<AppCreated> {
    let name = &request.name;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(Problem::invalid("`name` must not be blank or hold control characters"));
    }
    let grant_types = distinct(&request.grant_types);
    let requested_scopes = distinct(&request.requested_scopes);
    if let Some(scope) =
        requested_scopes.iter().find(|scope| !Scope::catalogue().any(|known| known == **scope))
    {
        return Err(Problem::invalid(format!(
            "`requested_scopes`: `{scope}` is not a scope of the catalogue"
        )));
    }
    if grant_types.is_empty() || requested_scopes.is_empty() {
        return Err(Problem::invalid("`grant_types` and `requested_scopes` need at least one entry each"));
    }
    let redirect_uris = redirects::check(&request.redirect_uris, &grant_types).map_err(Problem::invalid)?;

    let now = store::now();
    let governance = Governance::default();
    let client_id = ids::prefixed("app").map_err(Problem::internal)?;
    let client_secret = pepper::fresh_secret().map_err(Problem::internal)?;
    let row = AppRow {
        secret_hash: identity.pepper.hash_secret(&client_id, &client_secret),
        client_id,
        tenant_id: caller.tenant_id.clone(),
        organization_id: caller.organization_id.clone(),
        name: name.clone(),
        grant_types: to_json(&grant_types)?,
        redirect_uris: to_json(&redirect_uris)?,
        approved_scopes: to_json(&requested_scopes)?,
        allow_service_tokens: governance.allow_service_tokens,
        enforce_pkce: governance.enforce_pkce,
        secret_rotated_at: now,
        created_at: now,
    };
    let event = audit::event(caller, "app.create", &row.client_id, now)?;
    let row = identity
        .store
        .run(move |connection| {
            connection.write(|connection| {
                rows::insert(connection, &row)?;
                store::audit::append(connection, &event)?;
                Ok(row)
            })
        })
        .await?;
    Ok(AppCreated { app: to_app(row)?, client_secret: client_secret.into() })
}

/// One page of the tenant's apps, newest first.
pub async fn list(identity: &Identity, caller: &Principal, page: &PageQuery) -> Outcome<AppList> {
    let tenant_id = caller.tenant_id.clone();
    let limit = page.limit().clamp(1, PAGE_LIMIT_MAX);
    let after = page
        .cursor
        .as_deref()
        .map(|cursor| page_cursor::decode(&identity.pepper, &tenant_id, cursor))
        .transpose()?;
    let mut found = identity
        .store
        // One more than the page holds tells whether there is a next one.
        .run(move |connection| Ok(rows::list(connection, &tenant_id, after.as_ref(), limit + 1)?))
        .await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| more).map(|last| {
        let position = AppPosition { created_at: last.created_at, client_id: last.client_id.clone() };
        page_cursor::encode(&identity.pepper, &caller.tenant_id, &position)
    });
    Ok(AppList { apps: found.into_iter().map(to_app).collect::<Outcome<_>>()?, next_cursor })
}

/// One app of the tenant.
pub async fn view(identity: &Identity, caller: &Principal, client_id: &str) -> Outcome<App> {
    let (tenant_id, client_id) = (caller.tenant_id.clone(), client_id.to_owned());
    let row =
        identity.store.run(move |connection| Ok(rows::find(connection, &tenant_id, &client_id)?)).await?;
    to_app(row.ok_or_else(no_such_app)?)
}

/// Changes the governance flags that are given.
pub async fn governance_update(
    identity: &Identity,
    caller: &Principal,
    client_id: &str,
    change: &GovernanceUpdate,
) -> Outcome<AppGovernance> {
    let (change, event) = (*change, audit::event(caller, "app.governance.update", client_id, store::now())?);
    let row = identity
        .store
        .run(move |connection| {
            connection.write(|connection| {
                let (tenant_id, client_id) = (event.tenant_id.as_str(), event.subject.as_str());
                let (tokens, pkce) = (change.allow_service_tokens, change.enforce_pkce);
                if !rows::update_governance(connection, tenant_id, client_id, tokens, pkce)? {
                    return Err(no_such_app());
                }
                let row = rows::find(connection, tenant_id, client_id)?.ok_or_else(no_such_app)?;
                store::audit::append(connection, &event)?;
                Ok(row)
            })
        })
        .await?;
    Ok(AppGovernance { governance: governance(&row), client_id: row.client_id })
}

/// Replaces the client secret. The old one stops working with the commit; the new one is shown this
/// once.
pub async fn secret_rotate(identity: &Identity, caller: &Principal, client_id: &str) -> Outcome<AppSecret> {
    let client_secret = pepper::fresh_secret().map_err(Problem::internal)?;
    let hash = identity.pepper.hash_secret(client_id, &client_secret);
    let event = audit::event(caller, "app.secret.rotate", client_id, store::now())?;
    identity
        .store
        .run(move |connection| {
            connection.write(|connection| {
                let (tenant_id, client_id) = (event.tenant_id.as_str(), event.subject.as_str());
                if !rows::update_secret(connection, tenant_id, client_id, &hash, event.occurred_at)? {
                    return Err(no_such_app());
                }
                store::audit::append(connection, &event)?;
                Ok(())
            })
        })
        .await?;
    Ok(AppSecret { client_id: client_id.to_owned(), client_secret: client_secret.into() })
}

/// What a caller reads about an app of another tenant, or of none.
pub(super) fn no_such_app() -> Problem {
    Problem::not_found("app")
}

fn to_app(row: AppRow) -> Outcome<App> {
    Ok(App {
        governance: governance(&row),
        grant_types: from_json(&row.grant_types)?,
        redirect_uris: from_json(&row.redirect_uris)?,
        requested_scopes: from_json(&row.approved_scopes)?,
        client_id: row.client_id,
        name: row.name,
        tenant_id: row.tenant_id,
        organization_id: row.organization_id,
        created_at: row.created_at.and_utc(),
    })
}

fn governance(row: &AppRow) -> Governance {
    Governance { allow_service_tokens: row.allow_service_tokens, enforce_pkce: row.enforce_pkce }
}

/// The entries in their order, each once.
pub(super) fn distinct<T: Clone + PartialEq>(entries: &[T]) -> Vec<T> {
    let mut once = Vec::with_capacity(entries.len());
    for entry in entries {
        if !once.contains(entry) {
            once.push(entry.clone());
        }
    }
    once
}

fn to_json<T: Serialize>(list: &[T]) -> Outcome<String> {
    serde_json::to_string(list).map_err(Problem::internal)
}

/// Reads a list that [`create`] wrote.
pub(super) fn from_json<T: DeserializeOwned>(list: &str) -> Outcome<Vec<T>> {
    serde_json::from_str(list).map_err(Problem::internal)
}

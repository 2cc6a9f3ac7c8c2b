//! Apps of the caller's tenant: registration, reading, governance and secret rotation.

use crate::error::Error;
use crate::store::apps::{self as rows, AppPosition, AppRow, GovernanceChange};
use crate::store::authorizations::families::{self, Which};
use crate::{Identity, allowances, client_keys};
use argus_core::context::{Context, Live};
use argus_core::deliveries::signing_secrets::{self, PURPOSE};
use argus_core::ids::ClientId;
use argus_core::page::PageRequest;
use argus_core::store::Tx;
use argus_core::{audit, pepper, revocations};
use argus_openapi::types::apps::{
    App, AppCallbackSecret, AppCreate, AppCreated, AppGovernance, AppList, AppSecret, AppSecretRotate,
    ClientAuthenticationMethod, Governance, GovernanceUpdate, GrantType,
};
use argus_openapi::types::common::{PAGE_LIMIT_MAX, PageQuery};
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::webhooks::SECRET_OVERLAP_SECONDS;
use chrono::DateTime;
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

    let method = request.token_endpoint_auth_method.unwrap_or(ClientAuthenticationMethod::ClientSecret);
    let is_public = method == ClientAuthenticationMethod::NoSecret;
    if is_public && grant_types.contains(&GrantType::ClientCredentials) {
        return Err(Error::invalid(
            "`grant_types`: a public client has no credentials for `client_credentials`",
        ));
    }
    let has_keys = method == ClientAuthenticationMethod::PrivateKeyJwt;
    if has_keys != request.jwks.is_some() {
        return Err(Error::invalid(
            "`jwks` goes with the `token_endpoint_auth_method` `private_key_jwt`, which needs it, and with no other",
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
        // What of it is approved and what waits, the transaction says.
        approved_scopes: String::new(),
        pending_scopes: String::new(),
        allow_service_tokens: governance.allow_service_tokens,
        enforce_pkce: governance.enforce_pkce,
        token_endpoint_auth_method: method.as_str().to_owned(),
        jwks: request.jwks.as_ref().map(client_keys::stored).transpose()?,
        is_suspended: governance.suspended,
        tokens_not_before: None,
        approved_bundles: to_json(&governance.approved_bundles)?,
        secret_rotated_at: now,
        created_at: now,
    };
    let created = identity.store.write(context, move |tx| {
        let (approved, pending) = allowances::part(tx, &requested_scopes)?;
        let (approved_scopes, pending_scopes) = (to_json(&approved)?, to_json(&pending)?);
        let row = AppRow { approved_scopes, pending_scopes, ..row.clone() };
        rows::insert(tx, &row)?;
        signing_secrets::insert(tx, row.client_id.as_str(), &sealed)?;
        audit::append(tx, "app.create", row.client_id.as_str())?;
        Ok::<_, Error>(row)
    });
    let app = to_app(created.await?)?;
    // Of that of an app with another method nobody ever knows.
    let has_secret = method == ClientAuthenticationMethod::ClientSecret;
    let client_secret = has_secret.then(|| client_secret.into());
    Ok(AppCreated { app, client_secret, callback_secret })
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

/// Changes what is given of the governance, and approves scopes. Whether there are such bundles is [`crate::graphql`]'s
/// to say.
pub async fn governance_update(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
    update: &GovernanceUpdate,
) -> Result<AppGovernance, Error> {
    let (update, change, client_id) = (update.clone(), change(context, update)?, client_id.clone());
    let row = identity
        .store
        .write(context, move |tx| {
            let app = tx.load::<AppRow>(&client_id)?;
            let app = rows::hold(tx, &app)?;
            // What was said before is not taken back.
            let latest = |until: i64| app.tokens_not_before.map_or(until, |before| until.max(before));
            let tokens_not_before = change.tokens_not_before.map(latest);
            rows::update_governance(tx, &app, &GovernanceChange { tokens_not_before, ..change.clone() })?;
            update.approve_scopes.as_ref().map_or(Ok(()), |scopes| allowances::approve(tx, &app, scopes))?;
            let changed = tx.load::<AppRow>(&client_id)?;
            end_tokens(tx, &app, &changed)?;
            audit::append(tx, "app.governance.update", client_id.as_str())?;
            Ok::<_, Error>(changed)
        })
        .await?;
    Ok(AppGovernance {
        governance: governance(&row)?,
        pending_scopes: from_json(&row.pending_scopes)?,
        client_id: row.client_id.into(),
    })
}

/// What an update sets.
fn change(context: &Context<Live>, update: &GovernanceUpdate) -> Result<GovernanceChange, Error> {
    let until = update.tokens_not_before.as_ref().map(|moment| moment.0.min(context.clock.now()));
    Ok(GovernanceChange {
        allow_service_tokens: update.allow_service_tokens,
        enforce_pkce: update.enforce_pkce,
        redirect_uris: stored(update.redirect_uris.as_deref())?,
        grant_types: stored(update.allowed_grant_types.as_deref())?,
        jwks: update.jwks.as_ref().map(client_keys::stored).transpose()?,
        approved_bundles: stored(update.approved_bundles.as_deref())?,
        is_suspended: update.suspended,
        tokens_not_before: until.map(|until| until.timestamp_micros()),
    })
}

/// A list as it is stored, if there is one.
fn stored<T: Clone + PartialEq + Serialize>(entries: Option<&[T]>) -> Result<Option<String>, Error> {
    entries.map(|entries| to_json(&distinct(entries))).transpose()
}

/// Ends the tokens that an app may not have any more.
fn end_tokens(tx: &mut Tx<'_>, before: &AppRow, now: &AppRow) -> Result<(), Error> {
    let (grants, uris): (Vec<GrantType>, Vec<String>) =
        (from_json(&now.grant_types)?, from_json(&now.redirect_uris)?);
    let has_codes = grants.contains(&GrantType::AuthorizationCode);
    if has_codes && uris.is_empty() {
        let message = "`redirect_uris` needs at least one entry for the grant `authorization_code`";
        return Err(Error::refused(ErrorCode::Conflict, message));
    }
    let is_public = now.token_endpoint_auth_method == ClientAuthenticationMethod::NoSecret.as_str();
    if is_public && grants.contains(&GrantType::ClientCredentials) {
        let message = "`allowed_grant_types`: a public client has no credentials for `client_credentials`";
        return Err(Error::refused(ErrorCode::Conflict, message));
    }
    if now.jwks.is_some()
        && now.token_endpoint_auth_method != ClientAuthenticationMethod::PrivateKeyJwt.as_str()
    {
        let message = "`jwks` goes with the `token_endpoint_auth_method` `private_key_jwt`, which the app does not have";
        return Err(Error::refused(ErrorCode::Conflict, message));
    }
    match (before.is_suspended, now.is_suspended) {
        (false, true) => revocations::end(tx, &[now.client_id.as_str()])?,
        (true, false) => revocations::set(tx, now.client_id.as_str())?,
        _ => {}
    }
    if let Some(until) = now.tokens_not_before.filter(|until| before.tokens_not_before != Some(*until)) {
        revocations::set_at(tx, now.client_id.as_str(), until)?;
    }
    if !has_codes {
        families::end(tx, Which::OfClient(&now.client_id))?;
    }
    Ok(())
}

/// Replaces the client secret. The former one stops working with the commit, or after the overlap; the new one is shown
/// this once.
pub async fn secret_rotate(
    identity: &Identity,
    context: &Context<Live>,
    client_id: &ClientId,
    request: &AppSecretRotate,
) -> Result<AppSecret, Error> {
    let client_secret = pepper::fresh_secret().map_err(Error::fault)?;
    let hash = identity.pepper.hash_secret(client_id.as_str(), &client_secret);
    let (rotated, overlap) = (client_id.clone(), request.overlap_seconds());
    let replaced = identity.store.write(context, move |tx| {
        let app = tx.load::<AppRow>(&rotated)?;
        if app.token_endpoint_auth_method != ClientAuthenticationMethod::ClientSecret.as_str() {
            let message = "the app has no client secret: it is a public client, or authenticates with `private_key_jwt`";
            return Err(Error::refused(ErrorCode::Conflict, message));
        }
        let until = rows::update_secret(tx, &app, &hash, overlap)?;
        audit::append(tx, "app.secret.rotate", rotated.as_str())?;
        Ok::<_, Error>(until)
    });
    Ok(AppSecret {
        former_secret_expires_at: replaced.await?.map(Into::into),
        client_id: client_id.as_str().to_owned(),
        client_secret: client_secret.into(),
    })
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
    let (mut requested_scopes, pending_scopes): (Vec<Scope>, Vec<Scope>) =
        (from_json(&row.approved_scopes)?, from_json(&row.pending_scopes)?);
    requested_scopes.extend(&pending_scopes);
    Ok(App {
        governance: governance(&row)?,
        token_endpoint_auth_method: row.token_endpoint_auth_method.parse().map_err(Error::fault)?,
        jwks: client_keys::read(row.jwks.as_deref())?,
        grant_types: from_json(&row.grant_types)?,
        redirect_uris: from_json(&row.redirect_uris)?,
        requested_scopes,
        pending_scopes,
        client_id: row.client_id.into(),
        name: row.name,
        tenant_id: row.tenant_id.into(),
        organization_id: row.organization_id.into(),
        created_at: row.created_at.and_utc().into(),
    })
}

fn governance(row: &AppRow) -> Result<Governance, Error> {
    Ok(Governance {
        allow_service_tokens: row.allow_service_tokens,
        enforce_pkce: row.enforce_pkce,
        suspended: row.is_suspended,
        tokens_not_before: row.tokens_not_before.and_then(DateTime::from_timestamp_micros).map(Into::into),
        approved_bundles: from_json(&row.approved_bundles)?,
    })
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

pub(crate) fn to_json<T: Serialize>(list: &[T]) -> Result<String, Error> {
    serde_json::to_string(list).map_err(Error::fault)
}

/// Reads a list that [`to_json`] wrote.
pub(crate) fn from_json<T: DeserializeOwned>(list: &str) -> Result<Vec<T>, Error> {
    serde_json::from_str(list).map_err(Error::fault)
}

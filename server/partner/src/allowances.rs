//! The allowance of a tenant: the scopes that its apps get when they ask for them. What an app asks for beyond waits
//! until an administrator approves it.

use crate::apps::{from_json, to_json};
use crate::error::Error;
use crate::store::allowances as rows;
use crate::store::apps::{self, AppRow};
use argus_core::audit;
use argus_core::context::{Context, Live};
use argus_core::store::{Store, Tx};
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;

/// Says which scopes the apps of the caller's tenant get from now on; answers with them in catalogue order. Apps that
/// are there keep what they have.
pub async fn set(store: &Store, context: &Context<Live>, scopes: &[Scope]) -> Result<Vec<Scope>, Error> {
    let scopes: Vec<Scope> = Scope::catalogue().filter(|scope| scopes.contains(scope)).collect();
    let (list, tenant_id) = (to_json(&scopes)?, context.tenant_id().clone());
    let said = store.write(context, move |tx| {
        rows::set(tx, &list)?;
        audit::append(tx, "tenant.scopes.set", tenant_id.as_str())?;
        Ok::<_, Error>(())
    });
    said.await?;
    Ok(scopes)
}

/// The allowance of the transaction's tenant: every partner scope where nobody has said anything.
pub(crate) fn of(tx: &mut Tx<'_>) -> Result<Vec<Scope>, Error> {
    match rows::find(tx)? {
        Some(said) => from_json(&said),
        None => Ok(Scope::partner().collect()),
    }
}

/// Parts what an app asks for: what it gets, and what waits.
pub(crate) fn part(tx: &mut Tx<'_>, requested: &[Scope]) -> Result<(Vec<Scope>, Vec<Scope>), Error> {
    let allowance = of(tx)?;
    Ok(requested.iter().copied().partition(|scope| allowance.contains(scope)))
}

/// Approves pending scopes of a loaded app. What is approved already stays so.
pub(crate) fn approve(tx: &mut Tx<'_>, app: &AppRow, scopes: &[Scope]) -> Result<(), Error> {
    // Two administrators at a time do not undo each other's approval.
    let mut app = apps::hold(tx, app)?;
    let mut approved: Vec<Scope> = from_json(&app.approved_scopes)?;
    let (now, pending): (Vec<Scope>, Vec<Scope>) =
        from_json(&app.pending_scopes)?.into_iter().partition(|scope| scopes.contains(scope));
    approved.extend(&now);
    if let Some(scope) = scopes.iter().find(|scope| !approved.contains(scope)) {
        let message = format!("`approve_scopes`: the app has not requested `{scope}`");
        return Err(Error::refused(ErrorCode::Conflict, message));
    }
    if now.is_empty() {
        return Ok(());
    }
    app.approved_scopes = to_json(&approved)?;
    app.pending_scopes = to_json(&pending)?;
    apps::update_scopes(tx, &app)?;
    Ok(audit::append(tx, "app.scopes.approve", app.client_id.as_str())?)
}

//! Callers and apps of these suites.

use argus_core::context::{Actor, Context, Live, Principal};
use argus_core::ids::ClientId;
use argus_core::tenants;
use argus_openapi::types::apps::{AppCreate, AppCreated, GovernanceUpdate, GrantType};
use argus_openapi::types::scopes::Scope;
use argus_partner::{Identity, apps};
use std::sync::Arc;

/// An administrator of a new tenant.
pub(crate) async fn admin(identity: &Identity) -> Context<Live> {
    let tenant = tenants::create(identity.store(), identity.clock(), &"Example tenant".parse().unwrap())
        .await
        .unwrap();
    let mut invocation = tenant.operator(identity.clock()).invocation().clone();
    invocation.principal = Arc::new(Principal {
        scopes: vec![Scope::PlatformAdmin],
        actor: Actor::App(client_id("app_of_the_administrator")),
        ..Principal::clone(&invocation.principal)
    });
    Context::new(invocation, Live)
}

/// A client identifier.
pub(crate) fn client_id(text: &str) -> ClientId {
    text.parse().unwrap()
}

/// The identifier of an app that was created.
pub(crate) fn id_of(created: &AppCreated) -> ClientId {
    client_id(&created.app.client_id)
}

/// A registration that is approved for `scopes` and may use client credentials.
pub(crate) fn registration(scopes: &[Scope]) -> AppCreate {
    AppCreate {
        name: "Case sync connector".parse().unwrap(),
        grant_types: vec![GrantType::ClientCredentials],
        redirect_uris: Vec::new(),
        requested_scopes: scopes.to_vec(),
        token_endpoint_auth_method: None,
        jwks: None,
    }
}

/// An app of the caller's tenant, approved for these scopes.
pub(crate) async fn app(identity: &Identity, admin: &Context<Live>, scopes: &[Scope]) -> AppCreated {
    let registered = apps::create(identity, admin, &registration(scopes)).await;
    let mut created = registered.unwrap_or_else(|error| panic!("{error}"));
    if !created.app.pending_scopes.is_empty() {
        let approve_scopes = Some(std::mem::take(&mut created.app.pending_scopes));
        let approval = GovernanceUpdate { approve_scopes, ..GovernanceUpdate::default() };
        apps::governance_update(identity, admin, &id_of(&created), &approval).await.unwrap();
    }
    created
}

//! Clients whose authentication failed. Somebody who tries many secrets would fill the audit trail with
//! one entry each, so that they are counted here, and appended in aggregate: one entry a client and flush.
//!
//! Only apps that there are have an entry, because an entry belongs to a tenant; so that whoever makes up
//! client ids takes no memory.

use crate::Identity;
use crate::error::Error;
use argus_core::audit;
use argus_core::context::{Actor, Context, Principal};
use argus_core::ids::{ClientId, OrganizationId, TenantId};
use argus_openapi::types::common::SecrecyLevel;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many clients are counted between two flushes. Beyond that, nobody is told apart any more.
const CLIENTS_MAX: usize = 1_024;
/// What the audit trail calls it.
const ACTION: &str = "app.authentication.refuse";

/// Failed authentications since the last flush.
#[derive(Debug, Default)]
pub(crate) struct RefusedClients(Mutex<HashMap<ClientId, Refused>>);

#[derive(Clone, Debug)]
struct Refused {
    tenant_id: TenantId,
    organization_id: OrganizationId,
    times: i64,
}

impl RefusedClients {
    fn counted(&self) -> MutexGuard<'_, HashMap<ClientId, Refused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts that somebody has claimed to be this app of this tenant and could not show it.
    pub(crate) fn count(&self, client_id: &ClientId, tenant_id: &TenantId, organization_id: &OrganizationId) {
        let mut counted = self.counted();
        if let Some(refused) = counted.get_mut(client_id) {
            refused.times += 1;
        } else if counted.len() < CLIENTS_MAX {
            let (tenant_id, organization_id) = (tenant_id.clone(), organization_id.clone());
            counted.insert(client_id.clone(), Refused { tenant_id, organization_id, times: 1 });
        }
    }

    /// Takes back what could not be written.
    fn put_back(&self, client_id: ClientId, refused: Refused) {
        let mut counted = self.counted();
        let times = counted.get(&client_id).map_or(0, |newer| newer.times);
        counted.insert(client_id, Refused { times: refused.times + times, ..refused });
    }
}

/// Appends what was counted to the audit trail of each tenant. What cannot be written is kept.
pub async fn flush(identity: &Identity) -> Result<(), Error> {
    let counted = std::mem::take(&mut *identity.refused_clients.counted());
    let mut outcome = Ok(());
    for (client_id, refused) in counted {
        if outcome.is_ok() {
            outcome = append(identity, &client_id, &refused).await;
            if outcome.is_ok() {
                continue;
            }
        }
        identity.refused_clients.put_back(client_id, refused);
    }
    outcome
}

async fn append(identity: &Identity, client_id: &ClientId, refused: &Refused) -> Result<(), Error> {
    let caller = Principal {
        tenant_id: refused.tenant_id.clone(),
        organization_id: refused.organization_id.clone(),
        actor: Actor::App(client_id.clone()),
        user_id: None,
        scopes: Vec::new(),
        secrecy_level: SecrecyLevel::default(),
        is_sandboxed: false,
    };
    let context = Context::in_background(caller, identity.clock().clone());
    let (subject, times) = (client_id.clone(), refused.times);
    let entry =
        move |tx: &mut argus_core::store::Tx<'_>| audit::append_times(tx, ACTION, subject.as_str(), times);
    Ok(identity.store().write(&context, entry).await?)
}

//! The data schemas that a caller can reach: of the contract's, those of operations that the tenant's apps may be
//! approved for, and of other installations', what approved channels share. Each look is in the audit trail.

use crate::allowances;
use crate::error::Error;
use crate::federation::{Federation, Shared};
use argus_core::context::{Context, Live};
use argus_core::store::Tx;
use argus_core::{Store, audit};
use argus_openapi::Access;
use argus_openapi::contract::ARGUS;
use argus_openapi::published::{PublishedSchema, SCHEMAS};
use argus_openapi::types::discovery::{DataSchemaList, DataSchemaQuery};
use argus_openapi::types::scopes::Scope;

/// The data schemas that the caller may see.
pub async fn list(
    federation: &Federation,
    store: &Store,
    context: &Context<Live>,
    query: &DataSchemaQuery,
) -> Result<DataSchemaList, Error> {
    let clearance = context.principal.secrecy_level;
    let clearance = query.secrecy_max.map_or(clearance, |most| most.min(clearance));
    let look = |tx: &mut Tx<'_>| {
        let tenant_id = tx.tenant_id().clone();
        audit::append(tx, "discovery.schemas.read", tenant_id.as_str())?;
        allowances::of(tx)
    };
    let allowance = store.write(context, look).await?;
    let reached = SCHEMAS.iter().filter(|schema| is_reached(schema, &allowance));
    let schemas = reached.map(PublishedSchema::entry).filter(|schema| schema.secrecy_level <= clearance);
    let Shared { sources, unavailable } = match query.include_federated {
        true => federation.shared(context, clearance).await,
        false => Shared::default(),
    };
    Ok(DataSchemaList {
        tenant_id: context.tenant_id().as_str().to_owned(),
        schemas: schemas.collect(),
        federated_sources: sources,
        unavailable_channels: unavailable,
    })
}

/// Whether a tenant reaches a schema: by one of its operations, or because it is no operation's. Administrators have
/// what is theirs whatever the allowance of the tenant's apps.
fn is_reached(schema: &PublishedSchema, allowance: &[Scope]) -> bool {
    let may = |id: &&str| match ARGUS.row(id).map(|row| row.access) {
        Some(Access::Scope(scope)) => {
            allowance.contains(&scope) || !Scope::partner().any(|each| each == scope)
        }
        _ => true,
    };
    schema.operation_ids.is_empty() || schema.operation_ids.iter().any(may)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_reached_by_the_scopes_of_its_operations() {
        let reached = |id: &str, allowance: &[Scope]| {
            is_reached(PublishedSchema::find(id).expect("a schema"), allowance)
        };
        let every: Vec<Scope> = Scope::partner().collect();
        assert!(SCHEMAS.iter().all(|schema| is_reached(schema, &every)));
        assert!(reached("argus.profile.v1", &[Scope::ProfilesRead]));
        assert!(!reached("argus.profile.v1", &[Scope::JobsRead]));
        for of_everybody in ["argus.jwk-set.v1", "argus.app.v1", "argus.token-response.v1"] {
            assert!(reached(of_everybody, &[]), "{of_everybody}");
        }
    }
}

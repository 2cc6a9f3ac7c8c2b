//! The list of data schemas, as far as the caller's clearance reaches.

use crate::sandbox::{Context, Reply};
use argus_openapi::Host;
use argus_openapi::published::SCHEMAS;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::discovery::{DataSchema, DataSchemaList, DataSchemaQuery, FederatedSource};

/// Sources that Communities of Interest share: id, title, channel, secrecy.
const FEDERATED: [(&str, &str, &str, SecrecyLevel); 3] = [
    ("coi.maritime.ais", "Maritime vessel positions", "coi-maritime", SecrecyLevel::Standard),
    ("coi.health.devices", "Medical device registry", "coi-health", SecrecyLevel::Restricted),
    ("coi.finance.alerts", "Shared financial crime alerts", "coi-finance", SecrecyLevel::Confidential),
];

pub(crate) fn list(context: &Context<'_>, query: &DataSchemaQuery) -> Reply {
    let clearance = context.caller.secrecy_level;
    let clearance = query.secrecy_max.map_or(clearance, |most| most.min(clearance));
    let schemas = published().filter(|schema| schema.secrecy_level <= clearance).collect();
    let federated = FEDERATED.iter().filter(|source| query.include_federated && source.3 <= clearance);
    let federated_sources = federated.map(|(id, title, channel, secrecy_level)| FederatedSource {
        id: (*id).to_owned(),
        title: (*title).to_owned(),
        channel: (*channel).to_owned(),
        secrecy_level: *secrecy_level,
    });
    Reply::json(
        200,
        &DataSchemaList {
            tenant_id: context.caller.tenant_id.to_owned(),
            schemas,
            federated_sources: federated_sources.collect(),
        },
    )
}

/// The published schemas. They are public documents, so that their secrecy is the lowest.
fn published() -> impl Iterator<Item = DataSchema> {
    SCHEMAS.iter().map(|schema| DataSchema {
        id: schema.id.to_owned(),
        title: schema.title.to_owned(),
        secrecy_level: SecrecyLevel::Standard,
        operations: schema.operations.iter().map(|operation| (*operation).to_owned()).collect(),
        schema_url: format!("{}/.well-known/schemas/{}.json", Host::Api.public_url(), schema.id),
    })
}

//! The list of data schemas, as far as the caller's clearance reaches.

use crate::engine::digest::Frame;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::sandbox::{Context, Sandbox};
use argus_openapi::Operation;
use argus_openapi::published::{PublishedSchema, SCHEMAS};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::discovery as types;
use argus_openapi::types::discovery::FederatedSource;

/// Sources that Communities of Interest share: id, title, channel, secrecy.
const FEDERATED: [(&str, &str, &str, SecrecyLevel); 3] = [
    ("coi.maritime.ais", "Maritime vessel positions", "coi-maritime", SecrecyLevel::Standard),
    ("coi.health.devices", "Medical device registry", "coi-health", SecrecyLevel::Restricted),
    ("coi.finance.alerts", "Shared financial crime alerts", "coi-finance", SecrecyLevel::Confidential),
];

/// `data_schema_list`
pub struct DataSchemaList<'a> {
    /// What to list.
    pub query: &'a types::DataSchemaQuery,
}

impl Mock for DataSchemaList<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::DataSchemaList;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = true;

    fn frame(&self, frame: &mut Frame) {
        let Self { query } = self;
        let types::DataSchemaQuery { include_federated, secrecy_max } = query;
        frame.scalar(include_federated);
        frame.scalar(secrecy_max);
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let clearance = context.caller.secrecy_level;
        let clearance = self.query.secrecy_max.map_or(clearance, |most| most.min(clearance));
        let schemas = SCHEMAS
            .iter()
            .map(PublishedSchema::entry)
            .filter(|schema| schema.secrecy_level <= clearance)
            .collect();
        let federated =
            FEDERATED.iter().filter(|source| self.query.include_federated && source.3 <= clearance);
        let federated_sources = federated.map(|(id, title, channel, secrecy_level)| FederatedSource {
            id: (*id).to_owned(),
            title: (*title).to_owned(),
            channel: (*channel).to_owned(),
            secrecy_level: *secrecy_level,
        });
        Ok(Reply::json(
            200,
            &types::DataSchemaList {
                tenant_id: context.caller.tenant_id.to_owned(),
                schemas,
                federated_sources: federated_sources.collect(),
                unavailable_channels: Vec::new(),
            },
        ))
    }
}

//! `argus serve`: all three hosts for production.

use super::CommandResult;
use super::ready_file::Ready;
use super::run::{self, Running};
use crate::hosts::BaseUrls;
use crate::service::Names;
use crate::settings::{RunArgs, Settings};
use argus_openapi::contract::ARGUS;
use std::path::Path;

/// Why a service of many nodes does not keep objects in a directory of its own.
const NOT_SHARED: &str = "nodes that share a PostgreSQL database share their objects, too: say where they are with \
     --objects (ARGUS_OBJECTS), as s3://BUCKET[/PREFIX] or, for a directory that every node has mounted, as \
     file://PATH?shared=true (for one node alone, too); in a directory of one node, the others would not find them";

pub(super) fn serve(args: &RunArgs, config: Option<&Path>) -> CommandResult {
    let mut settings = Settings::load(&args.options, config)?;
    settings.store.require_wall = true;
    if !settings.store.url.is_embedded() && !settings.objects.is_shared() {
        return Err(NOT_SHARED.into());
    }
    run::block_on(async {
        let running = Running::start(&settings, args.ready_file.as_deref(), |_| Names {
            base_urls: BaseUrls::default(),
            issuer: settings.identity.issuer.clone(),
            former_issuers: Vec::new(),
            docs_url: ARGUS.addresses.service_doc.to_owned(),
            is_development: false,
        })?;
        if let Some(path) = &args.ready_file {
            Ready { hosts: running.service.urls(), demo: None }.write(path)?;
        }
        running.until_signal().await
    })
}

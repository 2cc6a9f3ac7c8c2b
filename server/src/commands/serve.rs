//! `argus serve`: all three hosts for production.

use super::CommandResult;
use super::ready_file::Ready;
use super::run::{self, Running};
use crate::hosts::BaseUrls;
use crate::service::Names;
use crate::settings::{RunArgs, Settings};
use argus_openapi::Host;
use std::path::Path;

pub(super) fn serve(args: &RunArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&args.options, config)?;
    run::block_on(async {
        let running = Running::start(&settings, args.ready_file.as_deref(), |_| Names {
            base_urls: BaseUrls::default(),
            issuer: settings.identity.issuer.clone(),
            former_issuers: Vec::new(),
        })?;
        if let Some(path) = &args.ready_file {
            let [auth, api, sandbox] = Host::ALL.map(|host| running.service.app.addresses.base_url(host));
            Ready { auth: &auth, api: &api, sandbox: &sandbox, demo: None }.write(path)?;
        }
        running.until_signal().await
    })
}

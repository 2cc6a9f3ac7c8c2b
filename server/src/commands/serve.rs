//! `argus serve`: all three hosts for production.

use super::CommandResult;
use super::ready_file::Ready;
use super::run::{self, Service};
use crate::config::RunArgs;
use crate::hosts::BaseUrls;

pub(super) fn serve(args: &RunArgs) -> CommandResult {
    run::block_on(async {
        let service = Service::start(args)?;
        let public = BaseUrls::default();
        service.app.set_base_urls(BaseUrls {
            auth: args.auth_url.clone().unwrap_or(public.auth),
            sandbox: args.sandbox_url.clone().unwrap_or(public.sandbox),
        });
        if let Some(path) = &args.ready_file {
            let [auth, api, sandbox] = service.base_urls();
            Ready { auth: &auth, api: &api, sandbox: &sandbox, demo: None }.write(path)?;
        }
        service.run_until_signal().await
    })
}

//! GraphQL clients of partners: Apollo Client and urql, in one program, ask `argus dev`.

use super::dev::DevServer;
use super::generator::prepare;
use super::run::run;
use super::tools::{Tool, Tools, source};
use crate::cargo::root;
use std::fs;
use std::process::Command;

pub(super) const NEEDS: &[Tool] = &[Tool::Node];

pub(super) fn check(tools: &Tools, server: &DevServer) -> Result<(), String> {
    // Below the installed packages, where Node.js looks for them.
    let folder = tools.home.join("graphql");
    prepare(&source().join("programs/graphql"), &folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let approved = root().join("openapi/graphql/profile-risk.graphql");
    let document =
        fs::read_to_string(&approved).map_err(|error| format!("{}: {error}", approved.display()))?;
    let mut program = Command::new("node");
    program.arg("program.js").current_dir(&folder).envs(server.environment());
    run(program.env("ARGUS_GRAPHQL_DOCUMENT", document))
}

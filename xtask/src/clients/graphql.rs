//! GraphQL clients of partners: Apollo Client and urql, in one program, ask both hosts of `argus dev`.

use super::dev::DevServer;
use super::generator::prepare;
use super::run::run;
use super::tools::{Tool, Tools, source};
use crate::cargo::root;
use std::fs;
use std::process::Command;

/// The bundle of the document that is run.
pub(super) const APPROVED_BUNDLE: &str = "due-diligence";

pub(super) const NEEDS: &[Tool] = &[Tool::Node];

pub(super) fn check(tools: &Tools, server: &DevServer) -> Result<(), String> {
    // Below the installed packages, where Node.js looks for them.
    let folder = tools.home.join("graphql");
    prepare(&source().join("programs/graphql"), &folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut program = Command::new("node");
    program.arg("program.js").current_dir(&folder).envs(server.environment());
    for (variable, member) in
        [("ARGUS_API_URL", "api"), ("ARGUS_CLIENT_ID", "client_id"), ("ARGUS_CLIENT_SECRET", "client_secret")]
    {
        program.env(variable, server.ready(member));
    }
    run(program.env("ARGUS_GRAPHQL_DOCUMENT", approved_document()?))
}

/// The document, as its bundle has it.
pub(super) fn approved_document() -> Result<String, String> {
    let file = root().join("openapi/graphql").join(APPROVED_BUNDLE).join("profile-risk.graphql");
    fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
}

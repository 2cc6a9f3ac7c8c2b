//! `argus scenario`: writes, checks and shows the scenarios of an operator. It needs no service and no data.

use super::{CommandResult, print};
use crate::scenarios::{self, SCHEMA_FILE, ScenarioError};
use crate::settings::{NewScenario, PreviewArgs, ScenarioAction};
use argus_core::files::{self, Replace};
use argus_openapi::Operation;
use argus_sandbox::responder::{Responder, Shown};
use argus_sandbox::{Sandbox, partner};
use bytes::Bytes;
use http::{Request, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::error::Error;
use std::path::{Path, PathBuf};

/// What stands for itself in a path or a query (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Files of scenarios have faults, which have been printed.
#[derive(Debug, thiserror::Error)]
#[error("{0} to change")]
pub(super) struct Faulty(String);

pub(super) fn scenario(action: ScenarioAction) -> CommandResult {
    match action {
        ScenarioAction::New(new) => create(&new),
        ScenarioAction::Check { paths } => check(&paths),
        ScenarioAction::Schema => print(schema()?),
        ScenarioAction::Preview(preview) => show(&preview),
    }
}

fn schema() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&partner::schema())
}

/// Writes a scenario to be edited, and the schema for editors beside it.
fn create(new: &NewScenario) -> CommandResult {
    partner::check_id(&new.id).map_err(|message| format!("ID {message}"))?;
    let text = partner::template(&new.id, &new.from, &format!("./{SCHEMA_FILE}"));
    let text = text.map_err(|unknown| format!("--from: {unknown}"))?;
    let directory = new.sandbox.scenario_dir.clone().unwrap_or_default();
    let out = new.out.clone().unwrap_or_else(|| directory.join(format!("{}.json", new.id)));
    let cannot =
        |path: &Path, error: &dyn std::fmt::Display| format!("cannot write {}: {error}", path.display());
    if out.try_exists().map_err(|error| cannot(&out, &error))? {
        return Err(format!("{} is there already; choose another --out, or edit it", out.display()).into());
    }
    let beside = out.with_file_name(SCHEMA_FILE);
    files::write(&out, text.as_bytes(), Replace::Never).map_err(|error| cannot(&out, &error))?;
    // It is generated, and of this version.
    files::write(&beside, schema()?.as_bytes(), Replace::Existing)
        .map_err(|error| cannot(&beside, &error))?;
    print(format_args!("{}\nedit it, then: argus scenario check {}", out.display(), out.display()))
}

fn check(paths: &[PathBuf]) -> CommandResult {
    let mut read = Vec::new();
    for path in paths {
        read.extend(scenarios::read(path)?);
    }
    let sandbox = checked(&read)?;
    for scenario in sandbox.own_scenarios() {
        print(format_args!("{}  {}", scenario.id, scenario.label))?;
    }
    Ok(())
}

/// The mocks with these scenarios; faults are printed, a line each.
fn checked(files: &[(String, String)]) -> Result<Sandbox, Box<dyn Error>> {
    match scenarios::check(files) {
        Ok(sandbox) => Ok(sandbox),
        Err(ScenarioError::Faulty(error)) => {
            print(&error)?;
            let count = error.faults.len();
            Err(Faulty(if count == 1 { "1 member".to_owned() } else { format!("{count} members") }).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Prints what the sandbox host answers to whoever is pinned to a scenario.
fn show(preview: &PreviewArgs) -> CommandResult {
    let mut read = match &preview.sandbox.scenario_dir {
        Some(directory) => scenarios::read(directory)?,
        None => Vec::new(),
    };
    let path = Path::new(&preview.scenario);
    let is_file = path.is_file();
    if is_file {
        let given = std::fs::canonicalize(path)?;
        read.retain(|(name, _)| std::fs::canonicalize(name).ok().as_ref() != Some(&given));
        read.extend(scenarios::read(path)?);
    }
    let sandbox = checked(&read)?;
    let id = match sandbox.own_scenarios().last() {
        Some(scenario) if is_file => scenario.id.clone(),
        _ => preview.scenario.clone(),
    };
    let scenarios = sandbox.scenario_set(&[id])?;
    let responder = Responder::new(sandbox, Shown::with(scenarios));
    let response = responder.respond(&request(&responder, preview)?);
    print(response.status())?;
    for (name, value) in response.headers() {
        print(format_args!("{name}: {}", value.to_str().unwrap_or_default()))?;
    }
    print(format_args!("\n{}", String::from_utf8_lossy(response.body())))
}

fn request(responder: &Responder, preview: &PreviewArgs) -> Result<Request<Bytes>, Box<dyn Error>> {
    let Some((method, template)) = responder.route(&preview.operation) else {
        let mocked = Operation::ALL.iter().filter(|operation| operation.row().is_mocked());
        let ids: Vec<&str> = mocked.map(|operation| operation.id()).collect();
        let message =
            format!("the sandbox has no operation {}; there are {}", preview.operation, ids.join(", "));
        return Err(message.into());
    };
    let mut target = template.to_owned();
    for (name, value) in &preview.path {
        let variable = format!("{{{name}}}");
        if !target.contains(&variable) {
            return Err(format!("--path {name}: the path is {template}").into());
        }
        target = target.replace(&variable, &utf8_percent_encode(value, ESCAPED).to_string());
    }
    if target.contains('{') {
        return Err(format!("give a value to each variable of {template}, as in --path id=p1").into());
    }
    let encode = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
    let query = preview.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    let query: Vec<String> = query.collect();
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    let mut request = Request::builder().method(method).uri(target);
    for preference in &preview.prefer {
        request = request.header("prefer", preference);
    }
    if preview.body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    Ok(request.body(preview.body.clone().unwrap_or_default().into())?)
}

//! `argus audit`: check the audit trail, export or prune it, link what waits, or print the key that it is signed with.

use super::{CommandResult, print, run};
use crate::service;
use crate::settings::{AuditAction, ChainArgs, ChainEnvironment, DataArgs, ExportFormat, Settings};
use argus_core::audit::export::{Export, Format};
use argus_core::audit::linker::Linker;
use argus_core::audit::verify::{Known, Selection, Verdict, Verifier};
use argus_core::audit::{Chain, Environment, Key, prune};
use argus_core::files::Unfinished;
use argus_core::store::{AnyConnection, Database};
use argus_core::{Clock, Error};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The audit trail is not as it was linked.
#[derive(Debug, thiserror::Error)]
#[error("{defective} of {all} chains are not as they were linked, or wait to be")]
pub(super) struct Defective {
    defective: usize,
    all: usize,
}

/// Where the audit trail is, and the key of the installation.
struct Trail {
    database: Database,
    key: Arc<Key>,
}

pub(super) fn audit(action: AuditAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    service::open_data_dir(&settings)?;
    run::block_on(async {
        let trail = open(&settings)?;
        match action {
            AuditAction::Verify { chains, unlinked_seconds, known } => {
                trail.verify(chains, unlinked_seconds, known.as_deref()).await
            }
            AuditAction::Export { mut chains, from, to, without_sandbox, format, output } => {
                if without_sandbox {
                    chains.environment = Some(ChainEnvironment::Live);
                }
                let format = match format {
                    ExportFormat::Ndjson => Format::Ndjson,
                    ExportFormat::Csv => Format::Csv,
                };
                let naive = |moment: DateTime<Utc>| moment.naive_utc();
                let selection = selection(chains)?;
                let export = Export { selection, from: from.map(naive), to: to.map(naive), format };
                trail.export(&export, output).await
            }
            AuditAction::Prune { chains, before } => {
                trail.prune(&selection(chains)?, before.naive_utc()).await
            }
            AuditAction::Link => {
                let linked = Linker::new(trail.database, trail.key).link_all().await?;
                print(format!("linked {linked} entries"))
            }
            AuditAction::Key => print(trail.key.jwk()),
        }
    })
}

fn open(settings: &Settings) -> Result<Trail, Box<dyn std::error::Error>> {
    // Whoever opens a file of SQLite waits for whoever closes it; what follows may take long.
    let _turn = service::take_turn(settings)?;
    let (database, identity) = service::open(settings, Clock::system())?;
    Ok(Trail { database, key: Arc::new(Key::of(identity.pepper())?) })
}

fn selection(ChainArgs { tenant, environment }: ChainArgs) -> Result<Selection, &'static str> {
    let tenant_id = tenant.as_deref().map(super::tenant_named).transpose()?;
    let environment = environment.map(|environment| match environment {
        ChainEnvironment::Live => Environment::Live,
        ChainEnvironment::Sandbox => Environment::Sandbox,
    });
    Ok(Selection { tenant_id, environment })
}

impl Trail {
    async fn verify(self, chains: ChainArgs, unlinked_seconds: u32, known: Option<&Path>) -> CommandResult {
        let known = known.map(read_known).transpose()?.unwrap_or_default();
        let patience = TimeDelta::seconds(unlinked_seconds.into());
        let verifier = Verifier::new(self.database, self.key, Clock::system().timestamp(), patience);
        let verdicts = verifier.knowing(known).verify(&selection(chains)?).await?;
        for verdict in &verdicts {
            print(line(verdict))?;
            verdict.defects.iter().try_for_each(|defect| print(format!("  {defect}")))?;
            if verdict.has_more {
                print("  and more")?;
            }
        }
        match verdicts.iter().filter(|verdict| !verdict.defects.is_empty()).count() {
            0 => Ok(()),
            defective => Err(Defective { defective, all: verdicts.len() }.into()),
        }
    }

    async fn export(self, export: &Export, output: Option<PathBuf>) -> CommandResult {
        let Some(path) = output else {
            let mut out = BufWriter::new(io::stdout().lock());
            let written = export.write(&self.database, &mut out).await.map(drop);
            return match written.and_then(|()| Ok(out.flush()?)) {
                Err(error) if is_closed_pipe(&error) => Ok(()),
                outcome => Ok(outcome?),
            };
        };
        let mut out = Unfinished::begin(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let written = export.write(&self.database, &mut out).await?;
        out.finish().map_err(|error| format!("{}: {error}", path.display()))?;
        print(format!("{}: {written} entries", path.display()))
    }

    async fn prune(self, selection: &Selection, before: NaiveDateTime) -> CommandResult {
        let every_tenant = &self.database.every_tenant;
        let mut behind = None;
        loop {
            let last = behind.clone();
            let look = move |connection: &mut AnyConnection| {
                Ok::<_, Error>(prune::due(connection, before, last.as_ref())?)
            };
            let chains = every_tenant.run(look).await?;
            let Some(last) = chains.last().cloned() else { return Ok(()) };
            behind = Some(last);
            for chain in chains.into_iter().filter(|chain| selection.has(chain)) {
                let removed = self.prune_chain(&chain, before).await?;
                print(format!("{chain}  removed {removed} entries"))?;
            }
        }
    }

    async fn prune_chain(&self, chain: &Chain, before: NaiveDateTime) -> Result<usize, Error> {
        let mut removed = 0;
        loop {
            let (key, chain) = (Arc::clone(&self.key), chain.clone());
            let prune = move |connection: &mut AnyConnection| prune::prune(connection, &key, &chain, before);
            match self.database.every_tenant.transaction(prune).await? {
                0 => return Ok(removed),
                some => removed += some,
            }
        }
    }
}

fn is_closed_pipe(error: &argus_core::audit::export::ExportError) -> bool {
    use argus_core::audit::export::ExportError;
    matches!(error, ExportError::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
}

/// The heads that an earlier check has printed.
fn read_known(path: &Path) -> Result<Vec<Known>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // Defects stand below their chain, further to the right.
    let chains = text.lines().filter(|line| !line.starts_with(' '));
    let known = chains.map(|line| {
        known(line).ok_or_else(|| format!("{}: this is no line of a check: {line}", path.display()))
    });
    known.collect()
}

fn known(line: &str) -> Option<Known> {
    let (chain, rest) = line.split_once(' ')?;
    let (tenant_id, environment) = chain.split_once('/')?;
    let chain = Chain { tenant_id: tenant_id.to_owned(), environment: environment.to_owned() };
    let (_, head) = rest.split_once(" head ")?;
    let (sequence, hash) = head.split_once(' ')?;
    Some(Known { chain, sequence: sequence.parse().ok()?, hash: hash.trim().to_owned() })
}

fn line(verdict: &Verdict) -> String {
    let Verdict { chain, pruned, sequence, hash, checked, unlinked, unlinked_seconds, defects, .. } = verdict;
    let state = if defects.is_empty() { "ok" } else { "DEFECTIVE" };
    let pruned = if *pruned > 0 { format!("  pruned up to {pruned}") } else { String::new() };
    let waiting =
        if *unlinked > 0 { format!("  unlinked {unlinked} for {unlinked_seconds} s") } else { String::new() };
    format!("{chain}  {state}  entries {checked}{pruned}{waiting}  head {sequence} {hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_check_prints_is_read_again() {
        let chain = Chain { tenant_id: "tnt_1".to_owned(), environment: "live".to_owned() };
        let verdict = Verdict {
            chain: chain.clone(),
            pruned: 3,
            sequence: 12,
            hash: "ab".repeat(32),
            checked: 9,
            unlinked: 1,
            unlinked_seconds: 2,
            defects: Vec::new(),
            has_more: false,
        };
        let expected = Known { chain, sequence: 12, hash: verdict.hash.clone() };
        assert_eq!(known(&line(&verdict)), Some(expected));
        for other in
            ["", "tnt_1/live", "tnt_1/live  ok  head", "tnt_1  ok  head 1 ab", "tnt_1/live  ok  head x ab"]
        {
            assert_eq!(known(other), None, "{other}");
        }
    }
}

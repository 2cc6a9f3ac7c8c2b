//! `export.bulk`: profiles as an import takes them, in the order of their identifiers.

use super::result::ResultWriter;
use super::{Workshop, unfinished};
use crate::error::Error;
use crate::store::profiles::{self, ProfileRow, Selection};
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::work::{Assignment, Unfinished, Work};
use argus_openapi::types::common::{Moment, WholeNumber};
use argus_openapi::types::jobs::results::ResultForm;
use argus_openapi::types::jobs::{Compression, ExportFormat, ExportPayload, JobKind, csv};
use argus_openapi::types::profiles::{ProfileRecord, RiskScore};
use flate2::write::GzEncoder;
use std::io::{self, Write};

/// How many profiles are read at a time.
const BATCH: u32 = 500;

/// How many profiles are counted beforehand, to tell how far it is. Of more the last ones take no percent.
const COUNTED: u32 = 1_000_000;

/// Exports profiles.
pub struct Export(pub(super) Workshop);

impl Work for Export {
    const KIND: &'static str = JobKind::ExportBulk.as_str();
    type Payload = ExportPayload;

    async fn run(
        &self,
        job: &Assignment,
        payload: ExportPayload,
    ) -> Result<Option<StoredResult>, Unfinished> {
        let format = payload.format.unwrap_or(ExportFormat::Ndjson);
        let mut result = ResultWriter::begin(&self.0.objects, job, ResultForm::of_export(&payload))?;
        let selection = Selection {
            kinds: payload.profile_kinds,
            min_risk_score: payload.min_risk_score.map_or(0, RiskScore::get),
            updated_after: payload.updated_after.map_or(i64::MIN, |Moment(moment)| moment.timestamp_micros()),
            clearance: job.context.principal.secrecy_level,
        };
        let mut rows = Rows::begin(format, payload.compression, result.block())?;
        let (mut behind, mut written) = (String::new(), 0);
        // Without a count nothing is told, and all is exported.
        let all = self.count(job, &selection).await.unwrap_or(0);
        loop {
            job.go_on()?;
            let profiles = self.page(job, &selection, behind).await?;
            for profile in &profiles {
                rows.write(profile, result.block())?;
                result.pass_on().await?;
            }
            written += profiles.len() as u64;
            if all > 0 {
                job.report(written, all.max(written));
            }
            match profiles.last() {
                Some(last) if profiles.len() == BATCH as usize => behind = last.id.clone(),
                _ => break,
            }
        }
        rows.finish(result.block())?;
        result.finish().await
    }
}

impl Export {
    async fn count(&self, job: &Assignment, selection: &Selection) -> Result<u64, Unfinished> {
        let selection = selection.clone();
        let count = self
            .0
            .store
            .read(&job.context, move |reader| Ok::<_, Error>(profiles::count(reader, &selection, COUNTED)?));
        count.await.map_err(unfinished)
    }

    async fn page(
        &self,
        job: &Assignment,
        selection: &Selection,
        behind: String,
    ) -> Result<Vec<ProfileRow>, Unfinished> {
        let selection = selection.clone();
        let page = self.0.store.read(&job.context, move |reader| {
            Ok::<_, Error>(profiles::behind(reader, &selection, &behind, BATCH)?)
        });
        page.await.map_err(unfinished)
    }
}

/// Rows as they are written, compressed or not.
struct Rows {
    format: ExportFormat,
    gzip: Option<GzEncoder<Vec<u8>>>,
    row: Vec<u8>,
}

impl Rows {
    fn begin(
        format: ExportFormat,
        compression: Option<Compression>,
        out: &mut Vec<u8>,
    ) -> Result<Self, Unfinished> {
        let gzip =
            compression.map(|Compression::Gzip| GzEncoder::new(Vec::new(), flate2::Compression::default()));
        let mut rows = Self { format, gzip, row: Vec::new() };
        if format == ExportFormat::Csv {
            csv::write_header(&mut rows.row);
            rows.pass_on(out)?;
        }
        Ok(rows)
    }

    fn write(&mut self, profile: &ProfileRow, out: &mut Vec<u8>) -> Result<(), Unfinished> {
        let record = record(profile).map_err(|error| Unfinished::failed("internal", error))?;
        match self.format {
            ExportFormat::Ndjson => {
                serde_json::to_writer(&mut self.row, &record)
                    .map_err(|error| Unfinished::failed("internal", error.to_string()))?;
                self.row.push(b'\n');
            }
            ExportFormat::Csv => csv::write(&mut self.row, &record),
        }
        self.pass_on(out)
    }

    fn pass_on(&mut self, out: &mut Vec<u8>) -> Result<(), Unfinished> {
        match &mut self.gzip {
            None => out.append(&mut self.row),
            Some(gzip) => {
                gzip.write_all(&self.row).map_err(|error| compressed(&error))?;
                self.row.clear();
                out.append(gzip.get_mut());
            }
        }
        Ok(())
    }

    fn finish(self, out: &mut Vec<u8>) -> Result<(), Unfinished> {
        if let Some(gzip) = self.gzip {
            out.append(&mut gzip.finish().map_err(|error| compressed(&error))?);
        }
        Ok(())
    }
}

fn compressed(error: &io::Error) -> Unfinished {
    Unfinished::failed("internal", error.to_string())
}

/// The profile as an import takes it.
fn record(row: &ProfileRow) -> Result<ProfileRecord, String> {
    let foreign = |error: &dyn std::fmt::Display| format!("profile {}: {error}", row.id);
    Ok(ProfileRecord {
        id: row.id.parse().map_err(|error| foreign(&error))?,
        kind: row.kind.parse().map_err(|error| foreign(&error))?,
        display_name: row.display_name.parse().map_err(|error| foreign(&error))?,
        secrecy_level: Some(row.secrecy_level.parse().map_err(|error| foreign(&error))?),
        risk_score: Some(
            RiskScore::try_from(WholeNumber(row.risk_score.into())).map_err(|error| foreign(&error))?,
        ),
        relations: serde_json::from_str(&row.relations).map_err(|error| foreign(&error))?,
        incident: row.incident.state().map_err(|error| foreign(&error))?,
    })
}

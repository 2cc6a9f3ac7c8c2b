//! `import.bulk`: profiles that come with the payload, or as an upload. Each row is judged by itself: the good
//! ones are kept, the others reported with their line. Rows are written by their identifiers, so that an import
//! that is done again leaves each of them once.

mod csv;
mod ndjson;
mod source;

use super::result::ResultWriter;
use super::{Workshop, object_error, unfinished};
use crate::profiles;
use crate::store::profiles::ImportedRow;
use argus_core::ids::TenantId;
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::work::{Assignment, Unfinished, Work};
use argus_core::objects::{Collection, ObjectKey};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::results::{RefusedRow, ResultForm};
use argus_openapi::types::jobs::{ExportFormat, ImportPayload, JobKind};
use argus_openapi::types::profiles::{ProfileRecord, RiskScore};
use futures::TryStreamExt;
use source::{INFLATED_MAX, Progress, Row};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::io::{StreamReader, SyncIoBridge};

/// How many rows are written in one transaction.
const BATCH: usize = 500;
/// How many batches may wait to be written.
const WAITING: usize = 2;
/// How many faulty rows are reported one by one.
const REPORTED: u64 = 10_000;

/// Imports profiles.
pub struct Import(pub(super) Workshop);

impl Work for Import {
    const KIND: &'static str = JobKind::ImportBulk.as_str();
    type Payload = ImportPayload;

    async fn run(
        &self,
        job: &Assignment,
        payload: ImportPayload,
    ) -> Result<Option<StoredResult>, Unfinished> {
        let mut report = Report::begin(ResultWriter::begin(&self.0.objects, job, ResultForm::Json)?);
        let inline = payload.profiles.into_iter().flatten().enumerate();
        let inline: Vec<Row> = inline.map(|(place, record)| Row::good(place as u64 + 1, record)).collect();
        for rows in inline.chunks(BATCH) {
            self.write(job, rows.to_vec(), &mut report).await?;
        }
        if let Some(upload_ref) = &payload.upload_ref {
            let format = payload.format.unwrap_or(ExportFormat::Ndjson);
            self.import_upload(job, upload_ref.as_str(), format, &mut report).await?;
        }
        report.finish().await
    }
}

impl Import {
    async fn import_upload(
        &self,
        job: &Assignment,
        upload_ref: &str,
        format: ExportFormat,
        report: &mut Report,
    ) -> Result<(), Unfinished> {
        let key = upload_key(job.context.tenant_id(), upload_ref)?;
        let (head, blocks) = self.0.objects.open_object(&key).await.map_err(|error| object_error(&error))?;
        let reader = SyncIoBridge::new(StreamReader::new(blocks.map_err(std::io::Error::other)));
        let progress = Arc::new(Progress::default());
        let (send, mut batches) = mpsc::channel(WAITING);
        let counted = Arc::clone(&progress);
        let reading =
            spawn_blocking(move || source::read(reader, format, &counted, (BATCH, INFLATED_MAX), &send));
        while let Some(rows) = batches.recv().await {
            self.write(job, rows, report).await?;
            job.report(progress.bytes(), head.length);
        }
        match reading.await {
            Ok(outcome) => outcome,
            Err(panic) => Err(Unfinished::failed("internal", panic.to_string())),
        }
    }

    /// Writes the good rows and reports the others.
    async fn write(&self, job: &Assignment, rows: Vec<Row>, report: &mut Report) -> Result<(), Unfinished> {
        job.go_on()?;
        let clearance = job.context.principal.secrecy_level;
        let (mut good, mut lines) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for Row { line, content } in rows {
            match content.and_then(|record| imported(*record, clearance)) {
                Ok(row) => {
                    good.push(row);
                    lines.push(line);
                }
                Err(message) => report.refuse(line, &message)?,
            }
        }
        let written = self.0.store.write(&job.context, move |tx| profiles::import(tx, &good));
        for (line, kept) in lines.into_iter().zip(written.await.map_err(unfinished)?) {
            if kept {
                report.imported += 1;
            } else {
                report.refuse(line, "a profile with this `id` cannot be changed by this job")?;
            }
        }
        report.result.pass_on().await
    }
}

fn imported(record: ProfileRecord, clearance: SecrecyLevel) -> Result<ImportedRow, String> {
    let secrecy_level = record.secrecy_level.unwrap_or(clearance);
    if secrecy_level > clearance {
        return Err("`secrecy_level` is above that of the job".to_owned());
    }
    Ok(ImportedRow {
        id: record.id.to_string(),
        kind: record.kind,
        display_name: record.display_name.to_string(),
        secrecy_level,
        risk_score: record.risk_score.map_or(0, RiskScore::get),
        relations: serde_json::to_string(&record.relations).map_err(|error| error.to_string())?,
        incident: record.incident,
    })
}

/// Where an upload lies.
pub(crate) fn upload_key(tenant_id: &TenantId, upload_ref: &str) -> Result<ObjectKey, Unfinished> {
    ObjectKey::new(Collection::Uploads, tenant_id, upload_ref)
        .map_err(|_| Unfinished::failed("upload_not_found", "there is no such upload"))
}

/// What became of the rows, while it is written: first the faulty ones, then how many there were. It becomes an
/// [`ImportReport`](argus_openapi::types::jobs::results::ImportReport).
struct Report {
    result: ResultWriter,
    imported: u64,
    refused: u64,
}

impl Report {
    fn begin(mut result: ResultWriter) -> Self {
        result.text("{\"errors\":[");
        Self { result, imported: 0, refused: 0 }
    }

    fn refuse(&mut self, line: u64, message: &str) -> Result<(), Unfinished> {
        self.refused += 1;
        if self.refused > REPORTED {
            return Ok(());
        }
        if self.refused > 1 {
            self.result.text(",");
        }
        self.result.json(&RefusedRow { line, message })
    }

    async fn finish(mut self) -> Result<Option<StoredResult>, Unfinished> {
        let counts = format!("],\"imported\":{},\"refused\":{}}}\n", self.imported, self.refused);
        self.result.text(&counts);
        self.result.finish().await
    }
}

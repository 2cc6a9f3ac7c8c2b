//! Results as they are written: piece by piece, to a name that no other attempt has.

use super::object_error;
use argus_core::ids::JobId;
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::work::{Assignment, Unfinished};
use argus_core::objects::{Collection, ObjectKey, Objects, Writer};
use argus_openapi::types::jobs::results::ResultForm;
use serde::Serialize;

/// The name of what an attempt makes. The first one has the plain name; one that comes later must not write over
/// it, since two attempts may be at work when one has lost its lease.
pub fn name(id: &JobId, attempt: u32, form: ResultForm) -> String {
    let attempt = if attempt > 1 { format!("-{attempt}") } else { String::new() };
    format!("{id}{attempt}.{}", form.ending())
}

/// How much is collected before it is passed on, in bytes.
const BLOCK: usize = 256 * 1024;

/// The result of a job, while it is written. What is not finished never was.
pub(super) struct ResultWriter {
    key: ObjectKey,
    writer: Writer,
    block: Vec<u8>,
}

impl ResultWriter {
    /// The result of this attempt.
    pub(super) fn begin(objects: &Objects, job: &Assignment, form: ResultForm) -> Result<Self, Unfinished> {
        let name = name(&job.id, job.attempt, form);
        let key = ObjectKey::new(Collection::Results, job.context.tenant_id(), &name)
            .map_err(|error| Unfinished::failed("internal", error.to_string()))?;
        let writer = objects.put(&key);
        Ok(Self { key, writer, block: Vec::new() })
    }

    /// Where the next bytes go. [`Self::pass_on`] must follow now and then.
    pub(super) fn block(&mut self) -> &mut Vec<u8> {
        &mut self.block
    }

    /// Adds a value as JSON.
    pub(super) fn json<T: Serialize>(&mut self, value: &T) -> Result<(), Unfinished> {
        serde_json::to_writer(&mut self.block, value)
            .map_err(|error| Unfinished::failed("internal", error.to_string()))
    }

    /// Adds text.
    pub(super) fn text(&mut self, text: &str) {
        self.block.extend_from_slice(text.as_bytes());
    }

    /// Passes on what was collected, once it is enough.
    pub(super) async fn pass_on(&mut self) -> Result<(), Unfinished> {
        if self.block.len() >= BLOCK { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), Unfinished> {
        let block = std::mem::take(&mut self.block);
        self.writer.write(block.into()).await.map_err(|error| object_error(&error))
    }

    /// The whole result, on the disk.
    pub(super) async fn finish(mut self) -> Result<Option<StoredResult>, Unfinished> {
        self.write().await?;
        let stored = self.writer.finish().await.map_err(|error| object_error(&error))?;
        Ok(Some(StoredResult { key: self.key.to_string(), length: stored.length, sha256: stored.sha256 }))
    }
}

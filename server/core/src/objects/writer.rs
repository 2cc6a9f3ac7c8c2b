//! An object that is being written: in parts, of which a few are in memory, and there for readers only once
//! it is whole and on the disk.

use super::Error;
use super::key::ObjectKey;
use super::parts::Orderly;
use argus_wire::hex;
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{Attribute, Attributes, ObjectStore};
use std::fmt;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;

/// A part, in bytes: the least that S3 takes, of which it takes 10,000.
const PART: usize = 5 * 1024 * 1024;
/// Parts that are sent at a time. One more is being filled.
const PARTS_AT_A_TIME: usize = 2;

/// An object that is being written. One that is not finished never was: it is taken back when this is
/// dropped.
pub struct Writer {
    /// None once it is at its end.
    parts: Option<Parts>,
    length: u64,
    digest: Context,
}

/// Where the parts go.
enum Parts {
    Store(Box<BufWriter>),
    Nowhere,
}

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// How many bytes it has.
    pub length: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        path: Path,
        key: &ObjectKey,
        keeps_attributes: bool,
    ) -> Self {
        let mut parts = BufWriter::with_capacity(Arc::new(Orderly(store)), path, PART)
            .with_max_concurrency(PARTS_AT_A_TIME);
        if keeps_attributes {
            parts =
                parts.with_attributes(Attributes::from_iter([(Attribute::ContentType, key.media_type())]));
        }
        Self::to(Parts::Store(Box::new(parts)))
    }

    /// An object that is counted and digested as it is written, and kept nowhere.
    pub fn discarding() -> Self {
        Self::to(Parts::Nowhere)
    }

    fn to(parts: Parts) -> Self {
        Self { parts: Some(parts), length: 0, digest: Context::new(&SHA256) }
    }

    /// Appends these bytes. It waits while enough is on its way.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let Some(parts) = &mut self.parts else { return Err(over()) };
        self.length += bytes.len() as u64;
        self.digest.update(&bytes);
        if let Parts::Store(parts) = parts {
            parts.put(bytes).await?;
        }
        Ok(())
    }

    /// How many bytes were written so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Makes the object whole. When this returns, its bytes and its name outlive a power failure.
    pub async fn finish(mut self) -> Result<Stored, Error> {
        if let Parts::Store(mut parts) = self.parts.take().ok_or_else(over)? {
            parts.shutdown().await?;
        }
        let digest = std::mem::replace(&mut self.digest, Context::new(&SHA256)).finish();
        Ok(Stored { length: self.length, sha256: hex::encode(digest.as_ref()) })
    }

    /// Takes back what was written.
    pub async fn abort(mut self) {
        if let Some(Parts::Store(parts)) = self.parts.take() {
            take_back(parts).await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let (Some(Parts::Store(parts)), Ok(runtime)) = (self.parts.take(), Handle::try_current()) {
            runtime.spawn(take_back(parts));
        }
    }
}

async fn take_back(mut parts: Box<BufWriter>) {
    if let Err(error) = parts.abort().await {
        tracing::warn!(cause = %error, "parts of an object that was given up are left in the store");
    }
}

fn over() -> Error {
    Error::Store("the object is whole already".into())
}

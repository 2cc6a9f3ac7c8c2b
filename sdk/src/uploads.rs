//! Files to uploads, for a job to work on.

use crate::client::ArgusClient;
use crate::error::{Error, ErrorKind};
use crate::generated::types::Upload;
use crate::transfer::{Setback, TransferError};
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, try_unfold};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

/// What is read of a file at a time, in bytes.
const BLOCK: usize = 64 * 1024;

/// What arrived, as the service has it.
#[derive(Deserialize)]
struct Stored {
    length: u64,
    sha256: String,
}

/// What was sent so far.
#[derive(Default)]
struct Sent {
    digest: Mutex<Sha256>,
    /// Told of each block.
    more: Notify,
}

impl ArgusClient {
    /// Sends a file for an import, whatever its size, and returns what a job names it by. What arrived is compared
    /// with what was sent.
    ///
    /// ```no_run
    /// use argus_sdk::types::ImportJob;
    ///
    /// # async fn f(client: argus_sdk::ArgusClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let upload = client.upload_file("profiles.ndjson").await?;
    /// let job = client.job_create().body(ImportJob::of_upload(&upload)).send().await?;
    /// # Ok(()) }
    /// ```
    pub async fn upload_file(&self, path: impl AsRef<Path>) -> Result<Upload, TransferError> {
        let path = path.as_ref();
        let mut failures = 0;
        loop {
            // A URL of its own each time: the one before may have expired.
            let setback = match self.upload_once(path).await {
                Ok(upload) => return Ok(upload),
                Err(setback) => setback,
            };
            failures += 1;
            self.wait_after(setback, failures).await?;
        }
    }

    async fn upload_once(&self, path: &Path) -> Result<Upload, Setback> {
        let failed = TransferError::file(path);
        let file = File::open(path).await.map_err(&failed)?;
        let length = file.metadata().await.map_err(&failed)?.len();
        let upload = self.upload_create().send().await.map_err(|error| Setback::of_call(error.into()))?;
        let upload = upload.into_inner();
        let sent = Arc::new(Sent::default());
        let request = self
            .to_signed_url(Method::PUT, &upload.upload_url)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, length)
            .body(Body::wrap_stream(blocks(file, length, Arc::clone(&sent))));
        let response = self.while_it_flows(self.send_signed(request), &sent).await?;
        if response.status() != StatusCode::CREATED {
            return Err(refused(self.refusal(response).await));
        }
        let stored: Stored = self.patiently(response.json()).await?;
        let digest = sent.digest.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize();
        if stored.length != length || stored.sha256 != argus_wire::hex::encode(&digest) {
            let message = "what arrived is not what was sent; did the file change meanwhile?";
            return Err(Setback::Again(Error::new(ErrorKind::InvalidResponse, message)));
        }
        Ok(upload)
    }

    /// The outcome, unless no block goes out, and no answer comes, for as long as one attempt may take.
    async fn while_it_flows<T>(
        &self,
        sending: impl Future<Output = reqwest::Result<T>>,
        sent: &Sent,
    ) -> Result<T, Error> {
        let mut sending = std::pin::pin!(sending);
        loop {
            tokio::select! {
                outcome = self.patiently(&mut sending) => return outcome,
                () = sent.more.notified() => {}
            }
        }
    }
}

/// Too long is too long the next time as well.
fn refused(error: Error) -> Setback {
    match error.status() {
        Some(StatusCode::PAYLOAD_TOO_LARGE) => Setback::Final(error.into()),
        _ => error.into(),
    }
}

/// The blocks of a file. One that has become shorter is an error: the service was promised more.
fn blocks(file: File, length: u64, sent: Arc<Sent>) -> BoxStream<'static, io::Result<Bytes>> {
    let blocks = try_unfold((file, length, sent), |(mut file, left, sent)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut block = vec![0; BLOCK.min(usize::try_from(left).unwrap_or(BLOCK))];
        file.read_exact(&mut block).await?;
        sent.digest.lock().unwrap_or_else(PoisonError::into_inner).update(&block);
        sent.more.notify_one();
        let left = left - block.len() as u64;
        Ok(Some((Bytes::from(block), (file, left, sent))))
    });
    blocks.boxed()
}

//! What sending and fetching files share: signed URLs, which get no token, how long a transfer may stand still, and
//! why one ends. A signed URL is a credential, so that no error shows it.

use crate::client::ArgusClient;
use crate::error::{Error, ErrorKind};
use crate::transport::read_error;
use reqwest::{Method, RequestBuilder, Response};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The whole of a transfer has no limit of its own: a slow one that flows is a good one.
const UNLIMITED: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Why a file was not transferred.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The job has no result yet. Wait for it.
    #[error("the job has not ended: it is at {progress_pct} %")]
    NotReady {
        /// Share of the work that is done, in percent.
        progress_pct: i32,
    },
    /// The file on this machine cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The service, or the network, did not do it, and repeating did not help. What has arrived of a download is
    /// kept, and another call goes on from there.
    #[error("the file was not transferred: {0}")]
    Call(#[from] Error),
}

impl TransferError {
    pub(crate) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

/// An attempt that did not get to its end.
pub(crate) enum Setback {
    /// Another one may.
    Again(Error),
    /// No other one will.
    Final(TransferError),
}

impl From<TransferError> for Setback {
    fn from(error: TransferError) -> Self {
        Self::Final(error)
    }
}

/// That a signed URL does not answer as it should. It may have expired, and another one helps; what is broken on
/// the way may be whole the next time.
impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidResponse => Self::Final(error.into()),
            _ => Self::Again(error),
        }
    }
}

impl Setback {
    /// That an operation failed, which repeats by itself what helps.
    pub(crate) fn of_call(error: Error) -> Self {
        if error.is_transient() { Self::Again(error) } else { Self::Final(error.into()) }
    }
}

impl ArgusClient {
    /// Waits until another attempt may be made after so many that failed, if one may.
    pub(crate) async fn wait_after(&self, setback: Setback, failures: u32) -> Result<(), TransferError> {
        let error = match setback {
            Setback::Again(error) => error,
            Setback::Final(error) => return Err(error),
        };
        let Some(delay) = self.api().inner.retry().delay_after(failures) else {
            return Err(error.into());
        };
        tokio::time::sleep(delay.max(error.retry_after().unwrap_or_default())).await;
        Ok(())
    }

    /// A request to a signed URL. Nobody but the service gets a token, and the URL needs none.
    pub(crate) fn to_signed_url(&self, method: Method, url: &str) -> RequestBuilder {
        use progenitor_client::ClientInfo;
        self.api().client().request(method, url).timeout(UNLIMITED)
    }

    /// Sends a request to a signed URL.
    pub(crate) async fn send_signed(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        use progenitor_client::ClientInfo;
        self.api().inner.way().execute(self.api().client(), request.build()?).await
    }

    /// What an answer refuses with.
    pub(crate) async fn refusal(&self, response: Response) -> Error {
        let (status, headers) = (response.status(), response.headers().clone());
        match self.patiently(read_error(response)).await {
            Ok(mut answer) => answer
                .extensions_mut()
                .remove()
                .unwrap_or_else(|| Error::from_answer(status, &headers, &serde_json::Value::Null)),
            Err(error) => error,
        }
    }

    /// The outcome, unless nothing comes for as long as one attempt may take.
    pub(crate) async fn patiently<T>(
        &self,
        step: impl Future<Output = reqwest::Result<T>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(self.patience(), step).await {
            Ok(outcome) => outcome.map_err(Error::transport),
            Err(_) => Err(Error::new(ErrorKind::Transport, "the transfer stood still")),
        }
    }
}

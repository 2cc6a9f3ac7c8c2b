//! Results to files. What arrives goes to a file beside the one that is wanted, which gets its name only when it is
//! whole and on the disk; with it lies the entity tag, so that a download that broke off goes on where it was, in
//! this process or another.

use crate::client::ArgusClient;
use crate::error::{Error, ErrorKind};
use crate::generated::types::JobResultSuccess;
use crate::transfer::{Setback, TransferError};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use std::io;
use std::path::{Path, PathBuf};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// A result that was downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The file.
    pub path: PathBuf,
    /// How many bytes it has: as many as the service said.
    pub length: u64,
}

impl ArgusClient {
    /// Downloads the result of a job that has succeeded to a file, which is replaced if it is there. A connection
    /// that breaks off and a URL that expires are made up for: the download goes on where it was, even after a
    /// restart, and starts anew only if the result is another one by now. Until the file is whole, what has arrived
    /// lies beside it, under its name with `.part` and `.part.tag`.
    ///
    /// ```no_run
    /// # async fn f(client: argus_sdk::ArgusClient) -> Result<(), argus_sdk::TransferError> {
    /// let file = client.download_result("01JX0000000000000000000000", "enriched.ndjson").await?;
    /// println!("{} bytes in {}", file.length, file.path.display());
    /// # Ok(()) }
    /// ```
    pub async fn download_result(
        &self,
        id: &str,
        path: impl AsRef<Path>,
    ) -> Result<Downloaded, TransferError> {
        let path = path.as_ref();
        let mut part = Part::open(path).await?;
        let mut failures = 0;
        while let Err(setback) = self.go_on(id, &mut part).await {
            // Whoever gets on may break off as often as he likes.
            failures = if part.has_grown() { 1 } else { failures + 1 };
            self.wait_after(setback, failures).await?;
        }
        part.finish().await
    }

    /// Downloads what is missing, by a URL that is asked for now.
    async fn go_on(&self, id: &str, part: &mut Part) -> Result<(), Setback> {
        let url = self.result_url(id).await?;
        let mut request = self.to_signed_url(Method::GET, &url).header(ACCEPT_ENCODING, "identity");
        if let Some(tag) = part.tag() {
            request = request.header(RANGE, format!("bytes={}-", part.length)).header(IF_RANGE, tag);
        }
        let mut response = self.patiently(self.send_signed(request)).await?;
        let length = match response.status() {
            StatusCode::OK => {
                part.begin(response.headers()).await?;
                number(response.headers(), CONTENT_LENGTH.as_str()).ok_or_else(|| strange("its length"))?
            }
            StatusCode::PARTIAL_CONTENT => part.rest(&response).await?,
            StatusCode::RANGE_NOT_SATISFIABLE => return part.beyond(response.headers()).await,
            _ => return Err(self.refusal(response).await.into()),
        };
        while let Some(bytes) = self.patiently(response.chunk()).await? {
            part.write(&bytes).await?;
        }
        if part.length == length { Ok(()) } else { Err(Setback::Again(broken_off())) }
    }

    async fn result_url(&self, id: &str) -> Result<String, Setback> {
        match self.job_result().id(id).send().await {
            Ok(answer) => match answer.into_inner() {
                JobResultSuccess::Result(result) => Ok(result.signed_url),
                JobResultSuccess::Progress(progress) => {
                    Err(TransferError::NotReady { progress_pct: progress.progress_pct }.into())
                }
            },
            Err(error) => Err(Setback::of_call(error.into())),
        }
    }
}

/// A file of which a part is there.
struct Part {
    wanted: PathBuf,
    path: PathBuf,
    file: File,
    length: u64,
    /// The strong entity tag of what it is a part of.
    tag: Option<String>,
    /// How long it was when it was last asked whether it has grown.
    known: u64,
}

impl Part {
    /// What is there already of this file.
    async fn open(wanted: &Path) -> Result<Self, TransferError> {
        let path = with_ending(wanted, ".part");
        let failed = TransferError::file(&path);
        let file =
            OpenOptions::new().create(true).append(true).read(true).open(&path).await.map_err(&failed)?;
        // Two downloads to one file would mix.
        let file = file.into_std().await;
        file.try_lock().map_err(|error| failed(error.into()))?;
        let file = File::from_std(file);
        let length = file.metadata().await.map_err(failed)?.len();
        let tag = fs::read_to_string(with_ending(&path, ".tag")).await.ok();
        Ok(Self { wanted: wanted.to_owned(), path, file, length, tag, known: length })
    }

    /// What the rest is asked for with, if it can be.
    fn tag(&self) -> Option<&str> {
        self.tag.as_deref().filter(|_| self.length > 0)
    }

    fn has_grown(&mut self) -> bool {
        self.length > std::mem::replace(&mut self.known, self.length)
    }

    /// Begins anew with what these headers tell of. The tag is there before the first byte, so that no byte is
    /// ever taken for one of another file.
    async fn begin(&mut self, headers: &HeaderMap) -> Result<(), TransferError> {
        let failed = TransferError::file(&self.path);
        self.file.set_len(0).await.map_err(&failed)?;
        (self.length, self.known) = (0, 0);
        self.tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).filter(is_strong).map(str::to_owned);
        let beside = with_ending(&self.path, ".tag");
        match &self.tag {
            Some(tag) => fs::write(&beside, tag).await.map_err(TransferError::file(&beside)),
            None => removed(&beside).await,
        }
    }

    /// How long the whole is of which this is the rest.
    async fn rest(&mut self, response: &Response) -> Result<u64, Setback> {
        let headers = response.headers();
        let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok());
        match range(headers) {
            Some((Some(first), whole)) if first == self.length && tag == self.tag.as_deref() => Ok(whole),
            // It is not what was asked for; the next attempt asks for all of it.
            _ => {
                self.begin(&HeaderMap::new()).await?;
                Err(Setback::Again(strange("which part it is")))
            }
        }
    }

    /// That there is nothing behind what is here: it is whole, or it is of another file.
    async fn beyond(&mut self, headers: &HeaderMap) -> Result<(), Setback> {
        if range(headers).is_some_and(|(_, whole)| whole == self.length) {
            return Ok(());
        }
        self.begin(&HeaderMap::new()).await?;
        Err(Setback::Again(strange("its length")))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.file.write_all(bytes).await.map_err(TransferError::file(&self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Gives the file its name, once it is on the disk.
    async fn finish(mut self) -> Result<Downloaded, TransferError> {
        let failed = TransferError::file(&self.path);
        self.file.flush().await.map_err(&failed)?;
        self.file.sync_all().await.map_err(&failed)?;
        fs::rename(&self.path, &self.wanted).await.map_err(TransferError::file(&self.wanted))?;
        removed(&with_ending(&self.path, ".tag")).await?;
        sync_directory(&self.wanted).await.map_err(TransferError::file(&self.wanted))?;
        Ok(Downloaded { path: self.wanted, length: self.length })
    }
}

/// A directory's own entry of a file outlives a power failure only if it is synced as well.
async fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new("."))).await?.sync_all().await?;
    }
    Ok(())
}

async fn removed(path: &Path) -> Result<(), TransferError> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TransferError::file(path)(error)),
        _ => Ok(()),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether a tag stands for the very bytes (RFC 9110, section 8.8.1).
fn is_strong(tag: &&str) -> bool {
    tag.starts_with('"')
}

/// First byte and whole length of `Content-Range` (RFC 9110, section 14.4).
fn range(headers: &HeaderMap) -> Option<(Option<u64>, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (part, whole) = text.split_once('/')?;
    let first = part.split_once('-').and_then(|(first, _)| first.parse().ok());
    Some((first, whole.parse().ok()?))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn strange(what: &str) -> Error {
    Error::new(ErrorKind::InvalidResponse, format!("the answer to a download does not tell {what}"))
}

fn broken_off() -> Error {
    Error::new(ErrorKind::Transport, "the download broke off")
}

//! Files that outlive a request: results and uploads. They are kept in a directory or in a bucket, written
//! and read as streams, and given out by URLs that need no token.
//!
//! - [`ObjectKey`]: where an object lies; it cannot lead out of the store
//! - [`ObjectSettings`]: which store it is
//! - [`signed_url`]: URLs of this service's own
//!
//! A bucket gives its objects out itself, by presigned URLs; a directory by URLs of this service. Uploads
//! come to this service in both cases: the URL of a bucket cannot say how many bytes it takes at most, ours
//! can. What a request's headers mean for a stream does not live here.
//!
//! The parts of an upload to a bucket that was cut off stay there, out of sight, until a rule of the bucket
//! removes them ("abort incomplete multipart uploads"); in a directory this module does so.

mod bucket;
mod directory;
mod error;
mod key;
mod parts;
mod settings;
pub mod signed_url;
mod writer;

pub use error::{Error, OpenError};
pub use key::{Collection, DownloadName, NotAName, ObjectKey};
pub use settings::{ObjectSettings, Place, S3Settings};
pub use signed_url::{Action, Grant, NotTaken, SignedUrl};
pub use writer::{Stored, Writer};

use crate::Clock;
use crate::ids::TenantId;
use crate::pepper::Pepper;
use argus_wire::hex;
use aws_lc_rs::digest::{SHA256, digest};
use bucket::Bucket;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetResultPayload, ObjectStore, ObjectStoreExt};
use signed_url::UrlSigner;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What references to the objects of a directory begin with: not with its path, which is nobody's business.
const LOCAL_REFERENCE: &str = "argus://";

/// The object that is written to see whether others can be. It lies beside every collection.
const PROBE: &str = "write-probe";
/// Its length: a block of most disks, so that a full one has no room for it.
const PROBE_BYTES: usize = 4096;

/// A store of objects. Clones share it.
#[derive(Clone)]
pub struct Objects {
    kind: Kind,
    /// What every key begins with in the store.
    prefix: Arc<str>,
    signer: Option<UrlSigner>,
    pepper: Arc<Pepper>,
    clock: Clock,
}

#[derive(Clone)]
enum Kind {
    Directory(Arc<LocalFileSystem>, PathBuf),
    Bucket(Bucket),
}

/// What is known of an object before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many bytes it has.
    pub length: u64,
    /// What tells it from every other object that was or will be in its place: hexadecimal digits.
    pub version: String,
    /// The same in the store's own words.
    tag: Option<String>,
}

impl Head {
    /// What is known of bytes that no store keeps.
    pub fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len() as u64, version: version(bytes), tag: None }
    }
}

/// What tells apart what is described, or consists of, other bytes.
fn version(told: &[u8]) -> String {
    hex::encode(&digest(&SHA256, told).as_ref()[..16])
}

/// The bytes of an object, as they are read.
pub type Blocks = BoxStream<'static, Result<Bytes, Error>>;

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.kind {
            Kind::Directory(_, path) => path.display().to_string(),
            Kind::Bucket(bucket) => format!("{}{}", bucket.reference, self.prefix),
        };
        f.debug_struct("Objects").field("place", &place).finish_non_exhaustive()
    }
}

impl Objects {
    /// Opens the store that the settings name. A bucket is not asked yet. Blocks.
    pub fn open(settings: &ObjectSettings, pepper: Arc<Pepper>, clock: Clock) -> Result<Self, OpenError> {
        settings.check()?;
        let (kind, prefix) = match &settings.place {
            Place::Directory { path, .. } => {
                (Kind::Directory(Arc::new(directory::open(path)?), path.clone()), String::new())
            }
            Place::Bucket { bucket, prefix } => {
                let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
                (Kind::Bucket(Bucket::open(bucket, &settings.s3)?), prefix)
            }
        };
        Ok(Self { kind, prefix: prefix.into(), signer: None, pepper, clock })
    }

    /// The same store, with URLs of this service's own below a base URL.
    #[must_use]
    pub fn under(&self, base_url: String) -> Self {
        let signer = UrlSigner::new(base_url, Arc::clone(&self.pepper), self.clock.clone());
        Self { signer: Some(signer), ..self.clone() }
    }

    /// An object to write. It replaces what is there once it is whole.
    pub fn put(&self, key: &ObjectKey) -> Writer {
        Writer::new(self.store(), self.path(key), key, matches!(self.kind, Kind::Bucket(_)))
    }

    /// Whether objects can be written: writes a small one, always the same, in the way of all others.
    pub async fn check(&self) -> Result<(), Error> {
        let probe = Path::from(format!("{}{PROBE}", self.prefix));
        self.store().put(&probe, Bytes::from_static(&[0; PROBE_BYTES]).into()).await?;
        Ok(())
    }

    /// What is known of an object.
    pub async fn head(&self, key: &ObjectKey) -> Result<Head, Error> {
        let head = self.store().head(&self.path(key)).await?;
        let told = match &head.e_tag {
            Some(tag) => tag.clone(),
            None => format!("{}-{}", head.last_modified.timestamp_micros(), head.size),
        };
        Ok(Head { length: head.size, version: version(told.as_bytes()), tag: head.e_tag })
    }

    /// A part of the object of which this is known. It is an error when it was replaced meanwhile.
    pub async fn read(&self, key: &ObjectKey, head: &Head, range: Range<u64>) -> Result<Blocks, Error> {
        let range = range.start..range.end.min(head.length);
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let part = (range != (0..head.length)).then(|| range.clone().into());
        let options = GetOptions { if_match: head.tag.clone(), range: part, ..GetOptions::default() };
        let found = self.store().get_opts(&self.path(key), options).await?;
        // Not every kin of S3 knows conditions.
        if found.meta.e_tag != head.tag {
            return Err(Error::Replaced);
        }
        Ok(match found.payload {
            GetResultPayload::File(file, _) => directory::read(file, range).boxed(),
            GetResultPayload::Stream(blocks) => blocks.map_err(Error::from).boxed(),
        })
    }

    /// A whole object.
    pub async fn open_object(&self, key: &ObjectKey) -> Result<(Head, Blocks), Error> {
        let head = self.head(key).await?;
        let blocks = self.read(key, &head, 0..head.length).await?;
        Ok((head, blocks))
    }

    /// Removes an object. One that is not there is removed already.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        match self.store().delete(&self.path(key)).await.map_err(Error::from) {
            Err(Error::NotFound) => Ok(()),
            other => other,
        }
    }

    /// Removes everything of a tenant in a collection, and returns how many objects that were.
    pub async fn delete_all(&self, collection: Collection, tenant_id: &TenantId) -> Result<u64, Error> {
        let place = Path::from(format!("{}{}/{tenant_id}", self.prefix, collection.as_str()));
        let store = self.store();
        let found = store.list(Some(&place)).map_ok(|object| object.location).boxed();
        let removed = store.delete_stream(found).map(|outcome| match outcome.map_err(Error::from) {
            Ok(_) => Ok(1),
            Err(Error::NotFound) => Ok(0),
            Err(error) => Err(error),
        });
        removed.try_fold(0, async |sum, one: u64| Ok(sum + one)).await
    }

    /// A URL that gives out an object for so long, under this name if it is saved. It can be shorter, but
    /// never longer, than what is said with it: a bucket's URL dies with the credentials that signed it.
    pub async fn signed_url(
        &self,
        key: &ObjectKey,
        name: Option<&DownloadName>,
        lifetime: Duration,
    ) -> Result<SignedUrl, Error> {
        match &self.kind {
            Kind::Directory(..) => Ok(self.own_url(key, &Action::Read { name: name.cloned() }, lifetime)?),
            Kind::Bucket(bucket) => bucket.sign(&self.path(key), key, name, lifetime, &self.clock).await,
        }
    }

    /// A URL of this service that takes an object of at most so many bytes for so long.
    pub fn upload_url(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
        lifetime: Duration,
    ) -> Result<SignedUrl, Error> {
        self.own_url(key, &Action::Write { max_bytes }, lifetime)
    }

    /// What a request for this path with this query and method may do.
    pub fn verify(&self, method: &str, path: &str, query: &str) -> Result<Grant, NotTaken> {
        self.signer.as_ref().ok_or(NotTaken::Invalid)?.verify(method, path, query)
    }

    /// What an object is called in replies. It opens nothing.
    pub fn reference(&self, key: &ObjectKey) -> String {
        match &self.kind {
            Kind::Directory(..) => format!("{LOCAL_REFERENCE}{key}"),
            Kind::Bucket(bucket) => format!("{}{}{key}", bucket.reference, self.prefix),
        }
    }

    /// Removes what processes that were killed left unfinished a day ago, and returns how much that was.
    /// Blocks.
    pub fn remove_unfinished(&self) -> std::io::Result<usize> {
        match &self.kind {
            Kind::Directory(_, path) => directory::remove_unfinished(path),
            Kind::Bucket(_) => Ok(0),
        }
    }

    fn own_url(&self, key: &ObjectKey, action: &Action, lifetime: Duration) -> Result<SignedUrl, Error> {
        let signer = self.signer.as_ref().ok_or_else(|| Error::Store("URLs have no base yet".into()))?;
        Ok(signer.sign(key, action, lifetime))
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        match &self.kind {
            Kind::Directory(store, _) => Arc::clone(store) as Arc<dyn ObjectStore>,
            Kind::Bucket(bucket) => Arc::clone(&bucket.store) as Arc<dyn ObjectStore>,
        }
    }

    /// Keys and prefixes need no escaping, so that they are the same in the store.
    fn path(&self, key: &ObjectKey) -> Path {
        Path::from(format!("{}{key}", self.prefix))
    }
}

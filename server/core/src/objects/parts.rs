//! Parts of an object on their way to a store. The client lets go of those that are on their way when an upload is
//! aborted; one that arrives behind the abort stays in a bucket, out of sight. So an abort waits for them here.

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use std::fmt;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// A store whose uploads end before they are aborted.
#[derive(Debug)]
pub(super) struct Orderly(pub(super) Arc<dyn ObjectStore>);

impl fmt::Display for Orderly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Orderly {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.0.put_multipart_opts(location, options).await?;
        Ok(Box::new(Upload { upload, on_their_way: TaskTracker::new() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct Upload {
    upload: Box<dyn MultipartUpload>,
    on_their_way: TaskTracker,
}

#[async_trait]
impl MultipartUpload for Upload {
    /// The part goes on when nobody waits for it any more.
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = self.on_their_way.spawn(self.upload.put_part(data));
        Box::pin(async move { part.await.map_err(|source| Error::JoinError { source })? })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.upload.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.on_their_way.close();
        self.on_their_way.wait().await;
        self.upload.abort().await
    }
}

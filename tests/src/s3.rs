//! An S3 server in the test's own process, on a port and in a directory of its own: `s3s` with its store on
//! the file system. It comes from the registry, needs no installation, and checks signatures, those of
//! presigned URLs among them.

use argus_core::objects::{ObjectSettings, Place, S3Settings};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const BUCKET: &str = "argus-test";
const ACCESS_KEY: &str = "ARGUSTESTKEY";
const SECRET: &str = "argus-test-secret";

/// A server with one bucket. It ends with the test.
pub struct S3Server {
    address: SocketAddr,
    serving: JoinHandle<()>,
    directory: TempDir,
}

impl S3Server {
    /// Starts it.
    pub async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        std::fs::create_dir(directory.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(directory.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // A client that goes away is no fault.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, serving, directory }
    }

    /// Settings of a store in its bucket, below a prefix.
    pub fn settings(&self) -> ObjectSettings {
        ObjectSettings {
            place: Place::parse(&self.place()).unwrap(),
            s3: S3Settings {
                endpoint: Some(format!("http://{}", self.address)),
                access_key_id: Some(ACCESS_KEY.to_owned()),
                secret_access_key: Some(SECRET.to_owned().into()),
                ..S3Settings::default()
            },
        }
    }

    /// The bucket with a prefix, as a setting names them.
    pub fn place(&self) -> String {
        format!("s3://{BUCKET}/tests")
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

//! The sandbox's own signed URLs, in the form of the live ones. What they lead to is a function of the URL:
//! the result of a job is made anew from the job's id, and what is sent to an upload goes nowhere.
//!
//! The signature is a digest of what the URL says. Like the check of an id it is no secret: it tells a URL of
//! the sandbox from one that was altered, and protects nothing, since there is nothing to protect. Time stands
//! still here, so that a URL says when it ends and never does.

use crate::engine::clock::at;
use crate::engine::digest::Frame;
use crate::partner::ids::JobId;
use crate::partner::jobs::result_file;
use crate::partner::sandbox::Sandbox;
use argus_openapi::Operation;
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::jobs::results;
use argus_openapi::types::uploads;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

/// What every path of an object begins with.
const PATH: &str = "/objects/";
/// Whose every object is. No reply shows the tenant here.
const RESULTS: &str = "results/tnt_sandbox/";
const UPLOADS: &str = "uploads/tnt_sandbox/";

/// What a signed URL of the sandbox allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedObject {
    /// To read the result of a job.
    Result {
        /// Where it would lie: collection, tenant and name.
        key: String,
        /// What it is called when it is saved.
        name: String,
        /// The result.
        bytes: Bytes,
    },
    /// To send an upload, which goes nowhere.
    Upload {
        /// How many bytes it may have.
        max_bytes: u64,
    },
}

impl Sandbox {
    /// What a request for this path with this query and method may do; nothing where the sandbox has not
    /// signed it. `HEAD` counts as `GET`.
    pub fn signed_object(&self, method: &str, path: &str, query: &str) -> Option<SignedObject> {
        let key = path.strip_prefix(PATH)?;
        let (said, signature) = query.rsplit_once("&signature=")?;
        let method = if method == "HEAD" { "GET" } else { method };
        if signature != self::signature(method, key, said) {
            return None;
        }
        let (_, value) = said.rsplit_once('=')?;
        match method {
            "GET" => {
                let name = key.strip_prefix(RESULTS)?;
                let (job, _) = JobId::read(name.split('.').next()?)?;
                let bytes = result_file::bytes(self, &job).into();
                Some(SignedObject::Result { key: key.to_owned(), name: value.to_owned(), bytes })
            }
            "PUT" => Some(SignedObject::Upload { max_bytes: value.parse().ok()? }),
            _ => None,
        }
    }

    /// The URL of a job's result, asked for so many seconds after the start of time.
    pub(crate) fn result_url(&self, name: &str, asked: i64) -> String {
        let expires = at(asked + i64::from(results::URL_LIFETIME_SECONDS)).timestamp();
        self.url("GET", &format!("{RESULTS}{name}"), &format!("expires={expires}&name={name}"))
    }

    /// The URL of an upload, asked for so many seconds after the start of time, and when it ends.
    pub(crate) fn upload_url(&self, upload_ref: &str, asked: i64) -> (String, Timestamp) {
        let expires_at = at(asked + i64::from(uploads::URL_LIFETIME_SECONDS));
        let max_bytes = Operation::ObjectCreate.row().body_max_bytes;
        let said = format!("expires={}&max_bytes={max_bytes}", expires_at.timestamp());
        (self.url("PUT", &format!("{UPLOADS}{upload_ref}"), &said), expires_at)
    }

    fn url(&self, method: &str, key: &str, said: &str) -> String {
        format!("{}{PATH}{key}?{said}&signature={}", self.base_url, signature(method, key, said))
    }
}

fn signature(method: &str, key: &str, said: &str) -> String {
    let mut frame = Frame::new("signed url");
    [method, key, said].iter().for_each(|part| frame.part(part.as_bytes()));
    URL_SAFE_NO_PAD.encode(frame.finish().0)
}

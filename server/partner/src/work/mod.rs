//! What the kinds of jobs do, one `Work` each. How jobs are kept and claimed is the core's business, what
//! partners are told of them that of [`crate::jobs`].

pub mod enrich;
pub mod export;
pub mod graph;
pub mod import;
pub(crate) mod result;

use crate::connectors::Connectors;
use crate::error::Error;
use argus_core::jobs::work::{Registry, Unfinished};
use argus_core::objects::Objects;
use argus_core::{Store, objects};

/// What every kind works with.
#[derive(Clone)]
pub struct Workshop {
    /// The database, for workers.
    pub store: Store,
    /// Where uploads come from and results go to.
    pub objects: Objects,
    /// What knows more of profiles.
    pub connectors: Connectors,
}

/// Every kind of job.
pub fn registry(workshop: &Workshop) -> Registry {
    Registry::default()
        .with(enrich::Enrich(workshop.clone()))
        .with(import::Import(workshop.clone()))
        .with(export::Export(workshop.clone()))
        .with(graph::Graph(workshop.clone()))
}

/// Why work on a profile did not succeed, to whoever keeps the job.
fn unfinished(error: Error) -> Unfinished {
    match error {
        Error::Core(error) => error.into(),
        Error::Refused { code, message } => Unfinished::failed(code.as_str(), message),
    }
}

/// Why an object could not be read or written.
fn object_error(error: &objects::Error) -> Unfinished {
    match error {
        objects::Error::NotFound => Unfinished::failed("upload_not_found", "there is no such upload"),
        error => {
            tracing::warn!(cause = %error, "an object cannot be used");
            Unfinished::transient("objects_unavailable", error.reason())
        }
    }
}

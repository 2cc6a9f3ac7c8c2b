//! Jobs to enqueue: what makes the generated requests short to write.
//!
//! Each kind has a request and a payload of its own, so that a payload of another kind does not compile.
//! What `kind` says is filled in.

use crate::generated::types::{
    EnrichJob, EnrichPayload, ExportFormat, ExportJob, ExportPayload, GraphJob, GraphPayload, ImportJob,
    ImportPayload, JobCreate, ProfileKind, ProfileRecord, Upload, builder, error,
};

impl EnrichJob {
    /// A job that asks every source about these profiles.
    ///
    /// ```
    /// use argus_sdk::types::{EnrichJob, EnrichPayload, EnrichmentSource};
    ///
    /// let job = EnrichJob::of(["p1", "p2"]);
    /// // The same with more to say:
    /// let payload = EnrichPayload::builder()
    ///     .profile_ids(["p1".to_owned(), "p2".to_owned()])
    ///     .sources([EnrichmentSource::Osint]);
    /// let job = EnrichJob::builder().payload(payload).callback_url("https://partner.example/done".to_owned());
    /// ```
    pub fn of<T: Into<String>>(profile_ids: impl IntoIterator<Item = T>) -> Self {
        let profile_ids = profile_ids.into_iter().map(Into::into).collect();
        EnrichPayload { profile_ids, sources: Vec::new() }.into()
    }
}

impl ImportJob {
    /// A job that imports these profiles.
    ///
    /// ```
    /// use argus_sdk::types::{ImportJob, ProfileKind, ProfileRecord};
    ///
    /// # fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// let wallet = ProfileRecord::builder().id("p1").kind(ProfileKind::Wallet).display_name("Cold wallet 7");
    /// let job = ImportJob::of([wallet.try_into()?]);
    /// # Ok(()) }
    /// ```
    pub fn of(profiles: impl IntoIterator<Item = ProfileRecord>) -> Self {
        let profiles = Some(profiles.into_iter().collect());
        ImportPayload { profiles, ..ImportPayload::default() }.into()
    }

    /// A job that imports the profiles of an upload, one JSON object a line.
    pub fn of_upload(upload: &Upload) -> Self {
        let upload_ref = Some(upload.upload_ref.clone());
        ImportPayload { upload_ref, ..ImportPayload::default() }.into()
    }
}

impl ImportJob {
    /// A job that imports the profiles of an upload of comma-separated values, as an export writes them.
    pub fn of_csv_upload(upload: &Upload) -> Self {
        let (upload_ref, format) = (Some(upload.upload_ref.clone()), Some(ExportFormat::Csv));
        ImportPayload { upload_ref, format, ..ImportPayload::default() }.into()
    }
}

impl ExportJob {
    /// A job that exports every profile that it may see, one JSON object a line.
    ///
    /// ```
    /// use argus_sdk::types::{Compression, ExportFormat, ExportJob, ExportPayload, ProfileKind};
    ///
    /// let job = ExportJob::of_everything();
    /// // Some of them, as a compressed table:
    /// let job = ExportJob::of_kinds([ProfileKind::Wallet]);
    /// let payload = ExportPayload::builder()
    ///     .min_risk_score(70)
    ///     .format(ExportFormat::Csv)
    ///     .compression(Compression::Gzip);
    /// let job = ExportJob::builder().payload(payload);
    /// ```
    pub fn of_everything() -> Self {
        ExportPayload::default().into()
    }

    /// A job that exports the profiles of these kinds, one JSON object a line; of every kind if there is none.
    pub fn of_kinds(kinds: impl IntoIterator<Item = ProfileKind>) -> Self {
        ExportPayload { profile_kinds: kinds.into_iter().collect(), ..ExportPayload::default() }.into()
    }
}

impl GraphJob {
    /// A job that computes everything over the relations of every profile that it may see.
    ///
    /// ```
    /// use argus_sdk::types::{GraphAlgorithm, GraphJob, GraphPath, GraphPayload};
    ///
    /// # fn f() -> Result<(), Box<dyn std::error::Error>> {
    ///
    /// let job = GraphJob::of_everything();
    /// let job = GraphJob::of(["p1", "p2", "p3"]);
    /// let payload = GraphPayload::builder()
    ///     .algorithms([GraphAlgorithm::Pagerank])
    ///     .shortest_paths([GraphPath::builder().from("p1").to("p3").try_into()?]);
    /// let job = GraphJob::builder().payload(payload);
    /// # Ok(()) }
    /// ```
    pub fn of_everything() -> Self {
        GraphPayload::default().into()
    }

    /// The same over these profiles alone; over every one if none is named.
    pub fn of<T: Into<String>>(profile_ids: impl IntoIterator<Item = T>) -> Self {
        let profile_ids = profile_ids.into_iter().map(Into::into).collect();
        GraphPayload { profile_ids, ..GraphPayload::default() }.into()
    }
}

/// A payload alone is a job, and a job that is still being built is a request.
macro_rules! requests {
    ($($job:ident($payload:ident),)+) => {$(
        impl From<$payload> for $job {
            fn from(payload: $payload) -> Self {
                Self { callback_url: None, kind: Default::default(), payload, secrecy_level: None }
            }
        }

        impl TryFrom<builder::$job> for JobCreate {
            type Error = error::ConversionError;

            fn try_from(job: builder::$job) -> Result<Self, Self::Error> {
                $job::try_from(job).map(Self::from)
            }
        }
    )+};
}

requests! {
    EnrichJob(EnrichPayload),
    ExportJob(ExportPayload),
    ImportJob(ImportPayload),
    GraphJob(GraphPayload),
}

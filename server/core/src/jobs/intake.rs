//! Accepting jobs together with those of others. What a job is and how it is written is [`super::enqueue`]'s business.

use super::enqueue::{Enqueued, NewJob, Submission, enqueue_all};
use crate::context::{Context, Live};
use crate::error::Error;
use crate::store::{self, Store, Together, Tx};

/// Where jobs are accepted. Clones share it.
#[derive(Clone)]
pub struct Intake(Together<Submission>);

impl Intake {
    /// Accepts jobs into this store.
    pub fn new(store: Store) -> Self {
        Self(Together::new(store))
    }

    /// Accepts a job for the caller, unless its key was used within 24 hours. It is committed when this returns.
    pub async fn accept(&self, context: &Context<Live>, job: NewJob) -> Result<Enqueued, Error> {
        self.0.write(context, Submission::new(context.invocation(), job)?).await
    }
}

impl store::Submission for Submission {
    type Outcome = Enqueued;
    type Error = Error;

    fn write_all(tx: &mut Tx<'_>, submissions: &[Self]) -> Result<Vec<Enqueued>, Error> {
        enqueue_all(tx, submissions)
    }
}

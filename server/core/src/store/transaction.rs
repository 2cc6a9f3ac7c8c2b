//! Writing. A [`Tx`] is the only way to write: it exists only inside [`super::Store::write`], carries
//! who writes, for which tenant and when, and is tried again when another transaction was in the way.

use super::connection::AnyConnection;
use super::engine;
use super::error::{Error, Failure};
use super::reader::Reader;
use crate::context::Invocation;
use crate::usage::{self, MeteredCall};
use chrono::NaiveDateTime;
use diesel::connection::TransactionManager;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The first pause between two attempts is at most this long, each later one twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// A transaction that may write for one tenant. It reads as a [`Reader`].
///
/// What must be written together takes `&mut Tx`, so that it cannot run outside of a transaction:
///
/// ```no_run
/// use argus_core::{audit, context::{Context, Live}, store::{self, Store}};
///
/// async fn inside(store: &Store, context: &Context<Live>) -> Result<(), argus_core::Error> {
///     store.write(context, |tx| audit::append(tx, "app.create", "app_1")).await
/// }
/// ```
///
/// ```compile_fail
/// use argus_core::{audit, context::{Context, Live}, store::{self, Store}};
///
/// async fn outside(store: &Store, context: &Context<Live>) -> Result<(), argus_core::Error> {
///     store.read(context, |tx| audit::append(tx, "app.create", "app_1")).await
/// }
/// ```
pub struct Tx<'c> {
    reader: Reader<'c>,
    invocation: &'c Invocation,
    now: NaiveDateTime,
}

impl<'c> Deref for Tx<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}

impl<'c> DerefMut for Tx<'c> {
    fn deref_mut(&mut self) -> &mut Reader<'c> {
        &mut self.reader
    }
}

impl<'c> Tx<'c> {
    /// The call that writes.
    pub fn invocation(&self) -> &'c Invocation {
        self.invocation
    }

    /// The moment of the transaction: the same for everything that it writes.
    pub fn now(&self) -> NaiveDateTime {
        self.now
    }
}

/// Runs work in a transaction, and again when another transaction was in the way, for as long as
/// `lock_wait`. The work is rolled back when it fails. It counts those of these calls that nothing has counted yet.
pub(super) fn run<T, X: Failure>(
    connection: &mut AnyConnection,
    invocation: &Invocation,
    calls: &[Arc<MeteredCall>],
    lock_wait: Duration,
    work: impl Fn(&mut Tx<'_>) -> Result<T, X>,
) -> Result<T, X> {
    let value = again_after_conflicts(lock_wait, || attempt(connection, invocation, calls, &work))?;
    calls.iter().for_each(|call| call.note_counted());
    Ok(value)
}

/// Does it, and again when another transaction was in the way, for as long as `lock_wait`.
pub(super) fn again_after_conflicts<T, X: Failure>(
    lock_wait: Duration,
    mut attempt: impl FnMut() -> Result<T, X>,
) -> Result<T, X> {
    let mut longest = FIRST_PAUSE;
    let began = Instant::now();
    loop {
        match attempt() {
            Err(error) if error.is_conflict() && began.elapsed() < lock_wait => {
                tracing::debug!("another transaction was in the way");
                std::thread::sleep(jittered(longest));
            }
            outcome => return outcome,
        }
        longest = LONGEST_PAUSE.min(longest * 2);
    }
}

fn attempt<T, X: Failure>(
    connection: &mut AnyConnection,
    invocation: &Invocation,
    calls: &[Arc<MeteredCall>],
    work: impl Fn(&mut Tx<'_>) -> Result<T, X>,
) -> Result<T, X> {
    let tenant_id = invocation.tenant_id();
    engine::begin_write(connection, tenant_id).map_err(Error::from)?;
    let reader = Reader::new(connection, tenant_id.clone());
    let mut tx = Tx { reader, invocation, now: invocation.clock.timestamp() };
    // Behind the work: what it waits for holds nothing up that this has touched.
    let outcome = work(&mut tx).and_then(|value| {
        usage::append_calls(&mut tx, calls).map_err(Error::from)?;
        Ok(value)
    });
    end(connection, outcome)
}

/// Commits what was done, or takes it back.
pub(super) fn end<T, X: Failure>(connection: &mut AnyConnection, outcome: Result<T, X>) -> Result<T, X> {
    type Manager = <AnyConnection as diesel::Connection>::TransactionManager;
    match outcome {
        Ok(value) => {
            Manager::commit_transaction(connection).map_err(Error::from)?;
            Ok(value)
        }
        Err(error) => {
            // The first error says more than a failed rollback; a connection whose rollback failed
            // counts as broken and leaves the pool.
            let _ = Manager::rollback_transaction(connection);
            Err(error)
        }
    }
}

/// A random part of `longest`, so that two that met do not meet again. Without randomness, all of it.
fn jittered(longest: Duration) -> Duration {
    let [byte] = crate::ids::random().unwrap_or([u8::MAX]);
    longest.mul_f32(f32::from(byte) / f32::from(u8::MAX))
}

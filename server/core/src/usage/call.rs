//! One call that counts, from where it was let through to its end.

use super::meter::Account;
use super::quota::QuotaState;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A live call that was let through. It counts once: with the first transaction that it commits, or at its end.
pub struct MeteredCall {
    pub(super) account: Arc<Account>,
    /// Where the operation stands in the contract.
    pub(super) position: usize,
    /// The quotas that it was taken from.
    pub(super) quotas: Vec<Arc<QuotaState>>,
    is_counted: AtomicBool,
}

impl MeteredCall {
    pub(super) fn new(account: Arc<Account>, position: usize, quotas: Vec<Arc<QuotaState>>) -> Self {
        Self { account, position, quotas, is_counted: AtomicBool::new(false) }
    }

    /// Whether a transaction has counted it.
    pub(crate) fn is_counted(&self) -> bool {
        self.is_counted.load(Ordering::Relaxed)
    }

    /// Notes that a transaction which counts it is committed.
    pub(crate) fn note_counted(&self) {
        self.is_counted.store(true, Ordering::Relaxed);
    }

    /// Whom it counts for.
    pub(super) fn actor(&self) -> &str {
        self.account.actor()
    }

    /// What was called.
    pub(super) fn operation(&self) -> &'static str {
        self.account.operation(self.position)
    }

    /// Ends the call. One that no transaction has counted counts in memory, unless it has failed by a fault of this
    /// side; then its quotas get it back.
    pub fn end(&self, is_fault: bool) {
        if is_fault {
            // A transaction that was given up may still be committed, and counts it then.
            if !self.is_counted() {
                self.quotas.iter().for_each(|quota| quota.give_back());
            }
        } else if !self.is_counted.swap(true, Ordering::Relaxed) {
            self.account.count(self.position);
        }
    }
}

impl fmt::Debug for MeteredCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MeteredCall").field(&self.operation()).finish()
    }
}

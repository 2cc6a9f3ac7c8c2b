//! Calls on the sandbox host, counted for the audit trail. A reply waits for nothing: a call adds to a count that belongs to
//! its token, under a lock that this token alone asks for, and what was counted is written from time to time, one entry for
//! an app, an operation and that time. An entry a call would be sixty thousand rows a second.
//!
//! Who has shown no token is not counted: an entry belongs to a tenant, and nobody's tenant is known.

use argus_core::audit::calls::{self, Calls};
use argus_core::context::Principal;
use argus_core::store::{AnyConnection, EveryTenant};
use argus_core::{Clock, Error};
use argus_sandbox::ScenarioSet;
use argus_wire::trace_context::TraceIds;
use prometheus_client::metrics::counter::Counter;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many tokens are counted at a time. There are more only while somebody brings thousands of new ones a second.
const SESSIONS_MAX: usize = 16_384;
/// How many callers and operations wait to be written, while the database is away.
const WAITING_MAX: usize = 20_000;
/// How many entries are written in one transaction.
const BATCH: usize = 500;

/// A token of the sandbox, and what was called with it since the last time that somebody looked.
#[derive(Debug)]
pub struct Session {
    /// The scenarios that it is pinned to.
    pub scenarios: ScenarioSet,
    principal: Arc<Principal>,
    /// Nobody would look at it.
    is_left_out: bool,
    called: Mutex<Vec<Called>>,
    dropped: Counter,
}

#[derive(Clone, Copy, Debug)]
struct Called {
    operation: &'static str,
    first: TraceIds,
    times: u32,
}

impl Session {
    /// Counts a call of an operation that was answered in this trace.
    pub(super) fn count(&self, operation: &'static str, trace: TraceIds) {
        if self.is_left_out {
            self.dropped.inc();
            return;
        }
        let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        // A token calls a few operations, whose names are the very same texts each time.
        match called.iter_mut().find(|called| std::ptr::eq(called.operation, operation)) {
            Some(called) => called.times = called.times.saturating_add(1),
            None => called.push(Called { operation, first: trace, times: 1 }),
        }
    }
}

/// Who called what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Caller {
    tenant_id: String,
    actor: String,
    user_id: Option<String>,
    operation: &'static str,
}

/// How often, since the last entry, and in which trace first.
#[derive(Clone, Debug)]
struct Counted {
    trace_id: String,
    times: i64,
}

/// The counts of all tokens.
#[derive(Debug, Default)]
pub struct SandboxCalls {
    sessions: Mutex<Vec<Arc<Session>>>,
    waiting: Mutex<BTreeMap<Caller, Counted>>,
    dropped: Counter,
}

impl SandboxCalls {
    /// What is counted with a token that was verified.
    pub(super) fn begin(&self, principal: Arc<Principal>, scenarios: ScenarioSet) -> Arc<Session> {
        let mut sessions = self.sessions();
        let is_left_out = sessions.len() >= SESSIONS_MAX;
        let dropped = self.dropped.clone();
        let session = Session { scenarios, principal, is_left_out, called: Mutex::default(), dropped };
        let session = Arc::new(session);
        if !is_left_out {
            sessions.push(Arc::clone(&session));
        }
        session
    }

    /// How many calls are in no entry, because there were too many callers or the database was away for too long.
    pub fn dropped(&self) -> Counter {
        self.dropped.clone()
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Caller, Counted>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds up what was counted for the same caller and operation, and lets go of tokens that nobody uses any more.
    fn collect(&self) {
        let mut waiting = self.waiting();
        self.sessions().retain(|session| {
            // Before it is looked at: one that nobody else has is not counted any more.
            let is_used = Arc::strong_count(session) > 1;
            let called = std::mem::take(&mut *session.called.lock().unwrap_or_else(PoisonError::into_inner));
            for Called { operation, first, times } in called {
                let Principal { tenant_id, actor, user_id, .. } = &*session.principal;
                let caller = Caller {
                    tenant_id: tenant_id.as_str().to_owned(),
                    actor: actor.as_str().to_owned(),
                    user_id: user_id.clone().map(String::from),
                    operation,
                };
                self.add(&mut waiting, caller, Counted { trace_id: first.trace_hex(), times: times.into() });
            }
            is_used
        });
    }

    fn add(&self, waiting: &mut BTreeMap<Caller, Counted>, caller: Caller, counted: Counted) {
        if let Some(earlier) = waiting.get_mut(&caller) {
            earlier.times += counted.times;
        } else if waiting.len() < WAITING_MAX {
            waiting.insert(caller, counted);
        } else {
            self.dropped.inc_by(counted.times.unsigned_abs());
        }
    }

    /// Appends what was counted to the audit trail. What cannot be written is kept, as far as there is room.
    pub async fn flush(&self, every_tenant: &EveryTenant, clock: &Clock) -> Result<(), Error> {
        self.collect();
        loop {
            let batch = self.take();
            if batch.is_empty() {
                return Ok(());
            }
            let (entries, clock) = (batch.iter().map(entry).collect::<Vec<_>>(), clock.clone());
            let append = move |connection: &mut AnyConnection| calls::append(connection, &clock, &entries);
            if let Err(error) = every_tenant.transaction(append).await {
                let mut waiting = self.waiting();
                batch.into_iter().for_each(|(caller, counted)| self.add(&mut waiting, caller, counted));
                return Err(error);
            }
        }
    }

    fn take(&self) -> Vec<(Caller, Counted)> {
        let mut waiting = self.waiting();
        let some = std::iter::from_fn(|| waiting.pop_first());
        some.take(BATCH).collect()
    }
}

fn entry((caller, counted): &(Caller, Counted)) -> Calls {
    let Caller { tenant_id, actor, user_id, operation } = caller.clone();
    let (subject, occurrences) = (counted.trace_id.clone(), counted.times);
    Calls { tenant_id, actor, user_id, action: operation.to_owned(), subject, occurrences }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_core::context::Actor;
    use argus_openapi::types::common::SecrecyLevel;

    fn principal(tenant: &str) -> Arc<Principal> {
        Arc::new(Principal {
            tenant_id: tenant.parse().expect("a tenant"),
            organization_id: "org_1".parse().expect("an organisation"),
            actor: Actor::App("app_1".parse().expect("an app")),
            user_id: None,
            scopes: Vec::new(),
            secrecy_level: SecrecyLevel::default(),
            is_sandboxed: true,
        })
    }

    fn trace(byte: u8) -> TraceIds {
        TraceIds::new([byte; 16], [byte; 8])
    }

    fn waiting(calls: &SandboxCalls) -> Vec<(String, &'static str, i64, String)> {
        let line = |(caller, counted): (Caller, Counted)| {
            (caller.tenant_id, caller.operation, counted.times, counted.trace_id)
        };
        calls.take().into_iter().map(line).collect()
    }

    #[test]
    fn calls_are_added_up_by_caller_and_operation_whatever_the_token() {
        let calls = SandboxCalls::default();
        let (one, other) = ("job_view", "job_list");
        let begin = |tenant| calls.begin(principal(tenant), ScenarioSet::default());
        let [first, again, theirs] = [begin("tnt_1"), begin("tnt_1"), begin("tnt_2")];
        first.count(one, trace(1));
        first.count(one, trace(2));
        again.count(one, trace(3));
        again.count(other, trace(4));
        theirs.count(one, trace(5));
        calls.collect();
        let hex = |byte: u8| trace(byte).trace_hex();
        let expected = [
            ("tnt_1".to_owned(), other, 1, hex(4)),
            ("tnt_1".to_owned(), one, 3, hex(1)),
            ("tnt_2".to_owned(), one, 1, hex(5)),
        ];
        assert_eq!(waiting(&calls), expected);
        calls.collect();
        assert_eq!(waiting(&calls), [], "nothing is counted twice");
    }

    #[test]
    fn a_token_that_is_forgotten_is_counted_to_its_last_call_and_then_let_go() {
        let calls = SandboxCalls::default();
        let session = calls.begin(principal("tnt_1"), ScenarioSet::default());
        session.count("job_view", trace(1));
        drop(session);
        calls.collect();
        assert_eq!(waiting(&calls).len(), 1);
        assert_eq!(calls.sessions().len(), 0);
    }

    #[test]
    fn what_finds_no_room_is_counted_as_dropped() {
        let calls = SandboxCalls::default();
        let sessions: Vec<_> =
            (0..=SESSIONS_MAX).map(|_| calls.begin(principal("tnt_1"), ScenarioSet::default())).collect();
        sessions.iter().for_each(|session| session.count("job_view", trace(1)));
        assert_eq!(calls.dropped().get(), 1);
        calls.collect();
        assert_eq!(waiting(&calls)[0].2, i64::try_from(SESSIONS_MAX).expect("a number"));
        let mut waiting = calls.waiting();
        for index in 0..=WAITING_MAX {
            let caller = Caller {
                tenant_id: format!("tnt_{index}"),
                actor: String::new(),
                user_id: None,
                operation: "job_view",
            };
            calls.add(&mut waiting, caller, Counted { trace_id: String::new(), times: 3 });
        }
        assert_eq!((waiting.len(), calls.dropped().get()), (WAITING_MAX, 4));
    }
}

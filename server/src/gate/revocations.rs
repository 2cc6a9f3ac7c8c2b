//! Which tokens count no more before their time is over, as this node has heard: kept in memory, so that no request asks
//! the database, and looked at when another node tells of one, and every two seconds. A node that could not look for half a minute answers live tokens with
//! 503: what it knows is no longer good enough to let anybody in.

use arc_swap::ArcSwap;
use argus_core::jobs::signals::Signals;
use argus_core::revocations::{self, Revocation};
use argus_core::store::{AnyConnection, Error, EveryTenant, OpenError};
use argus_partner::claims::Claims;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How long between two looks where nobody tells of anything. A revocation counts everywhere within five seconds.
const REST: Duration = Duration::from_secs(2);
/// How long at least.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a look may take.
const LOOK: Duration = Duration::from_secs(2);
/// How long what was seen last is good enough.
const GOOD: Duration = Duration::from_secs(30);

/// What of a token a revocation may be about.
#[derive(Debug)]
pub(super) struct Revocable {
    subjects: [Box<str>; 4],
    /// In milliseconds.
    issued_at: i64,
}

impl Revocable {
    pub(super) fn of(claims: &Claims) -> Self {
        Self { subjects: claims.subjects().map(Into::into), issued_at: claims.issued_at() }
    }
}

/// The revocations that this node knows of.
pub struct Revocations(ArcSwap<Known>);

/// What was seen at one look.
struct Known {
    /// Until when the tokens that name a subject count no more, in milliseconds.
    until: HashMap<String, i64>,
    /// The latest of these moments: a token that was issued later is not asked about.
    latest: i64,
    seen_at: Instant,
}

impl Known {
    fn new(all: Vec<Revocation>, seen_at: Instant) -> Self {
        let until = all.into_iter().map(|one| (one.subject, one.not_before.div_euclid(1000)));
        let until: HashMap<String, i64> = until.collect();
        Self { latest: until.values().copied().max().unwrap_or(i64::MIN), until, seen_at }
    }
}

impl Revocations {
    fn new(known: Known) -> Self {
        Self(ArcSwap::from_pointee(known))
    }

    /// What is known before anybody is let in. Blocks.
    pub fn open(every_tenant: &EveryTenant) -> Result<Self, OpenError> {
        let now = Instant::now();
        Ok(Self::new(Known::new(every_tenant.run_apart(revocations::all)?, now)))
    }

    /// Looks now and then, for as long as the service runs.
    pub async fn refresh(self: Arc<Self>, every_tenant: EveryTenant, signals: Signals) {
        loop {
            let began = Instant::now();
            let look = every_tenant
                .run(|connection: &mut AnyConnection| Ok::<_, Error>(revocations::all(connection)?));
            match timeout(LOOK, look).await {
                Ok(Ok(all)) => self.0.store(Arc::new(Known::new(all, began))),
                Ok(Err(error)) => tracing::warn!(cause = %error, "revocations are looked at later"),
                Err(_) => tracing::warn!("revocations are looked at later: the database took too long"),
            }
            let _ = timeout(REST, signals.revoked()).await;
            // Many at a time are seen at one look.
            sleep(PAUSE).await;
        }
    }

    /// Whether too little is known to let anybody in.
    pub(super) fn are_stale(&self) -> bool {
        self.are_stale_at(Instant::now())
    }

    fn are_stale_at(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.0.load().seen_at) > GOOD
    }

    /// Whether a token counts no more. Tokens tell no finer than milliseconds, so that one of the very millisecond does not.
    pub(super) fn name(&self, token: &Revocable) -> bool {
        let known = self.0.load();
        let mut until = token.subjects.iter().filter_map(|subject| known.until.get(&**subject));
        token.issued_at <= known.latest && until.any(|until| token.issued_at <= *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(subjects: [&str; 4], issued_at: i64) -> Revocable {
        Revocable { subjects: subjects.map(Into::into), issued_at }
    }

    #[test]
    fn a_token_counts_no_more_whichever_of_its_names_was_revoked_since_it_was_issued() {
        let known = |all| Revocations::new(Known::new(all, Instant::now()));
        let revocations = known(Vec::new());
        assert!(!revocations.name(&token(["jti", "fam", "usr", "app"], 0)));
        let revoked = |subject: &str, until: i64| Revocation {
            subject: subject.to_owned(),
            not_before: until * 1000 + 999,
        };
        let revocations = known(vec![revoked("usr", 10), revoked("fam", 20)]);
        for (subjects, issued_at, is_named) in [
            (["jti", "", "usr", "app"], 10, true),
            (["jti", "", "usr", "app"], 11, false),
            (["jti", "fam", "usr", "app"], 11, true),
            (["jti", "fam", "usr", "app"], 21, false),
            (["jti", "", "app", "app"], 5, false),
        ] {
            assert_eq!(revocations.name(&token(subjects, issued_at)), is_named, "{subjects:?} {issued_at}");
        }
    }

    #[test]
    fn what_was_seen_half_a_minute_ago_is_not_good_enough() {
        let seen_at = Instant::now();
        let revocations = Revocations::new(Known::new(Vec::new(), seen_at));
        for (seconds, is_stale) in [(0, false), (29, false), (31, true)] {
            let now = seen_at + Duration::from_secs(seconds);
            assert_eq!(revocations.are_stale_at(now), is_stale, "{seconds}");
        }
    }
}

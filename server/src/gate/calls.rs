//! What callers may do, between caller and handler: limits and quotas of live calls, what counts them, and the guard
//! of the sandbox. What failures to authenticate cost does not live here.
//!
//! The fields that tell how much is left are those of draft-ietf-httpapi-ratelimit-headers-12: a list of structured
//! items (RFC 9651), one for each limit and quota that there is.

use super::entry::Entry;
use super::problem::{Outcome, Problem};
use super::verifier::Verified;
use argus_core::context::Principal;
use argus_core::limits::{Limit, Refused, Standing};
use argus_core::usage::{Exceeded, MeteredCall};
use argus_openapi::types::error::ErrorCode;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Takes a live call from the limits of its app and its tenant. Whoever shows a good token is charged also where the
/// token does not permit the operation, so that nobody asks for ever for nothing.
pub(super) async fn limit(entry: &Entry<'_>, verified: &Verified) -> Outcome<()> {
    let limits = &entry.app().limits;
    let buckets = verified.buckets(limits);
    if buckets.is_empty() {
        return Ok(());
    }
    let outcome = limits.take_each(buckets).await;
    entry.note_standings(limits.standings(buckets));
    outcome.map_err(|Refused { limit, retry_after }| {
        entry.app().metrics.count_limited(limit);
        Problem::limited(reason(limit), retry_after)
    })
}

/// Lets a live call through, unless a quota is used up.
pub(super) fn meter(entry: &Entry<'_>, principal: &Principal) -> Outcome<Arc<MeteredCall>> {
    let meter = &entry.app().meter;
    let outcome = meter.admit(principal, entry.position());
    entry.note_quotas(meter.quotas_of(principal));
    let call = outcome.map_err(|Exceeded { quota, is_tenants, retry_after }| {
        let whose = if is_tenants { "tenant" } else { "app" };
        Problem::limited_by(
            ErrorCode::QuotaExceeded,
            format!("the {whose}'s quota of {quota} is used up"),
            retry_after,
        )
    })?;
    entry.note_call(&call);
    Ok(call)
}

/// Keeps a tenant from taking the sandbox of this node for itself. The reply depends on nothing but the refusal.
pub(super) fn guard(entry: &Entry<'_>, verified: &Verified) -> Outcome<()> {
    let limits = &entry.app().limits;
    for bucket in verified.buckets(limits) {
        if let Err(refused) = limits.take_own(bucket) {
            entry.app().metrics.count_limited(refused.limit);
            return Err(Problem::new(ErrorCode::RateLimited, reason(refused.limit)));
        }
    }
    Ok(())
}

const fn reason(limit: Limit) -> &'static str {
    match limit {
        Limit::AppCalls => "the app calls too often",
        Limit::TenantCalls => "the tenant's apps call too often",
        Limit::SandboxCalls => "the tenant calls the sandbox too often; go on more slowly",
        _ => "authentication has failed too often",
    }
}

/// What is left of one limit or quota.
struct Policy {
    name: &'static str,
    quota: i64,
    window: Duration,
    left: i64,
    /// When there is more.
    reset: Duration,
}

impl From<&Standing> for Policy {
    fn from(Standing { limit, rate, left }: &Standing) -> Self {
        Self {
            name: if *limit == Limit::TenantCalls { "tenant" } else { "app" },
            quota: rate.capacity().into(),
            window: rate.interval() * rate.capacity(),
            left: (*left).into(),
            reset: rate.interval(),
        }
    }
}

/// Says how much is left of what limits the call; nothing where nothing does.
pub(super) fn tell(entry: &Entry<'_>, headers: &mut HeaderMap) {
    let (standings, quotas) = entry.noted();
    if standings.is_empty() && quotas.is_empty() {
        return;
    }
    let of_quotas = quotas.iter().map(|quota| {
        let left = quota.left(entry.clock().now());
        let name = if quota.is_tenants { "tenant-quota" } else { "app-quota" };
        Policy { name, quota: left.calls, window: left.window, left: left.left, reset: left.reset }
    });
    let (mut policy, mut now) = (String::new(), String::new());
    for Policy { name, quota, window, left, reset } in standings.iter().map(Policy::from).chain(of_quotas) {
        let comma = if policy.is_empty() { "" } else { ", " };
        // Writing to a text does not fail.
        let _ = write!(policy, "{comma}\"{name}\";q={quota};w={}", seconds(window));
        let _ = write!(now, "{comma}\"{name}\";r={left};t={}", seconds(reset));
    }
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, now)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// In whole seconds, at least one, and none is too short.
fn seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}

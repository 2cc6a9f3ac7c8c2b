//! How many jobs a list has in all. Up to ten thousand they are counted for each page; beyond, a count is
//! kept for a minute, because counting a million takes longer than a page should.

use crate::error::Error;
use argus_core::Store;
use argus_core::context::{Context, Live};
use argus_core::ids::TenantId;
use argus_core::jobs::view::{self, COUNTED, Filter};
use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;

/// How long a count is good for.
const AGE: TimeDelta = TimeDelta::minutes(1);
/// How many counts are kept.
const KEPT: usize = 10_000;

/// Counts of long lists.
pub(super) struct Counts(Cache<(TenantId, Filter), (DateTime<Utc>, u64)>);

impl Default for Counts {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl Counts {
    /// The whole count, where `counted` went no further than [`COUNTED`].
    pub(super) async fn beyond(
        &self,
        store: &Store,
        context: &Context<Live>,
        filter: Filter,
        counted: u64,
    ) -> Result<u64, Error> {
        if counted <= COUNTED.cast_unsigned() {
            return Ok(counted);
        }
        let (key, now) = ((context.tenant_id().clone(), filter), context.clock.now());
        let kept = self.0.get(&key);
        if let Some((at, count)) = kept
            && now - at < AGE
        {
            return Ok(count);
        }
        let whole = store.read(context, move |reader| view::count(reader, &filter, i64::MAX)).await;
        match (whole, kept) {
            (Ok(count), _) => {
                self.0.insert(key, (now, count));
                Ok(count)
            }
            // A page need not fail because the count takes too long: an old one is better than none.
            (Err(error), kept) => {
                tracing::warn!(cause = %error, "a long list cannot be counted for now");
                Ok(kept.map_or(counted, |(_, count)| count))
            }
        }
    }
}

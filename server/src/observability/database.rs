//! What waits in the database, how its connections are used, and what it has not cleaned up: gauges that are set when
//! somebody asks. While the database is away, the last that was known of it stands.

use argus_core::Clock;
use argus_core::audit::verify::{self, Unlinked};
use argus_core::backlog::{self, Backlog, Queue};
use argus_core::store::{AnyConnection, Database, Error, Occupancy, Uncleaned};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::timeout;

/// How long a look at the database may take that only the metrics are for.
const LOOK_TIME: Duration = Duration::from_secs(1);

type Seconds = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QueueLabel {
    queue: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

/// The gauges.
pub(super) struct DatabaseGauges {
    dead_rows: Gauge,
    log_bytes: Gauge,
    waiting: Family<QueueLabel, Gauge>,
    longest: Family<QueueLabel, Seconds>,
    most: Family<LaneLabel, Gauge>,
    busy: Family<LaneLabel, Gauge>,
    tasks: Family<LaneLabel, Gauge>,
    unlinked: Gauge,
    unlinked_seconds: Gauge,
}

impl DatabaseGauges {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let gauges = Self {
            dead_rows: Gauge::default(),
            log_bytes: Gauge::default(),
            waiting: Family::default(),
            longest: Family::default(),
            most: Family::default(),
            busy: Family::default(),
            tasks: Family::default(),
            unlinked: Gauge::default(),
            unlinked_seconds: Gauge::default(),
        };
        registry.register(
            "database_dead_rows",
            "Rows of jobs on PostgreSQL that were replaced and are not vacuumed; an old transaction keeps them, and \
             they slow claims down",
            gauges.dead_rows.clone(),
        );
        registry.register(
            "database_log_bytes",
            "Bytes of the write-ahead log of SQLite, usually 4 MiB; a long read keeps it from beginning anew",
            gauges.log_bytes.clone(),
        );
        registry.register(
            "queue_waiting",
            "Jobs and deliveries of every tenant that could be begun now, counted to 100,000",
            gauges.waiting.clone(),
        );
        registry.register_with_unit(
            "queue_longest_wait",
            "For how long a job or a delivery has waited for its first attempt, of those that wait",
            Unit::Seconds,
            gauges.longest.clone(),
        );
        registry.register("database_connections_max", "Connections that there may be", gauges.most.clone());
        registry.register("database_connections_busy", "Connections that are in use", gauges.busy.clone());
        registry.register(
            "database_connections_awaited",
            "Tasks that wait for a connection",
            gauges.tasks.clone(),
        );
        registry.register(
            "audit_unlinked_entries",
            "Entries of the audit trail that have no place in their chain yet, at most 10000; usually none is older than \
             a second",
            gauges.unlinked.clone(),
        );
        registry.register(
            "audit_unlinked_oldest_seconds",
            "How long the oldest of them has waited",
            gauges.unlinked_seconds.clone(),
        );
        gauges
    }

    /// Looks at the database and at this node's connections to it.
    pub(super) async fn look(&self, database: &Database, clock: &Clock) {
        for (lane, Occupancy { most, busy, waiting }) in database.occupancy() {
            let label = LaneLabel { lane };
            for (family, count) in [(&self.most, most), (&self.busy, busy), (&self.tasks, waiting)] {
                family.get_or_create_owned(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
        let backlog = database
            .every_tenant
            .run(|connection: &mut AnyConnection| Ok::<_, Error>(backlog::look(connection)?));
        let (uncleaned, backlog, unlinked) = tokio::join!(
            timeout(LOOK_TIME, database.uncleaned()),
            timeout(LOOK_TIME, backlog),
            timeout(LOOK_TIME, verify::unlinked(database)),
        );
        if let Ok(Ok(Unlinked { count, since })) = unlinked {
            self.unlinked.set(count);
            let waited = since.map_or(0, |since| (clock.timestamp() - since).num_seconds().max(0));
            self.unlinked_seconds.set(waited);
        }
        if let Ok(Ok(Uncleaned { dead_rows, log_bytes })) = uncleaned {
            self.dead_rows.set(i64::try_from(dead_rows).unwrap_or(i64::MAX));
            self.log_bytes.set(i64::try_from(log_bytes).unwrap_or(i64::MAX));
        }
        if let Ok(Ok(Backlog { jobs, deliveries })) = backlog {
            for (queue, Queue { waiting, longest }) in [("jobs", jobs), ("deliveries", deliveries)] {
                let label = QueueLabel { queue };
                self.waiting.get_or_create_owned(&label).set(waiting);
                self.longest.get_or_create_owned(&label).set(longest);
            }
        }
    }
}

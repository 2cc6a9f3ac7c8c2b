//! Request counters, durations and open connections in the OpenMetrics text format.

use super::OpenConnections;
use super::connectors::SourceCounts;
use super::database::DatabaseGauges;
use argus_core::Clock;
use argus_core::limits::Limit;
use argus_core::store::Database;
use argus_openapi::{Contract, Host};
use argus_partner::connectors::Connectors;
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    host: &'static str,
    operation: &'static str,
    status_class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HostLabel {
    host: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    host: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

/// Upper bounds of the durations that are told apart, in seconds: what is read in place, what is written, and what waits
/// for others.
const DURATIONS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The service's counters.
pub struct Metrics {
    registry: Registry,
    /// One counter per host, operation and status class, found by index: a look-up by labels
    /// would cost a lock and a hash on every request.
    requests: Vec<Counter>,
    /// One gauge per host and operation, found by index as well.
    in_progress: Vec<Gauge>,
    contract: &'static Contract,
    unrouted: Counter,
    open_connections: Family<HostLabel, Gauge>,
    refused_clients: Counter,
    /// One counter per limit. Who was refused is not told: those who make up names would fill the memory.
    limited: [Counter; Limit::ALL.len()],
    /// One histogram per host and operation, found by index.
    durations: Vec<Option<Histogram>>,
    database: DatabaseGauges,
}

impl Metrics {
    /// Counters for every operation of a contract, what the connectors count, and the calls on the sandbox host that are
    /// dropped.
    pub fn new(contract: &'static Contract, connectors: Connectors, dropped_calls: Counter) -> Self {
        let mut registry = Registry::with_prefix("argus");
        let family = Family::<Labels, Counter>::default();
        registry.register("requests", "Requests answered, by operation", family.clone());
        let open = Family::<OperationLabels, Gauge>::default();
        registry.register("requests_in_progress", "Requests not answered yet, by operation", open.clone());
        let unrouted = Counter::default();
        registry.register(
            "unrouted_requests",
            "Requests that no operation of the host matches",
            unrouted.clone(),
        );
        let open_connections = Family::<HostLabel, Gauge>::default();
        registry.register("open_connections", "Connections that are open now", open_connections.clone());
        let refused_clients = Counter::default();
        registry.register(
            "client_authentication_failures",
            "OAuth clients that are unknown or could not show their secret",
            refused_clients.clone(),
        );
        let by_limit = Family::<LimitLabel, Counter>::default();
        registry.register("limited_requests", "Requests refused because of a limit", by_limit.clone());
        let limited =
            Limit::ALL.map(|limit| by_limit.get_or_create_owned(&LimitLabel { limit: limit.name() }));
        let database = DatabaseGauges::new(&mut registry);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("contract", contract.version)]);
        registry.register("build", "What runs here", build);
        let took = Family::<OperationLabels, Histogram, fn() -> Histogram>::new_with_constructor(|| {
            Histogram::new(DURATIONS)
        });
        registry.register_with_unit(
            "request_duration",
            "How long requests took, by operation",
            Unit::Seconds,
            took.clone(),
        );
        registry.register_collector(Box::new(SourceCounts(connectors)));
        registry.register(
            "audit_sandbox_calls_dropped",
            "Calls on the sandbox host since the start that are in no entry of the audit trail, because there were too \
             many callers or the database was away for too long",
            dropped_calls,
        );
        let (mut requests, mut in_progress, mut durations) = (Vec::new(), Vec::new(), Vec::new());
        for host in Host::ALL {
            for row in contract.rows {
                // An operation that the host does not serve needs no time series.
                let is_served = row.served_by(host);
                let labels = OperationLabels { host: host.name(), operation: row.id };
                in_progress.push(if is_served {
                    open.get_or_create_owned(&labels)
                } else {
                    Gauge::default()
                });
                durations.push(is_served.then(|| took.get_or_create_owned(&labels)));
                for status_class in STATUS_CLASSES {
                    let labels = Labels { host: host.name(), operation: row.id, status_class };
                    requests.push(if is_served {
                        family.get_or_create_owned(&labels)
                    } else {
                        Counter::default()
                    });
                }
            }
        }
        Self {
            registry,
            requests,
            in_progress,
            contract,
            unrouted,
            refused_clients,
            limited,
            open_connections,
            durations,
            database,
        }
    }

    /// Counts an answered request for the operation at this position of the contract, and how long it took.
    pub fn count(&self, host: Host, operation: usize, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        let index = self.index(host, operation) * STATUS_CLASSES.len() + class;
        if let Some(counter) = self.requests.get(index) {
            counter.inc();
        }
        if let Some(Some(histogram)) = self.durations.get(self.index(host, operation)) {
            histogram.observe(took.as_secs_f64());
        }
    }

    fn index(&self, host: Host, operation: usize) -> usize {
        host as usize * self.contract.rows.len() + operation
    }

    /// Counts a request for the operation at this position of the contract for as long as it is not
    /// answered.
    pub fn begin(&self, host: Host, operation: usize) -> InProgress<'_> {
        let gauge = self.in_progress.get(self.index(host, operation));
        gauge.inspect(|gauge| _ = gauge.inc());
        InProgress(gauge)
    }

    /// The requests that are not answered yet: how many, of which operation, on which host.
    pub fn in_progress(&self) -> Vec<(i64, &'static str, Host)> {
        let operations =
            Host::ALL.iter().flat_map(|host| self.contract.rows.iter().map(move |row| (row.id, *host)));
        let counted =
            self.in_progress.iter().zip(operations).map(|(gauge, (id, host))| (gauge.get(), id, host));
        counted.filter(|(count, ..)| *count > 0).collect()
    }

    /// Counts a request that no operation matches.
    pub fn count_unrouted(&self) {
        self.unrouted.inc();
    }

    /// Counts a client that could not be authenticated.
    pub fn count_refused_client(&self) {
        self.refused_clients.inc();
    }

    /// Counts a request that was refused because of this limit.
    pub fn count_limited(&self, limit: Limit) {
        self.limited[limit as usize].inc();
    }

    /// Notes what waits in the database, and how it is used.
    pub async fn look_at(&self, database: &Database, clock: &Clock) {
        self.database.look(database, clock).await;
    }

    /// Everything as text, with the connections that are open now where that is known.
    pub fn render(&self, open: Option<OpenConnections>) -> Result<String, std::fmt::Error> {
        for (host, open) in Host::ALL.into_iter().zip(open.into_iter().flatten()) {
            let gauge = self.open_connections.get_or_create_owned(&HostLabel { host: host.name() });
            gauge.set(i64::try_from(open).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A request that is not answered yet. It counts as such until this is dropped.
pub struct InProgress<'m>(Option<&'m Gauge>);

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.0.inspect(|gauge| _ = gauge.dec());
    }
}

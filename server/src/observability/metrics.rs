//! Request counters in the OpenMetrics text format.

use argus_openapi::{Contract, Host};
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    host: &'static str,
    operation: &'static str,
    status_class: &'static str,
}

const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The service's counters.
pub struct Metrics {
    registry: Registry,
    /// One counter per host, operation and status class, found by index: a look-up by labels
    /// would cost a lock and a hash on every request.
    requests: Vec<Counter>,
    operations: usize,
    unrouted: Counter,
}

impl Metrics {
    /// Counters for every operation of a contract.
    pub fn new(contract: &Contract) -> Self {
        let mut registry = Registry::with_prefix("argus");
        let family = Family::<Labels, Counter>::default();
        registry.register("requests", "Requests answered, by operation", family.clone());
        let unrouted = Counter::default();
        registry.register(
            "unrouted_requests",
            "Requests that no operation of the host matches",
            unrouted.clone(),
        );
        let mut requests = Vec::new();
        for host in Host::ALL {
            for row in contract.rows {
                for status_class in STATUS_CLASSES {
                    let labels = Labels { host: host.name(), operation: row.id, status_class };
                    // An operation that the host does not serve needs no time series.
                    requests.push(if row.hosts.contains(&host) {
                        family.get_or_create_owned(&labels)
                    } else {
                        Counter::default()
                    });
                }
            }
        }
        Self { registry, requests, operations: contract.rows.len(), unrouted }
    }

    /// Counts an answered request for the operation at this position of the contract.
    pub fn count(&self, host: Host, operation: usize, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        let index = (host as usize * self.operations + operation) * STATUS_CLASSES.len() + class;
        if let Some(counter) = self.requests.get(index) {
            counter.inc();
        }
    }

    /// Counts a request that no operation matches.
    pub fn count_unrouted(&self) {
        self.unrouted.inc();
    }

    /// All counters as text.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

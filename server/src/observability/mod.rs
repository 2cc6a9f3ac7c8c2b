//! What operators watch: counters, the log, and whether the node is ready. Traces of callers do not live here.

mod connections;
mod connectors;
mod database;
mod log;
mod metrics;
mod readiness;

pub use connections::{OpenConnections, open_connections};
pub use log::{LogWriter, bridge, start_log};
pub use metrics::{InProgress, Metrics};
pub use readiness::Readiness;

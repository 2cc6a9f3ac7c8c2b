//! What operators watch: counters and the log. Traces of callers do not live here.

mod connections;
mod log;
mod metrics;

pub use connections::{OpenConnections, open_connections};
pub use log::{LogWriter, bridge, start_log};
pub use metrics::{InProgress, Metrics};

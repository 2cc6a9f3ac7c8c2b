//! What operators watch: counters and the log. Traces of callers do not live here.

mod log;
mod metrics;

pub use log::{LogWriter, bridge, start_log};
pub use metrics::Metrics;

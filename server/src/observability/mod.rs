//! What operators watch: counters. Traces of callers do not live here.

mod metrics;

pub use metrics::Metrics;

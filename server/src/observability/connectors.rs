//! How asking the sources of enrichments ended, told from what the connectors count.

use argus_partner::connectors::Connectors;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    source: &'static str,
    status: &'static str,
}

/// What the connectors have counted.
#[derive(Debug)]
pub(super) struct SourceCounts(pub(super) Connectors);

impl Collector for SourceCounts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = "Sources of enrichments that were to be asked, by how that ended";
        let mut family = encoder.encode_descriptor("enrichment_sources", help, None, MetricType::Counter)?;
        for (source, status, count) in self.0.tally() {
            let labels = Labels { source: source.as_str(), status: status.as_str() };
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

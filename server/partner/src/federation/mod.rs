//! Catalogues of Communities of Interest: other installations, whose operators have approved what they share with ours
//! over a channel each. They are asked for the list of their data schemas, over the one guarded way to the outside. What
//! a caller may see of it is decided in [`crate::data_schemas`].
//!
//! - `settings`: the file in which the operator says which channels there are, and for whom
//! - `channel`: asking one, and for how long its answer is good

mod channel;
mod settings;

pub use settings::{ChannelSettings, FederationSettings, SettingsError};

use argus_core::context::{Context, Live};
use argus_core::dialler::Dialler;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::discovery::FederatedSource;
use channel::Channel;
use futures::future::join_all;

/// The channels of an installation.
#[derive(Debug)]
pub struct Federation {
    dialler: Dialler,
    channels: Vec<Channel>,
}

/// What channels share with a caller.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The sources, by channel and then by id.
    pub(crate) sources: Vec<FederatedSource>,
    /// Channels whose catalogue is out of reach.
    pub(crate) unavailable: Vec<String>,
}

impl Federation {
    /// The channels that were said. Nobody is asked yet.
    pub fn new(settings: FederationSettings, dialler: Dialler) -> Self {
        Self { dialler, channels: settings.channels.into_iter().map(Channel::from).collect() }
    }

    /// What the channels that are approved for the caller share, up to a secrecy. They are asked at the same time, and
    /// one that fails costs the others nothing.
    pub(crate) async fn shared(&self, context: &Context<Live>, clearance: SecrecyLevel) -> Shared {
        let approved: Vec<&Channel> =
            self.channels.iter().filter(|channel| channel.is_approved_for(&context.principal)).collect();
        let asked = join_all(approved.iter().map(|channel| channel.sources(&self.dialler))).await;
        let mut shared = Shared::default();
        for (channel, sources) in approved.into_iter().zip(asked) {
            match sources {
                Some(sources) => {
                    let clearance = clearance.min(channel.secrecy_max());
                    let visible = sources.iter().filter(|source| source.secrecy_level <= clearance);
                    shared.sources.extend(visible.cloned());
                }
                None => shared.unavailable.push(channel.name().to_owned()),
            }
        }
        shared
    }
}

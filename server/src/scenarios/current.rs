//! The mocks that answer now. Who asks takes them whole, once for a request, so that no reply is made of two sets.

use arc_swap::ArcSwap;
use argus_sandbox::Sandbox;
use std::sync::Arc;

/// The mocks of a service, which may be replaced while it runs.
pub struct CurrentSandbox(ArcSwap<Sandbox>);

impl CurrentSandbox {
    /// Begins with these.
    pub fn new(sandbox: Sandbox) -> Self {
        Self(ArcSwap::from_pointee(sandbox))
    }

    /// Those that answer now.
    pub fn now(&self) -> Arc<Sandbox> {
        self.0.load_full()
    }

    /// Lets others answer from the next request on, under the same base URL. A token that is pinned to a scenario that
    /// they do not have is refused.
    pub fn replace(&self, sandbox: &Sandbox) {
        let base_url = self.now().base_url().to_owned();
        self.0.store(Arc::new(sandbox.under(base_url)));
    }
}

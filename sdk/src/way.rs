//! How requests get to their hosts: over the network, or into a sandbox inside of this process.

#[cfg(feature = "sandbox")]
use crate::in_process::InProcess;
use reqwest::header::HeaderValue;
use reqwest::{Client, Request, Response};
#[cfg(feature = "sandbox")]
use std::sync::Arc;

/// A way to the hosts.
#[derive(Clone)]
pub(crate) enum Way {
    Network,
    #[cfg(feature = "sandbox")]
    InProcess(Arc<InProcess>),
}

impl Way {
    /// Sends a request.
    pub(crate) async fn execute(&self, http: &Client, request: Request) -> reqwest::Result<Response> {
        match self {
            Self::Network => http.execute(request).await,
            #[cfg(feature = "sandbox")]
            Self::InProcess(sandbox) => sandbox.execute(request).await,
        }
    }

    /// Whether nothing but the sandbox host is at its end.
    pub(crate) fn leads_to_the_sandbox_alone(&self) -> bool {
        !matches!(self, Self::Network)
    }

    /// What requests to an operation prefer, unless they say so themselves.
    pub(crate) fn preferred(&self, operation_id: &str) -> Option<HeaderValue> {
        match self {
            Self::Network => {
                let _ = operation_id;
                None
            }
            #[cfg(feature = "sandbox")]
            Self::InProcess(sandbox) => sandbox.preferred(operation_id),
        }
    }
}

//! What the standard response headers say. A missing or malformed header is `None`, never an error.

use crate::trace;
use progenitor_client::ResponseValue;
use reqwest::header::HeaderMap;

/// Reads the standard headers of a typed response.
///
/// ```no_run
/// use argus_sdk::ResponseExt;
///
/// # async fn f(client: argus_sdk::ArgusClient) -> Result<(), argus_sdk::Error> {
/// let scenarios = client.sandbox_scenario_list().send().await?;
/// println!("trace {}", scenarios.trace_id().unwrap_or("unknown"));
/// # Ok(()) }
/// ```
pub trait ResponseExt {
    /// Trace of the request, 32 hexadecimal digits.
    fn trace_id(&self) -> Option<&str>;
    /// Span of the request, 16 hexadecimal digits.
    fn span_id(&self) -> Option<&str>;
    /// Whether the sandbox answered.
    fn is_sandbox(&self) -> bool;
    /// The `Sunset` date of a deprecated operation (RFC 8594), as it stands in the header.
    fn sunset(&self) -> Option<&str>;
}

impl<T> ResponseExt for ResponseValue<T> {
    fn trace_id(&self) -> Option<&str> {
        trace::trace_id(self.headers())
    }

    fn span_id(&self) -> Option<&str> {
        trace::span_id(self.headers())
    }

    fn is_sandbox(&self) -> bool {
        text(self.headers(), "x-argus-sandbox") == Some("true")
    }

    fn sunset(&self) -> Option<&str> {
        text(self.headers(), "sunset")
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

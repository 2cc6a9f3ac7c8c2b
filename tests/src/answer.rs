//! A response as it came over the wire, and the assertions that hold for each of them.

use argus_openapi::Host;
use argus_wire::trace_context::{is_span_id, is_trace_id};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A whole response.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers, in the order of the wire where a name repeats.
    pub headers: HeaderMap,
    /// Body, byte for byte.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.body))
    }
}

impl Answer {
    /// The response, read to its end.
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    /// A header's value; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}\n{self:?}"))
    }

    /// The member `name` of the JSON body, as text.
    pub fn text(&self, name: &str) -> String {
        let body = self.json();
        body[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in\n{self:?}")).to_owned()
    }

    /// The body as a page.
    pub fn page(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether what was asked for is done. A form of a page leads to the next page then.
    pub fn is_done(&self) -> bool {
        self.status.is_success() || matches!(self.status.as_u16(), 302 | 303)
    }

    /// Asserts the status and hands the response on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// Asserts status and code of a common error and returns its message.
    #[track_caller]
    pub fn expect_error(&self, status: u16, error_code: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.text("error_code"), error_code, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        self.text("message")
    }

    /// Asserts the headers that every response of `host` carries.
    #[track_caller]
    pub fn assert_standard_headers(&self, host: Host) {
        let (trace_id, span_id) = (self.header("x-argus-trace-id"), self.header("x-argus-span-id"));
        assert!(is_trace_id(trace_id), "trace id {trace_id:?}\n{self:?}");
        assert!(is_span_id(span_id), "span id {span_id:?}\n{self:?}");
        let traceparent = self.header("traceparent");
        let flags = traceparent.strip_prefix(&format!("00-{trace_id}-{span_id}-"));
        let known = flags.is_some_and(|flags| ["00", "01", "02", "03"].contains(&flags));
        assert!(known, "traceparent {traceparent:?}");
        let sandbox = if host == Host::Sandbox { "true" } else { "" };
        assert_eq!(self.header("x-argus-sandbox"), sandbox, "{self:?}");
    }

    /// The response without what may differ from one replay to the next, byte for byte.
    pub fn replayable(&self) -> String {
        let mut lines: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| *name != "date" && *name != "x-request-id")
            .map(|(name, value)| format!("{name}: {}\n", value.as_bytes().escape_ascii()))
            .collect();
        lines.sort();
        format!("{}\n{}\n{}", self.status, lines.concat(), self.body.escape_ascii())
    }
}

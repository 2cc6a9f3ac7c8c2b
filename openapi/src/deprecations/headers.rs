//! What a line of the matrix says in headers, as texts. Who puts them in place is the server's business.

use super::Deprecation;
use crate::types::common::Timestamp;

/// The name of the header of RFC 9745.
pub const DEPRECATION: &str = "Deprecation";
/// The name of the header of RFC 8594.
pub const SUNSET: &str = "Sunset";

impl Deprecation {
    /// `Deprecation`: a date of Structured Fields (RFC 9745, section 2.1; RFC 9651, section 3.3.7).
    pub fn deprecation(&self) -> String {
        format!("@{}", self.deprecated_at.timestamp())
    }

    /// `Sunset`: an HTTP-date (RFC 8594, section 3; RFC 9110, section 5.6.7).
    pub fn sunset(&self) -> Option<String> {
        self.sunset_at.map(http_date)
    }

    /// What `Link` says besides the successor: where people read about it (RFC 9745, section 3; RFC 8594, section 6).
    pub fn links(&self) -> String {
        let relations =
            if self.sunset_at.is_some() { &["deprecation", "sunset"][..] } else { &["deprecation"] };
        let links = relations.iter().map(|relation| format!("<{}>; rel=\"{relation}\"", self.link));
        links.collect::<Vec<_>>().join(", ")
    }
}

/// A link to the successor (RFC 5829, section 3.4).
pub fn successor_link(target: &str) -> String {
    format!("<{target}>; rel=\"successor-version\"")
}

fn http_date(moment: Timestamp) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

//! What the deprecation matrix makes of replies: the headers of an operation that goes, and the refusal once it is
//! gone. Values are made when a host starts; a request asks whether its operation has any.

use super::entry::Entry;
use super::header;
use super::problem::{Outcome, Problem};
use crate::hosts::BaseUrls;
use argus_openapi::deprecations::{Deprecation, Deprecations, Successor, successor_link};
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::error::ErrorCode;
use argus_openapi::{Contract, Host, OperationRow};
use argus_sandbox::Preferences;
use http::header::LINK;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// The notices of the operations that one host serves, each where its row stands in the contract.
pub struct Notices(Box<[Option<Notice>]>);

/// What is said of one operation that goes.
pub(super) struct Notice {
    deprecation: HeaderValue,
    sunset: Option<(Timestamp, HeaderValue)>,
    link: Link,
    /// What to do instead.
    note: String,
}

/// The value of `Link`.
enum Link {
    /// The same for every request.
    Fixed(HeaderValue),
    /// The successor's path has variables of the request's own.
    OfPath { links: String, base: String, template: String, own_template: String },
}

impl Notices {
    /// The notices of a host. The error names what to change in the matrix.
    pub fn of(contract: &Contract, host: Host, urls: &BaseUrls) -> Result<Self, String> {
        let matrix = Deprecations::of(contract).map_err(|error| error.to_string())?;
        let paths = Paths::of(contract, &matrix);
        let notice = |row: &OperationRow| {
            let entry = matrix.of_operation(row.id).filter(|_| row.served_by(host));
            entry.map(|entry| Notice::of(entry, contract, host, urls, &paths)).transpose()
        };
        let notices = contract.rows.iter().map(notice).collect::<Result<_, _>>();
        notices.map(Self).map_err(|reason| format!("openapi/policy/{}: {reason}", contract.deprecations.name))
    }

    /// What is said of the operation whose row stands there.
    pub(super) fn at(&self, position: usize) -> Option<&Notice> {
        self.0.get(position)?.as_ref()
    }
}

impl Notice {
    fn of(
        entry: &Deprecation,
        contract: &Contract,
        host: Host,
        urls: &BaseUrls,
        paths: &Paths,
    ) -> Result<Self, String> {
        let sunset = entry.sunset_at.zip(entry.sunset());
        let sunset = sunset.map(|(at, text)| header_value(text).map(|value| (at, value))).transpose()?;
        Ok(Self {
            deprecation: header_value(entry.deprecation())?,
            sunset,
            link: Link::of(entry, contract, host, urls, paths)?,
            note: entry.note.clone(),
        })
    }

    /// Puts the headers in place.
    pub(super) fn stamp(&self, headers: &mut HeaderMap, path: &str) {
        headers.insert(DEPRECATION_NAME, self.deprecation.clone());
        if let Some((_, value)) = &self.sunset {
            headers.insert(SUNSET_NAME, value.clone());
        }
        if let Some(link) = self.link.for_path(path) {
            // A document says by the same header what it is.
            headers.append(LINK, link);
        }
    }

    /// Whether the operation is gone at a moment.
    fn is_over(&self, now: Timestamp) -> bool {
        self.sunset.as_ref().is_some_and(|(at, _)| *at <= now)
    }
}

impl Link {
    fn of(
        entry: &Deprecation,
        contract: &Contract,
        host: Host,
        urls: &BaseUrls,
        paths: &Paths,
    ) -> Result<Self, String> {
        let links = entry.links();
        let successor = match &entry.successor {
            None => return header_value(links).map(Self::Fixed),
            Some(Successor::Url(url)) => {
                return header_value(format!("{links}, {}", successor_link(url))).map(Self::Fixed);
            }
            Some(Successor::Operation(id)) => id,
        };
        let base = contract.row(successor).map_or("", |row| match row.hosts.first() {
            Some(own) if !row.served_by(host) => urls.of(*own),
            _ => "",
        });
        let (template, own_template) = (paths.of_operation(successor), paths.of_operation(&entry.operation));
        if !template.contains('{') {
            let link = successor_link(&format!("{base}{template}"));
            return header_value(format!("{links}, {link}")).map(Self::Fixed);
        }
        let own: Vec<&str> = own_template.split('/').collect();
        let foreign = template.split('/').find(|segment| segment.contains('{') && !own.contains(segment));
        match foreign {
            Some(segment) => Err(format!(
                "`{}`.successor: `{segment}` in the path of `{successor}` is not in its own; give a URL",
                entry.operation
            )),
            None => Ok(Self::OfPath {
                links,
                base: base.to_owned(),
                template: template.to_owned(),
                own_template: own_template.to_owned(),
            }),
        }
    }

    fn for_path(&self, path: &str) -> Option<HeaderValue> {
        match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::OfPath { links, base, template, own_template } => {
                let given = |segment: &str| {
                    let position = own_template.split('/').position(|own| own == segment)?;
                    path.split('/').nth(position)
                };
                let segments = template.split('/').map(|segment| match segment.starts_with('{') {
                    true => given(segment).unwrap_or_default(),
                    false => segment,
                });
                let target = segments.collect::<Vec<_>>().join("/");
                HeaderValue::try_from(format!("{links}, {}", successor_link(&format!("{base}{target}")))).ok()
            }
        }
    }
}

/// Where the published operations are. Only a matrix with successors needs to know.
struct Paths(Value);

impl Paths {
    fn of(contract: &Contract, matrix: &Deprecations) -> Self {
        let names_one = matrix.iter().any(|entry| matches!(entry.successor, Some(Successor::Operation(_))));
        let descriptor = names_one.then(|| serde_json::from_str(contract.documents.json).unwrap_or_default());
        Self(descriptor.unwrap_or_default())
    }

    fn of_operation(&self, id: &str) -> &str {
        let mut paths = self.0["paths"].as_object().into_iter().flatten();
        let is_there = |item: &Value| {
            let mut operations = item.as_object().into_iter().flatten();
            operations.any(|(_, operation)| operation["operationId"] == id)
        };
        paths.find(|(_, item)| is_there(item)).map_or("", |(path, _)| path)
    }
}

const DEPRECATION_NAME: HeaderName = HeaderName::from_static("deprecation");
const SUNSET_NAME: HeaderName = HeaderName::from_static("sunset");

fn header_value(text: String) -> Result<HeaderValue, String> {
    HeaderValue::try_from(text).map_err(|error| error.to_string())
}

/// Whether the operation is still served. Nobody needs credentials to learn that it is not. A live host looks at the
/// time; the sandbox goes by its own clock, so that its reply follows from the request alone.
pub(super) fn check(entry: &Entry<'_>) -> Outcome<()> {
    let Some(notice) = entry.notice() else { return Ok(()) };
    let preferences = match entry.host() {
        Host::Auth | Host::Api => None,
        Host::Sandbox if entry.row.is_mocked() => {
            // What is malformed there is refused once the caller is admitted.
            let preferences = header::PREFER.list(entry.request()).ok();
            preferences.and_then(|values| Preferences::parse(values).ok()).or(Some(Preferences::default()))
        }
        Host::Sandbox => Some(Preferences::default()),
    };
    let now = preferences.as_ref().map_or(Timestamp::from(entry.now), Preferences::now);
    if !notice.is_over(now) {
        return Ok(());
    }
    let message = format!("this operation has been shut down: {}", notice.note);
    let problem = Problem::new(ErrorCode::OperationRetired, message);
    match preferences.and_then(|preferences| preferences.clock_applied()) {
        Some(applied) => Err(problem.with_preference_applied(&applied)),
        None => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_openapi::deprecations::{DEPRECATION, SUNSET};

    #[test]
    fn the_names_are_those_of_the_contract() {
        assert_eq!(DEPRECATION_NAME, DEPRECATION);
        assert_eq!(SUNSET_NAME, SUNSET);
    }
}

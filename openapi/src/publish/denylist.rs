//! Step 2: removes every route that the hand-written denylist names.

use super::PublishError;
use super::document::{METHODS, object_mut, routes};
use crate::Contract;
use serde::Deserialize;
use serde_json::Value;

/// Routes that are never published.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denylist {
    /// What each pattern keeps back, and why.
    pub patterns: Vec<Pattern>,
}

/// One line of the denylist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// An optional method and a path, as `HEAD *` or `/internal/*`. A star stands for any run of
    /// characters.
    pub route: String,
    /// Why the routes are kept back.
    pub reason: String,
}

impl Denylist {
    /// The denylist of a contract.
    pub fn committed(contract: &Contract) -> Result<Self, PublishError> {
        let file = contract.publication.denylist;
        serde_json::from_str(file.text)
            .map_err(|error| PublishError::Policy { file: file.name.to_owned(), reason: error.to_string() })
    }

    /// The first pattern that matches the route.
    pub fn find(&self, method: &str, path: &str) -> Option<&Pattern> {
        self.patterns.iter().find(|pattern| pattern.matches(method, path))
    }
}

impl Pattern {
    fn matches(&self, method: &str, path: &str) -> bool {
        match self.route.split_once(' ') {
            Some((only, glob)) => only.eq_ignore_ascii_case(method) && glob_matches(glob, path),
            None => glob_matches(&self.route, path),
        }
    }
}

/// Whether `text` matches `glob`, in which a star stands for any run of characters.
fn glob_matches(glob: &str, text: &str) -> bool {
    match glob.split_once('*') {
        None => glob == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| glob_matches(rest, &tail[at..]))
        }),
    }
}

/// Removes the denied routes, and fails when the denylist and the operation table disagree: one of
/// them alone must not be able to publish an internal route.
pub fn deny(contract: &Contract, mut document: Value, denylist: &Denylist) -> Result<Value, PublishError> {
    let file = contract.publication.denylist.name;
    let mut denied = Vec::new();
    for route in routes(&document) {
        let pattern = denylist.find(&route.method, route.path);
        match (contract.row(route.id()), pattern) {
            (None, None) => {
                return Err(PublishError::UnknownOperation(format!("{} ({})", route.id(), route.name())));
            }
            (Some(operation), None) if !operation.is_published() => {
                return Err(PublishError::NotDenied { file, operation: operation.id, route: route.name() });
            }
            (Some(operation), Some(pattern)) if operation.is_published() => {
                return Err(PublishError::WronglyDenied {
                    file,
                    operation: operation.id,
                    route: route.name(),
                    pattern: pattern.route.clone(),
                });
            }
            (_, None) => {}
            (_, Some(_)) => denied.push((route.path.to_owned(), route.method.to_lowercase())),
        }
    }
    let paths = object_mut(&mut document, "paths")?;
    for (path, method) in denied {
        if let Some(item) = paths.get_mut(&path).and_then(Value::as_object_mut) {
            item.remove(&method);
        }
    }
    paths.retain(|_, item| METHODS.iter().any(|method| item.get(method).is_some()));

    for operation in contract.rows.iter().filter(|operation| operation.is_published()) {
        if !routes(&document).any(|route| route.id() == operation.id) {
            return Err(PublishError::MissingOperation(operation.id));
        }
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::glob_matches;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(glob_matches("/internal/*", "/internal/tenants/{id}"));
        assert!(glob_matches("*", "/"));
        assert!(glob_matches("/a*/z", "/a/b/c/z"));
        assert!(!glob_matches("/internal/*", "/internals"));
        assert!(!glob_matches("/healthz", "/healthz/more"));
    }
}

//! Which operation a request is for: by the paths of the published descriptor, and those of signed URLs, which are
//! published nowhere.

use ::http::Method;
use argus_openapi::{Host, Operation};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What the paths of signed URLs begin with.
const OBJECTS: &str = "/objects/";
/// How the trait calls a variable that is published with an ending: there it is a whole segment.
const WHOLE_SEGMENT: &str = "file";

/// The operations of the sandbox host, by method and path.
#[derive(Clone, Debug)]
pub(super) struct Routes(Vec<Route>);

#[derive(Clone, Debug)]
struct Route {
    method: Method,
    template: String,
    operation: Operation,
}

/// An operation and the variables of its path.
pub(super) struct Routed {
    pub(super) operation: Operation,
    pub(super) path: Vec<(String, String)>,
}

impl Routes {
    /// The routes of a descriptor; what is not there is not routed.
    pub(super) fn of(descriptor: &str) -> Self {
        let descriptor: Value = serde_json::from_str(descriptor).unwrap_or_default();
        let mut routes = Vec::new();
        for (template, item) in descriptor["paths"].as_object().into_iter().flatten() {
            for (method, described) in item.as_object().into_iter().flatten() {
                let operation = described["operationId"].as_str().and_then(Operation::from_id);
                let method = method.to_ascii_uppercase().parse();
                if let (Some(operation), Ok(method)) = (operation, method)
                    && operation.served_by(Host::Sandbox)
                {
                    routes.push(Route { method, template: template.clone(), operation });
                }
            }
        }
        Self(routes)
    }

    /// Method and path template of an operation.
    pub(super) fn of_operation(&self, id: &str) -> Option<(&Method, &str)> {
        let route = self.0.iter().find(|route| route.operation.id() == id)?;
        Some((&route.method, &route.template))
    }

    /// The operation that this request is for.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Routed> {
        if path.starts_with(OBJECTS) {
            let operation =
                if *method == Method::PUT { Operation::ObjectCreate } else { Operation::ObjectView };
            return Some(Routed { operation, path: Vec::new() });
        }
        let of_method = self.0.iter().filter(|route| route.method == *method);
        let mut matching = of_method.filter_map(|route| {
            let variables = variables(&route.template, path)?;
            Some(Routed { operation: route.operation, path: variables })
        });
        let first = matching.next()?;
        // A path without variables is itself before it is another one's variable.
        let plain = |routed: &Routed| routed.path.is_empty();
        if plain(&first) { Some(first) } else { matching.find(plain).or(Some(first)) }
    }
}

/// The variables of a path that a template fits, percent-decoded.
fn variables(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (mut theirs, mut found) = (path.split('/'), Vec::new());
    for ours in template.split('/') {
        let segment = theirs.next()?;
        match ours.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            None if ours == segment => {}
            None => return None,
            Some((name, ending)) => {
                let value = percent_decode_str(segment).decode_utf8().ok()?;
                if value.is_empty() || !value.ends_with(ending) {
                    return None;
                }
                let name = if ending.is_empty() { name } else { WHOLE_SEGMENT };
                found.push((name.to_owned(), value.into_owned()));
            }
        }
    }
    theirs.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_openapi::published::DESCRIPTOR_JSON;

    fn found(method: &str, path: &str) -> Option<(Operation, Vec<(String, String)>)> {
        let method = method.parse().expect("a method");
        Routes::of(DESCRIPTOR_JSON).find(&method, path).map(|routed| (routed.operation, routed.path))
    }

    #[test]
    fn a_request_is_for_the_operation_of_its_method_and_path() {
        assert_eq!(found("POST", "/v1/jobs"), Some((Operation::JobCreate, vec![])));
        let id = |value: &str| vec![("id".to_owned(), value.to_owned())];
        assert_eq!(found("GET", "/v1/profiles/a%2Db"), Some((Operation::ProfileView, id("a-b"))));
        assert_eq!(found("POST", "/v1/profiles/p1/enrich"), Some((Operation::ProfileEnrich, id("p1"))));
        let file = vec![("file".to_owned(), "argus.risk.v1.json".to_owned())];
        assert_eq!(
            found("GET", "/.well-known/schemas/argus.risk.v1.json"),
            Some((Operation::DataSchemaView, file))
        );
    }

    #[test]
    fn what_no_operation_of_the_sandbox_takes_is_not_routed() {
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/v1/jobs/"),
            ("PATCH", "/v1/jobs"),
            ("GET", "/v1/profiles/%ff"),
            ("GET", "/v1/profiles"),
            ("POST", "/v1/oauth/token"),
            ("GET", "/.well-known/schemas/argus.risk.v1.yaml"),
        ] {
            assert_eq!(found(method, path), None, "{method} {path}");
        }
    }
}

//! A request of an operation as it is typed: a line for `curl`, or a URL for a browser where nothing but redirections
//! answer. Which words of it a reader replaces by their own is told, so that a page can do it for them.

use super::super::document::Route;
use super::model::{Auth, Parameter};
use crate::Host;
use serde_json::Value;

/// A part of what is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// As it stands.
    Text(String),
    /// The base URL of a host.
    Base(Host),
    /// A bearer token.
    Token,
}

/// The bearer token of examples.
pub(super) const TOKEN: &str = "$TOKEN";

/// What is typed, all of it as text.
pub(super) fn text(parts: &[Part]) -> String {
    let text = parts.iter().map(|part| match part {
        Part::Text(text) => text,
        Part::Base(host) => host.public_url(),
        Part::Token => TOKEN,
    });
    text.collect()
}

/// What an example of a request has as its body.
pub(super) struct Body<'d> {
    pub(super) media_type: &'d str,
    pub(super) example: Option<&'d Value>,
}

/// The request of an operation.
pub(super) fn parts(
    route: &Route<'_>,
    host: Host,
    auth: &Auth,
    parameters: &[Parameter<'_>],
    body: Option<&Body<'_>>,
    is_for_browsers: bool,
) -> Vec<Part> {
    let target = target(route.path, parameters);
    if is_for_browsers {
        return vec![Part::Base(host), Part::Text(target)];
    }
    // The shell makes much of what a query holds.
    let quote = if target.contains(['?', '&']) { "\"" } else { "" };
    let method = if route.method == "GET" { String::new() } else { format!("-X {} ", route.method) };
    let mut parts =
        vec![Part::Text(format!("curl {method}{quote}")), Part::Base(host), Part::Text(target + quote)];
    let mut option = |option: String| parts.push(Part::Text(format!(" \\\n  {option}")));
    for parameter in parameters.iter().filter(|parameter| parameter.place == "header") {
        if let Some(example) = parameter.example {
            option(format!("-H {}", quoted(&format!("{}: {}", parameter.name, plain(example)))));
        }
    }
    if *auth == Auth::Client && !names_client(body) {
        option("-u \"$CLIENT_ID:$CLIENT_SECRET\"".to_owned());
    }
    if let Some(Body { media_type, example: Some(example) }) = body {
        option(format!("-H \"Content-Type: {media_type}\""));
        match example {
            Value::Object(members) if media_type.ends_with("x-www-form-urlencoded") => {
                for (name, value) in members {
                    option(format!("--data-urlencode {}", quoted(&format!("{name}={}", plain(value)))));
                }
            }
            _ => option(format!("-d {}", quoted(&pretty(example)))),
        }
    }
    if *auth == Auth::Bearer {
        let at = 3;
        parts.insert(at, Part::Text(" \\\n  -H \"Authorization: Bearer ".to_owned()));
        parts.insert(at + 1, Part::Token);
        parts.insert(at + 2, Part::Text("\"".to_owned()));
    }
    parts
}

/// Whether a form says itself who the client is.
fn names_client(body: Option<&Body<'_>>) -> bool {
    body.and_then(|body| body.example).is_some_and(|example| example.get("client_secret").is_some())
}

/// Path and query with the examples of the parameters.
fn target(path: &str, parameters: &[Parameter<'_>]) -> String {
    let mut target = path.to_owned();
    let mut query = Vec::new();
    for Parameter { name, place, example, .. } in parameters {
        match (*place, example) {
            ("path", Some(example)) => target = target.replace(&format!("{{{name}}}"), &plain(example)),
            ("query", Some(example)) => query.push((*name, plain(example))),
            _ => {}
        }
    }
    match serde_urlencoded::to_string(&query) {
        Ok(query) if !query.is_empty() => format!("{target}?{query}"),
        _ => target,
    }
}

/// JSON as people read it.
pub(super) fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// A value of a parameter.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One word of the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_quotes_stays_one_word() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}

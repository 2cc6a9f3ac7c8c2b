//! What the descriptor says, as readers want it: sections of operations, events, types, errors and what is deprecated.
//! It says the same in every language, so that nothing of it is translated here.

use super::super::PublishError;
use super::super::document::{Route, routes};
use super::request::{self, Part};
use super::shape::{self, Piece, Row, Shape};
use super::shape_error;
use super::texts::{self, Texts};
use crate::deprecations::Deprecation;
use crate::{Contract, Host};
use http::StatusCode;
use serde_json::Value;

/// Everything of a reference.
pub(super) struct Model<'d> {
    /// `info.description`, as Markdown.
    pub(super) description: &'d str,
    pub(super) sections: Vec<Section<'d>>,
    /// What partners are told of.
    pub(super) events: Vec<Event<'d>>,
    /// The component schemas.
    pub(super) types: Vec<Type<'d>>,
    /// What will go, in the order of the matrix.
    pub(super) deprecations: Vec<Deprecation>,
}

/// The operations of one tag, with what the texts say of them.
pub(super) struct Section<'d> {
    pub(super) tag: String,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) notes: Vec<String>,
    pub(super) operations: Vec<Operation<'d>>,
}

/// An operation.
pub(super) struct Operation<'d> {
    pub(super) id: &'d str,
    pub(super) method: String,
    pub(super) path: &'d str,
    pub(super) summary: &'d str,
    /// Its first paragraph, as Markdown.
    pub(super) lead: &'d str,
    /// Its other paragraphs.
    pub(super) notes: Vec<&'d str>,
    pub(super) hosts: Vec<Host>,
    pub(super) auth: Auth,
    pub(super) scopes: Vec<&'d str>,
    /// What the texts call whom it is for.
    pub(super) audience: String,
    /// What the texts call what may be relied on.
    pub(super) stability: String,
    pub(super) is_deprecated: bool,
    pub(super) parameters: Vec<Parameter<'d>>,
    pub(super) body: Option<Body<'d>>,
    pub(super) request: Vec<Part>,
    /// Whether nothing but redirections answer it, so that a browser makes the request.
    pub(super) is_for_browsers: bool,
    /// What is answered to a request that can be met.
    pub(super) answers: Vec<Answer<'d>>,
    /// What is answered to others.
    pub(super) errors: Vec<Refusal<'d>>,
}

/// What a caller shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Auth {
    Public,
    /// A bearer token.
    Bearer,
    /// OAuth client authentication.
    Client,
    /// A key in this header.
    Key(String),
}

/// A parameter.
pub(super) struct Parameter<'d> {
    pub(super) name: &'d str,
    /// Where it stands: `path`, `query` or `header`.
    pub(super) place: &'d str,
    pub(super) row: Row,
    pub(super) example: Option<&'d Value>,
}

/// What is sent.
pub(super) struct Body<'d> {
    pub(super) media_type: &'d str,
    pub(super) is_required: bool,
    pub(super) max_bytes: Option<u64>,
    pub(super) schema: Option<&'d str>,
    pub(super) shape: Shape,
    /// Examples beside the first, each with its summary.
    pub(super) examples: Vec<(Option<&'d str>, String)>,
}

/// What is answered to a request that can be met.
pub(super) struct Answer<'d> {
    pub(super) status: u16,
    pub(super) description: &'d str,
    pub(super) kind: Vec<Piece>,
    /// What comes back: an example, or the line of the status where there is no body.
    pub(super) example: Option<String>,
}

/// What is answered to a request that is refused.
pub(super) struct Refusal<'d> {
    pub(super) status: u16,
    pub(super) codes: Vec<&'d str>,
    pub(super) description: &'d str,
}

/// Something that partners are told of.
pub(super) struct Event<'d> {
    /// Its name in the descriptor.
    pub(super) name: &'d str,
    /// The operation in whose request its URL stands, for a callback.
    pub(super) of: Option<&'d str>,
    pub(super) summary: &'d str,
    pub(super) lead: &'d str,
    pub(super) notes: Vec<&'d str>,
    pub(super) headers: Vec<Row>,
    pub(super) schema: Option<&'d str>,
    pub(super) shape: Shape,
    pub(super) example: Option<String>,
}

/// A component schema.
pub(super) struct Type<'d> {
    pub(super) name: &'d str,
    pub(super) description: &'d str,
    pub(super) shape: Shape,
}

/// What the operations of a document are read with.
struct Reader<'d, 't> {
    contract: &'t Contract,
    document: &'d Value,
    texts: &'t Texts,
}

impl<'d> Model<'d> {
    /// What a descriptor says of a contract.
    ///
    /// Errors: the texts leave out a tag, a host, an audience or a stability of the descriptor, or have one that is not
    /// there.
    pub(super) fn of(contract: &Contract, document: &'d Value, texts: &Texts) -> Result<Self, PublishError> {
        let reader = Reader { contract, document, texts };
        let mut operations =
            routes(document).map(|route| reader.operation(&route)).collect::<Result<Vec<_>, _>>()?;
        let mut sections = Vec::new();
        for texts::Section { tag, title, about, notes } in &texts.sections {
            let (own, others) = operations.into_iter().partition::<Vec<_>, _>(|(of, _)| *of == tag);
            operations = others;
            if own.is_empty() {
                return Err(shape_error(format!("the reference has a section `{tag}` without operations")));
            }
            sections.push(Section {
                tag: tag.clone(),
                title: title.clone(),
                about: about.clone(),
                notes: notes.clone(),
                operations: own.into_iter().map(|(_, operation)| operation).collect(),
            });
        }
        if let Some((tag, operation)) = operations.first() {
            return Err(shape_error(format!(
                "the reference has no section `{tag}`, which `{}` has",
                operation.id
            )));
        }
        let types = document["components"]["schemas"].as_object().into_iter().flatten();
        let matrix = &document[format!("x-{}-deprecations", contract.name)];
        let read = |line: &Value| serde_json::from_value(line.clone());
        let deprecations = array(matrix).map(read).collect::<Result<_, _>>();
        Ok(Self {
            deprecations: deprecations
                .map_err(|error| shape_error(format!("the deprecation matrix: {error}")))?,
            description: text(&document["info"], "description"),
            sections,
            events: reader.events(),
            types: types
                .map(|(name, schema)| Type {
                    name,
                    description: text(schema, "description"),
                    shape: Shape::of(schema),
                })
                .collect(),
        })
    }

    /// The operation with this id; none where it is a delivery's.
    pub(super) fn operation(&self, id: &str) -> Option<&Operation<'d>> {
        self.sections.iter().flat_map(|section| &section.operations).find(|operation| operation.id == id)
    }
}

impl<'d> Reader<'d, '_> {
    /// An operation with its tag.
    fn operation(&self, route: &Route<'d>) -> Result<(&'d str, Operation<'d>), PublishError> {
        let operation = route.operation;
        let extension = |name: &str| &operation[format!("x-{}-{name}", self.contract.name)];
        let hosts = self.hosts(extension("hosts"))?;
        let first = *hosts
            .first()
            .ok_or_else(|| shape_error(format!("no host serves `{}`", text(operation, "operationId"))))?;
        let auth = self.auth(&operation["security"]);
        let parameters: Vec<_> = array(&operation["parameters"]).map(|one| self.parameter(one)).collect();
        let (answers, errors) = self.responses(&operation["responses"]);
        let is_for_browsers = !answers.is_empty() && answers.iter().all(|answer| answer.status >= 300);
        let body = self.body(&operation["requestBody"]);
        let sent = body.as_ref().map(|body| request::Body {
            media_type: body.media_type,
            example: first_example(self, &operation["requestBody"]["content"][body.media_type]),
        });
        let request = request::parts(route, first, &auth, &parameters, sent.as_ref(), is_for_browsers);
        let (lead, notes) = paragraphs(text(operation, "description"));
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        Ok((
            tag,
            Operation {
                id: text(operation, "operationId"),
                method: route.method.clone(),
                path: route.path,
                summary: text(operation, "summary"),
                lead,
                notes,
                hosts,
                auth,
                scopes: array(extension("scopes")).filter_map(Value::as_str).collect(),
                audience: named(&self.texts.audiences, "audience", extension("audience"))?,
                stability: named(&self.texts.stabilities, "stability", extension("stability"))?,
                is_deprecated: operation["deprecated"] == true,
                parameters,
                body,
                request,
                is_for_browsers,
                answers,
                errors,
            },
        ))
    }

    fn hosts(&self, names: &Value) -> Result<Vec<Host>, PublishError> {
        let host = |name: &Value| {
            let host = self.contract.hosts.iter().find(|host| *name == host.name()).copied();
            let host = host.ok_or_else(|| shape_error(format!("{name} is no host of the contract")))?;
            named(&self.texts.hosts, "host", name).map(|_| host)
        };
        array(names).map(host).collect()
    }

    /// What a caller shows, by the schemes of any alternative.
    fn auth(&self, security: &Value) -> Auth {
        let names = array(security).filter_map(Value::as_object).flat_map(|alternative| alternative.keys());
        let schemes = names.map(|name| &self.document["components"]["securitySchemes"][name]);
        let auths = schemes.filter_map(|scheme| match (text(scheme, "type"), text(scheme, "scheme")) {
            ("oauth2" | "openIdConnect", _) | ("http", "bearer") => Some(Auth::Bearer),
            ("http", _) => Some(Auth::Client),
            ("apiKey", _) => Some(Auth::Key(text(scheme, "name").to_owned())),
            _ => None,
        });
        auths.into_iter().next().unwrap_or(Auth::Public)
    }

    fn parameter(&self, parameter: &'d Value) -> Parameter<'d> {
        let parameter = self.resolve(parameter);
        let (name, schema) = (text(parameter, "name"), &parameter["schema"]);
        let own = text(parameter, "description");
        let mut row = Row { is_required: parameter["required"] == true, ..shape::row(name, schema) };
        if !own.is_empty() {
            own.clone_into(&mut row.description);
        }
        row.is_deprecated |= parameter["deprecated"] == true;
        Parameter { name, place: text(parameter, "in"), row, example: parameter.get("example") }
    }

    fn body(&self, body: &'d Value) -> Option<Body<'d>> {
        let body = self.resolve(body);
        let (media_type, content) = body["content"].as_object()?.iter().next()?;
        let examples = content["examples"].as_object().into_iter().flatten().skip(1);
        Some(Body {
            media_type,
            is_required: body["required"] == true,
            max_bytes: body[format!("x-{}-max-bytes", self.contract.name)].as_u64(),
            schema: shape::referred(&content["schema"]),
            shape: Shape::of(self.resolve(&content["schema"])),
            examples: examples
                .map(|(_, example)| self.resolve(example))
                .map(|example| (example["summary"].as_str(), request::pretty(&example["value"])))
                .collect(),
        })
    }

    fn responses(&self, responses: &'d Value) -> (Vec<Answer<'d>>, Vec<Refusal<'d>>) {
        let (mut answers, mut errors) = (Vec::new(), Vec::new());
        for (status, response) in responses.as_object().into_iter().flatten() {
            // A range stands for what no status of today does.
            let Some(status) = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok()) else {
                continue;
            };
            let response = self.resolve(response);
            let description = text(response, "description");
            let contents = || response["content"].as_object().into_iter().flatten();
            if status.is_client_error() || status.is_server_error() {
                let examples = contents().flat_map(|(_, content)| self.examples(content));
                let codes = examples.filter_map(error_code).collect();
                errors.push(Refusal { status: status.as_u16(), codes, description });
            } else {
                let content = contents().next().map(|(_, content)| content);
                answers.push(Answer {
                    status: status.as_u16(),
                    description,
                    kind: content.map(|content| shape::kind(&content["schema"])).unwrap_or_default(),
                    example: match content {
                        Some(content) => first_example(self, content).map(request::pretty),
                        None => Some(format!("HTTP/1.1 {status}")),
                    },
                });
            }
        }
        // First what is answered as a rule: what was made, before what was there already.
        answers.sort_by_key(|answer| (answer.status != 201, answer.status));
        (answers, errors)
    }

    fn events(&self) -> Vec<Event<'d>> {
        let mut events = Vec::new();
        for (name, item) in self.document["webhooks"].as_object().into_iter().flatten() {
            events
                .extend(item.as_object().into_iter().flatten().map(|(_, told)| self.event(name, None, told)));
        }
        for route in routes(self.document) {
            for (name, urls) in route.operation["callbacks"].as_object().into_iter().flatten() {
                let told = urls.as_object().into_iter().flatten().filter_map(|(_, item)| item.as_object());
                let id = route.operation["operationId"].as_str();
                events.extend(told.flatten().map(|(_, told)| self.event(name, id, told)));
            }
        }
        events
    }

    fn event(&self, name: &'d str, of: Option<&'d str>, told: &'d Value) -> Event<'d> {
        let content = &told["requestBody"]["content"]["application/json"];
        let (lead, notes) = paragraphs(text(told, "description"));
        Event {
            name,
            of,
            summary: text(told, "summary"),
            lead,
            notes,
            headers: array(&told["parameters"]).map(|one| self.parameter(one).row).collect(),
            schema: shape::referred(&content["schema"]),
            shape: Shape::of(self.resolve(&content["schema"])),
            example: first_example(self, content).map(request::pretty),
        }
    }

    /// The examples of a content.
    fn examples(&self, content: &'d Value) -> impl Iterator<Item = &'d Value> {
        let several = content["examples"].as_object().into_iter().flatten();
        let several = several.map(|(_, example)| &self.resolve(example)["value"]);
        content.get("example").into_iter().chain(several)
    }

    /// What a reference leads to, or the value itself.
    fn resolve(&self, value: &'d Value) -> &'d Value {
        let target =
            value["$ref"].as_str().and_then(|target| self.document.pointer(target.strip_prefix('#')?));
        target.unwrap_or(value)
    }
}

fn first_example<'d>(reader: &Reader<'d, '_>, content: &'d Value) -> Option<&'d Value> {
    reader.examples(content).next()
}

/// The code of an error, wherever its shape has it.
fn error_code(example: &Value) -> Option<&str> {
    let own = [
        "/error_code",
        "/error/code",
        "/error",
        "/errors/0/extensions/error_code",
        "/errors/0/extensions/code",
    ];
    own.iter().find_map(|place| example.pointer(place)?.as_str())
}

/// What the texts call a value of the descriptor.
fn named(
    names: &std::collections::BTreeMap<String, String>,
    what: &str,
    value: &Value,
) -> Result<String, PublishError> {
    let name = value.as_str().and_then(|value| names.get(value));
    name.cloned()
        .ok_or_else(|| shape_error(format!("the texts of the reference have no name for the {what} {value}")))
}

/// The first paragraph, and the others.
fn paragraphs(text: &str) -> (&str, Vec<&str>) {
    let mut paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    (paragraphs.next().unwrap_or_default(), paragraphs.collect())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

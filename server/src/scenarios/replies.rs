//! Whether what is answered under a scenario is what is published. Every operation of the sandbox is asked with the
//! example of its request, and what its example needs is made by the operation that makes it: both stand in the
//! descriptor and in the operation table.

use super::check::tell;
use ::http::{Method, Request, header};
use argus_openapi::published::DESCRIPTOR_JSON;
use argus_openapi::{Operation, OperationRow};
use argus_sandbox::responder::{Responder, Shown};
use argus_sandbox::{Fault, Sandbox};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::collections::BTreeMap;

/// For the members of replies that stand in a fixture under another one.
const SHOWN_UNDER: [&str; 3] = ["/profile", "/incident", ""];

/// The values that the replies to other requests gave, by the parameter or member that takes them.
type Given = BTreeMap<&'static str, String>;

/// What does not fit in the replies under each of these files' scenarios.
pub(super) fn misfits(sandbox: &Sandbox, files: &[(String, String)]) -> Vec<Fault> {
    let descriptor: Value = serde_json::from_str(DESCRIPTOR_JSON).unwrap_or_default();
    let mut faults = Vec::new();
    for (scenario, (name, text)) in sandbox.own_scenarios().iter().zip(files) {
        let Ok(scenarios) = sandbox.scenario_set(std::slice::from_ref(&scenario.id)) else { continue };
        let asked = Asked {
            responder: Responder::new(sandbox.clone(), Shown::with(scenarios)),
            descriptor: &descriptor,
        };
        for operation in Operation::ALL.iter().filter(|operation| operation.row().is_mocked()) {
            for (pointer, message) in asked.misfits(operation.row()) {
                let message = format!("the reply of {} would not fit: {message}", operation.id());
                faults.push(fault(name, text, &pointer, message));
            }
        }
    }
    faults.dedup_by(|one, other| (&one.place, &one.member) == (&other.place, &other.member));
    faults
}

/// The fault at the member of the fixture that a member of a reply comes from, as far as its name tells.
fn fault(name: &str, text: &str, pointer: &str, message: String) -> Fault {
    let fixture: Value = serde_json::from_str(text).unwrap_or_default();
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let ends = (0..steps.len()).map(|from| format!("/{}", steps[from..].join("/")));
    let mut sources = ends.flat_map(|end| SHOWN_UNDER.map(|under| format!("{under}{end}")));
    let source = sources.find(|source| fixture.pointer(source).is_some());
    Fault::at(name, text, &source.unwrap_or_default(), message)
}

/// A sandbox that is asked, and what is published of it.
struct Asked<'d> {
    responder: Responder,
    descriptor: &'d Value,
}

impl Asked<'_> {
    /// What does not fit in the reply to the example of an operation.
    fn misfits(&self, row: &'static OperationRow) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let Some((status, reply)) = self.ask(row, &self.given(row)) else { return found };
        let Some(schema) = self.schema(row, status) else { return found };
        if let Ok(validator) = jsonschema::draft202012::new(&schema) {
            for error in validator.iter_errors(&reply) {
                tell(&error, &mut |pointer, message| found.push((pointer.to_owned(), message)));
            }
        }
        found
    }

    /// What other operations give to the requests of this one.
    fn given(&self, row: &OperationRow) -> Given {
        let mut given = Given::new();
        for made_by in row.made_by {
            let maker = Operation::from_id(made_by.operation).filter(|maker| maker.row().is_mocked());
            let Some(maker) = maker else { continue };
            given.extend(self.given(maker.row()));
            let Some((_, reply)) = self.ask(maker.row(), &given) else { continue };
            for value in made_by.gives {
                let text = reply.pointer(value.pointer).and_then(Value::as_str);
                given.extend(text.map(|text| (value.parameter, text.to_owned())));
            }
        }
        given
    }

    /// Status and JSON body of the reply to the example of an operation.
    fn ask(&self, row: &OperationRow, given: &Given) -> Option<(u16, Value)> {
        let (method, template) = self.responder.route(row.id)?;
        let described = self.described(method, template)?;
        let (mut path, mut query) = (template.to_owned(), Vec::new());
        for parameter in described["parameters"].as_array().into_iter().flatten() {
            let parameter = self.follow(parameter);
            let Some(name) = parameter["name"].as_str() else { continue };
            let value = given.get(name).cloned().or_else(|| text(&parameter["example"]));
            let Some(value) = value else { continue };
            let value = utf8_percent_encode(&value, NON_ALPHANUMERIC);
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), &value.to_string()),
                Some("query") if name != "cursor" => query.push(format!("{name}={value}")),
                _ => {}
            }
        }
        let media = self.follow(&described["requestBody"]).pointer("/content/application~1json");
        let body = media.map(|media| self.example(media, given)).unwrap_or_default();
        let request = Request::builder().method(method).uri(format!("{path}?{}", query.join("&")));
        let request =
            request.header(header::CONTENT_TYPE, "application/json").body(Bytes::from(body)).ok()?;
        let response = self.responder.respond(&request);
        let reply = serde_json::from_slice(response.body()).ok()?;
        Some((response.status().as_u16(), reply))
    }

    /// The example of a body, with what was given.
    fn example(&self, media: &Value, given: &Given) -> String {
        let first = media["examples"].as_object().and_then(|examples| examples.values().next());
        let example = first.map(|example| &self.follow(example)["value"]).unwrap_or(&media["example"]);
        let mut example = example.clone();
        for (name, value) in given {
            if let Some(member) = example.get_mut(*name) {
                *member = Value::from(value.as_str());
            }
        }
        example.to_string()
    }

    /// The schema of a reply's body, beside the components, so that its references resolve.
    fn schema(&self, row: &OperationRow, status: u16) -> Option<Value> {
        let (method, template) = self.responder.route(row.id)?;
        let response = self.follow(&self.described(method, template)?["responses"][status.to_string()]);
        let mut schema = response.pointer("/content/application~1json/schema")?.clone();
        schema["components"] = self.descriptor["components"].clone();
        Some(schema)
    }

    fn described(&self, method: &Method, template: &str) -> Option<&Value> {
        self.descriptor["paths"].get(template)?.get(method.as_str().to_ascii_lowercase())
    }

    fn follow<'v>(&'v self, value: &'v Value) -> &'v Value {
        let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        target.and_then(|pointer| self.descriptor.pointer(pointer)).unwrap_or(value)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

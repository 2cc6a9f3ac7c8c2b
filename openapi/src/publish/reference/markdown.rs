//! The same as Markdown, for machines, and the file that leads them there (llmstxt.org).

use super::Reference;
use super::model::{Auth, Event, Operation};
use super::request;
use super::shape::{Bound, Piece, Row, Shape};
use crate::deprecations::Deprecation;
use crate::published::INTEGRATION_REQUEST_PLACE;
use std::fmt::Write;

/// The reference as Markdown.
pub(super) fn render(reference: &Reference<'_>) -> String {
    let (texts, frame) = (reference.texts, reference.frame);
    let publication = &reference.contract.publication;
    let mut page = Page::default();
    page.block(&format!("# {}", texts.title));
    page.block(&format!("> {} {}. {}", reference.contract.title, reference.contract.version, texts.lead));
    page.block(&format!("## {}", texts.scope.title));
    page.block(&texts.scope.text);
    page.block(&texts.scope.canonical);
    page.list(texts.scope.points.iter().cloned());
    page.block(&format!("## {}", frame.base_urls));
    let hosts = reference.contract.hosts.iter();
    let hosts =
        hosts.filter_map(|host| Some(format!("{}: {}", texts.hosts.get(host.name())?, host.public_url())));
    page.list(hosts.chain([format!(
        "{}: [{path}.json]({path}.json), [{path}.yaml]({path}.yaml)",
        frame.descriptor,
        path = publication.service_desc
    )]));
    page.block(&format!("## {}", frame.guide));
    // Its headings are of the second level, and so is the one that they stand below.
    page.block(&reference.guide().replace("\n## ", "\n### "));
    for section in &reference.model.sections {
        page.block(&format!("## {}", section.title));
        page.block(&section.about);
        page.list(section.notes.iter().cloned());
        section.operations.iter().for_each(|one| page.operation(reference, one));
    }
    if !reference.model.events.is_empty() {
        page.block(&format!("## {}", frame.events));
        page.block(frame.events_about);
        reference.model.events.iter().for_each(|event| page.event(reference, event));
    }
    page.deprecations(reference);
    page.block(&format!("## {}", frame.types));
    page.block(frame.types_about);
    for one in &reference.model.types {
        page.block(&format!("### `{}`", one.name));
        page.block(one.description);
        page.shape(reference, &one.shape);
    }
    page.block(&format!("## {}", texts.call.title));
    page.block(&texts.call.text);
    page.block(&format!("[{}](<{INTEGRATION_REQUEST_PLACE}>)", texts.call.link));
    page.0.trim_end().to_owned() + "\n"
}

/// The file that leads machines to the reference.
pub(super) fn outline(reference: &Reference<'_>) -> String {
    let (texts, publication) = (reference.texts, &reference.contract.publication);
    let mut page = Page::default();
    page.block(&format!("# {}", reference.contract.title));
    page.block(&format!("> {}", texts.lead));
    page.block(&texts.scope.text);
    page.block("## Docs");
    let markdown = publication.reference.markdown;
    let languages = publication.reference.pages.iter().map(|page| page.name).collect::<Vec<_>>().join(", ");
    let pages = publication.reference.pages.iter();
    page.list(
        [format!(
            "[{}]({markdown}): the whole reference as Markdown; `Accept-Language` chooses ({languages})",
            texts.title
        )]
        .into_iter()
        .chain(
            pages.map(|page| format!("[{} ({})]({}): the same as a page", texts.title, page.name, page.path)),
        ),
    );
    page.block("## OpenAPI");
    let path = publication.service_desc;
    let documents = [(".json", "JSON"), (".yaml", "YAML")];
    page.list(
        documents.map(|(end, form)| {
            format!("[{path}{end}]({path}{end}): the whole contract, OpenAPI 3.1 as {form}")
        }),
    );
    page.0.trim_end().to_owned() + "\n"
}

/// Blocks with an empty line between two.
#[derive(Default)]
struct Page(String);

impl Page {
    fn block(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.push_str(text);
            self.0.push_str("\n\n");
        }
    }

    fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let lines: Vec<String> =
            items.into_iter().map(|item| format!("- {}", item.replace('\n', "\n  "))).collect();
        self.block(&lines.join("\n"));
    }

    fn code(&mut self, language: &str, text: &str) {
        self.block(&format!("```{language}\n{text}\n```"));
    }

    fn table(&mut self, head: [&str; 3], rows: impl Iterator<Item = [String; 3]>) {
        let mut table = format!("| {} |\n|---|---|---|", head.join(" | "));
        for row in rows {
            let cells = row.map(|cell| cell.replace('|', "\\|").replace("\n\n", "<br>").replace('\n', " "));
            table.push_str(&format!("\n| {} |", cells.join(" | ")));
        }
        self.block(&table);
    }

    fn operation(&mut self, reference: &Reference<'_>, operation: &Operation<'_>) {
        let frame = reference.frame;
        self.block(&format!("### {}", operation.summary));
        let mut route = format!("`{} {}` (`{}`)", operation.method, operation.path, operation.id);
        if operation.is_deprecated {
            let _ = write!(route, " – **{}**", frame.deprecated);
        }
        self.block(&route);
        self.block(operation.lead);
        let hosts: Vec<&str> = operation.hosts.iter().map(|host| host.public_url()).collect();
        let auth = match &operation.auth {
            Auth::Public => frame.public.to_owned(),
            Auth::Bearer => frame.bearer.to_owned(),
            Auth::Client => frame.client.to_owned(),
            Auth::Key(header) => format!("{} `{header}`", frame.key),
        };
        let scopes: Vec<String> = operation.scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let facts = [
            (frame.host, hosts.join(", ")),
            (frame.auth, auth),
            (frame.scopes, scopes.join(", ")),
            (frame.audience, operation.audience.clone()),
            (frame.stability, operation.stability.clone()),
        ];
        let facts = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
        let limit = operation.body.as_ref().and_then(|body| body.max_bytes);
        let limit = limit.map(|limit| format!("{} {limit} {}", frame.max_bytes.0, frame.max_bytes.1));
        self.list(facts.map(|(name, fact)| format!("{name}: {fact}")));
        self.list(operation.notes.iter().map(|note| (*note).to_owned()).chain(limit));
        if !operation.parameters.is_empty() {
            self.block(&format!("#### {}", frame.parameters));
            let rows = operation.parameters.iter().map(|one| cells(reference, &one.row, Some(one.place)));
            self.table([frame.name, frame.kind, frame.description], rows);
        }
        if let Some(body) = &operation.body {
            self.block(&format!("#### {}", if body.is_required { frame.body } else { frame.body_optional }));
            let name = body.schema.map(|name| format!(" · {}", to_type(name))).unwrap_or_default();
            self.block(&format!("`{}`{name}", body.media_type));
            if body.schema.is_none() {
                self.shape(reference, &body.shape);
            }
        }
        self.block(&format!(
            "#### {}",
            if operation.is_for_browsers { frame.in_a_browser } else { frame.request }
        ));
        self.code("sh", &request::text(&operation.request));
        if let Some(example) = operation.answers.iter().find_map(|answer| answer.example.as_ref()) {
            self.block(&format!("#### {}", frame.response));
            self.code("", example);
        }
        self.block(&format!("#### {}", frame.answers));
        let answers = operation.answers.iter().map(|answer| {
            let kind = if answer.kind.is_empty() { frame.no_body.to_owned() } else { kind(&answer.kind) };
            [answer.status.to_string(), kind, answer.description.to_owned()]
        });
        self.table([frame.status, frame.payload, frame.description], answers);
        if !operation.errors.is_empty() {
            self.block(&format!("#### {}", frame.errors));
            let errors = operation.errors.iter().map(|error| {
                let codes: Vec<String> = error.codes.iter().map(|code| format!("`{code}`")).collect();
                [error.status.to_string(), codes.join(" "), error.description.to_owned()]
            });
            self.table([frame.status, frame.codes, frame.description], errors);
        }
    }

    fn event(&mut self, reference: &Reference<'_>, event: &Event<'_>) {
        let frame = reference.frame;
        self.block(&format!("### {}", event.summary));
        let of = event.of.map(|of| format!(" · {} `{of}`", frame.callback_of)).unwrap_or_default();
        self.block(&format!("`{}`{of}", event.name));
        self.block(event.lead);
        self.list(event.notes.iter().map(|note| (*note).to_owned()));
        self.block(&format!("#### {}", frame.headers));
        self.rows(reference, &event.headers);
        match event.schema {
            Some(name) => self.block(&format!("{} · {}", frame.payload, to_type(name))),
            None => self.shape(reference, &event.shape),
        }
        if let Some(example) = &event.example {
            self.code("json", example);
        }
    }

    fn deprecations(&mut self, reference: &Reference<'_>) {
        let frame = reference.frame;
        self.block(&format!("## {}", frame.deprecations));
        let line = |gone: &Deprecation| {
            let what = match reference.model.operation(&gone.operation) {
                Some(operation) => format!("{} {}", operation.method, operation.path),
                None => gone.operation.clone(),
            };
            let part = gone.part.as_ref().map(|part| format!(" `{part}`")).unwrap_or_default();
            let value = gone.value.as_ref().map(|value| format!(" = `{value}`")).unwrap_or_default();
            let since = Some(format!("{}: {}", frame.since, gone.deprecated_at));
            let sunset = gone.sunset_at.map(|sunset| format!("{}: {sunset}", frame.sunset));
            let successor = gone.successor.clone().map(String::from);
            let successor = successor.map(|successor| format!("{}: `{successor}`", frame.successor));
            let facts: Vec<String> = [since, sunset, successor].into_iter().flatten().collect();
            format!("`{what}`{part}{value} – {}. {} <{}>", facts.join("; "), gone.note, gone.link)
        };
        let lines: Vec<String> = reference.model.deprecations.iter().map(line).collect();
        if lines.is_empty() {
            self.block(frame.nothing_deprecated);
        }
        self.list(lines);
    }

    fn shape(&mut self, reference: &Reference<'_>, shape: &Shape) {
        match shape {
            Shape::Members(rows) => self.rows(reference, rows),
            Shape::Variants(variants) => {
                self.block(&format!("{}: {}", reference.frame.one_of, kind(variants)))
            }
            Shape::Values(values) => {
                let line = |(value, about): &(String, String)| match about.is_empty() {
                    true => format!("`{value}`"),
                    false => format!("`{value}`: {about}"),
                };
                self.list(values.iter().map(line));
            }
            Shape::Other(pieces, limits) => {
                self.block(&[vec![kind(pieces)], bounds(reference, limits)].concat().join("; "))
            }
        }
    }

    fn rows(&mut self, reference: &Reference<'_>, rows: &[Row]) {
        let frame = reference.frame;
        let rows = rows.iter().map(|row| cells(reference, row, None));
        self.table([frame.name, frame.kind, frame.description], rows);
    }
}

fn cells(reference: &Reference<'_>, row: &Row, place: Option<&str>) -> [String; 3] {
    let frame = reference.frame;
    let mut name =
        format!("`{}` ({}", row.name, if row.is_required { frame.required } else { frame.optional });
    for word in place.into_iter().chain(row.is_deprecated.then_some(frame.deprecated)) {
        let _ = write!(name, ", {word}");
    }
    name.push(')');
    let kind = [vec![kind(&row.kind)], bounds(reference, &row.bounds)].concat().join("; ");
    [name, kind, row.description.clone()]
}

fn kind(pieces: &[Piece]) -> String {
    let pieces = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.replace('<', "\\<"),
        Piece::Schema(name) => to_type(name),
    });
    pieces.collect()
}

/// The way to a type, whose heading is its name alone.
fn to_type(name: &str) -> String {
    format!("[`{name}`](#{})", name.to_lowercase())
}

fn bounds(reference: &Reference<'_>, bounds: &[Bound]) -> Vec<String> {
    let frame = reference.frame;
    let written = |bound: &Bound| match bound {
        Bound::Length(text) => format!("{} {text}", frame.length),
        Bound::Items(text) => format!("{} {text}", frame.items),
        Bound::Range(text) => format!("{} {text}", frame.range),
        Bound::Pattern(text) => format!("{} `{text}`", frame.pattern),
        Bound::Default(text) => format!("{} `{text}`", frame.default),
        Bound::Values(values) => {
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            format!("{} {}", frame.values, values.join(" "))
        }
    };
    bounds.iter().map(written).collect()
}

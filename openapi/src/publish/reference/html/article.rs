//! One operation, or one event, as an article with a permalink.

use super::super::model::{Answer, Auth, Event, Operation, Refusal};
use super::super::request::{Part, TOKEN};
use super::super::{Reference, prose};
use super::table;
use crate::Host;
use maud::{Markup, html};

/// The article of an operation.
pub(super) fn operation(reference: &Reference<'_>, operation: &Operation<'_>) -> Markup {
    let (frame, foreign) = (reference.frame, reference.foreign());
    html! {
        article id=(operation.id) data-entry aria-labelledby={ (operation.id) "-name" } {
            (heading(reference, operation.id, operation.summary))
            p .route {
                span .method { (operation.method) } " " code { (operation.path) }
                @if operation.is_deprecated { " " strong .gone { a href="#deprecations" { (frame.deprecated) } } }
            }
            div lang=[foreign] { (prose::blocks(operation.lead)) }
            (facts(reference, operation))
            (notes(reference, operation))
            @if !operation.parameters.is_empty() {
                h4 { (frame.parameters) }
                (table::parameters(reference, operation))
            }
            @if let Some(body) = &operation.body {
                h4 { @if body.is_required { (frame.body) } @else { (frame.body_optional) } }
                p { code { (body.media_type) } @if let Some(name) = body.schema { " · " (table::to_type(name)) } }
                (members(reference, body.schema, &body.shape))
            }
            h4 { @if operation.is_for_browsers { (frame.in_a_browser) } @else { (frame.request) } }
            (request(reference, operation))
            @if let Some(body) = &operation.body && !body.examples.is_empty() {
                details {
                    summary { (frame.more_requests) }
                    div {
                        @for (summary, example) in &body.examples {
                            @if let Some(summary) = summary { p lang=[foreign] { (summary) } }
                            (example_of(reference, example))
                        }
                    }
                }
            }
            @if let Some(example) = operation.answers.iter().find_map(|answer| answer.example.as_ref()) {
                h4 { (frame.response) }
                (example_of(reference, example))
            }
            (answers(reference, &operation.answers))
            (errors(reference, &operation.errors))
        }
    }
}

/// The article of an event.
pub(super) fn event(reference: &Reference<'_>, event: &Event<'_>) -> Markup {
    let (frame, foreign) = (reference.frame, reference.foreign());
    let id = format!("event-{}", event.name);
    html! {
        article id=(id) data-entry aria-labelledby={ (id) "-name" } {
            (heading(reference, &id, event.summary))
            p .route {
                code { (event.name) }
                @if let Some(of) = event.of { " · " (frame.callback_of) " " a href={ "#" (of) } { code { (of) } } }
            }
            div lang=[foreign] { (prose::blocks(event.lead)) }
            @if !event.notes.is_empty() {
                ul lang=[foreign] { @for note in &event.notes { li { (prose::line(note)) } } }
            }
            details {
                summary { (frame.headers) }
                div { (table::rows(reference, &event.headers)) }
            }
            @if let Some(name) = event.schema {
                p { (frame.payload) " · " (table::to_type(name)) }
            }
            (members(reference, event.schema, &event.shape))
            @if let Some(example) = &event.example { (example_of(reference, example)) }
        }
    }
}

/// A heading with the way to it.
fn heading(reference: &Reference<'_>, id: &str, name: &str) -> Markup {
    html! {
        div .heading {
            h3 id={ (id) "-name" } lang=[reference.foreign()] { (name) }
            // The sign that is seen is the style's.
            a .permalink href={ "#" (id) } {
                span .unseen { (reference.frame.permalink) " – " span lang=[reference.foreign()] { (name) } }
            }
        }
    }
}

/// Host, auth, audience and stability.
fn facts(reference: &Reference<'_>, operation: &Operation<'_>) -> Markup {
    let frame = reference.frame;
    html! {
        dl .facts {
            div { dt { (frame.host) } dd {
                @for host in &operation.hosts { span .item { code { (host.public_url()) } } }
            } }
            div { dt { (frame.auth) } dd { (auth(reference, &operation.auth)) } }
            @if !operation.scopes.is_empty() {
                div { dt { (frame.scopes) } dd { @for scope in &operation.scopes { code { (scope) } " " } } }
            }
            div { dt { (frame.audience) } dd { (operation.audience) } }
            div { dt { (frame.stability) } dd { (operation.stability) } }
        }
    }
}

fn auth(reference: &Reference<'_>, auth: &Auth) -> Markup {
    let frame = reference.frame;
    match auth {
        Auth::Public => html! { (frame.public) },
        Auth::Bearer => html! { (frame.bearer) },
        Auth::Client => html! { (frame.client) },
        Auth::Key(header) => html! { (frame.key) " " code { (header) } },
    }
}

fn notes(reference: &Reference<'_>, operation: &Operation<'_>) -> Markup {
    let frame = reference.frame;
    let limit = operation.body.as_ref().and_then(|body| body.max_bytes);
    html! {
        @if !operation.notes.is_empty() || limit.is_some() {
            h4 { (frame.notes) }
            ul {
                @for note in &operation.notes { li lang=[reference.foreign()] { (prose::line(note)) } }
                @if let Some(limit) = limit {
                    li { (frame.max_bytes.0) " " (limit) " " (frame.max_bytes.1) }
                }
            }
        }
    }
}

fn members(reference: &Reference<'_>, name: Option<&str>, shape: &super::super::shape::Shape) -> Markup {
    let frame = reference.frame;
    html! {
        details {
            summary { @match name {
                Some(name) => { (frame.members_of) " " code { (name) } },
                None => (frame.members),
            } }
            div { (table::shape(reference, name.unwrap_or(frame.members), shape)) }
        }
    }
}

/// A request, with what a page needs to know to put the reader's own words into it.
fn request(reference: &Reference<'_>, operation: &Operation<'_>) -> Markup {
    let is_mocked = operation.hosts.contains(&Host::Sandbox);
    let lines = html! {
        @for part in &operation.request {
            @match part {
                Part::Text(text) => (text),
                Part::Base(host) => span data-base=(host.name()) { (host.public_url()) },
                Part::Token => span data-token { (TOKEN) },
            }
        }
    };
    code_block(reference, is_mocked.then_some("sandbox"), &lines)
}

fn example_of(reference: &Reference<'_>, example: &str) -> Markup {
    code_block(reference, None, &html! { (example) })
}

/// What can be copied.
fn code_block(reference: &Reference<'_>, replies: Option<&str>, content: &Markup) -> Markup {
    html! {
        div .code {
            pre { code data-replies=[replies] { (content) } }
            button .copy type="button" hidden { (reference.frame.copy) }
        }
    }
}

fn answers(reference: &Reference<'_>, answers: &[Answer<'_>]) -> Markup {
    let frame = reference.frame;
    html! {
        h4 { (frame.answers) }
        table {
            thead { tr {
                th scope="col" { (frame.status) }
                th scope="col" { (frame.payload) }
                th scope="col" { (frame.description) }
            } }
            tbody { @for answer in answers { tr {
                th scope="row" { (answer.status) }
                td { @if answer.kind.is_empty() { (frame.no_body) } @else { (table::kind(&answer.kind)) } }
                td lang=[reference.foreign()] { (prose::line(answer.description)) }
            } } }
        }
    }
}

fn errors(reference: &Reference<'_>, errors: &[Refusal<'_>]) -> Markup {
    let frame = reference.frame;
    html! {
        @if !errors.is_empty() {
            details {
                summary { (frame.errors) " (" (errors.len()) ")" }
                div {
                    table {
                        thead { tr {
                            th scope="col" { (frame.status) }
                            th scope="col" { (frame.codes) }
                            th scope="col" { (frame.description) }
                        } }
                        tbody { @for error in errors { tr {
                            th scope="row" { (error.status) }
                            td { @if error.codes.is_empty() { "–" } @for code in &error.codes { code { (code) } " " } }
                            td lang=[reference.foreign()] { (prose::line(error.description)) }
                        } } }
                    }
                }
            }
        }
    }
}

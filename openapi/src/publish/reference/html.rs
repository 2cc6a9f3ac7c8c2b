//! The page: one document that needs nothing else, reads well without its style and works without its script.
//!
//! - [`article`]: one operation, one event
//! - [`table`]: schemas and parameters as tables

mod article;
mod table;

use super::super::PublishError;
use super::model::Section;
use super::{Reference, prose};
use crate::deprecations::{Deprecation, Successor};
use crate::published::{DEMO_TOKEN_PLACE, INTEGRATION_REQUEST_PLACE, REFERENCE_SCRIPT, REFERENCE_STYLE};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The page as text.
///
/// Errors: style or script would end its own element.
pub(super) fn render(reference: &Reference<'_>) -> Result<String, PublishError> {
    if REFERENCE_STYLE.contains("</") || REFERENCE_SCRIPT.contains("</") {
        return Err(super::shape_error("style and script of the reference cannot hold `</`"));
    }
    let (texts, frame) = (reference.texts, reference.frame);
    let page = html! {
        (DOCTYPE)
        html lang=(reference.language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (texts.title) " – " (reference.contract.title) " " (reference.contract.version) }
                meta name="description" content=(texts.lead);
                @for page in reference.contract.publication.reference.pages {
                    link rel="alternate" hreflang=(page.language) href=(page.path);
                }
                link rel="alternate" type="text/markdown" href=(reference.contract.publication.reference.markdown);
                style { (PreEscaped(REFERENCE_STYLE)) }
            }
            body data-demo-token=(DEMO_TOKEN_PLACE) data-found=(frame.found) data-nothing-found=(frame.nothing_found)
                data-copied=(frame.copied) data-copied-with-token=(frame.copied_with_token) data-not-copied=(frame.not_copied) {
                a .skip href="#content" { (frame.skip) }
                (top(reference))
                div .columns {
                    (contents(reference))
                    main #content tabindex="-1" {
                        (opening(reference))
                        @for section in &reference.model.sections { (operations(reference, section)) }
                        (events(reference))
                        (deprecations(reference))
                        (types(reference))
                        (call(reference))
                    }
                }
                p #status .status role="status" {}
                script { (PreEscaped(REFERENCE_SCRIPT)) }
            }
        }
    };
    Ok(page.into_string() + "\n")
}

/// The name of the contract, the search, and the ways to other languages.
fn top(reference: &Reference<'_>) -> Markup {
    let frame = reference.frame;
    let pages = reference.contract.publication.reference.pages;
    html! {
        header {
            p .product { (reference.contract.title) " " span { (reference.contract.version) } }
            div #search role="search" hidden {
                label for="query" { (frame.search) }
                input #query type="search" autocomplete="off" spellcheck="false" placeholder=(frame.search_hint)
                    aria-describedby="found";
                p #found {}
            }
            nav aria-label=(frame.languages) {
                @for page in pages {
                    @let current = (page.language == reference.language).then_some("page");
                    a href=(page.path) hreflang=(page.language) lang=(page.language) aria-current=[current] { (page.name) }
                }
            }
        }
    }
}

/// The ways to every section and operation.
fn contents(reference: &Reference<'_>) -> Markup {
    let (frame, foreign) = (reference.frame, reference.foreign());
    html! {
        nav .contents aria-label=(frame.contents) {
            ul {
                li { a href="#guide" { (frame.guide) } }
                @for section in &reference.model.sections {
                    li {
                        a href={ "#section-" (section.tag) } { (section.title) }
                        ul {
                            @for operation in &section.operations {
                                li data-of=(operation.id) {
                                    a href={ "#" (operation.id) } lang=[foreign] {
                                        span .method { (operation.method) } " " (operation.summary)
                                    }
                                }
                            }
                        }
                    }
                }
                @if !reference.model.events.is_empty() { li { a href="#events" { (frame.events) } } }
                li { a href="#deprecations" { (frame.deprecations) } }
                li { a href="#types" { (frame.types) } }
            }
        }
    }
}

/// What comes before the first section: what the page is about, where the hosts are, and what all operations share.
fn opening(reference: &Reference<'_>) -> Markup {
    let (texts, frame) = (reference.texts, reference.frame);
    let publication = &reference.contract.publication;
    let foreign = texts.guide.is_none().then(|| reference.foreign()).flatten();
    html! {
        p .badge { (texts.badge) }
        h1 { (texts.title) }
        p .lead { (texts.lead) }
        section .scope aria-labelledby="scope" {
            h2 #scope { (texts.scope.title) }
            p { (texts.scope.text) }
            p { (texts.scope.canonical) }
            ul .points { @for point in &texts.scope.points { li { (point) } } }
        }
        section aria-labelledby="base-urls" {
            h2 #base-urls { (frame.base_urls) }
            dl .facts {
                @for host in reference.contract.hosts {
                    @if let Some(name) = texts.hosts.get(host.name()) {
                        div { dt { (name) } dd { code { (host.public_url()) } } }
                    }
                }
                div {
                    dt { (frame.descriptor) }
                    dd {
                        @for ending in [".json", ".yaml"] {
                            @let path = format!("{}{ending}", publication.service_desc);
                            a href=(path) { code { (path) } } " "
                        }
                    }
                }
                div {
                    dt { (frame.machine_docs) }
                    dd { a href=(publication.reference.markdown) { code { (publication.reference.markdown) } } }
                }
            }
        }
        section .guide aria-labelledby="guide" {
            h2 #guide { (frame.guide) }
            div lang=[foreign] { (prose::blocks(reference.guide())) }
        }
    }
}

fn operations(reference: &Reference<'_>, section: &Section<'_>) -> Markup {
    let id = format!("section-{}", section.tag);
    html! {
        section .operations aria-labelledby=(id) {
            p .badge { (reference.frame.contract) }
            h2 id=(id) { (section.title) }
            p .lead { (section.about) }
            @if !section.notes.is_empty() {
                ul { @for note in &section.notes { li { (prose::line(note)) } } }
            }
            @for operation in &section.operations { (article::operation(reference, operation)) }
        }
    }
}

fn events(reference: &Reference<'_>) -> Markup {
    let frame = reference.frame;
    html! {
        @if !reference.model.events.is_empty() {
            section .operations aria-labelledby="events" {
                h2 #events { (frame.events) }
                p .lead { (frame.events_about) }
                @for event in &reference.model.events { (article::event(reference, event)) }
            }
        }
    }
}

/// What will go, or that nothing will.
fn deprecations(reference: &Reference<'_>) -> Markup {
    let frame = reference.frame;
    let gone = &reference.model.deprecations;
    html! {
        section aria-labelledby="deprecations" {
            h2 #deprecations { (frame.deprecations) }
            @if gone.is_empty() {
                p { (frame.nothing_deprecated) }
            } @else {
                table {
                    thead { tr {
                        th scope="col" { (frame.operation) }
                        th scope="col" { (frame.since) }
                        th scope="col" { (frame.sunset) }
                        th scope="col" { (frame.successor) }
                        th scope="col" { (frame.what_to_do) }
                    } }
                    tbody { @for one in gone { (deprecation(reference, one)) } }
                }
            }
        }
    }
}

fn deprecation(reference: &Reference<'_>, gone: &Deprecation) -> Markup {
    html! {
        tr {
            th scope="row" {
                @match reference.model.operation(&gone.operation) {
                    Some(of) => a href={ "#" (of.id) } { code { (of.method) " " (of.path) } },
                    None => code { (gone.operation) },
                }
                @if let Some(part) = &gone.part { " " code { (part) } }
                @if let Some(value) = &gone.value { " = " code { (value.to_string()) } }
            }
            td { (gone.deprecated_at) }
            td { @match gone.sunset_at { Some(sunset) => (sunset), None => "–" } }
            td { @match &gone.successor {
                Some(Successor::Operation(id)) => a href={ "#" (id) } { code { (id) } },
                Some(Successor::Url(url)) => a href=(url) { (url) },
                None => "–",
            } }
            td lang=[reference.foreign()] { (gone.note) " " a href=(gone.link) { (gone.link) } }
        }
    }
}

fn types(reference: &Reference<'_>) -> Markup {
    let (frame, foreign) = (reference.frame, reference.foreign());
    html! {
        section .types aria-labelledby="types" {
            h2 #types { (frame.types) }
            p .lead { (frame.types_about) }
            @for one in &reference.model.types {
                details data-entry {
                    summary { code { (one.name) } }
                    // The way to it opens what it stands in.
                    div id={ "type-" (one.name) } {
                        @if !one.description.is_empty() {
                            div lang=[foreign] { (prose::blocks(one.description)) }
                        }
                        (table::shape(reference, one.name, &one.shape))
                    }
                }
            }
        }
    }
}

/// What those can do who need more.
fn call(reference: &Reference<'_>) -> Markup {
    let call = &reference.texts.call;
    html! {
        section .call aria-labelledby="integration-request" {
            h2 #integration-request { (call.title) }
            p { (call.text) }
            p { a .act href=(INTEGRATION_REQUEST_PLACE) { (call.link) } }
        }
    }
}

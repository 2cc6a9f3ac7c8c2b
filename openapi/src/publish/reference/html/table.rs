//! Schemas and parameters as tables.

use super::super::model::Operation;
use super::super::shape::{Bound, Piece, Row, Shape};
use super::super::{Reference, prose};
use maud::{Markup, html};

/// A schema, as what it is.
pub(super) fn shape(reference: &Reference<'_>, name: &str, shape: &Shape) -> Markup {
    let (frame, foreign) = (reference.frame, reference.foreign());
    match shape {
        Shape::Members(members) => rows(reference, members),
        Shape::Variants(variants) => html! { p { (frame.one_of) ": " (kind(variants)) } },
        Shape::Values(values) => html! {
            table {
                thead { tr { th scope="col" { (frame.value) } th scope="col" { (frame.description) } } }
                tbody { @for (value, about) in values { tr {
                    th scope="row" { code { (value) } }
                    td lang=[foreign] { (prose::line(about)) }
                } } }
            }
        },
        Shape::Other(pieces, limits) => html! {
            p { code { (name) } " = " (kind(pieces)) }
            (bounds(reference, limits))
        },
    }
}

/// The members of an object.
pub(super) fn rows(reference: &Reference<'_>, rows: &[Row]) -> Markup {
    let cells = rows.iter().map(|row| (row, None));
    table(reference, &cells.collect::<Vec<_>>())
}

/// The parameters of an operation, and where they stand.
pub(super) fn parameters(reference: &Reference<'_>, operation: &Operation<'_>) -> Markup {
    let cells = operation.parameters.iter().map(|parameter| (&parameter.row, Some(parameter.place)));
    table(reference, &cells.collect::<Vec<_>>())
}

fn table(reference: &Reference<'_>, rows: &[(&Row, Option<&str>)]) -> Markup {
    let (frame, foreign) = (reference.frame, reference.foreign());
    html! {
        table {
            thead { tr {
                th scope="col" { (frame.name) }
                th scope="col" { (frame.kind) }
                th scope="col" { (frame.description) }
            } }
            tbody { @for (row, place) in rows { tr {
                th scope="row" {
                    code { (row.name) }
                    span .hint {
                        @if row.is_required { b { (frame.required) } } @else { (frame.optional) }
                        @if let Some(place) = place { " · " (place) }
                        @if row.is_deprecated { " · " (frame.deprecated) }
                    }
                }
                td { (kind(&row.kind)) (bounds(reference, &row.bounds)) }
                td lang=[foreign] { (prose::line(&row.description)) }
            } } }
        }
    }
}

/// What a type is called, with the ways to those that have a name.
pub(super) fn kind(pieces: &[Piece]) -> Markup {
    html! {
        @for piece in pieces {
            @match piece {
                Piece::Text(text) => span .kind { (text) },
                Piece::Schema(name) => (to_type(name)),
            }
        }
    }
}

/// The way to a type.
pub(super) fn to_type(name: &str) -> Markup {
    html! { a href={ "#type-" (name) } { code { (name) } } }
}

fn bounds(reference: &Reference<'_>, bounds: &[Bound]) -> Markup {
    let frame = reference.frame;
    html! {
        @for bound in bounds {
            span .hint {
                @match bound {
                    Bound::Length(text) => { (frame.length) " " (text) },
                    Bound::Items(text) => { (frame.items) " " (text) },
                    Bound::Range(text) => { (frame.range) " " (text) },
                    Bound::Pattern(text) => { (frame.pattern) " " code { (text) } },
                    Bound::Default(text) => { (frame.default) " " code { (text) } },
                    Bound::Values(values) => { (frame.values) " " @for value in values { code { (value) } " " } },
                }
            }
        }
    }
}

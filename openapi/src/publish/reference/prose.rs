//! The Markdown of descriptions as HTML. Raw HTML in it is text.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

/// Blocks, whose headings begin at the third level.
pub(super) fn blocks(text: &str) -> Markup {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, Parser::new(text).map(tamed));
    PreEscaped(html)
}

/// What fits into a line, or into the cell of a table: a single paragraph is not made one.
pub(super) fn line(text: &str) -> Markup {
    let PreEscaped(html) = blocks(text);
    let inner = html.trim_end().strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    match inner.filter(|inner| !inner.contains("<p>")) {
        Some(inner) => PreEscaped(inner.to_owned()),
        None => PreEscaped(html),
    }
}

fn tamed(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Heading { level, id, classes, attrs }) => {
            Event::Start(Tag::Heading { level: below(level), id, classes, attrs })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
        other => other,
    }
}

/// Descriptions have headings of the second level, and stand in a section that has one.
fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_description_is_text() {
        for text in ["a <script>alert(1)</script> b", "<img src=x>\n\nb", "[a](javascript:x) `<b>`"] {
            let html = blocks(text).into_string();
            assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"), "{html}");
        }
    }

    #[test]
    fn a_single_paragraph_is_a_line_and_several_stay_blocks() {
        assert_eq!(line("a `b`").into_string(), "a <code>b</code>");
        assert_eq!(line("a\n\nb").into_string(), "<p>a</p>\n<p>b</p>\n");
        assert_eq!(blocks("## A").into_string(), "<h3>A</h3>\n");
    }
}

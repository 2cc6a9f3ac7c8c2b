//! What a message repeats of a request: enough to find the place, and never a long text in whole.

use std::borrow::Cow;
use std::fmt::Display;

/// How many characters of a caller's text a message repeats.
const MAX_LENGTH: usize = 100;

/// What stands for the rest. In ASCII, as the alphabet of OAuth's descriptions wants it.
const REST: &str = "...";

/// How a parser's messages begin that repeat what was sent, and what stands behind the repetition.
const REPEATING: [(&str, &str); 5] = [
    ("unknown field `", "`, expected "),
    ("unknown variant `", "`, expected "),
    ("invalid type: string \"", "\", expected "),
    ("invalid value: string \"", "\", expected "),
    ("duplicate member `", "`"),
];

/// A caller's text for a message, cut where it is long.
pub fn quoted(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => Cow::Owned(format!("{}{REST}", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A parser's message, in which what it repeats is cut where it is long.
pub(super) fn explained(error: &impl Display) -> String {
    let message = error.to_string();
    for (start, behind) in REPEATING {
        // The last one: what was sent may look like the end of a message, too.
        if let Some(theirs) = message.strip_prefix(start)
            && let Some(end) = theirs.rfind(behind)
        {
            return format!("{start}{}{}", quoted(&theirs[..end]), &theirs[end..]);
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_behind_a_hundred_characters() {
        assert_eq!(quoted(""), "");
        assert_eq!(quoted(&"\u{e9}".repeat(100)), "\u{e9}".repeat(100));
        assert_eq!(quoted(&"\u{e9}".repeat(101)), "\u{e9}".repeat(100) + "...");
    }

    #[test]
    fn what_a_message_says_itself_stays_whole() {
        for message in [
            "missing field `payload` at line 1 column 2",
            "unknown field `colour`, expected one of `kind`, `payload`",
            "invalid type: integer `5`, expected a string at line 1 column 2",
            "duplicate member `a` at line 1 column 2",
            &"an error of ours ".repeat(100),
        ] {
            assert_eq!(explained(&message), message);
        }
    }

    #[test]
    fn what_was_sent_is_cut_whatever_it_looks_like() {
        let long = "x".repeat(900_000);
        for theirs in [
            &long,
            &"`x`".repeat(300_000),
            &format!("`, expected {long}"),
            &format!("{long}`, expected `a` at line 1"),
            &format!("\", expected {long}"),
        ] {
            for (start, behind) in REPEATING {
                let message = format!("{start}{theirs}{behind}");
                let short = format!("{start}{}...{behind}", &theirs[..100]);
                assert_eq!(explained(&message), short);
            }
        }
    }
}

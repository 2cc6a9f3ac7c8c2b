//! The normal form of a GraphQL document: what is left of it when everything that does not matter is
//! gone. Two documents of the same normal form are the same document to every server. Whether a
//! document makes sense is not decided here.

use crate::hex;
use sha2::{Digest, Sha256};
use std::fmt;

/// The significant tokens of a document (GraphQL October 2021, section 2.1.6) without white space,
/// commas and comments. Its text, the tokens with one space between, is a document again and has the
/// same normal form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NormalForm<'a> {
    tokens: Vec<&'a str>,
}

/// The field that says of which type an object is (section 4.1).
pub const TYPE_NAME: &str = "__typename";

impl<'a> NormalForm<'a> {
    /// Reads a document; `None` when the text has something that is no token.
    pub fn of(document: &'a str) -> Option<Self> {
        let mut rest = document.strip_prefix('\u{feff}').unwrap_or(document);
        let mut tokens = Vec::new();
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\n', '\r', ',']);
            let Some(first) = rest.bytes().next() else { return Some(Self { tokens }) };
            if first == b'#' {
                rest = &rest[rest.find(['\n', '\r']).unwrap_or(rest.len())..];
                continue;
            }
            let (token, after) = rest.split_at(token_length(rest, first)?);
            tokens.push(token);
            rest = after;
        }
    }

    /// The form without the `__typename` of its selections, which clients with a cache add to every one of
    /// them. It stays where it is more than the plain field: with an alias, arguments or a directive.
    #[must_use]
    pub fn without_type_names(&self) -> Self {
        let (mut braces, mut parentheses) = (0_u32, 0_u32);
        let mut kept = Vec::with_capacity(self.tokens.len());
        for (index, token) in self.tokens.iter().enumerate() {
            match *token {
                "{" => braces += 1,
                "}" => braces = braces.saturating_sub(1),
                "(" => parentheses += 1,
                ")" => parentheses = parentheses.saturating_sub(1),
                TYPE_NAME if braces > 0 && parentheses == 0 && self.is_plain_field(index) => continue,
                _ => {}
            }
            kept.push(*token);
        }
        Self { tokens: kept }
    }

    /// Whether a name of a selection set is a field, and nothing beside it says more of it.
    fn is_plain_field(&self, index: usize) -> bool {
        let (before, after) = (&self.tokens[..index], self.tokens.get(index + 1));
        let is_part = matches!(before, [.., ":" | "$" | "@" | "..."] | [.., "...", "on"]);
        !is_part && !matches!(after, Some(&(":" | "(" | "@")))
    }

    /// The hash of the text of the form.
    pub fn hash(&self) -> DocumentHash {
        DocumentHash(Sha256::digest(self.to_string()).into())
    }

    /// The tokens in order, each as it stands in the document.
    pub fn tokens(&self) -> &[&'a str] {
        &self.tokens
    }
}

/// SHA-256 of the text of a normal form. As text, 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentHash([u8; 32]);

impl fmt::Display for DocumentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Display for NormalForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.tokens.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

/// Length of the token that a text begins with.
fn token_length(text: &str, first: u8) -> Option<usize> {
    match first {
        b'"' => string_length(text),
        b'.' => text.starts_with("...").then_some(3),
        b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}' => Some(1),
        b'_' | b'a'..=b'z' | b'A'..=b'Z' => Some(name_length(text)),
        b'-' | b'0'..=b'9' => number_length(text),
        _ => None,
    }
}

fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// Length of the number that a text begins with; no name, digit or dot may follow it (sections 2.9.1
/// and 2.9.2).
fn number_length(text: &str) -> Option<usize> {
    let digits = |from: usize| {
        let count = text[from..].bytes().take_while(u8::is_ascii_digit).count();
        (count > 0).then_some(from + count)
    };
    let byte_at = |at: usize| text.as_bytes().get(at).copied();
    let start = usize::from(byte_at(0) == Some(b'-'));
    let mut end = digits(start)?;
    if byte_at(start) == Some(b'0') && end > start + 1 {
        return None;
    }
    if byte_at(end) == Some(b'.') {
        end = digits(end + 1)?;
    }
    if matches!(byte_at(end), Some(b'e' | b'E')) {
        let signed = matches!(byte_at(end + 1), Some(b'+' | b'-'));
        end = digits(end + 1 + usize::from(signed))?;
    }
    let continued = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    (!byte_at(end).is_some_and(continued)).then_some(end)
}

/// Length of the string that a text begins with, its quotes included.
fn string_length(text: &str) -> Option<usize> {
    if text.starts_with("\"\"\"") {
        let mut from = 3;
        loop {
            let end = from + text[from..].find("\"\"\"")?;
            if !text[..end].ends_with('\\') {
                return Some(end + 3);
            }
            from = end + 3;
        }
    }
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'\n' | b'\r' => return None,
            b'"' if !escaped => return Some(index + 1),
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(document: &str) -> Option<String> {
        NormalForm::of(document).map(|form| form.to_string())
    }

    #[test]
    fn white_space_commas_and_comments_do_not_matter() {
        let plain = NormalForm::of("query A($x:Int){a(x:$x){b c}}").expect("a document");
        let spaced = "\u{feff}query A ( $x : Int, ) # hello\r\n{ a(x: $x,) {\n\tb,,c } }";
        assert_eq!(NormalForm::of(spaced), Some(plain.clone()));
        assert_eq!(plain.to_string(), "query A ( $ x : Int ) { a ( x : $ x ) { b c } }");
        assert_eq!(plain.tokens()[..4], ["query", "A", "(", "$"]);
    }

    #[test]
    fn strings_keep_what_would_not_matter_elsewhere() {
        let text = r##"{a(x:"b , # \" c" y:"""d " \""" # e""")}"##;
        let form = NormalForm::of(text).expect("a document");
        let expected =
            ["{", "a", "(", "x", ":", r##""b , # \" c""##, "y", ":", r##""""d " \""" # e""""##, ")", "}"];
        assert_eq!(form.tokens(), expected);
        assert_eq!(NormalForm::of("{a(x:\"open)}"), None);
        assert_eq!(NormalForm::of("{a(x:\"open\n\")}"), None);
        assert_eq!(NormalForm::of("{a(x:\"\"\"open\")}"), None);
        assert_ne!(text_of("{a(x:\"b c\")}"), text_of("{a(x:\"b  c\")}"));
        assert_eq!(text_of("\"\"\"\"\"\"").as_deref(), Some("\"\"\"\"\"\""));
        assert_eq!(text_of("\"\"\"a\"").as_deref(), None);
        assert_eq!(text_of("\"a\"\"b\"").as_deref(), Some("\"a\" \"b\""));
    }

    #[test]
    fn names_and_what_stands_beside_them_are_told_apart() {
        assert_ne!(text_of("{ab}"), text_of("{a b}"));
        assert_eq!(text_of("{a...b}"), text_of("{ a ... b }"));
        assert_eq!(text_of("{a...on B{c}}").as_deref(), Some("{ a ... on B { c } }"));
        assert_eq!(text_of("[a-1]").as_deref(), Some("[ a -1 ]"));
        assert_eq!(text_of("a1_B").as_deref(), Some("a1_B"));
    }

    #[test]
    fn numbers_are_whole_or_refused() {
        for number in ["0", "-0", "7", "-12", "1.50", "0.0e-7", "6E+23", "1e9"] {
            assert_eq!(text_of(number).as_deref(), Some(number));
        }
        for other in ["-", "01", "-01", "1.", "1.e3", "1e", "1e+", "1a", "1_", "1.2.3", "1...2", "+1", "0x1"]
        {
            assert_eq!(text_of(other), None, "{other}");
        }
    }

    #[test]
    fn what_no_token_begins_with_is_refused() {
        for other in ["{\u{e4}}", "..", ".", "a.b", "%", ";", "{a\u{a0}b}", "\\", "?", "'a'", "\u{0}"] {
            assert_eq!(NormalForm::of(other), None, "{other:?}");
        }
        assert_eq!(text_of(" # only a comment").as_deref(), Some(""));
    }

    #[test]
    fn the_hash_is_that_of_the_form() {
        let hash = |document: &str| NormalForm::of(document).map(|form| form.hash().to_string());

        let expected = "1c7e1e347f726166b5b1c55afd61f278cc9b45e00c108ec33d540a566379811b";
        assert_eq!(hash("{a}").as_deref(), Some(expected));
        assert_eq!(hash("{a}"), hash("{ a, } # b"));
        assert_ne!(hash("{a}"), hash("{b}"));
    }

    fn stripped(document: &str) -> Option<String> {
        NormalForm::of(document).map(|form| form.without_type_names().to_string())
    }

    #[test]
    fn a_plain_type_name_of_a_selection_is_no_part_of_the_document() {
        let plain = "query A($x: Int) { a(x: $x) { b { c } on } d @e }";
        for asked in [
            plain,
            "query A($x: Int) { __typename a(x: $x) { b { c __typename } on __typename } d @e __typename }",
            "query A($x: Int) { a(x: $x) { __typename, b { __typename c } __typename on } d @e }",
        ] {
            assert_eq!(stripped(asked), text_of(plain), "{asked}");
        }
    }

    #[test]
    fn a_type_name_that_is_more_than_the_plain_field_stays() {
        for document in [
            "{ a { kind: __typename } }",
            "{ a { __typename: b } }",
            "{ a { __typename @include(if: $x) } }",
            "{ a { __typename(x: 1) } }",
            "{ a(__typename: 1) }",
            "{ a(x: { __typename: 1 }) }",
            "{ a(x: __typename) }",
            "{ ... on __typename { a } }",
            "{ ...__typename }",
            "{ a @__typename }",
            "query __typename { a }",
            "{ a(x: \"__typename\") }",
            "{ a(x: $__typename) }",
        ] {
            assert_eq!(stripped(document), text_of(document), "{document}");
        }
    }

    fn token() -> impl Strategy<Value = String> {
        prop_oneof![
            "[_A-Za-z][_0-9A-Za-z]{0,6}",
            "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            "\\.\\.\\.|[!$&():=@\\[\\]{|}]",
            "\"([ #,a-z\u{e9}]|\\\\[\"\\\\n]){0,6}\"",
            "\"\"\"[ #,a-z\u{e9}\n]([ #,a-z\u{e9}\n]|\\\\\"\"\"){0,6}\"\"\"",
        ]
    }

    proptest! {
        #[test]
        fn the_tokens_are_those_that_the_document_was_made_of(
            parts in prop::collection::vec((token(), "[ \t\r\n,]{1,3}|#[ -~]{0,5}\n"), 0..12),
        ) {
            let document: String = parts.iter().flat_map(|(token, gap)| [token.as_str(), gap]).collect();
            let form = NormalForm::of(&document);
            let tokens: Vec<&str> = parts.iter().map(|(token, _)| token.as_str()).collect();
            prop_assert_eq!(form, Some(NormalForm { tokens }), "{}", document);
        }

        #[test]
        fn type_names_are_gone_after_the_first_time(
            document in "([a-z]{1,2}|__typename|\\.\\.\\.|on|[{}()$:@\n ]){0,16}",
        ) {
            if let Some(form) = NormalForm::of(&document) {
                let once = form.without_type_names();
                prop_assert!(once.tokens().len() <= form.tokens().len());
                let kept = |tokens: &[&str]| tokens.iter().filter(|t| **t != TYPE_NAME).count();
                prop_assert_eq!(kept(once.tokens()), kept(form.tokens()), "{}", document);
                if !document.contains(TYPE_NAME) {
                    prop_assert_eq!(&once, &form);
                }
            }
        }

        #[test]
        fn the_text_of_a_normal_form_has_that_normal_form(
            document in "([a-z]{1,2}|[0-9]{1,2}|\\.\\.\\.|[-{}()$:!,\n #\"\\\\.]|\"[a-z ]\"|\"\"\"){0,12}|.*",
        ) {
            if let Some(form) = NormalForm::of(&document) {
                let text = form.to_string();
                prop_assert_eq!(NormalForm::of(&text), Some(form), "{}", document);
            }
        }
    }
}

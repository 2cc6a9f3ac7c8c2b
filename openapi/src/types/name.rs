//! Names that people read: of apps and tenants, and of whatever else gets one.

use super::checked_text::{Published, checked_text};

/// The longest name, in characters.
pub const NAME_MAX_LENGTH: usize = 128;

checked_text! {
    /// A name for people. It shows all that is in it: no control character, nothing that changes the
    /// direction of a text or takes no room, and a visible character at both ends.
    ///
    /// Joiners (U+200C, U+200D) and variation selectors are taken behind a character of a script that needs
    /// them, as Persian, Hindi, Sinhala, Mongolian, Han and emoji do. Latin, Greek and Cyrillic do not, and two
    /// names that look alike would differ.
    pub struct Name {
        check: check,
        published: Published { format: None, max_length: NAME_MAX_LENGTH, pattern: Some(pattern()) },
    }
}

type Ranges = &'static [(char, char)];

/// What Unicode calls ignorable by default, and controls; but not what belongs to the character before it
/// (joiners and variation selectors).
const HIDDEN: Ranges = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
];

/// The same beyond U+FFFF: hieroglyphic, shorthand and musical controls, a note without a head, tags. No escape
/// for these is read by the regular expressions of every language, so that the pattern lets them through.
const HIDDEN_BEYOND: Ranges = &[
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e00ff}'),
    ('\u{e01f0}', '\u{e0fff}'),
];

const SPACES: Ranges = &[
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    // Braille without a dot.
    ('\u{2800}', '\u{2800}'),
    ('\u{3000}', '\u{3000}'),
];

const JOINERS: Ranges = &[('\u{200c}', '\u{200d}')];

/// Which form of the character before it is meant.
const SELECTORS: Ranges = &[('\u{180b}', '\u{180d}'), ('\u{180f}', '\u{180f}'), ('\u{fe00}', '\u{fe0f}')];

/// The same beyond U+FFFF, where the pattern cannot tell them from what they select.
const SELECTORS_BEYOND: Ranges = &[('\u{e0100}', '\u{e01ef}')];

/// Scripts with neither: up to Armenian, and the later blocks of Latin and Greek.
const UNJOINED: Ranges = &[('\0', '\u{58f}'), ('\u{1e00}', '\u{1fff}')];

fn is_in(ranges: Ranges, character: char) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

fn check(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.chars().count() > NAME_MAX_LENGTH {
        return Err("a name has 1 to 128 characters");
    }
    if text.chars().any(|each| is_in(HIDDEN, each) || is_in(HIDDEN_BEYOND, each)) {
        return Err("a name must not hold characters that control a text or take no room in it");
    }
    if text.starts_with(|first| is_in(SPACES, first)) || text.ends_with(|last| is_in(SPACES, last)) {
        return Err("a name must not begin or end with a space");
    }
    let (mut takes_selector, mut takes_joiner) = (false, false);
    for each in text.chars() {
        let joins = is_in(JOINERS, each);
        let selects = is_in(SELECTORS, each) || is_in(SELECTORS_BEYOND, each);
        if joins && !takes_joiner || selects && !takes_selector {
            return Err(
                "a name may hold a joiner or a variation selector only behind a character of a script that has these",
            );
        }
        takes_selector = !joins && !selects && !is_in(SPACES, each) && !is_in(UNJOINED, each);
        takes_joiner = takes_selector || selects;
    }
    Ok(())
}

/// Visible characters, those of scripts with selectors and joiners with one of each behind them, and spaces in
/// between.
fn pattern() -> String {
    let (hidden, spaces, joiners, unjoined) = (class(HIDDEN), class(SPACES), class(JOINERS), class(UNJOINED));
    let selectors = class(SELECTORS);
    let simple = r"[!-~\u00A1-\u00AC\u00AE-\u034E\u0350-\u058F\u1E00-\u1FFF]";
    let visible =
        format!("(?:{simple}|[^{unjoined}{hidden}{spaces}{joiners}{selectors}][{selectors}]?[{joiners}]?)");
    format!("^{visible}(?:[{spaces}]*{visible})*$")
}

/// Ranges as a class of a regular expression has them.
fn class(ranges: Ranges) -> String {
    let escaped = |character: char| format!(r"\u{:04X}", u32::from(character));
    let range = |(first, last): &(char, char)| {
        if first == last { escaped(*first) } else { format!("{}-{}", escaped(*first), escaped(*last)) }
    };
    ranges.iter().map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemars::JsonSchema;
    use schemars::r#gen::SchemaGenerator;
    use std::sync::LazyLock;

    static PUBLISHED: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = Name::json_schema(&mut SchemaGenerator::default());
        jsonschema::validator_for(&serde_json::to_value(schema).expect("a schema")).expect("a valid schema")
    });

    /// Whether a text is taken, which the published schema must say as well.
    fn takes(text: &str) -> bool {
        let taken = text.parse::<Name>().is_ok();
        let published = PUBLISHED.is_valid(&text.into());
        let beyond = text.chars().any(|each| is_in(HIDDEN_BEYOND, each) || is_in(SELECTORS_BEYOND, each));
        assert!(taken == published || beyond && !taken, "the service ({taken}) and the schema on {text:?}");
        taken
    }

    #[test]
    fn names_of_every_script_are_taken() {
        for name in [
            "A",
            "Dossiers d\u{2019}\u{e9}t\u{e9} \u{1f5c2}",
            "O'Neil & Sons <x>; \"quoted\" \\ 100 %",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{915}\u{94d}\u{200d}\u{937}",
            "\u{d28}\u{d4d}\u{200d}",
            "\u{dc1}\u{dca}\u{200d}\u{dbb}\u{dd3} \u{dbd}\u{d82}\u{d9a}\u{dcf}",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{627}\u{644}\u{639}\u{631}\u{628}\u{64a}\u{629}",
            "\u{1f469}\u{200d}\u{1f4bb} \u{2764}\u{fe0f}\u{200d}\u{1f525}",
            "\u{682a}\u{5f0f}\u{4f1a}\u{793e}\u{3000}\u{4f8b}",
            "\u{845b}\u{e0100}\u{98fe}\u{533a}",
            "\u{1820}\u{180b}\u{1822}",
            "\u{2813}\u{2815}\u{2800}\u{2813}\u{2815}",
            "a\u{a0}b  c",
            "e\u{301}",
        ] {
            assert!(takes(name), "{name}");
        }
    }

    #[test]
    fn what_hides_turns_or_joins_without_need_is_refused() {
        for hidden in HIDDEN.iter().chain(HIDDEN_BEYOND).flat_map(|(first, last)| [*first, *last]) {
            for name in [format!("a{hidden}b"), format!("{hidden}a"), format!("a{hidden}"), hidden.into()] {
                assert!(!takes(&name), "{name:?}");
            }
        }
        for behind in ['\u{200c}', '\u{200d}', '\u{180b}', '\u{fe00}', '\u{fe0f}', '\u{e0100}', '\u{e01ef}'] {
            for before in ["", "a", "1", " ", "\u{e9}", "\u{436}", "\u{3b1}", "\u{1ebf}", "\u{64a}\u{200c}"] {
                assert!(!takes(&format!("{before}{behind}a")), "{before:?} {behind:?}");
            }
        }
        for two in ["\u{2764}\u{fe0f}\u{fe0f}", "\u{845b}\u{e0100}\u{e0101}", "\u{845b}\u{fe00}\u{e0100}"] {
            assert!(!takes(two), "{two:?}");
        }
    }

    #[test]
    fn a_name_shows_at_both_ends() {
        for (first, last) in SPACES {
            for space in [*first, *last] {
                for name in [format!("{space}a"), format!("a{space}"), space.into()] {
                    assert!(!takes(&name), "{name:?}");
                }
                assert!(takes(&format!("a{space}{space}b")));
            }
        }
        assert!(!takes(""));
    }

    #[test]
    fn its_length_is_counted_in_characters() {
        for letter in ["a", "\u{e9}", "\u{1f5c2}"] {
            assert!(takes(&letter.repeat(NAME_MAX_LENGTH)));
            assert!(!takes(&letter.repeat(NAME_MAX_LENGTH + 1)));
        }
    }

    #[test]
    fn the_schema_and_the_service_agree_on_every_character_of_the_first_plane() {
        for code in 0..=0xffff {
            let Some(each) = char::from_u32(code) else { continue };
            for name in [
                format!("a{each}a"),
                format!("\u{64a}{each}"),
                format!("{each}\u{200d}"),
                format!("{each}\u{fe0f}\u{200d}"),
            ] {
                takes(&name);
            }
        }
    }

    proptest! {
        #[test]
        fn the_schema_and_the_service_agree_on_any_text(
            parts in prop::collection::vec(
                prop_oneof![
                    3 => any::<char>().prop_map(String::from),
                    3 => "[a-z \u{64a}\u{e9}\u{1f5c2}\u{200d}\u{fe0f}\u{e0100}]{0,3}",
                    1 => Just("\u{200c}".to_owned()),
                ],
                0..8,
            ),
        ) {
            takes(&parts.concat());
        }
    }
}

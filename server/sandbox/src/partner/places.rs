//! Where a member stands in a JSON text. serde says so of the place where it stopped reading; of what was read and does
//! not make sense, this does.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// A place in a text: line and column, both from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// The place of the value that this pointer (RFC 6901) leads to, or of the last one on the way there.
pub(crate) fn place(text: &str, pointer: &str) -> Place {
    at(text, span(text, pointer).start)
}

/// The bytes of that value.
pub(crate) fn span(text: &str, pointer: &str) -> Range<usize> {
    let mut found = text.trim();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let Ok(parts) = serde_json::from_str::<Parts<'_>>(found) else { break };
        let Some((_, part)) = parts.0.into_iter().rev().find(|(name, _)| *name == step) else { break };
        found = part.get();
    }
    // `found` is a part of `text`, so that the difference of their addresses is where it begins.
    let start = found.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    start..start + found.len()
}

/// The members that an object has twice, anywhere in a text, as pointers.
pub(crate) fn repeated(text: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![(String::new(), text.trim())]);
    while let Some((pointer, value)) = open.pop() {
        let Ok(parts) = serde_json::from_str::<Parts<'_>>(value) else { continue };
        for (index, (name, part)) in parts.0.iter().enumerate() {
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            if parts.0[..index].iter().any(|(earlier, _)| earlier == name) {
                found.push(pointer.clone());
            }
            open.push((pointer, part.get()));
        }
    }
    found
}

fn at(text: &str, offset: usize) -> Place {
    let before = &text[..offset];
    let begins = before.rfind('\n').map_or(0, |end| end + 1);
    Place { line: 1 + before.matches('\n').count(), column: 1 + before[begins..].chars().count() }
}

/// The members of an object or the items of a list, unread.
struct Parts<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Parts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartsVisitor;

        impl<'de> Visitor<'de> for PartsVisitor {
            type Value = Parts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut parts = Vec::new();
                while let Some(member) = members.next_entry()? {
                    parts.push(member);
                }
                Ok(Parts(parts))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut parts = Vec::new();
                while let Some(item) = items.next_element()? {
                    parts.push((parts.len().to_string(), item));
                }
                Ok(Parts(parts))
            }
        }

        deserializer.deserialize_any(PartsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  \"a\": [1, {\"b~/\": \"ä\", \"c\": true}],\n  \"a2\": 3\n}\n";

    #[test]
    fn a_member_is_found_by_its_pointer() {
        let part = |pointer| &TEXT[span(TEXT, pointer)];
        assert_eq!(part("/a/0"), "1");
        assert_eq!(part("/a/1/b~0~1"), "\"ä\"");
        assert_eq!(place(TEXT, "/a/1/c"), Place { line: 2, column: 31 });
        assert_eq!(place(TEXT, "/a2"), Place { line: 3, column: 9 });
        assert_eq!(place(TEXT, ""), Place { line: 1, column: 1 });
    }

    #[test]
    fn what_is_missing_has_the_place_of_what_lacks_it() {
        assert_eq!(place(TEXT, "/a/1/none/x"), place(TEXT, "/a/1"));
    }

    #[test]
    fn members_that_stand_twice_are_found_at_any_depth() {
        assert_eq!(repeated(TEXT), Vec::<String>::new());
        assert_eq!(repeated(r#"{"a": [{"b": 1, "b": 2}], "c": 1, "c": 1}"#), ["/c", "/a/0/b"]);
    }
}

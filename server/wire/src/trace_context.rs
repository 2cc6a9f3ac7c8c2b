//! W3C Trace Context: the ids of a trace and a span, the `traceparent` value that carries them, and
//! `tracestate` values that came apart. Where ids come from, and which headers hold them, is each
//! side's own business.

use crate::hex;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Where the trace id stands in a `traceparent` value of any version.
pub const TRACE_ID: Range<usize> = 3..35;
/// Where the span id stands in a `traceparent` value of any version.
pub const SPAN_ID: Range<usize> = 36..52;

const VERSION: Range<usize> = 0..2;
const FLAGS: Range<usize> = 53..55;
/// Length of a `traceparent` value of version 00, in bytes.
const LENGTH: usize = 55;

/// A trace and one of its spans. Neither id is all zero, which would make it invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceIds {
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

impl TraceIds {
    /// The ids of these bytes; the last bit of an id that would be all zero is set.
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8]) -> Self {
        Self { trace_id: not_zero(trace_id), span_id: not_zero(span_id) }
    }

    /// The same trace with another span.
    #[must_use]
    pub fn with_span(self, span_id: [u8; 8]) -> Self {
        Self::new(self.trace_id, span_id)
    }

    /// The trace id.
    pub fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// The span id.
    pub fn span_id(&self) -> [u8; 8] {
        self.span_id
    }

    /// The trace id in 32 lower-case hexadecimal digits.
    pub fn trace_hex(&self) -> String {
        hex::encode(&self.trace_id)
    }

    /// The span id in 16 lower-case hexadecimal digits.
    pub fn span_hex(&self) -> String {
        hex::encode(&self.span_id)
    }
}

fn not_zero<const N: usize>(mut id: [u8; N]) -> [u8; N] {
    if id == [0; N]
        && let Some(last) = id.last_mut()
    {
        *last = 1;
    }
    id
}

/// Whether a text is a trace id: 32 lower-case hexadecimal digits, not all of them zero.
pub fn is_trace_id(text: &str) -> bool {
    read_id::<16>(text.as_bytes()).is_some()
}

/// Whether a text is a span id: 16 lower-case hexadecimal digits, not all of them zero.
pub fn is_span_id(text: &str) -> bool {
    read_id::<8>(text.as_bytes()).is_some()
}

fn read_id<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    hex::decode(digits).filter(|id| *id != [0; N])
}

/// The flags of a trace, as level 2 of the specification has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceFlags {
    /// Whether the sender records the trace.
    pub sampled: bool,
    /// Whether at least the last seven bytes of the trace id are random.
    pub random: bool,
}

impl TraceFlags {
    /// A trace that is recorded, and whose id promises nothing.
    pub const SAMPLED: Self = Self { sampled: true, random: false };

    const SAMPLED_BIT: u8 = 1;
    const RANDOM_BIT: u8 = 2;

    fn from_byte(byte: u8) -> Self {
        Self { sampled: byte & Self::SAMPLED_BIT != 0, random: byte & Self::RANDOM_BIT != 0 }
    }

    fn to_byte(self) -> u8 {
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        bit(self.sampled, Self::SAMPLED_BIT) | bit(self.random, Self::RANDOM_BIT)
    }
}

/// The value of a `traceparent` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Traceparent {
    /// The trace, and the sender's span.
    pub ids: TraceIds,
    /// What is known of the trace.
    pub flags: TraceFlags,
}

impl Traceparent {
    /// Reads a value as strictly as section 3.2 of the specification has it: no white space, lower-case
    /// digits only, no id all zero. A later version may append fields; version 00 may not, and ff is
    /// not valid. Flags that the specification does not define are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let (fields, more) = text.as_bytes().split_first_chunk::<LENGTH>()?;
        let [version] = hex::decode(&fields[VERSION])?;
        let [flags] = hex::decode(&fields[FLAGS])?;
        let separated = [2, 35, 52].iter().all(|at| fields[*at] == b'-');
        let ends = more.is_empty() || (version != 0 && more[0] == b'-');
        if version == 0xff || !separated || !ends {
            return None;
        }
        let ids = TraceIds { trace_id: read_id(&fields[TRACE_ID])?, span_id: read_id(&fields[SPAN_ID])? };
        Some(Self { ids, flags: TraceFlags::from_byte(flags) })
    }

    /// The value in version 00; the ids stand at [`TRACE_ID`] and [`SPAN_ID`].
    pub fn to_bytes(&self) -> [u8; LENGTH] {
        let mut text = [b'-'; LENGTH];
        hex::encode_to(&[0], &mut text[VERSION]);
        hex::encode_to(&self.ids.trace_id, &mut text[TRACE_ID]);
        hex::encode_to(&self.ids.span_id, &mut text[SPAN_ID]);
        hex::encode_to(&[self.flags.to_byte()], &mut text[FLAGS]);
        text
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

/// All `tracestate` values of a message as one list, as RFC 9110, section 5.3 combines them; `None`
/// when there is none. A single value is not copied.
pub fn join_tracestate<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Option<Cow<'a, [u8]>> {
    values.into_iter().map(Cow::Borrowed).reduce(|joined, value| {
        let mut joined = joined.into_owned();
        joined.push(b',');
        joined.extend_from_slice(&value);
        Cow::Owned(joined)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn the_specification_s_example_is_read_and_written_again() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let traceparent = Traceparent::parse(text).expect("a traceparent");
        assert_eq!(traceparent.ids.trace_hex(), TRACE);
        assert_eq!(traceparent.ids.span_hex(), SPAN);
        assert_eq!(traceparent.flags, TraceFlags::SAMPLED);
        assert_eq!(traceparent.to_string(), text);
        assert_eq!((&text[TRACE_ID], &text[SPAN_ID]), (TRACE, SPAN));
    }

    #[test]
    fn of_the_flags_those_that_the_specification_defines_are_kept() {
        let flags = [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03"), ("fc", "00")];
        for (flags, kept) in flags {
            let traceparent = Traceparent::parse(&format!("00-{TRACE}-{SPAN}-{flags}")).expect("valid");
            assert_eq!(traceparent.to_string(), format!("00-{TRACE}-{SPAN}-{kept}"));
        }
    }

    #[test]
    fn a_later_version_may_append_fields() {
        let first = Traceparent::parse(&format!("00-{TRACE}-{SPAN}-01"));
        assert!(first.is_some());
        for later in ["01", "fe", "cc"] {
            for more in ["", "-", "-extra", "-\u{e9}"] {
                assert_eq!(Traceparent::parse(&format!("{later}-{TRACE}-{SPAN}-01{more}")), first);
            }
            assert_eq!(Traceparent::parse(&format!("{later}-{TRACE}-{SPAN}-01extra")), None);
        }
    }

    #[test]
    fn what_is_not_a_traceparent_is_refused() {
        for malformed in [
            "",
            "00",
            &format!("00-{TRACE}-{SPAN}"),
            &format!("00-{TRACE}-{SPAN}-"),
            &format!("00-{TRACE}-{SPAN}-1"),
            &format!("00-{TRACE}-{SPAN}-\u{e9}"),
            &format!("00-{TRACE}-{SPAN}-0A"),
            &format!("00-{TRACE}-{SPAN}-01-"),
            &format!("00-{TRACE}-{SPAN}-01-extra"),
            &format!("00-{TRACE}-{SPAN}-01 "),
            &format!(" 00-{TRACE}-{SPAN}-01"),
            &format!("00-{TRACE}-{SPAN}-01\n"),
            &format!("00_{TRACE}-{SPAN}-01"),
            &format!("00-{TRACE}_{SPAN}-01"),
            &format!("00-{TRACE}-{SPAN}_01"),
            &format!("ff-{TRACE}-{SPAN}-01"),
            &format!("0-{TRACE}-{SPAN}-01"),
            &format!("0g-{TRACE}-{SPAN}-01"),
            &format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            &format!("00-{TRACE}-0000000000000000-01"),
            &format!("00-{TRACE}-b7ad6b716920333-01"),
            &format!("00-{TRACE}-b7ad6b716920333-001"),
            &format!("00-00000000000000000000000000000000-{SPAN}-01"),
            &format!("00-+af7651916cd43dd8448eb211c80319c-{SPAN}-01"),
        ] {
            assert_eq!(Traceparent::parse(malformed), None, "{malformed:?}");
        }
    }

    #[test]
    fn an_id_is_never_all_zero() {
        let ids = TraceIds::new([0; 16], [0; 8]);
        assert_eq!(ids.trace_hex(), "00000000000000000000000000000001");
        assert_eq!(ids.span_hex(), "0000000000000001");
        assert_eq!(TraceIds::new([7; 16], [7; 8]).with_span([0; 8]).span_hex(), "0000000000000001");
    }

    #[test]
    fn ids_are_told_from_other_texts() {
        assert!(is_trace_id(TRACE) && is_span_id(SPAN));
        assert!(!is_trace_id(SPAN) && !is_span_id(TRACE));
        for other in ["", &"0".repeat(32), &TRACE.to_uppercase(), &TRACE[1..], "not an id"] {
            assert!(!is_trace_id(other), "{other:?}");
        }
        assert!(!is_span_id("0000000000000000"));
    }

    #[test]
    fn tracestate_values_are_joined_in_order_and_one_is_borrowed() {
        let join = |values: &[&'static [u8]]| join_tracestate(values.iter().copied());
        assert_eq!(join(&[]), None);
        assert!(matches!(join(&[b"a=1"]), Some(Cow::Borrowed(b"a=1"))));
        assert_eq!(join(&[b"a=1", b"", b"b=2,c=3"]).as_deref(), Some(&b"a=1,,b=2,c=3"[..]));
    }

    /// The specification's grammar, field by field.
    fn is_valid(text: &str) -> bool {
        let digits = |field: &str, length| {
            field.len() == length && field.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
        };
        let id = |field: &str, length| digits(field, length) && field.bytes().any(|byte| byte != b'0');
        match text.split('-').collect::<Vec<_>>().as_slice() {
            ["00", trace_id, span_id, flags] => id(trace_id, 32) && id(span_id, 16) && digits(flags, 2),
            ["00" | "ff", ..] => false,
            [version, trace_id, span_id, flags, ..] => {
                digits(version, 2) && id(trace_id, 32) && id(span_id, 16) && digits(flags, 2)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            trace_id: [u8; 16],
            span_id: [u8; 8],
            sampled: bool,
            random: bool,
        ) {
            let flags = TraceFlags { sampled, random };
            let traceparent = Traceparent { ids: TraceIds::new(trace_id, span_id), flags };
            let text = traceparent.to_string();
            prop_assert!(is_valid(&text), "{text}");
            prop_assert_eq!(Traceparent::parse(&text), Some(traceparent));
            prop_assert_eq!(&text[TRACE_ID], traceparent.ids.trace_hex());
            prop_assert_eq!(&text[SPAN_ID], traceparent.ids.span_hex());
        }

        #[test]
        fn exactly_what_the_grammar_allows_is_read(
            text in "(00|ff|[0-9a-f]{2})-(0{32}|[0-9a-f]{32})-(0{16}|[0-9a-f]{16})-[0-9a-f]{2}(|-|-.{1,5}|.{1,3})|.{0,60}",
            cut in any::<prop::sample::Index>(),
            other in any::<char>(),
        ) {
            prop_assert_eq!(Traceparent::parse(&text).is_some(), is_valid(&text), "{}", text);
            // The same with one character changed.
            let mut characters: Vec<char> = text.chars().collect();
            if !characters.is_empty() {
                let at = cut.index(characters.len());
                characters[at] = other;
                let text: String = characters.into_iter().collect();
                prop_assert_eq!(Traceparent::parse(&text).is_some(), is_valid(&text), "{}", text);
            }
        }
    }
}

//! The digest that stands for a request: domain-separated, length-prefixed parts under SHA-256.

use argus_openapi::types::common::PageQuery;
use argus_wire::canonical;
use argus_wire::trace_context::TraceIds;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Collects the parts of one digest. Every part is preceded by its length, so that no two lists of
/// parts have the same bytes, and every digest begins with what it is for.
pub struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    /// Begins the digest input of one purpose.
    pub(crate) fn new(domain: &str) -> Self {
        let mut frame = Self { bytes: Vec::with_capacity(512) };
        frame.part(b"argus-sandbox");
        frame.part(domain.as_bytes());
        frame
    }

    /// Adds a part as it is.
    pub(crate) fn part(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        self.bytes.extend_from_slice(part);
    }

    /// Adds a value that has no maps and no fractions, for which plain JSON is canonical.
    pub(crate) fn scalar<T: Serialize>(&mut self, value: &T) {
        self.measured(|bytes| {
            // Writing to memory cannot fail, and none of these types has a failing serialiser.
            let _ = serde_json::to_writer(bytes, value);
        });
    }

    /// Adds a JSON object in canonical form, member by member.
    pub(crate) fn members(&mut self, write: impl FnOnce(&mut Members<'_>)) {
        self.measured(|bytes| Members::write(bytes, write));
    }

    /// Adds a JSON object in canonical form.
    pub(crate) fn object(&mut self, object: &Map<String, Value>) {
        self.measured(|bytes| canonical::write_object(bytes, object));
    }

    /// Adds the query of a paged list.
    pub(crate) fn page(&mut self, page: &PageQuery) {
        let PageQuery { cursor, limit } = page;
        self.scalar(cursor);
        self.scalar(limit);
    }

    fn measured(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 8]);
        write(&mut self.bytes);
        let length = (self.bytes.len() - start - 8) as u64;
        self.bytes[start..start + 8].copy_from_slice(&length.to_be_bytes());
    }

    /// The digest of all parts.
    pub(crate) fn finish(self) -> Digest {
        Digest(Sha256::digest(&self.bytes).into())
    }
}

/// Writes the members of a JSON object whose shape is known, in canonical order. Their values have no maps
/// and no fractions, so that plain JSON is canonical; what is left out of the request is left out here.
pub(crate) struct Members<'b> {
    bytes: &'b mut Vec<u8>,
    last: &'static str,
}

impl Members<'_> {
    fn write(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Members<'_>)) {
        bytes.push(b'{');
        write(&mut Members { bytes, last: "" });
        bytes.push(b'}');
    }

    fn name(&mut self, name: &'static str) {
        debug_assert!(self.last < name, "`{name}` does not stand behind `{}`", self.last);
        if !self.last.is_empty() {
            self.bytes.push(b',');
        }
        self.last = name;
        for part in ["\"", name, "\":"] {
            self.bytes.extend_from_slice(part.as_bytes());
        }
    }

    pub(crate) fn scalar<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        self.name(name);
        // As in `Frame::scalar`.
        let _ = serde_json::to_writer(&mut *self.bytes, value);
    }

    pub(crate) fn optional<T: Serialize>(&mut self, name: &'static str, value: Option<&T>) {
        if let Some(value) = value {
            self.scalar(name, value);
        }
    }

    pub(crate) fn list<T: Serialize>(&mut self, name: &'static str, values: &[T]) {
        if !values.is_empty() {
            self.scalar(name, values);
        }
    }

    pub(crate) fn object<T>(
        &mut self,
        name: &'static str,
        value: Option<&T>,
        write: impl FnOnce(&mut Members<'_>, &T),
    ) {
        if let Some(value) = value {
            self.name(name);
            Members::write(self.bytes, |members| write(members, value));
        }
    }

    /// A list of objects.
    pub(crate) fn objects<T>(
        &mut self,
        name: &'static str,
        values: &[T],
        write: impl Fn(&mut Members<'_>, &T),
    ) {
        if values.is_empty() {
            return;
        }
        self.name(name);
        self.bytes.push(b'[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.bytes.push(b',');
            }
            Members::write(self.bytes, |members| write(members, value));
        }
        self.bytes.push(b']');
    }
}

/// A digest, from which numbers and ids are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub(crate) [u8; 32]);

impl Digest {
    /// Trace and span ids.
    pub(crate) fn trace(&self) -> TraceIds {
        let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
        trace_id.copy_from_slice(&self.0[..16]);
        span_id.copy_from_slice(&self.0[16..24]);
        TraceIds::new(trace_id, span_id)
    }

    /// A number that is independent of the trace ids, below `bound`.
    pub(crate) fn below(&self, bound: usize) -> usize {
        // The bias of the remainder is below 2^-32 for every bound in use.
        (self.tail() % bound.max(1) as u64) as usize
    }

    /// The last eight bytes as a number; [`Digest::trace`] does not use them.
    pub(crate) fn tail(&self) -> u64 {
        self.0[24..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_byte_between_parts_changes_the_digest() {
        let digest = |parts: &[&str]| {
            let mut frame = Frame::new("test");
            parts.iter().for_each(|part| frame.part(part.as_bytes()));
            frame.finish()
        };
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["ab"]), digest(&["ab", ""]));
        assert_ne!(Frame::new("one").finish(), Frame::new("two").finish());
    }

    #[test]
    fn a_measured_part_equals_the_same_bytes_as_a_part() {
        let mut measured = Frame::new("test");
        measured.scalar(&"x");
        let mut plain = Frame::new("test");
        plain.part(b"\"x\"");
        assert_eq!(measured.finish(), plain.finish());
    }

    #[test]
    fn a_trace_id_is_never_all_zero() {
        let trace = Digest([0; 32]).trace();
        assert_ne!(trace.trace_id(), [0; 16]);
        assert_ne!(trace.span_id(), [0; 8]);
    }
}

//! Ids that say what they are and carry a check: how their bits are sealed, and written in Crockford's
//! base 32. Which fields an id has lives with the product.

use crate::engine::digest::{Digest, Frame};

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The digest that the check of an id is cut from.
pub(crate) fn seal(domain: &str, fields: u128) -> Digest {
    let mut frame = Frame::new(domain);
    frame.part(&fields.to_be_bytes());
    frame.finish()
}

/// The check of an id, as a number of so many bits.
pub(crate) fn check(seal: &Digest, bits: u32) -> u128 {
    u128::from(seal.tail()) & mask(bits)
}

/// So many ones.
pub(crate) const fn mask(bits: u32) -> u128 {
    (1 << bits) - 1
}

/// A field of so many bits, out of all of them.
pub(crate) fn cut(fields: u128, shift: u32, bits: u32) -> usize {
    (fields >> shift & mask(bits)) as usize
}

/// Crockford's base 32, most significant character first.
pub(crate) fn crockford(bits: u128, length: u32) -> String {
    (0..length).rev().map(|place| char::from(CROCKFORD[(bits >> (place * 5) & 31) as usize])).collect()
}

/// The number behind upper-case Crockford characters, which must be exactly so many.
pub(crate) fn number(text: &str, length: u32) -> Option<u128> {
    if text.len() != length as usize {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in text.bytes() {
        let digit = CROCKFORD.iter().position(|character| *character == byte)?;
        if bits >> 123 != 0 {
            return None;
        }
        bits = bits << 5 | digit as u128;
    }
    Some(bits)
}

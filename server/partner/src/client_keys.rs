//! The public keys of apps: whether numbers make a key, and whether a signature is one of its. Where they are kept, and what
//! is signed with them, does not live here.

use crate::apps;
use crate::error::Error;
use argus_openapi::types::client_keys::{ClientJwk, ClientJwkSet, KeyMaterial, KeyNumber, SigningAlgorithm};
use argus_wire::hex;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The sizes that a modulus may have, in bits. A larger one would make everybody wait.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// The sizes that a public exponent may have, in bits.
const EXPONENT_BITS: std::ops::RangeInclusive<usize> = 2..=32;
/// The length of a coordinate, in bytes.
const COORDINATE_LENGTH: usize = 32;
/// What stands before the coordinates of a point that is not compressed (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// The set as it is kept, if each of its keys is one.
pub(crate) fn stored(set: &ClientJwkSet) -> Result<String, Error> {
    for (index, key) in set.keys.iter().enumerate() {
        parse(key).map_err(|fault| Error::invalid(format!("`jwks.keys[{index}]`: {fault}")))?;
    }
    apps::to_json(&set.keys)
}

/// Reads what [`stored`] wrote.
pub(crate) fn read(keys: Option<&str>) -> Result<Option<ClientJwkSet>, Error> {
    keys.map(|keys| apps::from_json(keys).map(|keys| ClientJwkSet { keys })).transpose()
}

/// Whether a key of the set with this id and for this algorithm has signed the message.
pub(crate) fn verifies(
    set: &ClientJwkSet,
    kid: &str,
    algorithm: SigningAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let named = set.keys.iter().find(|key| key.kid.as_str() == kid && key.alg == algorithm);
    let key = named.and_then(|key| parse(key).ok());
    key.is_some_and(|key| key.verify_sig(message, signature).is_ok())
}

/// The key, or what is wrong with its numbers.
fn parse(key: &ClientJwk) -> Result<ParsedPublicKey, &'static str> {
    match key.material().ok_or("its members are not those of its `kty`")? {
        KeyMaterial::Rsa { n, e, is_pss } => {
            let (n, e) = (number(n)?, number(e)?);
            if !MODULUS_BITS.contains(&bits(&n)) {
                return Err("`n` must have 2048 to 4096 bits, without a zero byte in front");
            }
            // With 1, anybody could sign. The library looks at neither before it verifies.
            if !is_odd(&n) || !is_odd(&e) || !EXPONENT_BITS.contains(&bits(&e)) {
                return Err("`n` and `e` are no RSA key: both are odd, and `e` is 3 to 4294967295");
            }
            let padding = if is_pss { &RSA_PSS_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA256 };
            let parsed = RsaPublicKeyComponents { n, e }.to_parsed_public_key(padding);
            parsed.map_err(|_| "`n` and `e` are no RSA key")
        }
        KeyMaterial::P256 { x, y } => {
            let point = [&[UNCOMPRESSED], &*coordinate(x)?, &*coordinate(y)?].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .map_err(|_| "`x` and `y` are no point on P-256")
        }
        KeyMaterial::Ed25519 { x } => {
            let x = coordinate(x)?;
            // With one of these, anybody could sign. The library does not look before it verifies.
            if is_of_small_order(&x) {
                return Err("`x` is no key of Ed25519");
            }
            ParsedPublicKey::new(&ED25519, x).map_err(|_| "`x` is no key of Ed25519")
        }
    }
}

/// Whether an encoded point of Curve25519 has an order of 8 or less. There are seven encodings of such points, the sign
/// aside, with the two that are no reduced numbers (RFC 8032, section 5.1; Chalkias et al., "Taming the many EdDSAs", 2020).
fn is_of_small_order(point: &[u8]) -> bool {
    const POINTS: [&str; 7] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let mut point = point.to_vec();
    if let Some(last) = point.last_mut() {
        // Without the sign of the other coordinate.
        *last &= 0x7f;
    }
    POINTS.contains(&&*hex::encode(&point))
}

fn number(number: &KeyNumber) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(number.as_str()).map_err(|_| "a number is not base64url without padding")
}

/// How many bits a number has; none with a zero byte in front, which is not part of it (RFC 7518, section 6.3.1.1).
fn bits(number: &[u8]) -> usize {
    match number.first() {
        None | Some(0) => 0,
        Some(first) => number.len() * 8 - first.leading_zeros() as usize,
    }
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1)
}

fn coordinate(text: &KeyNumber) -> Result<Vec<u8>, &'static str> {
    let bytes = number(text)?;
    if bytes.len() == COORDINATE_LENGTH {
        Ok(bytes)
    } else {
        Err("a coordinate has 32 bytes, zeros in front included")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_with_which_anybody_could_sign_is_no_key() {
        for (point, is_one) in [
            (vec![0; 32], true),
            ([&[1][..], &[0; 30], &[0x80]].concat(), true),
            ([&[0xec][..], &[0xff; 30], &[0xff]].concat(), true),
            ([&[2][..], &[0; 31]].concat(), false),
            (vec![0x58; 32], false),
        ] {
            assert_eq!(is_of_small_order(&point), is_one, "{point:?}");
        }
    }
}

//! The public keys of apps that authenticate with a signature (RFC 7517, RFC 7518). Whether the numbers in them make a
//! key is not this file's business.

use super::checked_text::{Published, checked_text};
use super::wire_enum::wire_enum;
use argus_wire::objects;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashSet;
use validator::{Validate, ValidationError};

wire_enum! {
    /// An algorithm that client assertions may be signed with (RFC 7518, section 3.1; RFC 8037, section 3.1).
    pub enum SigningAlgorithm {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
        Ps256 = "PS256",
        /// ECDSA with P-256 and SHA-256.
        Es256 = "ES256",
        /// EdDSA with Ed25519.
        EdDsa = "EdDSA",
    }
}

wire_enum! {
    /// What kind of key it is (RFC 7518, section 6.1; RFC 8037, section 2).
    pub enum KeyType {
        /// An RSA key: `n` and `e`.
        Rsa = "RSA",
        /// A key on an elliptic curve: `crv`, `x` and `y`.
        Ec = "EC",
        /// An Edwards curve's key: `crv` and `x`.
        Okp = "OKP",
    }
}

wire_enum! {
    /// The curve of a key.
    pub enum Curve {
        /// NIST P-256, of a key of the type `EC`.
        P256 = "P-256",
        /// Ed25519, of a key of the type `OKP`.
        Ed25519 = "Ed25519",
    }
}

wire_enum! {
    /// What a key is for.
    pub enum KeyUse {
        /// Signatures.
        Signature = "sig",
    }
}

/// The longest key id, in characters.
const KEY_ID_MAX_LENGTH: usize = 128;
/// The longest number in a key: a modulus of 4096 bits, in letters of base64url.
const NUMBER_MAX_LENGTH: usize = 683;

checked_text! {
    /// An identifier of a key.
    pub struct KeyId {
        check: |text: &str| match text.len() {
            1..=KEY_ID_MAX_LENGTH if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(()),
            _ => Err("a `kid` has 1 to 128 visible characters of ASCII"),
        },
        published: Published {
            format: None,
            max_length: KEY_ID_MAX_LENGTH,
            pattern: Some("^[!-~]+$".to_owned()),
        },
    }
}

checked_text! {
    /// A number in a key, or a coordinate: base64url without padding.
    pub struct KeyNumber {
        check: |text: &str| match text.len() {
            1..=NUMBER_MAX_LENGTH if text.bytes().all(is_base64url) => Ok(()),
            _ => Err("a number in a key has 1 to 683 letters of base64url, without padding"),
        },
        published: Published {
            format: None,
            max_length: NUMBER_MAX_LENGTH,
            pattern: Some("^[A-Za-z0-9_-]+$".to_owned()),
        },
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The public keys of an app (RFC 7517, section 5). They stand here themselves: the server fetches no URL of a partner,
/// so that there is no `jwks_uri`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, remote = "Self")]
#[validate(schema(function = "each_kid_once"))]
pub struct ClientJwkSet {
    /// The keys, each with a `kid` of its own: one, and during a change-over those before and after it.
    #[validate(length(min = 1, max = 8), nested)]
    pub keys: Vec<ClientJwk>,
}

/// A public key (RFC 7517, section 4). A member of a private or symmetric key (`d`, `p`, `q`, `dp`, `dq`, `qi`, `oth`,
/// `k`) is refused by its name, as is any other: whoever has sent one makes a new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, remote = "Self")]
#[validate(schema(function = "members_of_its_type"))]
pub struct ClientJwk {
    /// Key type.
    pub kty: KeyType,
    /// Key identifier, which the header of each assertion names: 1 to 128 visible characters of ASCII.
    pub kid: KeyId,
    /// The one algorithm that it is used with (RFC 8725, section 3.1): `RS256` or `PS256` of a key of the type `RSA`,
    /// `ES256` of `EC`, `EdDSA` of `OKP`.
    pub alg: SigningAlgorithm,
    /// What it is for.
    #[serde(rename = "use", default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "KeyUse")]
    pub key_use: Option<KeyUse>,
    /// Modulus of an RSA key, 2048 to 4096 bits.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "KeyNumber")]
    pub n: Option<KeyNumber>,
    /// Public exponent of an RSA key.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "KeyNumber")]
    pub e: Option<KeyNumber>,
    /// Curve of a key of the types `EC` and `OKP`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Curve")]
    pub crv: Option<Curve>,
    /// First coordinate of a key of the type `EC`, or the key itself of one of the type `OKP`: 32 bytes.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "KeyNumber")]
    pub x: Option<KeyNumber>,
    /// Second coordinate of a key of the type `EC`, 32 bytes.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "KeyNumber")]
    pub y: Option<KeyNumber>,
}

objects!(ClientJwkSet, ClientJwk);

/// A key with the members of its type, and no others.
#[derive(Clone, Copy, Debug)]
pub enum KeyMaterial<'a> {
    /// An RSA key.
    Rsa {
        /// Modulus.
        n: &'a KeyNumber,
        /// Public exponent.
        e: &'a KeyNumber,
        /// Whether signatures are padded as PSS has it.
        is_pss: bool,
    },
    /// A point on P-256.
    P256 {
        /// First coordinate.
        x: &'a KeyNumber,
        /// Second coordinate.
        y: &'a KeyNumber,
    },
    /// A key of Ed25519.
    Ed25519 {
        /// The key.
        x: &'a KeyNumber,
    },
}

impl ClientJwk {
    /// What the key is made of; none where a member is missing, or is another type's.
    pub fn material(&self) -> Option<KeyMaterial<'_>> {
        let Self { kty, kid: _, alg, key_use: _, n, e, crv, x, y } = self;
        match (kty, alg, n, e, crv, x, y) {
            (KeyType::Rsa, SigningAlgorithm::Rs256, Some(n), Some(e), None, None, None) => {
                Some(KeyMaterial::Rsa { n, e, is_pss: false })
            }
            (KeyType::Rsa, SigningAlgorithm::Ps256, Some(n), Some(e), None, None, None) => {
                Some(KeyMaterial::Rsa { n, e, is_pss: true })
            }
            (KeyType::Ec, SigningAlgorithm::Es256, None, None, Some(Curve::P256), Some(x), Some(y)) => {
                Some(KeyMaterial::P256 { x, y })
            }
            (KeyType::Okp, SigningAlgorithm::EdDsa, None, None, Some(Curve::Ed25519), Some(x), None) => {
                Some(KeyMaterial::Ed25519 { x })
            }
            _ => None,
        }
    }
}

fn members_of_its_type(key: &ClientJwk) -> Result<(), ValidationError> {
    if key.material().is_some() {
        return Ok(());
    }
    let message = match key.kty {
        KeyType::Rsa => "`RSA` goes with the `alg` `RS256` or `PS256`, and with `n` and `e` alone",
        KeyType::Ec => "`EC` goes with the `alg` `ES256`, the `crv` `P-256`, and with `x` and `y` alone",
        KeyType::Okp => "`OKP` goes with the `alg` `EdDSA`, the `crv` `Ed25519`, and with `x` alone",
    };
    Err(ValidationError::new("kty").with_message(message.into()))
}

fn each_kid_once(set: &ClientJwkSet) -> Result<(), ValidationError> {
    let mut known = HashSet::new();
    match set.keys.iter().all(|key| known.insert(key.kid.as_str())) {
        true => Ok(()),
        false => Err(ValidationError::new("keys").with_message("has a `kid` twice".into())),
    }
}

/// A member that may be absent, but not null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{MediaType, within_bounds};
    use serde_json::{Value, json};

    fn rsa() -> Value {
        json!({ "kty": "RSA", "kid": "a", "alg": "RS256", "use": "sig", "n": "a".repeat(342), "e": "AQAB" })
    }

    fn ec() -> Value {
        let number = "b".repeat(43);
        json!({ "kty": "EC", "kid": "b", "alg": "ES256", "crv": "P-256", "x": number, "y": number })
    }

    fn okp() -> Value {
        json!({ "kty": "OKP", "kid": "c", "alg": "EdDSA", "crv": "Ed25519", "x": "c".repeat(43) })
    }

    fn read(keys: &[Value]) -> Result<ClientJwkSet, String> {
        let text = json!({ "keys": keys }).to_string();
        let set = MediaType::Json.parse(text.as_bytes()).map_err(|error| error.message)?;
        within_bounds(set).map_err(|error| error.message)
    }

    #[test]
    fn public_keys_are_read_and_written_as_they_are() {
        let keys = [rsa(), ec(), okp()];
        let set = read(&keys).expect("they are public keys");
        assert_eq!(serde_json::to_value(&set).expect("JSON"), json!({ "keys": keys }));
    }

    #[test]
    fn a_member_of_a_private_or_symmetric_key_is_refused_by_its_name() {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for mut key in [rsa(), ec(), okp()] {
                key[name] = json!("AQAB");
                let error = read(&[key]).expect_err("it is no public key");
                assert!(error.contains(&format!("unknown field `{name}`")), "{error}");
                assert!(error.contains("keys[0]"), "{error}");
            }
        }
        for kty in ["oct", "rsa", ""] {
            let mut key = rsa();
            key["kty"] = json!(kty);
            assert!(read(&[key]).is_err(), "{kty}");
        }
    }

    #[test]
    fn a_key_has_the_members_of_its_type_and_no_others() {
        let changed = |mut key: Value, name: &str, value: Value| {
            match value {
                Value::Null => drop(key.as_object_mut().expect("a key").remove(name)),
                value => key[name] = value,
            }
            key
        };
        for key in [
            changed(rsa(), "n", Value::Null),
            changed(rsa(), "e", Value::Null),
            changed(rsa(), "alg", json!("ES256")),
            changed(rsa(), "alg", json!("EdDSA")),
            changed(rsa(), "crv", json!("P-256")),
            changed(rsa(), "x", json!("AQAB")),
            changed(ec(), "y", Value::Null),
            changed(ec(), "crv", json!("Ed25519")),
            changed(ec(), "alg", json!("RS256")),
            changed(ec(), "n", json!("AQAB")),
            changed(okp(), "y", json!("AQAB")),
            changed(okp(), "crv", json!("P-256")),
            changed(okp(), "alg", json!("ES256")),
        ] {
            let error = read(std::slice::from_ref(&key)).expect_err("its members do not fit");
            assert!(
                error.contains("`keys[0].kty`") && error.contains("goes with the `alg`"),
                "{key}: {error}"
            );
        }
        for key in [
            changed(rsa(), "alg", Value::Null),
            changed(rsa(), "alg", json!("HS256")),
            changed(rsa(), "alg", json!("none")),
            changed(rsa(), "kid", Value::Null),
            changed(rsa(), "kid", json!("")),
            changed(rsa(), "kid", json!("a b")),
            changed(rsa(), "kid", json!("a".repeat(129))),
            changed(rsa(), "use", json!("enc")),
            changed(rsa(), "n", json!("a+b/")),
            changed(rsa(), "n", json!("a".repeat(684))),
            changed(rsa(), "e", json!("AQAB=")),
            changed(rsa(), "x5u", json!("https://partner.example/")),
        ] {
            assert!(read(std::slice::from_ref(&key)).is_err(), "{key}");
        }
        let null = rsa().to_string().replace("\"AQAB\"", "null");
        assert!(serde_json::from_str::<ClientJwk>(&null).is_err());
    }

    #[test]
    fn a_set_has_one_to_eight_keys_each_with_a_kid_of_its_own() {
        let named = |index: usize| {
            let mut key = okp();
            key["kid"] = json!(index.to_string());
            key
        };
        let keys: Vec<Value> = (0..9).map(named).collect();
        assert!(read(&keys[..8]).is_ok());
        assert_eq!(read(&keys).expect_err("nine"), "`keys` must be 1 to 8 in length");
        assert_eq!(read(&[]).expect_err("none"), "`keys` must be 1 to 8 in length");
        assert_eq!(read(&[named(1), named(1)]).expect_err("twice"), "`keys` has a `kid` twice");
        for text in
            ["[]", r#"{"keys":[[]]}"#, r#"{"keys":{}}"#, r#"{"keys":[],"more":1}"#, r#"{"keys":null}"#]
        {
            assert!(MediaType::Json.parse::<ClientJwkSet>(text.as_bytes()).is_err(), "{text}");
        }
    }
}

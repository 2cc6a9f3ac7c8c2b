//! One RSA key: made, read from PKCS#8 PEM, ready to sign and to verify.

use super::error::KeyError;
use argus_openapi::types::keys::Jwk;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

const PEM_TAG: &str = "PRIVATE KEY";

/// The public half of a key, parsed once.
pub struct VerifyingKey {
    jwk: Jwk,
    header: String,
    parsed: ParsedPublicKey,
}

/// A key that signs. Its `Debug` shows the public half.
pub(super) struct SigningKey {
    pair: RsaKeyPair,
    public: Arc<VerifyingKey>,
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.jwk.kid).finish()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public.jwk.kid).finish()
    }
}

impl VerifyingKey {
    /// The key as it is published.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Identifier of the key: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// The first part of every token that this key signed, encoded.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// Whether `signature` is this key's RS256 signature of `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl SigningKey {
    /// Makes a key of 2048 bits and its PEM text. Takes a good part of a second.
    pub(super) fn generate() -> Result<(Self, Zeroizing<String>), KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Crypto("make an RSA key"))?;
        let der = pair.as_der().map_err(|_| KeyError::Crypto("encode an RSA key"))?;
        let text = pem::encode(&pem::Pem::new(PEM_TAG, der.as_ref()));
        Ok((Self::new(pair)?, Zeroizing::new(text)))
    }

    /// Reads a key; the error says what is wrong with the text and shows none of it.
    pub(super) fn from_pem(text: &str) -> Result<Self, &'static str> {
        let block = pem::parse(text).map_err(|_| "not a PEM file")?;
        if block.tag() != PEM_TAG {
            return Err("not a PKCS#8 private key");
        }
        let der = Zeroizing::new(block.into_contents());
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| "not an RSA key of 2048 bits or more")?;
        Self::new(pair).map_err(|_| "its public half is not usable")
    }

    fn new(pair: RsaKeyPair) -> Result<Self, KeyError> {
        let public = pair.public_key();
        let (n, e) = (public.modulus(), public.exponent());
        let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
        let parsed = RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| KeyError::Crypto("read a public key"))?;
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        // RFC 7638, section 3: the required members, in order, without white space.
        let thumbprint = digest(&SHA256, format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes());
        let kid = URL_SAFE_NO_PAD.encode(thumbprint);
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"at+jwt"}}"#));
        let jwk = Jwk { kty: "RSA".into(), kid, key_use: "sig".into(), alg: "RS256".into(), n, e };
        Ok(Self { pair, public: Arc::new(VerifyingKey { jwk, header, parsed }) })
    }

    pub(super) fn public(&self) -> &Arc<VerifyingKey> {
        &self.public
    }

    /// The RS256 signature of `message`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyError::Crypto("sign a token"))?;
        Ok(signature)
    }
}

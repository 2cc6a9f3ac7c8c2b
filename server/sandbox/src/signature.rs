//! How a delivery is signed. Pure, so that the sandbox shows exactly what live sends.

use crate::digest::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The secret that signs every delivery that the sandbox shows. It is published, the same for
/// everybody, and **protects nothing**: it lets a partner test a verifier. Never accept it outside
/// of such a test.
pub const SANDBOX_WEBHOOK_SECRET: &str = "whsec_YXJndXMtc2FuZGJveC1wdWJsaWMtdGVzdC1zZWNyZXQ=";

const STANDARD_PREFIX: &str = "whsec_";

/// Value of `X-Argus-Signature`: `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits,
/// keyed with the secret as it was registered.
pub fn argus_signature(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex(&hmac(secret.as_bytes(), &[body])))
}

/// Value of `webhook-signature` (Standard Webhooks): `v1,` and the HMAC-SHA256 of
/// `id.timestamp.body` in Base64. As that specification has it, a secret of the form
/// `whsec_<base64>` is decoded; any other secret is the key itself.
pub fn standard_signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    let decoded = secret.strip_prefix(STANDARD_PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
    let key = decoded.as_deref().unwrap_or(secret.as_bytes());
    let mac = hmac(key, &[id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body]);
    format!("v1,{}", STANDARD.encode(mac))
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_signature_matches_the_specification_s_example() {
        // The example that the Standard Webhooks libraries share as a test vector.
        let signature = standard_signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_argus_signature_matches_rfc_4231() {
        assert_eq!(
            argus_signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn the_sandbox_secret_is_one_that_a_subscription_could_have() {
        assert!((16..=256).contains(&SANDBOX_WEBHOOK_SECRET.len()));
        assert_eq!(
            STANDARD.decode(&SANDBOX_WEBHOOK_SECRET[STANDARD_PREFIX.len()..]).expect("Base64"),
            b"argus-sandbox-public-test-secret"
        );
    }
}

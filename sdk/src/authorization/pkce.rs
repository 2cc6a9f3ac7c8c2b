//! Proof key for code exchange (RFC 7636), and the other text that nobody may guess: `state`.

use crate::error::{Error, ErrorKind};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// 256 bits of the operating system's random source as 43 letters of base64url: a code verifier (section 4.1), or a
/// `state`.
pub(super) fn random_text() -> Result<Secret, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(&mut *bytes).map_err(|error| {
        Error::new(ErrorKind::Transport, format!("the system has no random numbers: {error}"))
    })?;
    Ok(text_of(&bytes))
}

fn text_of(bytes: &[u8; 32]) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// The challenge that a verifier answers (section 4.2, `S256`).
pub(super) fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_unreserved(text: &str) -> bool {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    }

    #[test]
    fn the_example_of_the_rfc_comes_out() {
        // RFC 7636, appendix B.
        let bytes = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
            214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = text_of(&bytes);
        assert_eq!(verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    proptest! {
        #[test]
        fn verifiers_and_challenges_have_the_form_of_the_rfc(bytes in any::<[u8; 32]>()) {
            let verifier = text_of(&bytes);
            prop_assert!((43..=128).contains(&verifier.expose().len()) && is_unreserved(verifier.expose()));
            let challenge = challenge(&verifier);
            prop_assert_eq!(challenge.len(), 43);
            prop_assert!(is_unreserved(&challenge));
            prop_assert_eq!(URL_SAFE_NO_PAD.decode(&challenge).unwrap(), Sha256::digest(verifier.expose()).to_vec());
        }
    }

    #[test]
    fn no_text_comes_twice() {
        let texts: std::collections::BTreeSet<String> =
            (0..1000).map(|_| random_text().unwrap().expose().to_owned()).collect();
        assert_eq!(texts.len(), 1000);
    }
}

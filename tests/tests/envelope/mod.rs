//! Secrets that are sealed and opened, whatever they are: what the core's own tests show for one, for all.

use argus_core::envelope::{Envelope, NotOpened};
use argus_openapi::types::secret::SecretText;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use std::path::Path;

fn envelope(key: [u8; 32]) -> Envelope {
    let key = SecretText::from(STANDARD.encode(key));
    Envelope::read(Path::new("/nowhere"), Some(&key)).unwrap().unwrap()
}

proptest! {
    #[test]
    fn what_is_sealed_opens_as_what_it_was_for_its_subject_and_purpose_alone(
        key: [u8; 32], purpose: String, id: String, secret: String, other: String,
    ) {
        let envelope = envelope(key);
        let sealed = envelope.seal(&purpose, &id, &secret).unwrap();
        let opened = envelope.open(&purpose, &id, &sealed).unwrap();
        prop_assert_eq!(opened.as_str(), secret);
        for (purpose, id) in [(&purpose, &format!("{id}{other}.")), (&format!("{purpose}{other}."), &id)] {
            prop_assert_eq!(envelope.open(purpose, id, &sealed).err(), Some(NotOpened::Damaged));
        }
    }

    #[test]
    fn what_is_altered_or_was_never_sealed_does_not_open(
        key: [u8; 32], secret: String, place: prop::sample::Index, bit in 0_u32..8, any: Vec<u8>,
    ) {
        let envelope = envelope(key);
        let sealed = envelope.seal("purpose", "id", &secret).unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        bytes[place.index(sealed.len() * 3 / 4)] ^= 1 << bit;
        prop_assert!(envelope.open("purpose", "id", &URL_SAFE_NO_PAD.encode(&bytes)).is_err());
        prop_assert!(envelope.open("purpose", "id", &URL_SAFE_NO_PAD.encode(&any)).is_err());
    }

    #[test]
    fn nothing_opens_under_another_key(key: [u8; 32], other: [u8; 32], secret: String) {
        prop_assume!(key != other);
        let sealed = envelope(key).seal("purpose", "id", &secret).unwrap();
        prop_assert_eq!(envelope(other).open("purpose", "id", &sealed).err(), Some(NotOpened::OtherKey));
    }
}

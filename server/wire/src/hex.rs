//! Lower-case hexadecimal (RFC 4648, section 8), in time that does not depend on the data. Reading
//! is strict, so that no two texts stand for the same bytes.

use base16ct::lower;

/// The digits of `bytes`, two for each.
pub fn encode(bytes: &[u8]) -> String {
    lower::encode_string(bytes)
}

/// Writes the digits of `bytes` over the beginning of `out`. Without two places for each byte,
/// nothing is written.
pub fn encode_to(bytes: &[u8], out: &mut [u8]) {
    // The error says only that there is no room.
    let _ = lower::encode(bytes, out);
}

/// The bytes that exactly `2 * N` digits stand for. Upper-case digits, signs and white space are not
/// digits.
pub fn decode<const N: usize>(digits: impl AsRef<[u8]>) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let length = lower::decode(digits, &mut bytes).ok()?.len();
    (length == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_digits_of_rfc_4648_are_written_in_lower_case() {
        assert_eq!(encode(b""), "");
        assert_eq!(encode(b"foobar"), "666f6f626172");
        assert_eq!(encode(&[0x00, 0x0a, 0xa0, 0xff]), "000aa0ff");
    }

    #[test]
    fn only_lower_case_digits_of_the_exact_length_are_read() {
        assert_eq!(decode("01ef"), Some([0x01, 0xef]));
        assert_eq!(decode::<0>(""), Some([]));
        for other in ["", "01e", "01ef0", "01ef00", "01EF", "01eg", "+1ef", " 1ef", "0x01", "01\u{e9}"] {
            assert_eq!(decode::<2>(other), None, "{other:?}");
        }
    }

    #[test]
    fn where_there_is_no_room_nothing_is_written() {
        let mut out = *b"----";
        encode_to(&[0xab; 3], &mut out);
        assert_eq!(&out, b"----");
        encode_to(&[0xab], &mut out);
        assert_eq!(&out, b"ab--");
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_the_standard_library_writes_and_is_read_again(bytes: [u8; 24]) {
            let text = encode(&bytes);
            prop_assert_eq!(&text, &bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            let mut written = [0; 48];
            encode_to(&bytes, &mut written);
            prop_assert_eq!(text.as_bytes(), &written);
            prop_assert_eq!(decode(&text), Some(bytes));
        }

        #[test]
        fn what_is_read_is_written_in_the_same_way(text in "[0-9a-fA-F+ ]{6}|[0-9a-f]{6}|.{0,8}") {
            if let Some(bytes) = decode::<3>(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}

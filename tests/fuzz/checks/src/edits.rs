//! A few edits of a valid text, read from the input: what a fuzzer cannot guess (a signature, a seal) is
//! reached by changing the real thing.

/// The text after the edits. Each edit is four bytes: what to do, where (two bytes, modulo the length),
/// and with which byte. Bytes that do not make up a whole edit are ignored.
pub(crate) fn edited(text: &str, edits: &[u8]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([edit[1], edit[2]])) % (bytes.len() + 1);
        match edit[0] % 4 {
            0 => bytes.insert(at, edit[3]),
            1 if at < bytes.len() => bytes[at] = edit[3],
            2 if at < bytes.len() => {
                bytes.remove(at);
            }
            3 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

/// The input's lines, for targets whose input has several parts: `count` of them, the last one with
/// all that is left.
pub(crate) fn parts<const COUNT: usize>(input: &[u8]) -> [&[u8]; COUNT] {
    let mut lines = input.splitn(COUNT, |byte| *byte == b'\n');
    std::array::from_fn(|_| lines.next().unwrap_or_default())
}

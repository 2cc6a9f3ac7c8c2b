//! The cookie reader of the gate. Each line of the input is a `Cookie` header.
//!
//! A token is read if and only if one pair of all headers has the name and its value is 43 characters of base64url; then
//! it is that value. The model reads the headers letter by letter and knows nothing of how the gate does.

use argus_server::gate::cookies;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The name that is looked for.
const NAME: &[u8] = b"__Host-argus-auth-session";

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut values = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        values.extend(values_of(value.as_bytes()));
        headers.append(COOKIE, value);
    }
    let name = std::str::from_utf8(NAME).expect("a name");
    let read = cookies::token(&headers, name);
    let expected = match values.as_slice() {
        [value] if is_token(value) => Some(value.as_slice()),
        _ => None,
    };
    assert_eq!(read.as_ref().map(|token| token.expose().as_bytes()), expected);
}

fn is_token(value: &[u8]) -> bool {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    value.len() == 43 && value.iter().all(|letter| LETTERS.contains(letter))
}

/// The values of the pairs with the name, in a header.
fn values_of(header: &[u8]) -> Vec<Vec<u8>> {
    let (mut values, mut pair) = (Vec::new(), Vec::new());
    for letter in header.iter().copied().chain([b';']) {
        if letter != b';' {
            pair.push(letter);
            continue;
        }
        let is_space = |letter: &u8| matches!(letter, b' ' | b'\t');
        while pair.first().is_some_and(is_space) {
            pair.remove(0);
        }
        while pair.last().is_some_and(is_space) {
            pair.pop();
        }
        if pair.starts_with(NAME) && pair.get(NAME.len()) == Some(&b'=') {
            values.push(pair[NAME.len() + 1..].to_vec());
        }
        pair.clear();
    }
    values
}

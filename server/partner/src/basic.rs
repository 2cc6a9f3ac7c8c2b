//! HTTP Basic client authentication as OAuth has it (RFC 6749, section 2.3.1): both halves are
//! form-encoded before they are joined.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A client id and the secret that claims to be its own.
pub struct Credentials {
    /// The client id, decoded.
    pub client_id: String,
    /// The secret, decoded; empty where none is shown; wiped from memory when dropped.
    pub secret: Zeroizing<String>,
}

impl Credentials {
    pub(crate) fn new(client_id: &str, secret: &str) -> Self {
        Self { client_id: client_id.to_owned(), secret: Zeroizing::new(secret.to_owned()) }
    }
}

/// Reads the value of an `Authorization` header; none when it is not well-formed Basic. Libraries send a public client's
/// name with an empty secret.
pub fn parse(authorization: &str) -> Option<Credentials> {
    let (scheme, encoded) = authorization.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = Zeroizing::new(STANDARD.decode(encoded.trim_start()).ok()?);
    let mut halves = joined.splitn(2, |b| *b == b':');
    let client_id = form_decode(halves.next()?)?;
    let secret = Zeroizing::new(form_decode(halves.next()?)?);
    (!client_id.is_empty()).then_some(Credentials { client_id, secret })
}

/// Decodes one form-encoded value; none when an escape is cut short or the result is not UTF-8.
fn form_decode(value: &[u8]) -> Option<String> {
    let digit = |b: Option<&u8>| char::from(*b?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(&byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => (digit(rest.next())? << 4) | digit(rest.next())?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn header(joined: &str) -> String {
        format!("Basic {}", STANDARD.encode(joined))
    }

    #[test]
    fn both_halves_are_form_decoded_and_the_first_colon_separates() {
        let parsed = parse(&header("app%3A1:a%2Bb+c:d%25")).unwrap();
        assert_eq!((parsed.client_id.as_str(), parsed.secret.as_str()), ("app:1", "a+b c:d%"));
        assert!(parse(&header("app:s").replace("Basic", "bAsIc")).is_some());
        assert!(parse(&header("app:")).unwrap().secret.is_empty());
    }

    #[test]
    fn malformed_headers_are_refused() {
        let bearer = header("app:s").replace("Basic", "Bearer");
        let cases = ["", "Basic", "Basic ", "Basic !!!", "Basic YXBw", &bearer];
        for case in cases
            .into_iter()
            .map(str::to_owned)
            .chain([":", ":secret", "app:%4", "app:%zz", "app:%ff", "app"].map(header))
        {
            assert!(parse(&case).is_none(), "{case}");
        }
    }
}

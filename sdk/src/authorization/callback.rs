//! What a browser brings back to the redirect URI (RFC 6749, section 4.1.2), and whether it answers the request that was
//! made: `state` and `iss` are checked before anything else of it is believed.

use crate::error::Error;
use crate::secret::Secret;
use std::io;
use subtle::ConstantTimeEq;
use url::form_urlencoded;

/// Why an authorization led to no tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// The callback is none: a parameter is missing, or stands twice (RFC 6749, section 3.1).
    #[error("the callback is malformed: {0}")]
    Malformed(&'static str),
    /// `state` is not that of the request: the callback belongs to another browser, or somebody has made it up (RFC 9700,
    /// section 4.7). Begin anew.
    #[error("`state` is not that of the request; begin anew")]
    ForeignState,
    /// The callback does not say who answers (RFC 9207), which the service always does.
    #[error("`iss` is missing, so that nobody knows who answers")]
    MissingIssuer,
    /// Another server answers than the one that was asked (RFC 9207): its code must not be shown to this one. Where the
    /// service calls itself otherwise than in production, say so with
    /// [`Credentials::issuer`](crate::Credentials::issuer).
    #[error("`iss` names another server than the one that was asked")]
    ForeignIssuer,
    /// The user has refused, or the service has (RFC 6749, section 4.1.2.1).
    #[error("the authorization was refused: {code}{}", .description.as_deref().map(|text| format!(", {text}")).unwrap_or_default())]
    Refused {
        /// The reason, for programs: `access_denied` when the user has refused.
        code: String,
        /// The reason in English, where there is one.
        description: Option<String>,
    },
    /// No browser has come in time.
    #[error("no browser has come back in time")]
    TimedOut,
    /// The loopback address cannot be listened on.
    #[error("cannot listen on the loopback address: {0}")]
    Listener(#[from] io::Error),
    /// A call has failed: the request could not be made, or the code not be exchanged.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl AuthorizationError {
    /// Whether the user has refused.
    pub fn is_access_denied(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "access_denied")
    }
}

/// The parameters of a callback, none of which is believed yet.
pub(super) struct Callback {
    code: Option<Secret>,
    state: Option<Secret>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Callback {
    /// Reads a query, or the query of a whole URL.
    pub(super) fn read(text: &str) -> Result<Self, AuthorizationError> {
        let text = text.split_once('#').map_or(text, |(text, _)| text);
        let is_location = |text: &str| text.is_empty() || text.starts_with('/') || text.contains("://");
        let query = match text.split_once('?') {
            Some((location, query)) if is_location(location) => query,
            _ => text,
        };
        let one = |name: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found == name);
            match (values.next(), values.next()) {
                (_, Some(_)) => Err(AuthorizationError::Malformed("a parameter stands twice")),
                // A parameter without a value counts as absent (RFC 6749, section 3.1).
                (first, None) => Ok(first.map(|(_, text)| text.into_owned()).filter(|text| !text.is_empty())),
            }
        };
        Ok(Self {
            code: one("code")?.map(Secret::new),
            state: one("state")?.map(Secret::new),
            issuer: one("iss")?,
            error: one("error")?,
            description: one("error_description")?,
        })
    }

    /// Whether it answers the request with this `state`.
    pub(super) fn answers(&self, state: &Secret) -> bool {
        let given = self.state.as_ref().map_or("", Secret::expose);
        given.as_bytes().ct_eq(state.expose().as_bytes()).into()
    }

    /// The code, if it answers the request with this `state` that was made to this server.
    pub(super) fn code(self, state: &Secret, issuer: &str) -> Result<Secret, AuthorizationError> {
        if !self.answers(state) {
            return Err(AuthorizationError::ForeignState);
        }
        // A simple comparison of texts (RFC 9207, section 2.4).
        match self.issuer {
            None => return Err(AuthorizationError::MissingIssuer),
            Some(named) if named != issuer => return Err(AuthorizationError::ForeignIssuer),
            Some(_) => {}
        }
        match (self.error, self.code) {
            (Some(code), None) => Err(AuthorizationError::Refused { code, description: self.description }),
            (None, Some(code)) => Ok(code),
            (Some(_), Some(_)) => Err(AuthorizationError::Malformed("it has both `code` and `error`")),
            (None, None) => Err(AuthorizationError::Malformed("it has neither `code` nor `error`")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://auth.example";

    fn code(text: &str) -> Result<String, AuthorizationError> {
        let code = Callback::read(text)?.code(&Secret::from("s"), ISSUER)?;
        Ok(code.expose().to_owned())
    }

    #[test]
    fn a_query_a_path_and_a_whole_url_are_read_alike() {
        let query = "code=a%2Bb&state=s&iss=https%3A%2F%2Fauth.example";
        for text in [
            query.to_owned(),
            format!("?{query}"),
            format!("/callback?{query}"),
            format!("http://127.0.0.1:1/callback?{query}#fragment"),
        ] {
            assert_eq!(code(&text).unwrap(), "a+b", "{text}");
        }
        // A question mark need not be encoded in a query (RFC 3986, section 3.4).
        assert_eq!(code("code=a?b&state=s&iss=https://auth.example").unwrap(), "a?b");
    }

    #[test]
    fn state_and_issuer_are_checked_before_anything_else_is_believed() {
        use AuthorizationError as E;
        type Expected = fn(&E) -> bool;
        let cases: [(&str, Expected); 11] = [
            ("code=a&state=t&iss=https://auth.example", |e| matches!(e, E::ForeignState)),
            ("code=a&state=ss&iss=https://auth.example", |e| matches!(e, E::ForeignState)),
            ("code=a&iss=https://auth.example", |e| matches!(e, E::ForeignState)),
            ("error=access_denied&state=t&iss=https://auth.example", |e| matches!(e, E::ForeignState)),
            ("code=a&state=s", |e| matches!(e, E::MissingIssuer)),
            ("code=a&state=s&iss=", |e| matches!(e, E::MissingIssuer)),
            ("error=access_denied&state=s&iss=https://auth.example/", |e| matches!(e, E::ForeignIssuer)),
            ("code=a&code=b&state=s&iss=https://auth.example", |e| matches!(e, E::Malformed(_))),
            ("code=a&error=b&state=s&iss=https://auth.example", |e| matches!(e, E::Malformed(_))),
            ("state=s&iss=https://auth.example", |e| matches!(e, E::Malformed(_))),
            ("", |e| matches!(e, E::ForeignState)),
        ];
        for (text, is_expected) in cases {
            let error = code(text).unwrap_err();
            assert!(is_expected(&error), "{text}: {error:?}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let refused =
            code("error=access_denied&error_description=no+thanks&state=s&iss=https://auth.example");
        let error = refused.unwrap_err();
        assert!(error.is_access_denied());
        assert_eq!(error.to_string(), "the authorization was refused: access_denied, no thanks");
        let other = code("error=invalid_scope&state=s&iss=https://auth.example").unwrap_err();
        assert!(!other.is_access_denied());
        assert_eq!(other.to_string(), "the authorization was refused: invalid_scope");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,200}") {
            let _ = code(&text);
        }
    }
}

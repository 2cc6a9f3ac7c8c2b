//! Why there was no answer: a closed set of reasons, each with a name that stays and a sentence for the receiver's
//! people. Neither has anything in it that came over the wire.

use rustls::pki_types::InvalidDnsNameError;
use std::error::Error as StdError;
use std::io;
use std::iter::successors;

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum Failure {
    /// The URL is none that is sent to.
    UrlNotAllowed,
    /// Every address of the host is one that is not connected to.
    AddressNotAllowed,
    /// The name has no address, or nobody says which.
    NameNotResolved,
    /// Nobody listens there.
    ConnectionRefused,
    /// There was no connection, or it ended before an answer.
    ConnectionFailed,
    /// The receiver could not be told from another, or does not speak TLS as it must.
    TlsFailed,
    /// The time was over.
    TimedOut,
    /// What came is no answer, or has too much before its body.
    AnswerUnusable,
}

impl Failure {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::UrlNotAllowed,
        Self::AddressNotAllowed,
        Self::NameNotResolved,
        Self::ConnectionRefused,
        Self::ConnectionFailed,
        Self::TlsFailed,
        Self::TimedOut,
        Self::AnswerUnusable,
    ];

    /// Its name, which stays.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UrlNotAllowed => "url_not_allowed",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::NameNotResolved => "name_not_resolved",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionFailed => "connection_failed",
            Self::TlsFailed => "tls_failed",
            Self::TimedOut => "timed_out",
            Self::AnswerUnusable => "answer_unusable",
        }
    }

    /// The reason in a sentence.
    pub const fn message(self) -> &'static str {
        match self {
            Self::UrlNotAllowed => {
                "The URL must be an https URL without user, password and fragment, and its host must be valid."
            }
            Self::AddressNotAllowed => "The host of the URL has no address on the public internet.",
            Self::NameNotResolved => "The host name of the URL could not be resolved to an address.",
            Self::ConnectionRefused => "The host refused the connection.",
            Self::ConnectionFailed => {
                "The connection could not be made, or was closed before an answer came."
            }
            Self::TlsFailed => {
                "The TLS handshake failed; the certificate must be valid for the host and be issued by an authority \
                 that is publicly trusted."
            }
            Self::TimedOut => "There was no answer in time.",
            Self::AnswerUnusable => "The answer is not valid HTTP/1.1, or its headers are too long.",
        }
    }
}

/// The reason behind an error of the client. The operator's log says more.
pub(super) fn of(error: &reqwest::Error) -> Failure {
    let failure = if error.is_builder() {
        // What the client does not even begin to send has no URL that it understands.
        Failure::UrlNotAllowed
    } else if let Some(failure) = causes(error).find_map(named) {
        failure
    } else if error.is_timeout() {
        Failure::TimedOut
    } else {
        Failure::ConnectionFailed
    };
    // The last cause: the first would show the URL.
    if let Some(cause) = causes(error).skip(1).last() {
        tracing::debug!(%failure, %cause, "no answer from a receiver");
    }
    failure
}

/// The reason, if this cause has one.
fn named(cause: &(dyn StdError + 'static)) -> Option<Failure> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some(*failure);
    }
    if cause.is::<rustls::Error>() {
        return Some(Failure::TlsFailed);
    }
    // The client looks at the name for the certificate's sake, before it asks for addresses.
    if cause.is::<InvalidDnsNameError>() {
        return Some(Failure::UrlNotAllowed);
    }
    if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
        return Some(Failure::AnswerUnusable);
    }
    match cause.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(Failure::ConnectionRefused),
        io::ErrorKind::TimedOut => Some(Failure::TimedOut),
        _ => None,
    }
}

/// An error and everything behind it. What an error of input and output wraps is not its source, but stands in its
/// place.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_name_and_a_sentence_of_its_own() {
        for (index, failure) in Failure::ALL.into_iter().enumerate() {
            assert_eq!(failure as usize, index);
            assert!(failure.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
            assert!(failure.message().ends_with('.'));
            for other in &Failure::ALL[index + 1..] {
                assert_ne!(failure.as_str(), other.as_str());
                assert_ne!(failure.message(), other.message());
            }
        }
    }

    #[test]
    fn what_is_wrapped_in_errors_of_input_and_output_is_found() {
        let inner = io::Error::other(rustls::Error::DecryptError);
        let outer = io::Error::other(inner);
        assert_eq!(causes(&outer).find_map(named), Some(Failure::TlsFailed));
        let refused = io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(causes(&refused).find_map(named), Some(Failure::ConnectionRefused));
        assert_eq!(causes(&io::Error::from(io::ErrorKind::ConnectionReset)).find_map(named), None);
    }
}

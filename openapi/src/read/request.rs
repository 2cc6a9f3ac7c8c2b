//! A whole request, its parts not read yet, for whoever answers without an HTTP server in between.

use super::quotation::explained;
use super::{MediaType, Readable, header, invalid, query, single_header, within_bounds};
use crate::types::error::Error;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Map;
use validator::Validate;

/// The parts of a request to an operation that is already known.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'r> {
    /// The values of the path's variables, percent-decoded.
    pub path: &'r [(String, String)],
    /// The query string, without the `?`.
    pub query: &'r str,
    /// The headers.
    pub headers: &'r [(String, String)],
    /// The content's media type, as it was sent; content without one is taken for what the operation takes.
    pub content_type: Option<&'r [u8]>,
    /// The content; empty where none was sent.
    pub body: &'r [u8],
}

impl RequestParts<'_> {
    /// The path parameters.
    ///
    /// # Errors
    ///
    /// `invalid_request`, for a value that does not fit.
    pub fn path<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let members: Map<_, _> =
            self.path.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        serde_json::from_value(members.into())
            // In the words of the server, which reads paths before anything of ours does.
            .map_err(|error| invalid(format!("bad parameter in URL path: {}", explained(&error))))
    }

    /// The query parameters, within their bounds.
    ///
    /// # Errors
    ///
    /// `invalid_request`, with the parameter that does not fit.
    pub fn query<T: DeserializeOwned + JsonSchema + Validate>(&self) -> Result<T, Error> {
        query(self.query)
    }

    /// The one header that the operation documents, within its bounds.
    ///
    /// # Errors
    ///
    /// `invalid_request`, with the header's name.
    pub fn header<T: DeserializeOwned + Validate>(&self, name: &str) -> Result<T, Error> {
        let sent = self.headers.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
        header(name, single_header(name, sent.map(|(_, value)| value.as_bytes()))?)
    }

    /// The JSON body, within its bounds.
    ///
    /// # Errors
    ///
    /// `unsupported_media_type`; `invalid_request`, with the member that does not fit.
    pub fn body<T: Readable + Validate>(&self) -> Result<T, Error> {
        MediaType::Json.accept(self.content_type)?;
        within_bounds(MediaType::Json.parse(self.body)?)
    }

    /// The JSON body, or its default where none was sent.
    ///
    /// # Errors
    ///
    /// As [`Self::body`].
    pub fn optional_body<T: Readable + Validate + Default>(&self) -> Result<T, Error> {
        if self.body.is_empty() { Ok(T::default()) } else { self.body() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::jobs::{JobCreate, JobCreateHeaders, JobKind, JobPath, JobQuery};
    use crate::types::profiles::ProfileEnrich;

    #[test]
    fn each_part_is_read_as_its_contract_type() {
        let path = [("id".to_owned(), "j1".to_owned())];
        let headers = [("idempotency-key".to_owned(), "k1".to_owned())];
        let parts = RequestParts {
            path: &path,
            query: "limit=7",
            headers: &headers,
            content_type: Some(b"application/json; charset=utf-8"),
            body: br#"{"kind":"export.bulk","payload":{}}"#,
        };
        assert_eq!(parts.path::<JobPath>().expect("it fits").id.as_str(), "j1");
        assert_eq!(parts.query::<JobQuery>().expect("it fits").limit, Some(7));
        let header: JobCreateHeaders = parts.header("Idempotency-Key").expect("it fits");
        assert_eq!(header.idempotency_key.as_deref(), Some("k1"));
        assert_eq!(parts.body::<JobCreate>().expect("it fits").kind(), JobKind::ExportBulk);
        assert!(RequestParts { body: b"", ..parts }.optional_body::<ProfileEnrich>().is_ok());
        let form = RequestParts { content_type: Some(b"application/x-www-form-urlencoded"), ..parts };
        let error = form.body::<JobCreate>().expect_err("no form is taken");
        assert_eq!(error.message, "expected content type `application/json`");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let path = [("id".to_owned(), "no identifier".to_owned())];
        let headers = [
            ("Idempotency-Key".to_owned(), "k1".to_owned()),
            ("idempotency-key".to_owned(), "k2".to_owned()),
        ];
        let parts = RequestParts {
            path: &path,
            query: "limit=0",
            headers: &headers,
            content_type: None,
            body: b"[]",
        };
        let message = |error: Error| error.message;
        assert!(
            message(parts.path::<JobPath>().expect_err("a space")).starts_with("bad parameter in URL path")
        );
        assert_eq!(message(parts.query::<JobQuery>().expect_err("too few")), "`limit` must be 1 to 200");
        let header = parts.header::<JobCreateHeaders>("Idempotency-Key");
        assert_eq!(message(header.expect_err("two")), "the `Idempotency-Key` header is repeated");
        assert_eq!(
            message(parts.body::<JobCreate>().expect_err("a list")),
            "the JSON body must be an object"
        );
    }
}

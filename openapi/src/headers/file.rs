//! What a response says of a file, and which part of it is wanted (RFC 9110, sections 8, 13 and 14).

use super::lists_others;
use super::ranges::{self, Asked};
use crate::types::error::{Error, ErrorCode};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::ops::Range;

/// What is known of a file before it is read.
#[derive(Clone, Copy, Debug)]
pub struct FileHead<'f> {
    /// What it is called where it lies; its ending says what it is.
    pub name: &'f str,
    /// What it is to be called when it is saved. No character of it needs quoting.
    pub saved_as: &'f str,
    /// What tells it from every other file that was or will be in its place: hexadecimal digits.
    pub version: &'f str,
    /// How many bytes it has.
    pub length: u64,
}

/// How much of a file is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Only what is said of it.
    Head,
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
}

/// Why no part of a file is sent: the error, and the header that goes with it.
#[derive(Clone, Debug)]
pub struct NotSent {
    /// What is wrong with the request.
    pub error: Error,
    /// What is so of the file.
    pub header: (HeaderName, HeaderValue),
}

impl FileHead<'_> {
    /// The strong entity tag.
    pub fn tag(&self) -> String {
        format!("\"{}\"", self.version)
    }

    /// The headers of a response with all of it.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(self.name)));
        // It was made for one caller, and is what it says it is.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_DISPOSITION, text(&disposition(self.saved_as)));
        headers.insert(ETAG, text(&self.tag()));
        headers.insert(CONTENT_LENGTH, self.length.into());
        headers
    }

    /// Makes these headers those of a response with a part of it.
    pub fn cut(&self, headers: &mut HeaderMap, part: &Range<u64>) {
        let range = format!("bytes {}-{}/{}", part.start, part.end.saturating_sub(1), self.length);
        headers.insert(CONTENT_RANGE, text(&range));
        headers.insert(CONTENT_LENGTH, (part.end - part.start).into());
    }

    /// What a request wants, unless what it expects of the file is not so.
    ///
    /// # Errors
    ///
    /// `precondition_failed`, `range_not_satisfiable`
    pub fn wanted(&self, method: &Method, headers: &HeaderMap) -> Result<Wanted, NotSent> {
        let tag = self.tag();
        if lists_others(headers, &tag) {
            return Err(NotSent { error: super::precondition_failed(), header: (ETAG, text(&tag)) });
        }
        // A range is defined for GET alone (RFC 9110, section 14.2).
        if *method == Method::HEAD {
            return Ok(Wanted::Head);
        }
        match ranges::asked(headers, &tag, self.length) {
            Asked::Whole => Ok(Wanted::Whole),
            Asked::Part(range) => Ok(Wanted::Part(range)),
            Asked::Beyond => {
                let length = self.length;
                let message =
                    format!("the range begins behind the end of the file, which has {length} bytes");
                let error = Error { error_code: ErrorCode::RangeNotSatisfiable, message };
                Err(NotSent { error, header: (CONTENT_RANGE, text(&format!("bytes */{length}"))) })
            }
        }
    }
}

/// Why a signed URL opens nothing, unless its time is over.
pub const SIGNED_URL_INVALID: &str =
    "the URL is not one that this service has signed for this method, or was altered";

/// The media type that the ending of a file's name stands for.
pub fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "json" => "application/json",
        "ndjson" => "application/x-ndjson",
        "csv" => "text/csv; charset=utf-8",
        "gz" => "application/gzip",
        _ => "application/octet-stream",
    }
}

/// The value of `Content-Disposition` (RFC 6266) for a name of which no character needs quoting.
pub fn disposition(name: &str) -> String {
    format!("attachment; filename=\"{name}\"")
}

/// Names, numbers and digits need no escaping.
fn text(value: &str) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""))
}

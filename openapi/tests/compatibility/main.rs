//! The gate against breaking changes, by pairs of documents.
#![allow(clippy::unwrap_used)]
// What builds a document reads best when it is given its parts as they are written.
#![allow(clippy::needless_pass_by_value)]

mod announcements;
mod pairs;
mod support;
mod verdicts;

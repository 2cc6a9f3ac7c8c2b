//! The gate against breaking changes, by pairs of documents.
#![allow(clippy::unwrap_used)]

mod announcements;
mod pairs;
mod support;
mod verdicts;

//! The pipeline from the trait to the published documents.
#![allow(clippy::unwrap_used)]

mod artefacts;
mod completeness;
mod data_schemas;
mod denylist;
mod deprecations;
mod examples;
mod generator;
mod hosts;
mod pruning;
mod raise_lower;
mod rows;
mod shapes;
mod share;
mod support;
mod webhooks;
mod yaml;

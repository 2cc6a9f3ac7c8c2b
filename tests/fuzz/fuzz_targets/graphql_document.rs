//! What must hold stands in `argus_fuzz_checks::graphql_document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| argus_fuzz_checks::graphql_document::check(input));

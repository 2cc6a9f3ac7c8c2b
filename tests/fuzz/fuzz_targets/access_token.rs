//! What must hold stands in `argus_fuzz_checks::access_token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| argus_fuzz_checks::access_token::check(input));

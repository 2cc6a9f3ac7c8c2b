//! What must hold stands in `argus_fuzz_checks::client_assertion`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| argus_fuzz_checks::client_assertion::check(input));

//! See `failsoft_tests::fuzz::document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| failsoft_tests::fuzz::document(bytes));

//! See `failsoft_tests::fuzz::trace`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| failsoft_tests::fuzz::trace(bytes));

//! See `failsoft_tests::fuzz::differential`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| failsoft_tests::fuzz::differential(bytes));

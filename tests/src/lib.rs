//! Runs conformance vectors and traces on every implementation there is.

pub mod brute;
pub mod contract;
pub mod fuzz;
/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

pub mod implementation;
pub mod mutate;
pub mod vector;

use std::path::{Path, PathBuf};

/// `spec/`, wherever the tests are started.
#[must_use]
pub fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec")
}

/// A file of `spec/`.
///
/// # Errors
/// Where it can't be read: the path and the reason.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

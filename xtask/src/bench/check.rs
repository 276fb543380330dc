//! What a proof costs: random matrices of 16 dependencies and 8 operations, beside reading the same documents.

use std::time::{Duration, Instant};

use failsoft::document::{Format, Options, load, prove};
use failsoft_model::generate::document_of;
use serde_json::{Value, json};

const MATRICES: u64 = 60;

pub(crate) struct Proving {
    median: Duration,
    slowest: Duration,
    reading: Duration,
    too_large: usize,
}

pub(crate) fn measure() -> Result<Proving, String> {
    let (mut took, mut read) = (Vec::new(), Vec::new());
    let mut too_large = 0;
    for seed in 0..MATRICES {
        let text = document_of(seed, 16, 8).to_string();
        let options = Options::default();
        let start = Instant::now();
        load("bench", text.as_bytes(), Format::Json, &options).map_err(|told| told.to_string())?;
        read.push(start.elapsed());
        let start = Instant::now();
        let proven = prove("bench", text.as_bytes(), Format::Json, &options, &mut |_, _| ());
        took.push(start.elapsed());
        let proven = proven.map_err(|told| told.to_string())?;
        too_large += usize::from(proven.told.items().iter().any(|item| item.code == "too-large-to-prove"));
    }
    took.sort_unstable();
    read.sort_unstable();
    let middle = |all: &[Duration]| all.get(all.len() / 2).copied().unwrap_or_default();
    let slowest = took.last().copied().unwrap_or_default();
    Ok(Proving { median: middle(&took), slowest, reading: middle(&read), too_large })
}

impl Proving {
    pub(crate) fn text(&self) -> String {
        format!(
            "check, {MATRICES} random matrices of 16 dependencies and 8 operations: median {:.0} ms, slowest {:.0} ms, {} too large\n\
             floor: reading the same document, {:.2} ms",
            self.median.as_secs_f64() * 1e3,
            self.slowest.as_secs_f64() * 1e3,
            self.too_large,
            self.reading.as_secs_f64() * 1e3,
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "what": "check, 16 dependencies and 8 operations", "matrices": MATRICES, "too_large": self.too_large,
            "median_seconds": self.median.as_secs_f64(), "slowest_seconds": self.slowest.as_secs_f64(),
            "floor_seconds": self.reading.as_secs_f64(),
        })
    }
}

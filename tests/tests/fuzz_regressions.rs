//! What the fuzzer once found stays found: every input of `fuzz/regressions` is run without it.

use std::path::Path;

use failsoft_tests::fuzz::{TARGETS, document};

/// Runs every input; there is one folder per target.
fn run() -> usize {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/regressions");
    let mut count = 0;
    for (name, target) in TARGETS {
        let Ok(folder) = std::fs::read_dir(home.join(name)) else { continue };
        for entry in folder {
            let path = entry.expect("an entry").path();
            println!("{}", path.display());
            target(&std::fs::read(&path).expect("an input that can be read"));
            count += 1;
        }
    }
    count
}

#[test]
fn every_input_that_was_once_a_finding_holds() {
    assert!(run() > 0, "fuzz/regressions is not where it was");
}

#[test]
fn every_target_runs() {
    document(b"spec = 1\nname = \"x\"\n");
    for (_, target) in TARGETS {
        for input in
            [&b""[..], b"\0", b"\x01", b"\0\0\0\x01\x02\x03\x04", b"{", b"\x01\x02{\"at_ms\":1}\n\n{\xc3\xa4"]
        {
            target(input);
        }
    }
}

//! Compares many random matrices with brute force over the model: what `cargo xtask test` does with a few of them.
//!
//! `cargo run --release -p failsoft-tests --bin brute -- check 10000`, and the same with `diff`. A third number is the
//! first seed.

use std::process::ExitCode;

use failsoft_tests::brute::{Changed, Seen, compare, compare_two};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().unwrap_or_default();
    let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok());
    let (Some(most), first) = (number(), number().unwrap_or(0)) else {
        eprintln!("say `check` or `diff`, and how many");
        return ExitCode::from(2);
    };
    let (mut seen, mut changed) = (Seen::default(), Changed::default());
    let (mut compared, mut differ, mut seed) = (0, 0, first);
    while compared < most {
        let found = match kind.as_str() {
            "diff" => compare_two(seed, &mut changed),
            _ => compare(seed, &mut seen),
        };
        match found {
            Ok(is_compared) => compared += u64::from(is_compared),
            Err(what) => {
                println!("{what}");
                compared += 1;
                differ += 1;
            }
        }
        seed += 1;
        if compared % 500 == 0 {
            eprint!("\r{compared} of {most}");
        }
    }
    println!("{kind}: {compared} compared (seeds {first} to {}), {differ} differ", seed - 1);
    match kind.as_str() {
        "diff" => println!("{changed:?}"),
        _ => println!("{seen:?}"),
    }
    if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

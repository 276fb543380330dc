//! `cargo xtask vectors`: runs every conformance vector; with `--mutate`, every mutant of every preset's rung.

use std::collections::BTreeMap;
use std::process::ExitCode;

use failsoft_tests::implementation::{Engine, Implementation, Model, identity};
use failsoft_tests::mutate::{mutants, rungs};
use failsoft_tests::vector::{Vectors, preset};

fn main() -> ExitCode {
    let mutate = std::env::args().any(|argument| argument == "--mutate");
    let outcome = Vectors::load().and_then(|vectors| if mutate { kill(&vectors) } else { run(&vectors) });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(vectors: &Vectors) -> Result<(), String> {
    let mut wrong = Vec::new();
    for implementation in [&Engine as &dyn Implementation, &Model] {
        let (executed, differences) = vectors.run(implementation);
        println!(
            "{}: {} vectors executed, {} in the manifest",
            implementation.name(),
            executed.len(),
            vectors.manifest.len()
        );
        wrong.extend(differences);
        if executed != vectors.manifest {
            wrong.push(format!("{}: executed ids are not the manifest's", implementation.name()));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn kill(vectors: &Vectors) -> Result<(), String> {
    let mut survivors = Vec::new();
    let mut wrong = Vec::new();
    for (name, tagged) in &vectors.rungs {
        let matrix = preset(name)?;
        let original = identity(&matrix, &BTreeMap::new())?;
        let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
        for rung in rungs(&matrix) {
            let Some(rows) = tagged.get(&rung) else {
                wrong.push(format!("{name}: the manifest names no row for {rung}"));
                continue;
            };
            for mutant in mutants(&matrix, &rung) {
                let judges = vectors.vectors.iter().filter(|vector| {
                    // A rung that no row asks for is everybody's.
                    vector.preset() == Some(name)
                        && (rows.is_empty() || vector.rows.iter().any(|row| rows.contains(row)))
                });
                let fate = match identity(&mutant.matrix, &BTreeMap::new()) {
                    Err(_) => "refused by the document's rules",
                    Ok(mutated) if mutated == original => "the same matrix, written otherwise",
                    Ok(_)
                        if judges
                            .into_iter()
                            .any(|vector| vector.check(&Engine, &mutant.matrix).is_err()) =>
                    {
                        "killed"
                    }
                    Ok(_) if !rows.is_empty() && rows.iter().all(|row| vectors.pending.contains(row)) => {
                        "pending"
                    }
                    Ok(_) => {
                        survivors.push(format!("{name}: {rung} ({}) {}", rows.join(", "), mutant.what));
                        "survived"
                    }
                };
                *tally.entry(fate).or_default() += 1;
            }
        }
        wrong.extend(
            tagged
                .keys()
                .filter(|rung| !rungs(&matrix).contains(rung))
                .map(|rung| format!("{name}: the manifest names {rung}, which is not there")),
        );
        let tally: Vec<String> = tally.iter().map(|(fate, count)| format!("{count} {fate}")).collect();
        println!("{name}: {}", tally.join(", "));
    }
    println!("survivors: {}", survivors.len());
    wrong.extend(survivors);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

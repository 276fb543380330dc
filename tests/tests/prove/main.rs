//! Every way in which a need is answered (spec 11): the cases are all there is, and no two overlap.

mod hostile;
mod planted;

use failsoft::check::{Direction, diff, differ};
use failsoft::document::{Format, Options, load};
use failsoft::explore::{Domains, Explorer, Given, Values, Work};
use failsoft::{Matrix, Stage};
use failsoft_model::generate::case_of_one_matrix;
use failsoft_tests::brute::{Changed, Seen, compare, compare_two};

const CASES: u64 = 60;
const SITUATIONS: usize = 60;

fn matrix(seed: u64) -> Matrix {
    let case = case_of_one_matrix(seed);
    let options = Options { parameters: case.parameters };
    let text = case.document.to_string();
    load("case", text.as_bytes(), Format::Json, &options).expect("a document without mistakes").matrix
}

#[test]
fn the_cases_of_a_need_are_all_there_is_and_no_two_overlap() {
    let mut rng = fastrand::Rng::with_seed(7);
    let (mut situations, mut cases_seen) = (0, 0);
    for seed in 0..CASES {
        let matrix = matrix(seed);
        let domains = Domains::of(&matrix);
        let class = matrix.classes().last().expect("a class").0;
        for (operation, _) in matrix.operations() {
            let stage = Stage::ALL[rng.usize(0..Stage::ALL.len())];
            let mut explorer =
                Explorer::new(&matrix, &domains, operation, class, stage).expect("it is there");
            for need in matrix.needs(operation).collect::<Vec<_>>() {
                let cases = explorer.cases(need).expect("not too many");
                cases_seen += cases.len();
                let variables = explorer.variables(need);
                for _ in 0..SITUATIONS {
                    let mut given = Given::default();
                    for (variable, size) in &variables {
                        given = given.and(*variable, &Values::one(rng.usize(0..*size))).expect("each once");
                    }
                    situations += 1;
                    let holds: Vec<_> =
                        cases.iter().filter(|case| case.given.with(&given).is_some()).collect();
                    let told = explorer.answer(need, &given);
                    let name = matrix.dependency_name(need);
                    assert_eq!(holds.len(), 1, "seed {seed} {name} {stage}: {given:?}\n{holds:#?}");
                    assert_eq!(
                        holds[0].answer, told,
                        "seed {seed} {name} {stage}: {given:?}\n{:?}",
                        holds[0].given
                    );
                }
            }
        }
    }
    assert!(situations > 10_000, "{situations}");
    eprintln!("{cases_seen} cases");
}

/// A hundred matrices here; `cargo run --release -p failsoft-tests --bin brute` compares as many as it is told to.
#[test]
fn what_is_proven_equals_brute_force_over_the_model() {
    let mut seen = Seen::default();
    for seed in 0..100 {
        if let Err(what) = compare(seed, &mut seen) {
            panic!("{what}");
        }
    }
    assert!(seen.held > 100 && seen.broken > 100 && seen.ran_out > 10 && seen.dead > 100, "{seen:?}");
}

/// What changes between two matrices, too; of 300 seeds about one in five makes two of that size.
#[test]
fn what_changes_equals_brute_force_over_the_model() {
    let (mut changed, mut compared) = (Changed::new(), 0);
    for seed in 0..300 {
        match compare_two(seed, &mut changed) {
            Ok(is_compared) => compared += u64::from(is_compared),
            Err(what) => panic!("{what}"),
        }
    }
    assert!(compared > 50, "{compared} compared");
    for direction in ["looser", "stricter", "other", "none"] {
        assert!(changed.get(direction).is_some_and(|times| *times > 5), "{direction}: {changed:?}");
    }
}

/// A request that tells no class is of the first, so that which one is written first is a decision, too (PRF-30).
#[test]
fn another_first_class_is_a_change() {
    let read = |classes: &str| {
        let text = format!(
            "spec = 1\nname = \"classes\"\nclasses = [{classes}]\n[dependency.policy]\nrole = \"guard\"\ndeadline = \"50ms\"\n\
             on_failure = [{{ allow = {{ when = {{ class = [\"paid\"] }}, cap = {{ requests = 5 }} }} }}, {{ deny = true }}]\n\
             [operation.ask]\nneeds = [\"policy\"]\n"
        );
        load("case", text.as_bytes(), Format::Toml, &Options::default()).expect("a document").matrix
    };
    let (old, new) = (read("\"free\", \"paid\""), read("\"paid\", \"free\""));
    let changes = diff(&old, &new, &mut |_, _| ()).changes;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((changes[0].direction, changes[0].size), (Direction::Looser, 1));
    assert!(changes[0].of.iter().all(|(class, _)| class == "(none told)"), "{:?}", changes[0].of);
    assert_eq!(differ(&old, &new, &Work::default()), Ok(true));
    let other = read("\"free\", \"other\", \"paid\"");
    assert!(diff(&old, &other, &mut |_, _| ()).changes.is_empty(), "the first is the same");
}

//! Every conformance vector, on every implementation: executed ids must equal the manifest's.

use failsoft_tests::implementation::{Engine, Implementation, Model};
use failsoft_tests::vector::Vectors;

fn run(implementation: &dyn Implementation) {
    let vectors = Vectors::load().expect("the vectors can be read");
    let (executed, wrong) = vectors.run(implementation);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(executed, vectors.manifest);
    assert!(!executed.is_empty());
}

#[test]
fn the_engine_gives_what_every_vector_expects() {
    run(&Engine);
}

#[test]
fn the_model_gives_what_every_vector_expects() {
    run(&Model);
}

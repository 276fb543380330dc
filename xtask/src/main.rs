//! The workspace's own commands: `cargo xtask`.

mod vocabulary;

fn main() {
    let source = std::fs::read_to_string("spec/vocabulary.toml").unwrap();
    std::fs::write("crates/failsoft-core/src/vocabulary.rs", vocabulary::generate(&source).unwrap()).unwrap();
    std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "crates/failsoft-core/src/vocabulary.rs"])
        .status()
        .unwrap();
}

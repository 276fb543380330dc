//! Writes inputs for the fuzzer to start from: presets as documents, vectors as traces, a few seeds.
//!
//! `cargo run -p failsoft-tests --bin fuzz-seeds -- fuzz/corpus`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use failsoft_tests::implementation::toml_to_json;
use failsoft_tests::vector::Vectors;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1).map(PathBuf::from) else {
        eprintln!("say into which folder");
        return ExitCode::from(2);
    };
    match write_all(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn write_all(folder: &Path) -> Result<(), String> {
    let write = |target: &str, name: String, bytes: &[u8]| {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join(name), bytes))
            .map_err(|error| format!("{}: {error}", folder.display()))
    };
    let presets: Vec<_> = failsoft::presets::all().collect();
    for preset in &presets {
        write("document", format!("{}.toml", preset.name), preset.text.as_bytes())?;
        let json = toml_to_json(preset.text)?.to_string();
        write("document", format!("{}.json", preset.name), json.as_bytes())?;
    }
    for seed in 0..200_u32 {
        let case = failsoft_model::generate::case(u64::from(seed));
        write("document", format!("{seed}.json"), case.document.to_string().as_bytes())?;
        write("differential", format!("{seed}"), &[&[0], &seed.to_be_bytes()[..]].concat())?;
    }
    for vector in Vectors::load()?.vectors {
        let Some(name) = vector.preset() else { continue };
        let file = vector.id.replace('/', "-");
        let number = (0_u8..).zip(&presets).find(|(_, preset)| preset.name == name);
        let (number, _) = number.ok_or_else(|| format!("{}: there is no preset {name}", vector.id))?;
        let lines: Vec<String> = vector.trace.iter().map(ToString::to_string).collect();
        let lines = lines.join("\n").into_bytes();
        write("trace", file.clone(), &[&[number][..], &lines].concat())?;
        write("differential", file, &[&[1, number][..], &lines].concat())?;
    }
    Ok(())
}

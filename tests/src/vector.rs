//! Conformance vectors and their manifest: `spec/vectors.md` says what they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::implementation::{Implementation, toml_to_json};
use crate::{read, spec};

/// One vector.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Stable; the manifest lists it.
    pub id: String,
    /// The rows of the systems that it pins.
    pub rows: Vec<String>,
    /// `preset:NAME`, or a matrix as JSON data.
    pub matrix: Value,
    /// Parameters bound at load.
    pub parameters: BTreeMap<String, String>,
    /// What happens.
    pub trace: Vec<Value>,
    /// What is printed, without the `matrix` keys.
    pub expect: Vec<Value>,
    /// The whole of it as written.
    pub written: Value,
}

/// Everything under `spec/vectors`.
#[derive(Debug)]
pub struct Vectors {
    /// In the order of the manifest's files.
    pub vectors: Vec<Vector>,
    /// The ids that the manifest lists.
    pub manifest: BTreeSet<String>,
    /// Rows that no vector pins yet.
    pub pending: BTreeSet<String>,
    /// For each preset and each of its rungs, the rows that it is there for.
    pub rungs: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(String::from)
        .collect()
}

fn array(value: &Value, key: &str) -> Result<Vec<Value>, String> {
    value.get(key).and_then(Value::as_array).cloned().ok_or_else(|| format!("no list `{key}`"))
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    value.get(key).and_then(Value::as_str).map(String::from).ok_or_else(|| format!("no text `{key}`"))
}

fn vector(written: &Value) -> Result<Vector, String> {
    let id = text(written, "id")?;
    let told = |error: String| format!("{id}: {error}");
    if text(written, "why").map_err(told)?.is_empty() {
        return Err(format!("{id}: it does not say why it exists"));
    }
    let parameters = written.get("parameters").and_then(Value::as_object).into_iter().flatten();
    Ok(Vector {
        rows: strings(written.get("rows")),
        matrix: written.get("matrix").cloned().ok_or_else(|| told("no `matrix`".into()))?,
        parameters: parameters
            .map(|(name, value)| {
                (name.clone(), value.as_str().map_or_else(|| value.to_string(), String::from))
            })
            .collect(),
        trace: array(written, "trace").map_err(told)?,
        expect: array(written, "expect").map_err(told)?,
        written: written.clone(),
        id,
    })
}

impl Vectors {
    /// Reads the manifest, and the files that it names.
    ///
    /// # Errors
    /// What can't be read, or is not of the form.
    pub fn load() -> Result<Self, String> {
        let folder = spec().join("vectors");
        let json = |name: &str| -> Result<Value, String> {
            serde_json::from_str(&read(&folder.join(name))?).map_err(|error| format!("{name}: {error}"))
        };
        let manifest = json("manifest.json")?;
        let mut vectors = Vec::new();
        for file in strings(manifest.get("files")) {
            for written in array(&json(&file)?, "vectors")? {
                vectors.push(vector(&written).map_err(|error| format!("{file}: {error}"))?);
            }
        }
        let listed =
            array(&manifest, "vectors")?.iter().map(|entry| text(entry, "id")).collect::<Result<_, _>>()?;
        let pending =
            array(&manifest, "pending")?.iter().map(|entry| text(entry, "row")).collect::<Result<_, _>>()?;
        let rungs = manifest.get("rungs").and_then(Value::as_object).into_iter().flatten();
        let rungs = rungs.map(|(preset, rungs)| {
            let rungs = rungs.as_object().into_iter().flatten();
            (preset.clone(), rungs.map(|(rung, rows)| (rung.clone(), strings(Some(rows)))).collect())
        });
        Ok(Self { vectors, manifest: listed, pending, rungs: rungs.collect() })
    }

    /// Runs every vector, and says which ids were executed and what came out otherwise than expected.
    #[must_use]
    pub fn run(&self, implementation: &dyn Implementation) -> (BTreeSet<String>, Vec<String>) {
        let mut executed = BTreeSet::new();
        let mut wrong = Vec::new();
        for vector in &self.vectors {
            match vector.matrix().and_then(|matrix| vector.check(implementation, &matrix)) {
                Ok(()) => {}
                Err(difference) => {
                    wrong.push(format!("{} on {}: {difference}", vector.id, implementation.name()))
                }
            }
            if !executed.insert(vector.id.clone()) {
                wrong.push(format!("{}: the id stands twice", vector.id));
            }
        }
        (executed, wrong)
    }
}

impl Vector {
    /// The matrix as JSON data.
    ///
    /// # Errors
    /// A preset that is not there.
    pub fn matrix(&self) -> Result<Value, String> {
        match self.preset() {
            Some(name) => preset(name),
            None => Ok(self.matrix.clone()),
        }
    }

    /// The preset that it plays on, where it plays on one.
    #[must_use]
    pub fn preset(&self) -> Option<&str> {
        self.matrix.as_str().and_then(|name| name.strip_prefix("preset:"))
    }

    /// Plays the trace on `matrix`, and compares what is printed with what is expected, byte for byte but for
    /// the matrix's identity.
    ///
    /// # Errors
    /// The first difference, for people.
    pub fn check(&self, implementation: &dyn Implementation, matrix: &Value) -> Result<(), String> {
        let printed = implementation.replay(matrix, &self.parameters, &self.trace)?;
        let printed: Vec<String> =
            printed.iter().map(|line| without_matrix(line)).collect::<Result<_, _>>()?;
        let expected: Vec<String> = self.expect.iter().map(Value::to_string).collect();
        let differing =
            (0..printed.len().max(expected.len())).find(|index| printed.get(*index) != expected.get(*index));
        match differing {
            None => Ok(()),
            Some(index) => {
                let side = |lines: &[String]| lines.get(index).cloned().unwrap_or_else(|| "nothing".into());
                Err(format!(
                    "line {}\n  expected {}\n  printed  {}",
                    index + 1,
                    side(&expected),
                    side(&printed)
                ))
            }
        }
    }
}

/// A preset of `spec/presets`, as JSON data.
///
/// # Errors
/// Where it is not there, or is not TOML.
pub fn preset(name: &str) -> Result<Value, String> {
    toml_to_json(&read(&spec().join(format!("presets/{name}.toml")))?)
}

/// A printed line without the identity of its matrix, which every change of a matrix changes.
fn without_matrix(line: &str) -> Result<String, String> {
    let mut line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    for key in ["decision", "event"] {
        if let Some(part) = line.get_mut(key).and_then(Value::as_object_mut) {
            part.shift_remove("matrix").ok_or("a line without the identity of its matrix")?;
        }
    }
    Ok(line.to_string())
}

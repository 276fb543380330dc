//! What can replay a trace: the engine, and the model that was written from the specification alone.

use std::collections::BTreeMap;

use failsoft::document::{Format, Options, load};
use failsoft::trace::Player;
use serde_json::{Map, Value};

/// Something that plays a trace through a matrix and prints what `failsoft replay --json` prints.
pub trait Implementation {
    /// What it is called in messages.
    fn name(&self) -> &'static str;

    /// The lines that it prints.
    ///
    /// # Errors
    /// Where it refuses the matrix or a line.
    fn replay(
        &self,
        matrix: &Value,
        parameters: &BTreeMap<String, String>,
        trace: &[Value],
    ) -> Result<Vec<String>, String>;
}

/// The engine: document layer, core and trace player.
#[derive(Debug)]
pub struct Engine;

impl Implementation for Engine {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn replay(
        &self,
        matrix: &Value,
        parameters: &BTreeMap<String, String>,
        trace: &[Value],
    ) -> Result<Vec<String>, String> {
        let options = Options { parameters: parameters.clone() };
        let loaded = load("matrix.json", matrix.to_string().as_bytes(), Format::Json, &options)
            .map_err(|diagnostics| diagnostics.to_string())?;
        let mut player = Player::new(&loaded.matrix);
        let mut printed = Vec::new();
        let mut out = Vec::new();
        for (number, line) in (1..).zip(trace) {
            player
                .line(&line.to_string(), &mut out)
                .map_err(|mistake| format!("line {number}: {mistake}"))?;
            printed.extend(out.drain(..).map(|output| player.json(&output)));
        }
        Ok(printed)
    }
}

/// The identity of a matrix: two with the same are the same matrix, however they are written.
///
/// # Errors
/// Where the document is refused.
pub fn identity(matrix: &Value, parameters: &BTreeMap<String, String>) -> Result<String, String> {
    let options = Options { parameters: parameters.clone() };
    let loaded = load("matrix.json", matrix.to_string().as_bytes(), Format::Json, &options);
    loaded.map(|loaded| loaded.identity).map_err(|diagnostics| diagnostics.to_string())
}

/// The model: slow, obvious, and sharing no code with the engine.
#[derive(Debug)]
pub struct Model;

impl Implementation for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    fn replay(
        &self,
        matrix: &Value,
        parameters: &BTreeMap<String, String>,
        trace: &[Value],
    ) -> Result<Vec<String>, String> {
        let printed = failsoft_model::replay(matrix, parameters, trace)?;
        Ok(printed.iter().map(Value::to_string).collect())
    }
}

/// TOML text as the same data in JSON.
///
/// # Errors
/// Where it is not TOML, or holds what a matrix can't hold.
pub fn toml_to_json(text: &str) -> Result<Value, String> {
    fn convert(value: toml::Value) -> Result<Value, String> {
        Ok(match value {
            toml::Value::String(text) => Value::String(text),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Boolean(flag) => Value::Bool(flag),
            toml::Value::Array(items) => {
                Value::Array(items.into_iter().map(convert).collect::<Result<_, _>>()?)
            }
            toml::Value::Table(table) => {
                let entries = table.into_iter().map(|(key, value)| Ok((key, convert(value)?)));
                Value::Object(entries.collect::<Result<Map<_, _>, String>>()?)
            }
            toml::Value::Float(_) | toml::Value::Datetime(_) => {
                return Err(format!("{value:?} is in no matrix"));
            }
        })
    }
    convert(toml::Value::Table(text.parse().map_err(|error: toml::de::Error| error.to_string())?))
}

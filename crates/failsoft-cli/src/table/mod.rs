//! `failsoft table`: the matrix as a table that people read.

mod csv;
mod html;
mod json;
mod markdown;
mod rows;
mod rung;
mod text;

pub(crate) use self::html::Escaped;
use crate::args::{Format, TableArgs};
use crate::matrix;
use crate::out::Out;
use crate::trouble::{Outcome, Trouble};

pub(crate) fn run(args: &TableArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    let loaded = matrix::loaded(&args.matrix)?;
    let table = rows::Table::of(&loaded);
    match args.format {
        Format::Text => text::write(&table, out)?,
        Format::Markdown => markdown::write(&table, out)?,
        Format::Html => html::write(&table, out)?,
        Format::Csv => csv::write(&table, out)?,
        Format::Json => json::write(&table, out)?,
    }
    Ok(Outcome::Done)
}

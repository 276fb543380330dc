//! Names from the command line, looked up in a matrix.

use failsoft::{DependencyId, Health, INTEGER_MAX, Matrix, MeterId, Report, suggestion};

use crate::args::Pair;
use crate::matrix::shown;
use crate::trouble::Trouble;

/// A name that the matrix has not.
pub(crate) fn unknown<'a>(
    argument: &str,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Trouble {
    let known: Vec<&str> = known.into_iter().collect();
    Trouble::at(argument, format!("there is no {what} `{}`", shown(name))).maybe_help(suggestion(name, known))
}

/// What the request met, per dependency.
pub(crate) fn faults(matrix: &Matrix, pairs: &[Pair]) -> Result<Vec<(DependencyId, Report)>, Trouble> {
    by_dependency(matrix, "--fault", "fault class", pairs, Report::from_name, || Report::names().collect())
}

/// What is known, per dependency.
pub(crate) fn healths(matrix: &Matrix, pairs: &[Pair]) -> Result<Vec<(DependencyId, Health)>, Trouble> {
    let known = || Health::ALL.iter().map(|health| health.as_str()).collect();
    by_dependency(matrix, "--health", "health", pairs, Health::from_name, known)
}

/// What a request takes, per meter.
pub(crate) fn amounts(matrix: &Matrix, pairs: &[Pair]) -> Result<Vec<(MeterId, u64)>, Trouble> {
    once("--amount", pairs)?;
    let read = |Pair { key, value }: &Pair| {
        let known = || matrix.meters().map(|(_, name)| name);
        let id = matrix.meter(key).ok_or_else(|| unknown("--amount", "meter", key, known()))?;
        let amount = value.parse().ok().filter(|amount| *amount <= INTEGER_MAX);
        let help = format!("write a whole number from 0 to {INTEGER_MAX}, such as `{key}=1`");
        let what = || format!("`{}` is no amount", shown(value));
        Ok((id, amount.ok_or_else(|| Trouble::at("--amount", what()).help(help))?))
    };
    pairs.iter().map(read).collect()
}

/// A name that is given twice contradicts itself.
pub(crate) fn once(argument: &str, pairs: &[Pair]) -> Result<(), Trouble> {
    for (place, pair) in pairs.iter().enumerate() {
        if pairs.iter().take(place).any(|before| before.key == pair.key) {
            let what = format!("`{}` is given twice", shown(&pair.key));
            return Err(Trouble::at(argument, what).help("give it once"));
        }
    }
    Ok(())
}

fn by_dependency<T>(
    matrix: &Matrix,
    argument: &str,
    what: &str,
    pairs: &[Pair],
    from_name: impl Fn(&str) -> Option<T>,
    known: impl Fn() -> Vec<&'static str>,
) -> Result<Vec<(DependencyId, T)>, Trouble> {
    once(argument, pairs)?;
    pairs
        .iter()
        .map(|Pair { key, value }| {
            let id = matrix.dependency(key).ok_or_else(|| {
                unknown(argument, "dependency", key, matrix.dependencies().map(|(_, name)| name))
            })?;
            let value = from_name(value).ok_or_else(|| unknown(argument, what, value, known()))?;
            Ok((id, value))
        })
        .collect()
}

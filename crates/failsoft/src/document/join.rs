//! Mistakes that the core finds when names become ids, brought to their places in the text.

use failsoft_core::{Mistake, Path, Segment};

use super::check::given_by;
use super::collect::Collector;
use super::node::Node;

/// Codes that rest on the role of the dependency that they stand in, and mean nothing where it could not be read.
const OF_ITS_ROLE: &[&str] =
    &["caller-opens-gate", "irreversible-substitute", "missing-deadline", "rung-not-allowed"];

/// Codes that rest on the role of another dependency.
const OF_A_ROLE: &[&str] = &["irreversible-substitute", "store-not-a-guard"];

/// Codes that mean nothing where a place of that form is spoilt.
const OF_PLACES: &[(&str, &[&str])] = &[
    ("meter-of-another-store", &["meter", "*", "store"]),
    ("missing-max-instances", &["meter", "*", "max_instances"]),
    ("unknown-class", &["classes", "*"]),
    ("unknown-parameter", &["parameter"]),
    ("wrong-parameter-type", &["parameter", "*", "default"]),
];

/// Adds what was found, but for what only follows from a mistake that is told already.
pub(crate) fn join(mistakes: Vec<Mistake>, root: &Node, collector: &mut Collector) {
    let spoilt = collector.spoilt();
    let any_role = spoilt.any(&["dependency", "*", "role"]);
    for mistake in mistakes {
        let follows = spoilt.touches(&mistake.path)
            || any_role && OF_A_ROLE.contains(&mistake.code)
            || OF_ITS_ROLE.contains(&mistake.code) && spoilt.touches(&its_role(&mistake))
            || OF_PLACES.iter().any(|(code, form)| *code == mistake.code && spoilt.any(form));
        if follows {
            continue;
        }
        let node = root.nearest(&mistake.path);
        let place = if is_of_key(&mistake) { node.key_place() } else { node.place() };
        let what = given_by(mistake.what, node);
        collector.report(mistake.code, mistake.path, place, what, mistake.help);
    }
}

/// Whether the name at fault is a key: the parameters of a `when`, and the dependencies that an invariant speaks of.
fn is_of_key(mistake: &Mistake) -> bool {
    match mistake.path.segments() {
        [.., Segment::Key(table), Segment::Key(_)] => {
            matches!(
                (mistake.code, table.as_str()),
                ("unknown-parameter", "parameter") | ("unknown-dependency", "when")
            )
        }
        _ => false,
    }
}

/// Where the role of the dependency is written that the mistake stands in.
fn its_role(mistake: &Mistake) -> Path {
    match mistake.path.segments() {
        [Segment::Key(table), Segment::Key(name), ..] => Path::root().key(table).key(name).key("role"),
        _ => Path::root(),
    }
}

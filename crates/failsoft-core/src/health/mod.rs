//! The health of a dependency (spec 9).
//!
//! - `transitions.rs`: every way in which a circuit changes, in one table;
//! - `machine.rs`: what an outcome does, when the table is asked, what trials decide;
//! - `due.rs`: what time alone does; `acts.rs`: probes, operators, advice, permits;
//! - `vital.rs`: what health is read from; `window.rs` and `leases.rs`: the calls that counted and those still out;
//! - `rules.rs`: the settings, resolved at load; `triage.rs`: from an answer on the wire to a fault class;
//! - `snapshot.rs`: how it is saved and restored.
//!
//! Nothing here knows ladders or requests, and after `advance(now)` every reading is a plain look at the fields.

mod acts;
mod due;
mod leases;
mod machine;
mod rules;
pub mod snapshot;
pub mod transitions;
mod triage;
mod vital;
mod window;

pub(crate) use acts::Admission;
pub use leases::Permit;
pub(crate) use leases::{Leases, Slot};
pub(crate) use machine::{Counted, Machine, Rate, View};
pub(crate) use rules::Rules;
pub use triage::HttpAnswer;
pub use vital::{Crossed, Episode};
pub(crate) use vital::{Phase, Vital};
pub(crate) use window::{Call, Tally, Window};

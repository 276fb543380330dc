//! The health machine of spec 9 and 10 as properties: of what the engine says on random settings and random traces.
//!
//! What is expected comes from a naive computation that stands here and keeps every call (`naive.rs`), or from a ledger
//! (`ledger.rs`), never from a second run of the engine, but where the property is itself that two runs are equal. Each
//! property counts how often it met its subject, and fails where that was too seldom.

mod desk;
mod fixed_choices;
mod ledger;
mod million;
mod naive;
mod permits;
mod restart;
mod stillness;
mod traps;
mod traps_around;
mod traps_window;

//! Windows (spec 7) as properties: what went through unchecked is counted, told, bounded, and never forgotten.
//!
//! What is expected comes from plain counting that stands here (`naive.rs` sees what a host sees), never from a second
//! run of the engine, but where the property is itself that two runs are equal. Each property counts how often it met its
//! subject, and fails where that was too seldom.

mod accounts;
mod caps;
mod desk;
mod idle;
mod memory;
mod naive;
mod open;
mod play;
mod questions;
mod reading;
mod restart;
mod shadow;
mod unchecked;

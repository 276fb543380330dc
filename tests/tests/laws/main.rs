//! The laws of `spec/laws.md`, each as a property of what the engine prints on random matrices and traces.
//!
//! A property says how often it looked at what its law speaks of, and fails where that was too seldom: a law that
//! nothing tested would hold for any engine. The parts of laws that are not built yet stand as comments.

mod advice;
mod caller;
mod closed;
mod discreet;
mod glass;
mod hostile;
mod isolation;
mod known;
mod open;
mod operators;
mod repeat;
mod tables;
mod targets;
mod time;
mod total;
mod world;

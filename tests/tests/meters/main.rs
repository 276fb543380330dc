//! Meters (spec 8) as properties: what they promise while their store is lost, and whom they hold to account.
//!
//! What is expected comes from plain counting that stands here, never from a second run of the engine.

mod fleet;
mod promise;
mod tables;

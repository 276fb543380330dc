//! failsoft: something I depend on has failed; what may this request still do?
//!
//! This crate is what a program embeds: it reads the matrix ([`document`]) and brings matrices to start from
//! ([`presets`]), replays traces ([`trace`]) and supposes failures ([`suppose`]). What decides is [`failsoft_core`].
#![forbid(unsafe_code)]

pub mod document;
pub mod json;
pub mod presets;
pub mod situation;
pub mod snapshot;
pub mod suppose;
pub mod trace;
pub mod visible;

#[doc(inline)]
pub use failsoft_core::*;

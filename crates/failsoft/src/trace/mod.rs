//! A trace: what happened, line by line, and what the engine answers to it.
//!
//! The forms of the lines and of the answers are fixed: `spec/trace.md`.
//!
//! ```
//! use failsoft::trace::Player;
//! # use failsoft::draft::{ActionDraft, DependencyDraft, MatrixDraft, OperationDraft, RungDraft};
//! # use failsoft::{Millis, Role};
//! # let mut draft = MatrixDraft::new("m");
//! # let mut quota = DependencyDraft::new("quota", Role::Guard, Some(Millis::new(50)));
//! # quota.on_failure = vec![RungDraft::new(ActionDraft::Allow)];
//! # draft.dependencies = vec![quota];
//! # draft.operations = vec![OperationDraft::new("assist", &["quota"])];
//! # let matrix = draft.compile("m@1:sha256-0").unwrap();
//! let mut player = Player::new(&matrix);
//! let mut answers = Vec::new();
//! player.line(r#"{"at_ms":8,"decide":{"operation":"assist","faults":{"quota":"timeout"}}}"#, &mut answers)?;
//! let json = player.json(&answers[0]);
//! assert!(json.contains(r#""verdict":"allow","posture":"fail_open""#));
//!
//! let mistake = player.line(r#"{"decide":{"operation":"asist"}}"#, &mut answers).unwrap_err();
//! assert_eq!((mistake.column, mistake.help.as_deref()), (24, Some("did you mean `assist`?")));
//! # Ok::<(), failsoft::trace::LineMistake>(())
//! ```

mod line;
mod meters;
mod names;
mod permits;
mod player;
mod read;
mod requests;

pub use names::LineMistake;
pub use player::{LINE_BYTES, Output, Player, Said};

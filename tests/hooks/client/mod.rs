//! The gates on the laptop, through git's own commands: each hook passes, refuses, and says when it cannot decide.

mod commit;
mod merge;
mod message;
mod places;
mod push;
mod transaction;

//! A plan in the forms that people, scripts and pull requests read. Each form has its file; all give text, none prints.

mod html;
mod human;
mod lanes;
mod markdown;
mod others;
mod script;

pub use html::html;
pub use human::{human, short_ref};
pub use markdown::markdown;
pub use others::{backport, branch as rollback_branch, rollback, rollback_script, status, verify};
pub use script::script;

//! Promotion plans: which commits of the development branch can go to production, in which order, with what else, and
//! what the result would violate. Works in object memory; moves no ref and touches no work tree by itself.

pub mod advice;
pub mod apply;
pub mod backport;
pub mod blame;
pub mod closure;
pub mod evidence;
pub mod history;
pub mod items;
pub mod judge;
pub mod mask;
mod message;
pub mod notes;
mod origin;
pub mod plan;
pub mod planner;
pub mod render;
mod requests;
pub mod rollback;
pub mod selection;
pub mod semantic;
pub mod series;
pub mod simulate;
pub mod status;
mod taken_back;
pub mod trailers;
pub mod verify;
pub mod worktree;

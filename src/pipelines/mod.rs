//! CI workflows as programs: which names a trigger's filters admit, and whether a condition holds for an event.

pub mod event;
pub mod expression;
pub mod filter;

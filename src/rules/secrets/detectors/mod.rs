//! Detectors: how one is defined, the built-in table, the user's own, and the structural checks they name.

pub mod definition;
pub mod table;
pub mod user;
pub mod validators;

pub use definition::{CHECKS, Definition, FIELDS};
pub use table::{ASSIGNMENT, DETECTORS, Detector, KUBERNETES};

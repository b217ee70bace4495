//! The rule family `secrets`.

mod detectors;
mod generic;

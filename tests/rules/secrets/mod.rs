//! The rule family `secrets`.

mod detectors;

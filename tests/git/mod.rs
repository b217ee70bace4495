//! What a source brings, read from real repositories.

mod changes;
mod index;
mod packs;
mod quarantine;

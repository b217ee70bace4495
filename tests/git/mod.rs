//! What a source brings, read from real repositories.

mod changes;
mod head;
mod history;
mod index;
mod packs;

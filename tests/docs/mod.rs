//! Documentation that cannot go stale: reference pages are generated and compared, schemas are held against real
//! reports and policies, and every command in README.md and docs/ is run.
//!
//! `UPDATE_DOCS=1 cargo test --test suite docs` writes the generated pages anew.

pub mod commands;
mod reference;
mod sample;
mod schema;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a generated page with the one that is committed, or writes it.
fn fresh(path: impl AsRef<Path>, text: &str) {
    let file = root().join(&path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, text).expect("the page can be written");
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    let line = there.lines().zip(text.lines()).position(|(a, b)| a != b).unwrap_or(there.lines().count());
    assert!(
        there == text,
        "{} is stale from line {} on: UPDATE_DOCS=1 cargo test --test suite docs",
        path.as_ref().display(),
        line + 1
    );
}

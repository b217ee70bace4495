//! One output format: its name and renderer. The list of all is in `formats`.

use std::fmt;
use std::io::{self, Write};

use super::{Context, Report};

/// Writes a report in one format.
pub type Render = fn(&Report, &Context<'_>, &mut dyn Write) -> io::Result<()>;

/// A format, defined in its renderer's file.
#[derive(Clone, Copy)]
pub struct Format {
    /// As it is written after `--format`; unique.
    pub name: &'static str,
    pub render: Render,
    /// Whether it shows rules that found nothing.
    pub lists_rules: bool,
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

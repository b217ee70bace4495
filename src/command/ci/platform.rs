//! What a CI platform is: how it is recognised, and who reads its variables. The list of all is in `platforms`.

use std::fmt;

use super::change::Change;
use crate::error::Result;

/// Looks up a variable; empty ones are absent.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;
/// Reads the event's file.
pub type Files<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>>;

/// A CI platform, defined in a file of its own.
pub struct Platform {
    /// In lower case, for file names; unique.
    pub id: &'static str,
    pub name: &'static str,
    /// Whether the variables are those of this platform.
    pub is_running: fn(Variables<'_>) -> bool,
    /// How its checkout is told to bring the whole history.
    pub full_checkout: &'static str,
    /// The format that its log shows better than `human`.
    pub log_format: Option<&'static str>,
    /// The change that it runs for. Errors: an event file that cannot be read.
    pub read: fn(Variables<'_>, Files<'_>) -> Result<Change>,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Platform({})", self.id)
    }
}

impl PartialEq for Platform {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Platform {}

/// Whether the variable has that value, in any case.
pub fn is(variable: Variables<'_>, name: &str, value: &str) -> bool {
    variable(name).is_some_and(|v| v.eq_ignore_ascii_case(value))
}

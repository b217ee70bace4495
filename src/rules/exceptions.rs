//! Exceptions judged themselves. It looks at no subject: settling a report says what it has to say.

use super::{Checks, Rule};
use crate::subject::Kinds;

pub static RULE: Rule = Rule {
    id: "exceptions",
    looks_at: Kinds::NONE,
    policy: include_str!("../../policies/exceptions.yml"),
    compile: |options| {
        options.number("max-days");
        Checks::default()
    },
};

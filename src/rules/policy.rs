//! Mistakes in policies. The family looks at no subject: reading a policy says what it has to say.

use super::{Checks, Rule};
use crate::subject::Kinds;

pub static RULE: Rule = Rule {
    id: "policy",
    looks_at: Kinds::NONE,
    policy: include_str!("../../policies/policy.yml"),
    compile: |_| Checks::default(),
};

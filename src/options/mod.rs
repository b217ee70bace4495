//! What a rule can read from a policy: the options of its family, positions and mistakes, scopes, and the words that all
//! rules share. Stands below the rules; loading and settling whole policies is `policy`'s, above them.

mod family_options;
mod file;
mod located;
pub(crate) mod mistakes;
pub(crate) mod read;
pub mod scope;
mod trial;
mod vocabulary;

pub(crate) use family_options::COMMON_KEYS;
pub use family_options::Options;
pub use file::{BASELINE_LIMIT, POLICY_LIMIT, PolicyFile};
pub use located::Located;
pub use mistakes::Mistake;
pub use read::{FromNode, Level, Wrong};
pub use trial::Trial;
pub use vocabulary::{Budgets, Environment, Protected, Vocabulary};

//! What `policies/<id>.yml` says of a rule family to people: its summary, why it is there, its codes.
//! Read only when somebody asks; a run that finds nothing never does.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};

use super::Rule;
use crate::finding::Severity;
use crate::yaml;

/// The second document of `policies/<id>.yml`; what else is in it (examples) belongs to the rule's tests.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct About {
    /// One line.
    pub summary: String,
    #[serde(default)]
    pub why: String,
    #[serde(default)]
    pub codes: Vec<Code>,
}

/// One code of a family.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Code {
    /// The part after the slash; `<detector>` where data decides.
    pub code: String,
    /// The default.
    pub severity: DefaultSeverity,
    /// What it is in CI and reports, where nobody waits for the answer; the default where nothing is said.
    #[serde(default)]
    pub ci: Option<DefaultSeverity>,
    pub summary: String,
    #[serde(default)]
    pub help: String,
    #[serde(default)]
    pub explain: String,
}

/// A severity, or `None` for a code that is off until the policy switches it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultSeverity(pub Option<Severity>);

impl Rule {
    /// `Err`: the embedded file is not as it should be, which a test of the family shows.
    pub fn about(&self) -> Result<About, yaml::Mistake> {
        yaml::from_document(self.policy, 1)
    }
}

impl<'de> Deserialize<'de> for DefaultSeverity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl de::Visitor<'_> for Word {
            type Value = DefaultSeverity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`error`, `warning`, `note` or `off`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<DefaultSeverity, E> {
                Ok(DefaultSeverity(match word {
                    "error" => Some(Severity::Error),
                    "warning" => Some(Severity::Warning),
                    "note" => Some(Severity::Note),
                    "off" => None,
                    _ => return Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }))
            }
        }
        deserializer.deserialize_str(Word)
    }
}

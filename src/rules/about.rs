//! The documentation part of `policies/<id>.yml`: a rule family's summary, rationale and codes.
//! Parsed on demand: a run without findings does not read it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};

use super::Rule;
use crate::finding::Severity;
use crate::yaml;

/// The second document of `policies/<id>.yml`, without the examples, which only tests read.
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
    /// The part after the slash; `<detector>` for codes that come from data.
    pub code: String,
    /// The default severity.
    pub severity: DefaultSeverity,
    /// The default severity in CI and in `check`, if it differs from that in hooks.
    #[serde(default)]
    pub ci: Option<DefaultSeverity>,
    pub summary: String,
    #[serde(default)]
    pub help: String,
    #[serde(default)]
    pub explain: String,
}

/// A severity, or `None` for a code that is off by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultSeverity(pub Option<Severity>);

impl Rule {
    /// `Err` if the embedded file is invalid; the family's tests rule that out.
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
                match Severity::from_name(word) {
                    None if word != "off" => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                    severity => Ok(DefaultSeverity(severity)),
                }
            }
        }
        deserializer.deserialize_str(Word)
    }
}

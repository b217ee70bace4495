//! The plan as data, in the shape in which it is written and read. No logic beyond small queries.

use serde::{Deserialize, Serialize};

use super::evidence::Promoted;
use super::history::{Hex, Tip};
use crate::finding::Severity;

/// Steps in the order in which they are picked. The same repository and question give the same plan, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// 1.
    pub version: u32,
    pub from: Tip,
    pub onto: Tip,
    pub steps: Vec<Step>,
    pub skipped: Vec<Skipped>,
    pub result: Outcome,
    pub advice: Vec<String>,
    /// Tickets and pull requests that were asked for and that no commit of the development branch belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<String>,
    /// What only the development branch has, in its order.
    #[serde(default)]
    pub candidates: Vec<Lane>,
    /// What only production has, in its order.
    #[serde(default)]
    pub production: Vec<Lane>,
    /// What the steps change, by what it belongs to.
    #[serde(default)]
    pub items: Vec<Item>,
}

/// One pick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub commit: Hex,
    pub subject: String,
    pub state: State,
    /// The result after this step; that of the step before for one that does not apply.
    pub tree: Hex,
    /// The user asked for it; otherwise another step needs it.
    #[serde(default)]
    pub role: Role,
    /// What this step needs, each with the place that shows it.
    pub because: Vec<Reason>,
    pub conflicts: Vec<Conflict>,
    pub promoted: Option<Promoted>,
    pub findings: Vec<PlanFinding>,
    /// Files that say which environment this is: picking them copies one environment's identity into the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity: Vec<String>,
    /// Commands that pick the rest of a commit without the files that carry identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<String>,
    /// Merges that people could agree to, and machines may not make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Proposal>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    #[default]
    Selected,
    Dependency,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Clean,
    /// Nothing is left to do.
    Empty,
    Conflict,
    /// It applies, and a rule forbids what it brings.
    Refused,
}

/// `commit` needs to come first: both touch these lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub commit: Hex,
    pub path: String,
    pub lines: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub path: String,
    /// Lines on production, `12-18`; empty where the whole file is meant.
    pub lines: String,
    /// `content`, `missing`, `changed`, `both-added`, `binary`, `directory`, `attribute`, `rename`.
    pub kind: String,
    /// Lines in the picked commit's version.
    pub theirs: String,
    /// The commit of production that stands in the way.
    pub blocker: Option<Blocker>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    pub commit: Hex,
    pub subject: String,
}

/// A finding of the engine on the planned result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFinding {
    pub rule: String,
    pub severity: Severity,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<usize>,
    pub fingerprint: String,
}

/// A merge by meaning of a conflict by text. Never part of a step's tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub path: String,
    /// What was merged: `list`, `map`, `images`.
    pub what: String,
    /// Why it is right, one line each.
    pub proof: Vec<String>,
    /// The id that the merged file would have; nothing writes it.
    pub blob: Hex,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    pub commit: Hex,
    #[serde(default)]
    pub subject: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub tree: Hex,
    pub findings: Vec<PlanFinding>,
    /// No smaller set of commits applies, and what conflicts cannot be made to apply.
    #[serde(default)]
    pub proved: bool,
}

/// A commit in a lane of the picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    pub commit: Hex,
    pub subject: String,
    pub author: String,
    /// Seconds since 1970.
    pub time: i64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merge: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promoted: Option<Promoted>,
    /// The revert on production that took it back after a merge had brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<Hex>,
}

/// Something that is deployed as one, and the steps that change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// A directory, or a Windmill path such as `f/etl/load`.
    pub path: String,
    /// `script`, `flow`, `app`, `resource`, ...; empty for a directory.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    pub commits: Vec<Hex>,
}

impl Plan {
    /// Steps that a run of `apply` picks.
    pub fn picks(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|s| s.state == State::Clean)
    }

    pub fn in_state(&self, state: State) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |s| s.state == state)
    }

    /// A name for this plan: the same tips and picks give the same one. Eight digits.
    pub fn short(&self) -> String {
        use sha2::{Digest as _, Sha256};
        let mut hash = Sha256::new();
        hash.update(self.onto.oid.0.as_bytes());
        self.picks().for_each(|s| hash.update(s.commit.0.as_bytes()));
        hash.finalize().iter().take(4).map(|b| format!("{b:02x}")).collect()
    }

    /// Nothing stands in the way: all was found, no conflict, nothing refused, no error in the result.
    pub fn is_ready(&self) -> bool {
        self.not_found.is_empty()
            && self.steps.iter().all(|s| matches!(s.state, State::Clean | State::Empty))
            && self.result.findings.iter().all(|f| f.severity != Severity::Error)
    }

    /// Reads a plan. Errors: no plan, or one of a later version.
    pub fn from_json(bytes: &[u8]) -> crate::error::Result<Self> {
        use crate::error::Error;
        let plan: Self = serde_json::from_slice(bytes).map_err(|e| {
            Error::usage(format!("this is no plan: {e}")).hint("portcullis promote plan --format json > plan.json")
        })?;
        if plan.version != 1 {
            return Err(Error::usage(format!("the plan is of version {}, this program reads version 1", plan.version)));
        }
        Ok(plan)
    }

    pub fn to_json(&self) -> String {
        // Strings, numbers and lists: there is nothing in it that JSON cannot say.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

//! Mistakes in policies: collected with their places while reading goes on, told all at once.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::file::PolicyFile;
use super::located::Located;
use super::read::{FromNode, Wrong};
use crate::finding::{Origin, Severity, Violation};
use crate::yaml::Node;

/// Something in a policy that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub file: Arc<PolicyFile>,
    pub wrong: Wrong,
}

impl Mistake {
    /// What to push into [`crate::finding::Findings`], so that every renderer shows it with a caret.
    pub fn violation(&self) -> Violation<'_> {
        let Wrong { span, code, message, help } = &self.wrong;
        let origin = Origin::Policy { path: self.file.path.clone() };
        let violation = Violation::new(*code, Severity::Error, origin, &self.file.bytes, Range::clone(span));
        let violation = violation.message(message);
        match help {
            Some(help) => violation.help(help),
            None => violation,
        }
    }
}

/// Collects what is wrong in files that are known by their index.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(RefCell<Vec<(usize, Wrong)>>);

impl Mistakes {
    pub fn record(&self, source: usize, wrong: impl IntoIterator<Item = Wrong>) {
        self.0.borrow_mut().extend(wrong.into_iter().map(|w| (source, w)));
    }

    /// A node as a value; what is wrong with it is recorded.
    pub fn read<T: FromNode>(&self, at: Located<'_>) -> Option<T> {
        T::from_node(at.node).map_err(|wrong| self.record(at.source, wrong)).ok()
    }

    /// A key of a map: `None` when it is absent, or wrong (which is recorded).
    pub fn field<T: FromNode>(&self, map: Located<'_>, key: &str) -> Option<T> {
        self.read(map.get(key)?)
    }

    /// Whether the node is a map with allowed keys only; anything else is recorded.
    pub fn map(&self, at: Located<'_>, allowed: &[&str]) -> bool {
        if at.node.is_map() {
            self.record(at.source, unknown_keys(at.node, allowed));
        } else {
            let message = format!("a map with the keys {} is needed here, not {}", allowed.join(", "), at.node.kind());
            self.record(at.source, [Wrong::value(at.node.span.clone(), message)]);
        }
        at.node.is_map()
    }

    /// Whether the node is a list; anything else is recorded.
    pub fn list(&self, at: Located<'_>) -> bool {
        if !at.node.is_seq() {
            let message = format!("a list is needed here, not {}", at.node.kind());
            self.record(at.source, [Wrong::value(at.node.span.clone(), message)]);
        }
        at.node.is_seq()
    }

    /// In the order of files and places, each once.
    pub fn told(self, files: &[Arc<PolicyFile>]) -> Vec<Mistake> {
        let mut list = self.0.into_inner();
        list.sort_by_key(|(source, w)| (*source, w.span.start));
        list.dedup();
        list.into_iter().map(|(source, wrong)| Mistake { file: Arc::clone(&files[source]), wrong }).collect()
    }
}

/// Every key of a map that is not among the allowed ones.
pub(crate) fn unknown_keys(map: &Node, allowed: &[&str]) -> Vec<Wrong> {
    let unknown = map.entries().iter().filter(|(k, _)| !k.text().is_some_and(|t| allowed.contains(&t)));
    unknown.map(|(k, _)| Wrong::unknown("policy/unknown-key", "key", k, allowed.iter().copied())).collect()
}

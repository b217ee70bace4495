//! Ref updates, and what all updates of one change share.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString};

use super::{Graph, Oid};
use crate::error::Result;

/// Who pushes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pusher {
    /// This gate does not check accounts: on a laptop or in CI, where the server decides.
    #[default]
    NotAsked,
    /// The server does not name the account, so it has no special permission.
    Unknown,
    /// The account, as the server names it.
    Named(BString),
}

impl Pusher {
    pub fn name(&self) -> Option<&BString> {
        if let Self::Named(name) = self { Some(name) } else { None }
    }
}

/// Where a ref stood and where it goes: `old new name`. Without both ids there is nothing to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Full name, or the name that the user gave.
    pub name: BString,
    pub old: Option<Oid>,
    pub new: Option<Oid>,
}

/// A ref that a change moves, with all that a rule may ask about it.
pub struct RefUpdate<'a> {
    /// Full name: `refs/heads/main`.
    pub name: BString,
    /// `None`: the ref is created.
    pub old: Option<Oid>,
    /// `None`: the ref is deleted.
    pub new: Option<Oid>,
    pub pusher: Pusher,
    /// The head ref of the pull request that lands with this update; empty if only the fact is known.
    pub head_ref: Option<BString>,
    /// All updates of the same change, this one included.
    pub together: &'a [Update],
    pub graph: &'a dyn Graph,
    pub shared: Shared,
}

/// Values that are computed once for all updates of a change, by type. Clones share them.
#[derive(Clone, Default)]
pub struct Shared(Rc<RefCell<HashMap<TypeId, Rc<dyn Any>>>>);

impl Shared {
    /// The value of this type, computed on first use.
    pub fn get_or_insert<T: 'static>(&self, make: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        let known = self.0.borrow().get(&TypeId::of::<T>()).cloned();
        if let Some(value) = known.and_then(|value| value.downcast().ok()) {
            return Ok(value);
        }
        let value = Rc::new(make()?);
        self.0.borrow_mut().insert(TypeId::of::<T>(), value.clone());
        Ok(value)
    }
}

/// git's line for a ref update, `old new name`, with zeroes for "no object".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefLine {
    pub text: BString,
    pub old: Range<usize>,
    pub new: Range<usize>,
    pub name: Range<usize>,
}

impl RefLine {
    pub fn new(name: &BStr, old: Option<Oid>, new: Option<Oid>) -> Self {
        let digits = 2 * new.or(old).map_or(20, |id| id.as_bytes().len());
        let hex = |id: Option<Oid>| id.map_or_else(|| "0".repeat(digits), |id| id.to_string());
        let (old, new) = (hex(old), hex(new));
        let (old_end, new_end) = (old.len(), old.len() + 1 + new.len());
        let mut text = BString::from(format!("{old} {new} "));
        text.extend_from_slice(name);
        Self { old: 0..old_end, new: old_end + 1..new_end, name: new_end + 1..text.len(), text }
    }
}

impl RefUpdate<'_> {
    /// The text that findings on this update point into.
    pub fn line(&self) -> RefLine {
        RefLine::new(self.name.as_ref(), self.old, self.new)
    }
}

//! The branch whose policy a server uses: the one that HEAD names, or a fallback if that branch does not exist.

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice as _};

use super::ThreadRepo;
use crate::error::Result;
use crate::subject::{Oid, Update};

/// The fallbacks if HEAD names a branch that does not exist: the first of these that does.
const FALLBACKS: [&str; 4] = ["refs/heads/main", "refs/heads/master", "refs/heads/trunk", "refs/heads/dev"];

/// The default branch as it stands before a push.
#[derive(Clone, Debug)]
pub struct DefaultBranch {
    /// Full name of what HEAD names; `None` when it is detached.
    head: Option<BString>,
    /// Full name of the default branch; `None` when HEAD is detached, or if there is no branch at all.
    pub name: Option<BString>,
    pub tip: Option<Oid>,
    /// All branches, listed only if HEAD names none of them.
    others: Option<BTreeSet<BString>>,
}

impl ThreadRepo<'_> {
    pub fn default_branch(&self) -> Result<DefaultBranch> {
        let head = self.head_name()?.map(|name| self.moved_by(name.as_ref())).transpose()?;
        let tip = self.head()?;
        if tip.is_some() || head.is_none() {
            return Ok(DefaultBranch { name: head.clone(), head, tip, others: None });
        }
        let branches = self.refs("refs/heads/")?;
        let names: BTreeSet<BString> = branches.iter().map(|r| r.name.clone()).collect();
        let name = fallback(head.as_ref(), &names);
        let tip = branches.into_iter().find(|r| Some(&r.name) == name.as_ref()).map(|r| r.target);
        Ok(DefaultBranch { head, name, tip, others: Some(names) })
    }
}

impl DefaultBranch {
    /// The update that changes whose policy judges the next push: of the default branch, or one that creates a branch
    /// which becomes the default instead.
    pub fn moved<'u>(&self, updates: &'u [Update]) -> Option<&'u Update> {
        let update_of = |name: &BString| updates.iter().find(|u| u.name == *name);
        let Some(before) = &self.others else { return self.name.as_ref().and_then(update_of) };
        if let Some(deletion) = self.name.as_ref().and_then(update_of).filter(|u| u.new.is_none()) {
            return Some(deletion);
        }
        let mut after = before.clone();
        for update in updates.iter().filter(|u| u.name.starts_with(b"refs/heads/")) {
            if update.new.is_some() {
                after.insert(update.name.clone());
            } else {
                after.remove(&update.name);
            }
        }
        fallback(self.head.as_ref(), &after).as_ref().and_then(update_of)
    }

    /// The remark for an administrator if HEAD names a branch that does not exist, and no update creates it.
    pub fn remark(&self, updates: &[Update]) -> Option<String> {
        let (Some(_), Some(head), Some(name)) = (&self.others, &self.head, &self.name) else { return None };
        if updates.iter().any(|u| u.name == *head && u.new.is_some()) {
            return None;
        }
        let short = |name: &BString| short(name.as_ref()).to_string();
        Some(format!(
            "HEAD names the branch {}, which is not there, so the policy of {} counts; on the server: \
             git symbolic-ref HEAD {name}",
            short(head),
            short(name)
        ))
    }
}

fn short(name: &BStr) -> &BStr {
    name.strip_prefix(b"refs/heads/").unwrap_or(name).as_bstr()
}

fn fallback(head: Option<&BString>, branches: &BTreeSet<BString>) -> Option<BString> {
    let fallbacks = FALLBACKS.iter().map(|name| BString::from(*name));
    let wanted = head.cloned().into_iter().chain(fallbacks).find(|name| branches.contains(name));
    wanted.or_else(|| branches.first().cloned())
}

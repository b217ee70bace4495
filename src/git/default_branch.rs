//! The branch whose policy counts on a server: the one that HEAD names, or another where HEAD names none that is there.

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};

use super::{ThreadRepo, Update};
use crate::error::Result;
use crate::subject::Oid;

/// Where HEAD names no branch that exists, these stand in for it, the first that is there.
const USUAL: [&str; 4] = ["refs/heads/main", "refs/heads/master", "refs/heads/trunk", "refs/heads/dev"];

/// The default branch as it stands before a push.
#[derive(Clone, Debug)]
pub struct DefaultBranch {
    /// Full name of what HEAD names; `None` when it is detached.
    head: Option<BString>,
    /// Full name of the branch that counts; `None` when HEAD is detached, or where there is no branch at all.
    pub name: Option<BString>,
    pub tip: Option<Oid>,
    /// All branches, listed only where HEAD names none of them.
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
        let name = stand_in(head.as_ref(), &names);
        let tip = branches.into_iter().find(|r| Some(&r.name) == name.as_ref()).map(|r| r.target);
        Ok(DefaultBranch { head, name, tip, others: Some(names) })
    }
}

impl DefaultBranch {
    /// The move of the branch whose policy will judge the next push, if the push moves it: an update of the branch that
    /// counts now, or one that creates a branch which counts instead.
    pub fn moved<'u>(&self, updates: &'u [Update]) -> Option<&'u Update> {
        let update_of = |name: &BString| updates.iter().find(|u| u.name == *name);
        let Some(before) = &self.others else { return self.name.as_ref().and_then(update_of) };
        if let Some(gone) = self.name.as_ref().and_then(update_of).filter(|u| u.new.is_none()) {
            return Some(gone);
        }
        let mut after = before.clone();
        for update in updates.iter().filter(|u| u.name.starts_with(b"refs/heads/")) {
            if update.new.is_some() {
                after.insert(update.name.clone());
            } else {
                after.remove(&update.name);
            }
        }
        stand_in(self.head.as_ref(), &after).as_ref().and_then(update_of)
    }

    /// What to say where HEAD names a branch that does not exist though others do, and that no update creates.
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

fn stand_in(head: Option<&BString>, branches: &BTreeSet<BString>) -> Option<BString> {
    let usual = USUAL.iter().map(|name| BString::from(*name));
    let wanted = head.cloned().into_iter().chain(usual).find(|name| branches.contains(name));
    wanted.or_else(|| branches.first().cloned())
}

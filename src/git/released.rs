//! Release tags: whether the tree of one is checked, and what it is compared with. The policy says which names are
//! releases.

use std::collections::HashSet;

use bstr::{BStr, ByteSlice as _};

use super::ThreadRepo;
use super::jobs::PushPolicy;
use super::objects::peel;
use super::push::{branch_matches, protected_tips};
use super::source::{Excluded, Push};
use crate::error::Result;
use crate::subject::{ObjectKind, Oid};

/// What the release tags of one push are compared with.
pub(super) struct Releases<'a, 'r> {
    local: &'a ThreadRepo<'r>,
    policy: &'a PushPolicy<'a>,
    /// The tips of protected branches and of the default branch, after the push and before it.
    tips: Vec<Oid>,
    /// Commits that have a release tag already. Another tag for one, as a rollback makes, brings nothing new.
    released: HashSet<Oid>,
}

impl<'a, 'r> Releases<'a, 'r> {
    /// `ends`: for each update, the commit that it points the ref at. `None` if no update is of a release tag.
    pub fn of(
        local: &'a ThreadRepo<'r>,
        push: &Push,
        ends: &[Option<Oid>],
        policy: &'a PushPolicy<'a>,
    ) -> Result<Option<Self>> {
        if !push.updates.iter().any(|u| u.new.is_some() && (policy.is_release_tag)(u.name.as_ref())) {
            return Ok(None);
        }
        let on_server = matches!(push.known, Excluded::Refs | Excluded::Quarantine);
        let default = if on_server { local.default_branch()?.name } else { None };
        let is_production = |name: &BStr| {
            let short = name.strip_prefix(b"refs/heads/");
            default.as_ref().is_some_and(|d| d == name)
                || short.is_some_and(|short| policy.protected.iter().any(|p| branch_matches(p, short)))
        };
        let moved = push.updates.iter().zip(ends).filter(|(u, _)| is_production(u.name.as_ref()));
        let mut tips: Vec<Oid> = moved.filter_map(|(_, end)| *end).collect();
        tips.extend(protected_tips(local, policy.protected, push.branches_at.as_deref())?);
        let head = match (&default, &push.branches_at) {
            (Some(name), _) => local.find_ref(name.as_ref())?,
            (None, Some(prefix)) => local.find_ref(format!("{prefix}HEAD").as_bytes().as_bstr()).ok().flatten(),
            _ => None,
        };
        tips.extend(head);
        tips.retain(|tip| local.has(*tip));
        let mut released = HashSet::new();
        // A user who names a tag wants its tree checked, released or not.
        if push.is_made_now() {
            let is_moved = |name: &BStr| push.updates.iter().any(|u| u.name == name);
            for r in local.refs("refs/tags/")? {
                if !is_moved(r.name.as_ref()) && (policy.is_release_tag)(r.name.as_ref()) && local.has(r.target) {
                    released.insert(peel(local, r.target)?.0);
                }
            }
        }
        Ok(Some(Self { local, policy, tips, released }))
    }

    /// Whether the tree at a ref's new commit is checked as a release.
    pub fn is_checked(&self, name: &BStr, commit: Oid) -> bool {
        (self.policy.is_release_tag)(name) && !self.released.contains(&commit)
    }

    /// The commit that a release is compared with: the tip of the first production branch that contains it, else of the
    /// first there is. Findings that are on that branch as well were accepted before.
    pub fn before(&self, commit: Oid) -> Result<Option<Oid>> {
        let has = |tip: &&Oid| **tip == commit || self.local.merge_base(**tip, commit).is_ok_and(|base| base == commit);
        let tip = self.tips.iter().find(has).or(self.tips.first());
        let Some((tip, kind)) = tip.map(|tip| peel(self.local, *tip)).transpose()? else { return Ok(None) };
        Ok((kind == ObjectKind::Commit).then_some(tip))
    }
}

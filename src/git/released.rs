//! Tags that release: whether the tree that one names is judged, and what it is compared with. Which names release is the
//! caller's to say.

use std::collections::HashSet;

use bstr::{BStr, ByteSlice};

use super::objects::peel;
use super::push::{branch_matches, protected_tips};
use super::source::{Excluded, Push};
use super::{ChangeQuery, ThreadRepo};
use crate::error::Result;
use crate::subject::{ObjectKind, Oid};

/// What the releases of one push are compared with, found once.
pub(super) struct Releases<'a, 'r> {
    local: &'a ThreadRepo<'r>,
    query: &'a ChangeQuery<'a>,
    /// Where the protected branches and the default branch stand, as the push leaves them.
    tips: Vec<Oid>,
    /// Commits that are released already: to release one again, as a rollback does, brings nothing new.
    released: HashSet<Oid>,
}

impl<'a, 'r> Releases<'a, 'r> {
    /// `ends`: for each update, the commit at which it ends. `None` where no update releases anything.
    pub fn of(
        local: &'a ThreadRepo<'r>,
        push: &Push,
        ends: &[Option<Oid>],
        query: &'a ChangeQuery<'a>,
    ) -> Result<Option<Self>> {
        if !push.updates.iter().any(|u| u.new.is_some() && (query.releases)(u.name.as_ref())) {
            return Ok(None);
        }
        let on_server = matches!(push.known, Excluded::Refs | Excluded::Quarantine);
        let default = if on_server { local.default_branch()?.name } else { None };
        let is_production = |name: &BStr| {
            let short = name.strip_prefix(b"refs/heads/");
            default.as_ref().is_some_and(|d| d == name)
                || short.is_some_and(|short| query.protected.iter().any(|p| branch_matches(p, short)))
        };
        let moved = push.updates.iter().zip(ends).filter(|(u, _)| is_production(u.name.as_ref()));
        let mut tips: Vec<Oid> = moved.filter_map(|(_, end)| *end).collect();
        tips.extend(protected_tips(local, query.protected, push.branches_at.as_deref())?);
        let head = match (&default, &push.branches_at) {
            (Some(name), _) => local.find_ref(name.as_ref())?,
            (None, Some(prefix)) => local.find_ref(format!("{prefix}HEAD").as_bytes().as_bstr()).ok().flatten(),
            _ => None,
        };
        tips.extend(head);
        tips.retain(|tip| local.has(*tip));
        let mut released = HashSet::new();
        // A user who asks about a tag wants to know how its tree stands, released or not.
        if push.is_made_now() {
            let is_moved = |name: &BStr| push.updates.iter().any(|u| u.name == name);
            for r in local.refs("refs/tags/")? {
                if !is_moved(r.name.as_ref()) && (query.releases)(r.name.as_ref()) && local.has(r.target) {
                    released.insert(peel(local, r.target)?.0);
                }
            }
        }
        Ok(Some(Self { local, query, tips, released }))
    }

    /// Whether the tree that a tag gets is judged.
    pub fn is_judged(&self, name: &BStr, commit: Oid) -> bool {
        (self.query.releases)(name) && !self.released.contains(&commit)
    }

    /// The first production branch that has the commit, else the first there is: what stands there as well was let in before.
    pub fn before(&self, commit: Oid) -> Result<Option<Oid>> {
        let has = |tip: &&Oid| **tip == commit || self.local.merge_base(**tip, commit).is_ok_and(|base| base == commit);
        let tip = self.tips.iter().find(has).or(self.tips.first());
        let Some((tip, kind)) = tip.map(|tip| peel(self.local, *tip)).transpose()? else { return Ok(None) };
        Ok((kind == ObjectKind::Commit).then_some(tip))
    }
}

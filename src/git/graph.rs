//! [`Graph`] on a real repository: parents from the commit-graph file if there is one, else from objects; merges of trees
//! in object memory. Owns which ref a branch name means at each gate; stores nothing.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use bstr::{BStr, BString};

use super::picker::Picker;
use super::trees::{self, PathBudget};
use super::{ThreadRepo, gix_id, oid, tips, unreadable};
use crate::error::{Error, Result};
use crate::subject::{Graph, Links, Merged, Node, ObjectKind, Oid, PathChange, Ref, TagObject};

/// The most levels of merging several merge bases first: each is a level of recursion in gix.
const MERGE_BASE_LEVELS: usize = 24;

/// See the module.
pub struct GitGraph<'r> {
    /// With object memory: writes go there.
    local: ThreadRepo<'r>,
    commit_graph: Option<gix::commitgraph::Graph>,
    shallow: Vec<Oid>,
    path_budget: u64,
    /// `refs/remotes/origin/`: the prefix of the server's branches in a clone.
    branches_at: Option<String>,
    /// The gate runs on the server that is pushed to.
    on_server: bool,
    listed: RefCell<HashMap<String, Vec<Ref>>>,
    /// Created for the first patch-id: most updates need none.
    picker: OnceCell<Picker<'r>>,
}

impl<'r> GitGraph<'r> {
    /// `branches_at`: the prefix under which `refs/heads/x` of the server is known here; the branch of that name here
    /// stands in where there is none. `None` on the server itself.
    pub fn new(local: &ThreadRepo<'r>, branches_at: Option<String>, path_budget: u64) -> Result<Self> {
        let memory = ThreadRepo { gix: local.gix.clone().with_object_memory(), repo: local.repo };
        Ok(Self {
            // A damaged commit-graph file costs time, not the answer.
            commit_graph: memory.gix.commit_graph_if_enabled().ok().flatten(),
            shallow: memory.shallow_boundary()?,
            local: memory,
            path_budget,
            branches_at,
            on_server: false,
            listed: RefCell::default(),
            picker: OnceCell::new(),
        })
    }

    /// The graph of a push at the server's own gate.
    pub fn on_server(self) -> Self {
        Self { on_server: true, ..self }
    }

    /// Writes to memory the commit that a pending merge would create: `parents`, the first one's tree, a message.
    pub fn pending_merge(&self, parents: &[Oid], message: &BStr) -> Result<Oid> {
        let what = "the pending merge cannot be looked at";
        let Some(first) = parents.first() else {
            return Err(Error::undecided("a merge on an unborn branch has nothing to merge into"));
        };
        let first = self.local.commit(*first)?.node;
        let who = gix::actor::Signature {
            name: first.committer.name.clone(),
            email: first.committer.email.clone(),
            time: gix::date::Time { seconds: first.committer.time, offset: 0 },
        };
        let commit = gix::objs::Commit {
            tree: gix_id(first.tree),
            parents: parents.iter().map(|p| gix_id(*p)).collect(),
            author: who.clone(),
            committer: who,
            encoding: None,
            message: message.to_owned(),
            extra_headers: Vec::new(),
        };
        Ok(oid(&self.local.gix.write_object(&commit).map_err(unreadable(what))?))
    }

    /// Refuses to merge if too many levels of merge bases would have to be merged first, because gix recurses.
    fn bound_merge_bases(&self, ours: Oid, theirs: Oid) -> Result<()> {
        let mut pair = (ours, theirs);
        for _ in 0..MERGE_BASE_LEVELS {
            match self.merge_bases(pair.0, pair.1)?[..] {
                [first, second, ..] => pair = (first, second),
                _ => return Ok(()),
            }
        }
        Err(Error::undecided(format!(
            "{} and {} were merged crosswise more than {MERGE_BASE_LEVELS} times: too often to merge them in memory",
            ours.short(),
            theirs.short()
        ))
        .hint("merge one of the two branches into the other once, so that later merges have one base"))
    }

    fn in_file(&self, commit: Oid) -> Option<gix::commitgraph::file::Commit<'_>> {
        self.commit_graph.as_ref()?.commit_by_id(gix_id(commit))
    }

    /// The refs under which a branch of the server may be here, the best first.
    fn candidates(&self, name: &BStr) -> Vec<BString> {
        let mut out = Vec::new();
        if let (Some(at), Some(short)) = (&self.branches_at, name.strip_prefix(b"refs/heads/".as_slice())) {
            out.push(BString::from([at.as_bytes(), short].concat()));
        }
        out.push(name.to_owned());
        out
    }
}

impl Graph for GitGraph<'_> {
    fn parents(&self, commit: Oid) -> Result<Vec<Oid>> {
        if let (Some(graph), Some(c)) = (&self.commit_graph, self.in_file(commit)) {
            let parents: Result<Vec<Oid>, _> = c.iter_parents().map(|p| p.map(|at| oid(graph.id_at(at)))).collect();
            if let Ok(parents) = parents {
                return Ok(parents);
            }
        }
        Ok(self.local.commit(commit)?.node.parents)
    }

    fn node(&self, commit: Oid) -> Result<Node> {
        Ok(self.local.commit(commit)?.node)
    }

    fn time(&self, commit: Oid) -> Result<i64> {
        match self.in_file(commit) {
            Some(c) => Ok(c.committer_timestamp() as i64),
            None => Ok(self.local.commit(commit)?.node.committer.time),
        }
    }

    fn links(&self, commit: Oid) -> Result<Links> {
        if self.in_file(commit).is_some() {
            let generation = self.generation(commit)?;
            return Ok(Links { parents: self.parents(commit)?, time: self.time(commit)?, generation });
        }
        let node = self.local.commit(commit)?.node;
        Ok(Links { parents: node.parents, time: node.committer.time, generation: None })
    }

    fn generation(&self, commit: Oid) -> Result<Option<u32>> {
        Ok(self.in_file(commit).map(|c| c.generation()))
    }

    fn is_shallow(&self, commit: Oid) -> Result<bool> {
        Ok(self.shallow.contains(&commit))
    }

    fn is_new(&self, object: Oid) -> Result<bool> {
        let new = self.local.repo.quarantined(&self.local)?;
        Ok(new.is_some_and(|ids| ids.binary_search(&object).is_ok()))
    }

    fn kind(&self, object: Oid) -> Result<ObjectKind> {
        self.local.kind(object)
    }

    fn tag(&self, object: Oid) -> Result<TagObject> {
        self.local.tag(object)
    }

    fn find_ref(&self, name: &BStr) -> Result<Option<Oid>> {
        for candidate in self.candidates(name) {
            if let Some(id) = self.local.find_ref(candidate.as_ref())? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn earlier_tips(&self, branch: &BStr) -> Result<Vec<Oid>> {
        // The reflog of a clone's own branch also has commits that were never pushed.
        let at = match &self.branches_at {
            _ if self.on_server => Some("refs/heads/"),
            at => at.as_deref(),
        };
        let mut tips = match at {
            Some(at) => {
                let name = BString::from([at.as_bytes(), branch].concat());
                tips::of_reflog(&self.local, name.as_ref())?
            }
            None => Vec::new(),
        };
        tips.extend(tips::recorded(&self.local, branch)?);
        Ok(tips)
    }

    fn keep_tip(&self, branch: &BStr, tip: Oid) -> Result<()> {
        if self.on_server { tips::record(&self.local, branch, tip) } else { Ok(()) }
    }

    fn refs(&self, prefix: &str) -> Result<Vec<Ref>> {
        if let Some(list) = self.listed.borrow().get(prefix) {
            return Ok(list.clone());
        }
        let mut list = self.local.refs(prefix)?;
        if let (Some(at), Some(rest)) = (&self.branches_at, prefix.strip_prefix("refs/heads/")) {
            for r in self.local.refs(at)? {
                let short = &r.name[at.len()..];
                let name = BString::from([b"refs/heads/", short].concat());
                if short.starts_with(rest.as_bytes()) && short != b"HEAD" {
                    // The server's branch wins over the clone's own.
                    list.retain(|l| l.name != name);
                    list.push(Ref { name, target: r.target });
                }
            }
            list.sort_by(|a, b| a.name.cmp(&b.name));
        }
        self.listed.borrow_mut().insert(prefix.to_owned(), list.clone());
        Ok(list)
    }

    fn merge_bases(&self, a: Oid, b: Oid) -> Result<Vec<Oid>> {
        let what = "the merge base cannot be found";
        let bases = self.local.gix.merge_bases_many(gix_id(a), &[gix_id(b)]).map_err(unreadable(what))?;
        Ok(bases.iter().map(|id| oid(id)).collect())
    }

    fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool> {
        Ok(ancestor == descendant || self.merge_bases(ancestor, descendant)?.contains(&ancestor))
    }

    fn merge_commits(&self, ours: Oid, theirs: Oid) -> Result<Merged> {
        let what = "the merge cannot be computed";
        let gix = &self.local.gix;
        self.bound_merge_bases(ours, theirs)?;
        let options = gix.tree_merge_options().map_err(unreadable(what))?;
        let outcome = gix
            .merge_commits(gix_id(ours), gix_id(theirs), Default::default(), options.into())
            .map_err(unreadable(what))?;
        merged(outcome.tree_merge)
    }

    fn merge_trees(&self, base: Option<Oid>, ours: Oid, theirs: Oid) -> Result<Merged> {
        let what = "the merge cannot be computed";
        let gix = &self.local.gix;
        let options = gix.tree_merge_options().map_err(unreadable(what))?;
        let base = base.map_or_else(|| gix::ObjectId::empty_tree(gix.object_hash()), gix_id);
        let outcome = gix
            .merge_trees(base, gix_id(ours), gix_id(theirs), Default::default(), options)
            .map_err(unreadable(what))?;
        merged(outcome)
    }

    fn diff_trees(&self, old: Option<Oid>, new: Oid) -> Result<Vec<PathChange>> {
        let diff = || trees::diff(&self.local, old, new, &PathBudget::new(self.path_budget));
        match &self.local.repo.tree_diffs {
            Some(kept) => kept.get_or_diff(old, new, diff),
            None => diff(),
        }
    }

    fn patch_id(&self, commit: Oid) -> Result<Option<Vec<u8>>> {
        let node = self.local.commit(commit)?.node;
        let base = match node.parents[..] {
            [] => None,
            [parent] => Some(self.local.commit(parent)?.node.tree),
            _ => return Ok(None),
        };
        let picker = self.picker.get_or_init(|| Picker::new(&self.local));
        Ok(picker.patch_id(base, node.tree)?.map(|id| id.0.as_bytes().to_vec()))
    }

    fn peel(&self, object: Oid) -> Result<Option<Oid>> {
        let (id, kind) = super::objects::peel(&self.local, object)?;
        Ok((kind == ObjectKind::Commit).then_some(id))
    }
}

/// Writes the merged tree to object memory and collects the conflicting paths.
fn merged(mut outcome: gix::merge::tree::Outcome<'_>) -> Result<Merged> {
    let tree = oid(&outcome.tree.write().map_err(unreadable("the merge cannot be computed"))?);
    let unresolved = gix::merge::tree::TreatAsUnresolved::git();
    let conflicts = outcome.conflicts.iter().filter(|c| c.is_unresolved(unresolved));
    let paths: Vec<BString> = conflicts.map(|c| c.ours.location().to_owned()).collect();
    Ok(if paths.is_empty() { Merged::Clean(tree) } else { Merged::Conflict(tree, paths) })
}

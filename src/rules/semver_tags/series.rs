//! Release tags after the push in version order, and which of them a created tag's commit contains.
//! Owns the work that all tags of a push share, so that the cost grows with tags plus history, not with their product.

use std::cell::{OnceCell, RefCell};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::CreatedTag;
use crate::error::Result;
use crate::rules::branch_topology::ancestry::{Ancestry, level, shallow};
use crate::rules::release_tags::format::TagFormat;
use crate::rules::release_tags::version::Version;
use crate::subject::{Graph, Links, Oid, RefUpdate};

/// The refs after the push.
#[derive(Default)]
pub struct RefsAfterPush {
    lists: RefCell<BTreeMap<&'static str, Rc<Vec<RefAfterPush>>>>,
    /// Keyed by format and component.
    series: RefCell<HashMap<(String, BString), Rc<TagSeries>>>,
    commits: RefCell<HashMap<Oid, Rc<Links>>>,
    /// Keyed by branch tips.
    ancestries: RefCell<HashMap<Vec<Oid>, Ancestry>>,
}

/// One ref after the push.
#[derive(Clone, Debug)]
pub struct RefAfterPush {
    /// Name without the prefix.
    pub name: BString,
    pub target: Oid,
    /// The push creates it.
    pub created: bool,
}

/// A release tag of a series.
#[derive(Clone, Debug)]
pub struct SeriesTag {
    pub name: BString,
    pub version: Version,
    pub target: Oid,
    pub created: bool,
}

/// Release tags of one format and component, smallest version first.
pub struct TagSeries {
    pub tags: Vec<SeriesTag>,
    reach: OnceCell<ReachableTags>,
}

/// Tags on each commit, as indices of a series, and the greatest tag on its ancestors.
#[derive(Default)]
struct ReachableTags {
    on: HashMap<Oid, Vec<usize>>,
    below: HashMap<Oid, usize>,
}

impl RefsAfterPush {
    /// The instance that all updates of this push share.
    pub fn of(update: &RefUpdate<'_>) -> Result<Rc<Self>> {
        update.shared.get_or_insert(|| Ok(Self::default()))
    }

    /// The refs under `refs/heads/` or `refs/tags/`.
    pub fn refs(&self, update: &RefUpdate<'_>, prefix: &'static str) -> Result<Rc<Vec<RefAfterPush>>> {
        if let Some(list) = self.lists.borrow().get(prefix) {
            return Ok(list.clone());
        }
        let short = |name: &BString| name.strip_prefix(prefix.as_bytes()).map(BString::from);
        let pushed = update.together.iter().map(|other| (&other.name, other.old, other.new));
        // A gate that sees a single update may not list it in `together`.
        let pushed: HashMap<_, _> = pushed
            .chain([(&update.name, update.old, update.new)])
            .filter_map(|(name, old, new)| Some((short(name)?, (old, new))))
            .collect();
        let mut list = Vec::new();
        for r in update.graph.refs(prefix)? {
            let name = short(&r.name).unwrap_or_default();
            if !pushed.contains_key(&name) {
                list.push(RefAfterPush { name, target: r.target, created: false });
            }
        }
        list.extend(
            pushed
                .into_iter()
                .filter_map(|(name, (old, new))| Some(RefAfterPush { name, target: new?, created: old.is_none() })),
        );
        list.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let list = Rc::new(list);
        self.lists.borrow_mut().insert(prefix, list.clone());
        Ok(list)
    }

    /// The release tags of a format and component.
    pub fn series(&self, update: &RefUpdate<'_>, format: &TagFormat, component: &BString) -> Result<Rc<TagSeries>> {
        let key = (format.as_str().to_owned(), component.clone());
        if let Some(series) = self.series.borrow().get(&key) {
            return Ok(series.clone());
        }
        // Load all components at once: a push may bring tags of many.
        let mut found: HashMap<BString, Vec<SeriesTag>> = HashMap::from([(component.clone(), Vec::new())]);
        for tag in self.refs(update, "refs/tags/")?.iter() {
            let Ok(release) = format.parse_name(tag.name.as_bstr()) else { continue };
            let RefAfterPush { name, target, created } = tag.clone();
            found.entry(release.component).or_default().push(SeriesTag {
                name,
                version: release.version,
                target,
                created,
            });
        }
        for (component, mut tags) in found {
            tags.sort_by(|a, b| a.version.precedence(&b.version).then_with(|| b.name.cmp(&a.name)));
            let series = TagSeries { tags, reach: OnceCell::new() };
            self.series.borrow_mut().insert((key.0.clone(), component), Rc::new(series));
        }
        let known = self.series.borrow();
        Ok(known.get(&key).cloned().unwrap_or_else(|| Rc::new(TagSeries { tags: Vec::new(), reach: OnceCell::new() })))
    }

    /// Whether the commit is reachable from one of the tips.
    pub fn any_contains(&self, graph: &dyn Graph, tips: Vec<Oid>, commit: Oid) -> Result<bool> {
        let mut ancestries = self.ancestries.borrow_mut();
        let ancestry = match ancestries.entry(tips) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let ancestry = Ancestry::of(graph, free.key().iter().copied())?;
                free.insert(ancestry)
            }
        };
        ancestry.contains(graph, commit)
    }

    fn links(&self, graph: &dyn Graph, commit: Oid) -> Result<Rc<Links>> {
        if let Some(links) = self.commits.borrow().get(&commit) {
            return Ok(links.clone());
        }
        let links = Rc::new(graph.links(commit)?);
        self.commits.borrow_mut().insert(commit, links.clone());
        Ok(links)
    }
}

impl TagSeries {
    /// The greatest tag that a created tag's commit contains and that is not smaller than the created tag.
    pub fn greatest_contained(&self, after: &RefsAfterPush, tag: &CreatedTag<'_>) -> Result<Option<&SeriesTag>> {
        let from = self.tags.partition_point(|t| t.version.precedence(&tag.release.version).is_lt());
        // Usually there are none, so nothing is peeled or walked.
        if self.tags[from..].iter().all(|t| t.name == tag.name) {
            return Ok(None);
        }
        let reach = self.reach(after, tag)?;
        let is_conflict = |i: usize| {
            let other = &self.tags[i];
            // A candidate and its release in one push are fine: pushed one after the other they would pass too.
            let promoted =
                other.created && tag.release.version.is_prerelease() && other.version.core == tag.release.version.core;
            i >= from && other.name != tag.name && !promoted
        };
        let on = reach.on.get(&tag.commit).into_iter().flatten().copied().filter(|i| is_conflict(*i)).max();
        let below = reach.below.get(&tag.commit).copied().filter(|i| *i >= from);
        Ok(on.max(below).map(|i| &self.tags[i]))
    }

    /// Tags with the same precedence.
    pub fn equals<'s>(&'s self, version: &Version) -> &'s [SeriesTag] {
        let from = self.tags.partition_point(|t| t.version.precedence(version).is_lt());
        let to = self.tags.partition_point(|t| t.version.precedence(version).is_le());
        &self.tags[from..to]
    }

    /// The first version without a tag, from this one on.
    pub fn next_free(&self, mut version: Version) -> Version {
        while !self.equals(&version).is_empty() {
            version = version.after(&version);
        }
        version
    }

    fn reach(&self, after: &RefsAfterPush, tag: &CreatedTag<'_>) -> Result<&ReachableTags> {
        if let Some(reach) = self.reach.get() {
            return Ok(reach);
        }
        let graph = tag.update.graph;
        let mut reach = ReachableTags::default();
        let (mut starts, mut floor) = (vec![tag.commit], u32::MAX);
        let first = self.tags.iter().position(|t| t.created || t.name == tag.name).unwrap_or(0);
        for (i, other) in self.tags.iter().enumerate().skip(first) {
            let Some(commit) = graph.peel(other.target)? else { continue };
            floor = floor.min(level(&*after.links(graph, commit)?));
            if other.created {
                starts.push(commit);
            }
            reach.on.entry(commit).or_default().push(i);
        }
        // Depth first without recursion: a commit is computed after its parents.
        let mut seen = HashSet::new();
        let mut stack: Vec<(Oid, bool)> = starts.into_iter().map(|commit| (commit, false)).collect();
        while let Some((commit, parents_done)) = stack.pop() {
            let links = after.links(graph, commit)?;
            if parents_done {
                let on = |p: &Oid| reach.on.get(p).and_then(|on| on.last()).copied();
                let greatest = links.parents.iter().flat_map(|p| on(p).into_iter().chain(reach.below.get(p).copied()));
                if let Some(greatest) = greatest.max() {
                    reach.below.insert(commit, greatest);
                }
                continue;
            }
            // Generations decrease towards ancestors: no tag is below.
            if level(&links) < floor || !seen.insert(commit) {
                continue;
            }
            if graph.is_shallow(commit)? {
                return Err(shallow(commit));
            }
            stack.push((commit, true));
            stack.extend(links.parents.iter().map(|parent| (*parent, false)));
        }
        Ok(self.reach.get_or_init(|| reach))
    }
}

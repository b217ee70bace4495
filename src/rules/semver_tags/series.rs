//! The release tags as they stand after the push, in order of version, and which of them a created tag's commit contains.
//! Owns what is worked out once for all tags of a push, so that the cost grows with their number and with the history.

use std::cell::{OnceCell, RefCell};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::CreatedTag;
use crate::error::Result;
use crate::rules::branch_topology::ancestry::{Ancestry, level, shallow};
use crate::rules::release_tags::format::TagFormat;
use crate::rules::release_tags::version::Version;
use crate::subject::{Graph, Links, Oid, RefUpdate};

/// Refs as they stand after the push.
#[derive(Default)]
pub struct RefsAfterPush {
    lists: RefCell<BTreeMap<&'static str, Rc<Vec<RefAfterPush>>>>,
    /// By format and component.
    series: RefCell<HashMap<(String, BString), Rc<TagSeries>>>,
    commits: RefCell<HashMap<Oid, Rc<Links>>>,
    /// Of branches, by their tips.
    ancestries: RefCell<HashMap<Vec<Oid>, Ancestry>>,
}

/// A ref after the push.
#[derive(Clone, Debug)]
pub struct RefAfterPush {
    /// Without the prefix.
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

/// Which tags, as indices of a series, a commit carries, and the greatest that its ancestors do.
#[derive(Default)]
struct ReachableTags {
    on: HashMap<Oid, Vec<usize>>,
    below: HashMap<Oid, usize>,
}

impl RefsAfterPush {
    /// The one of this push.
    pub fn of(update: &RefUpdate<'_>) -> Result<Rc<Self>> {
        update.shared.get_or_insert(|| Ok(Self::default()))
    }

    /// Refs under `refs/heads/` or `refs/tags/`.
    pub fn refs(&self, update: &RefUpdate<'_>, prefix: &'static str) -> Result<Rc<Vec<RefAfterPush>>> {
        if let Some(list) = self.lists.borrow().get(prefix) {
            return Ok(list.clone());
        }
        let short = |name: &BString| name.strip_prefix(prefix.as_bytes()).map(BString::from);
        let pushed = update.together.iter().map(|(name, old, new)| (name, *old, *new));
        // A gate that knows one update only may not list it.
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
        // All components at once: a push may bring tags of many.
        let mut found: HashMap<BString, Vec<SeriesTag>> = HashMap::from([(component.clone(), Vec::new())]);
        for tag in self.refs(update, "refs/tags/")?.iter() {
            let Ok(release) = format.matches(tag.name.as_bstr()) else { continue };
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

    /// Whether one of the tips has the commit.
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
    /// The greatest tag not smaller than a created one that its commit contains.
    pub fn greatest_contained(&self, after: &RefsAfterPush, tag: &CreatedTag<'_>) -> Result<Option<&SeriesTag>> {
        let from = self.tags.partition_point(|t| t.version.precedence(&tag.release.version).is_lt());
        // Usually there is none, so usually nothing is peeled or walked.
        if self.tags[from..].iter().all(|t| t.name == tag.name) {
            return Ok(None);
        }
        let reach = self.reach(after, tag)?;
        let in_the_way = |i: usize| {
            let other = &self.tags[i];
            // One after the other they would pass: the candidate first, and then the release that it became.
            let promoted =
                other.created && tag.release.version.is_prerelease() && other.version.core == tag.release.version.core;
            i >= from && other.name != tag.name && !promoted
        };
        let on = reach.on.get(&tag.commit).into_iter().flatten().copied().filter(|i| in_the_way(*i)).max();
        let below = reach.below.get(&tag.commit).copied().filter(|i| *i >= from);
        Ok(on.max(below).map(|i| &self.tags[i]))
    }

    /// Tags of the same precedence.
    pub fn equals<'s>(&'s self, version: &Version) -> &'s [SeriesTag] {
        let from = self.tags.partition_point(|t| t.version.precedence(version).is_lt());
        let to = self.tags.partition_point(|t| t.version.precedence(version).is_le());
        &self.tags[from..to]
    }

    /// A version of the series that no tag has: this one, or the first free one after it.
    pub fn free(&self, mut version: Version) -> Version {
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
        // Depth first, without recursion: a commit's answer is made when its parents have theirs.
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
            // Levels fall strictly towards ancestors: none of the tags is below.
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

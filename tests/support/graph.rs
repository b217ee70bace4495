//! A commit graph in memory, with trees whose files are whole blobs: two sides that change one file differently conflict.
//! Written naively on purpose: what it answers is what the definitions say.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use bstr::{BStr, BString, ByteSlice as _};
use portcullis::error::{Error, Result};
use portcullis::subject::{Graph, Merged, Node, ObjectKind, Oid, PathChange, Person, Ref, TagObject};
use std::cell::RefCell;

/// Path to content.
pub type Files = BTreeMap<String, String>;

#[derive(Clone, Debug, Default)]
pub struct Commit {
    pub parents: Vec<Oid>,
    pub files: Files,
    pub message: String,
    pub time: i64,
    pub signed: bool,
}

#[derive(Default)]
pub struct Memory {
    pub commits: HashMap<Oid, Commit>,
    pub refs: BTreeMap<BString, Oid>,
    pub tags: HashMap<Oid, TagObject>,
    pub others: HashMap<Oid, ObjectKind>,
    pub shallow: BTreeSet<Oid>,
    pub fresh: BTreeSet<Oid>,
    /// Where branches stood before, and what a check asked to keep.
    pub earlier: BTreeMap<BString, Vec<Oid>>,
    pub kept: RefCell<Vec<(BString, Oid)>>,
    /// Answer `generation` as if a commit-graph file held everything.
    pub generations: Option<HashMap<Oid, u32>>,
    trees: RefCell<HashMap<Oid, Files>>,
    /// How often parents were asked for, and how many merges were made.
    pub walked: Cell<usize>,
    pub merged: Cell<usize>,
}

/// An id made of a name: equal names, equal ids.
pub fn oid(name: &str) -> Oid {
    let mut bytes = [0u8; 20];
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for round in 0..20u8 {
        for b in name.bytes().chain([round]) {
            state = (state ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        }
        bytes[usize::from(round)] = (state >> 32) as u8;
    }
    Oid::from_bytes(&bytes).expect("20 bytes")
}

impl Memory {
    pub fn add(&mut self, name: &str, commit: Commit) -> Oid {
        let id = oid(name);
        self.commits.insert(id, commit);
        id
    }

    pub fn set(&mut self, name: &str, target: Oid) {
        self.refs.insert(name.into(), target);
    }

    /// An annotated tag object with a ref on it.
    pub fn annotate(&mut self, name: &str, target: Oid) -> Oid {
        let raw =
            format!("object {target}\ntype commit\ntag {name}\ntagger T <t@example.org> 1700000000 +0000\n\n{name}\n");
        let id = oid(&raw);
        let tagger = Person { name: "T".into(), email: "t@example.org".into(), time: 1_700_000_000 };
        let tag = TagObject {
            oid: id,
            name: name.into(),
            target,
            target_kind: ObjectKind::Commit,
            tagger: Some(tagger),
            message: format!("{name}\n").into(),
            signed: false,
            raw: raw.into(),
        };
        self.tags.insert(id, tag);
        id
    }

    pub fn ancestors(&self, tips: impl IntoIterator<Item = Oid>) -> BTreeSet<Oid> {
        let mut seen = BTreeSet::new();
        let mut stack: Vec<Oid> = tips.into_iter().collect();
        while let Some(at) = stack.pop() {
            if seen.insert(at) {
                stack.extend(&self.commits[&at].parents);
            }
        }
        seen
    }

    pub fn index_generations(&mut self) {
        let mut levels: HashMap<Oid, u32> = HashMap::new();
        while levels.len() < self.commits.len() {
            for (id, commit) in &self.commits {
                if commit.parents.iter().all(|p| levels.contains_key(p)) {
                    levels.insert(*id, commit.parents.iter().map(|p| levels[p]).max().unwrap_or(0) + 1);
                }
            }
        }
        self.generations = Some(levels);
    }

    fn commit(&self, id: Oid) -> Result<&Commit> {
        self.commits.get(&id).ok_or_else(|| Error::undecided(format!("no commit {id}")))
    }

    fn keep(&self, files: Files) -> Oid {
        let id = oid(&format!("tree {files:?}"));
        self.trees.borrow_mut().insert(id, files);
        id
    }

    fn merge(&self, base: &Files, ours: &Files, theirs: &Files) -> Merged {
        let (files, conflicts) = merge_files(ours, theirs, base);
        let tree = self.keep(files);
        match conflicts.as_slice() {
            [] => Merged::Clean(tree),
            paths => Merged::Conflict(tree, paths.iter().map(|p| p.as_str().into()).collect()),
        }
    }

    pub fn base_files(&self, a: Oid, b: Oid) -> Files {
        let common: BTreeSet<Oid> = self.ancestors([a]).intersection(&self.ancestors([b])).copied().collect();
        let best = common.iter().filter(|x| !common.iter().any(|y| y != *x && self.ancestors([*y]).contains(*x))).min();
        best.map(|b| self.commits[b].files.clone()).unwrap_or_default()
    }
}

/// Three-way merge by whole files: the result, with our side where both differ, and the paths where they do.
pub fn merge_files(ours: &Files, theirs: &Files, base: &Files) -> (Files, Vec<String>) {
    let (mut out, mut conflicts) = (Files::new(), Vec::new());
    for path in ours.keys().chain(theirs.keys()).chain(base.keys()).collect::<BTreeSet<_>>() {
        let (x, y, z) = (ours.get(path), theirs.get(path), base.get(path));
        let result = if x == y || y == z {
            x
        } else if x == z {
            y
        } else {
            conflicts.push(path.clone());
            x
        };
        if let Some(content) = result {
            out.insert(path.clone(), content.clone());
        }
    }
    (out, conflicts)
}

impl Graph for Memory {
    fn parents(&self, commit: Oid) -> Result<Vec<Oid>> {
        self.walked.set(self.walked.get() + 1);
        Ok(self.commit(commit)?.parents.clone())
    }
    fn node(&self, commit: Oid) -> Result<Node> {
        let c = self.commit(commit)?;
        let who = Person { name: "T".into(), email: "t@example.org".into(), time: c.time };
        Ok(Node {
            oid: commit,
            parents: c.parents.clone(),
            tree: self.keep(c.files.clone()),
            message: c.message.clone().into(),
            author: who.clone(),
            committer: who,
            signed: c.signed,
        })
    }
    fn time(&self, commit: Oid) -> Result<i64> {
        Ok(self.commit(commit)?.time)
    }
    fn is_shallow(&self, commit: Oid) -> Result<bool> {
        Ok(self.shallow.contains(&commit))
    }
    fn kind(&self, object: Oid) -> Result<ObjectKind> {
        if self.tags.contains_key(&object) {
            return Ok(ObjectKind::Tag);
        }
        match self.others.get(&object) {
            Some(kind) => Ok(*kind),
            None => self.commit(object).map(|_| ObjectKind::Commit),
        }
    }
    fn tag(&self, object: Oid) -> Result<TagObject> {
        self.tags.get(&object).cloned().ok_or_else(|| Error::undecided("no such tag object"))
    }
    fn find_ref(&self, name: &BStr) -> Result<Option<Oid>> {
        Ok(self.refs.get(name).copied())
    }
    fn earlier_tips(&self, branch: &BStr) -> Result<Vec<Oid>> {
        Ok(self.earlier.get(branch).cloned().unwrap_or_default())
    }
    fn keep_tip(&self, branch: &BStr, tip: Oid) -> Result<()> {
        self.kept.borrow_mut().push((branch.to_owned(), tip));
        Ok(())
    }
    fn refs(&self, prefix: &str) -> Result<Vec<Ref>> {
        let under = self.refs.iter().filter(|(name, _)| name.starts_with(prefix.as_bytes()));
        Ok(under.map(|(name, target)| Ref { name: name.clone(), target: *target }).collect())
    }
    fn merge_bases(&self, a: Oid, b: Oid) -> Result<Vec<Oid>> {
        let common: BTreeSet<Oid> = self.ancestors([a]).intersection(&self.ancestors([b])).copied().collect();
        let below = |x: &Oid| common.iter().any(|y| y != x && self.ancestors([*y]).contains(x));
        Ok(common.iter().copied().filter(|x| !below(x)).collect())
    }
    fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool> {
        Ok(self.ancestors([descendant]).contains(&ancestor))
    }
    fn merge_commits(&self, ours: Oid, theirs: Oid) -> Result<Merged> {
        self.merged.set(self.merged.get() + 1);
        let base = self.base_files(ours, theirs);
        Ok(self.merge(&base, &self.commit(ours)?.files, &self.commit(theirs)?.files))
    }
    fn merge_trees(&self, base: Option<Oid>, ours: Oid, theirs: Oid) -> Result<Merged> {
        self.merged.set(self.merged.get() + 1);
        let tree = |id: Oid| self.trees.borrow().get(&id).cloned().ok_or_else(|| Error::undecided("no such tree"));
        let base = base.map(tree).transpose()?.unwrap_or_default();
        Ok(self.merge(&base, &tree(ours)?, &tree(theirs)?))
    }
    fn diff_trees(&self, old: Option<Oid>, new: Oid) -> Result<Vec<PathChange>> {
        let trees = self.trees.borrow();
        let find = |id: Oid| trees.get(&id).cloned().ok_or_else(|| Error::undecided("no such tree"));
        let (old, new) = (old.map(find).transpose()?.unwrap_or_default(), find(new)?);
        let blob = |content: Option<&String>| content.map(|c| oid(&format!("blob {c}")));
        let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let changed = paths.into_iter().filter(|p| old.get(*p) != new.get(*p));
        Ok(changed.map(|p| (p.as_str().into(), blob(old.get(p)), blob(new.get(p)))).collect())
    }
    fn generation(&self, commit: Oid) -> Result<Option<u32>> {
        Ok(self.generations.as_ref().and_then(|g| g.get(&commit).copied()))
    }
    fn is_new(&self, object: Oid) -> Result<bool> {
        Ok(self.fresh.contains(&object))
    }
}

/// Replaces names in messages by their ids, so that trailers can be written with names.
pub fn with_ids(message: &str, names: &HashMap<String, Oid>) -> String {
    let named = |line: &str| {
        ["cherry picked from commit ", "Original commit: "].iter().find_map(|mark| {
            let (head, rest) = line.split_once(mark)?;
            let end = rest.find(')').unwrap_or(rest.len());
            Some(format!("{head}{mark}{}{}", names.get(&rest[..end])?, &rest[end..]))
        })
    };
    message
        .as_bytes()
        .to_str_lossy()
        .split('\n')
        .map(|l| named(l).unwrap_or_else(|| l.into()))
        .collect::<Vec<_>>()
        .join("\n")
}

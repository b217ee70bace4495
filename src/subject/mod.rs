//! The five things a rule may look at: [`File`], [`Commit`], [`RefUpdate`], [`Tree`], [`Object`].
//! Owns their shapes and the two traits behind which git stands ([`Graph`], [`Snapshot`]), so that rules can be
//! tried on graphs and trees made in memory. Reads nothing itself and knows no git library.

mod ref_set;

use std::any::{Any, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString};

pub use self::ref_set::RefSet;
use crate::document::Stored;
use crate::error::{Error, Result};

/// An object id: 20 bytes (sha1) or 32 (sha256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Oid {
    bytes: [u8; 32],
    len: u8,
}

impl Hash for Oid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // All of it: ids that are only written down (of submodules, say) can be made to begin alike.
        state.write(self.as_bytes());
    }
}

impl Oid {
    /// `None` unless `raw` has 20 or 32 bytes.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        matches!(raw.len(), 20 | 32).then(|| {
            bytes[..raw.len()].copy_from_slice(raw);
            Self { bytes, len: raw.len() as u8 }
        })
    }

    /// Reads 40 or 64 hexadecimal digits of either case.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
        let raw: Option<Vec<u8>> = hex.chunks(2).map(|c| Some(digit(c[0])? << 4 | digit(*c.get(1)?)?)).collect();
        Self::from_bytes(&raw?)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// True for the id of zeroes with which git says "no object".
    pub fn is_null(&self) -> bool {
        self.as_bytes().iter().all(|b| *b == 0)
    }

    /// The first ten digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of subject kinds: what a rule wants, what a source can feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    pub const NONE: Self = Self(0);
    pub const FILE: Self = Self(1);
    pub const COMMIT: Self = Self(2);
    pub const REF: Self = Self(4);
    pub const TREE: Self = Self(8);
    pub const OBJECT: Self = Self(16);
    pub const ALL: Self = Self(31);

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The bytes of a blob or file, read when somebody first asks. Not shared between threads: one job, one blob.
pub struct Content<'a> {
    load: Load<'a>,
    /// `None`: too large.
    bytes: OnceCell<Result<Option<Vec<u8>>>>,
}

enum Load<'a> {
    Whole(&'a dyn Fn() -> Result<Vec<u8>>),
    Parts(&'a dyn Fn() -> Result<Option<Vec<u8>>>, &'a Open<'a>),
}

/// Hands somebody a content from its first byte on.
pub type Open<'a> = dyn Fn(&mut dyn FnMut(&mut dyn Read) -> Result<()>) -> Result<()> + 'a;

/// Completes "this is ...".
pub const TOO_LARGE: &str = "too large for the rules that need all of a file at once";

impl<'a> Content<'a> {
    pub fn new(load: &'a dyn Fn() -> Result<Vec<u8>>) -> Self {
        Self { load: Load::Whole(load), bytes: OnceCell::new() }
    }

    /// `load` gives `None` for what is too large to be held in memory; `open` reads that.
    pub fn or_in_parts(load: &'a dyn Fn() -> Result<Option<Vec<u8>>>, open: &'a Open<'a>) -> Self {
        Self { load: Load::Parts(load, open), bytes: OnceCell::new() }
    }

    /// The whole content. The first call reads; an error is kept and given again. What is too large is an error.
    pub fn bytes(&self) -> Result<&[u8]> {
        let too_large = || {
            Error::undecided(format!("this is {TOO_LARGE}"))
                .hint("exclude it from the rule in the policy, or keep it elsewhere")
        };
        self.whole()?.ok_or_else(too_large)
    }

    /// The whole content, unless it is too large: then [`Content::open`] reads it.
    pub fn whole(&self) -> Result<Option<&[u8]>> {
        let load = || match self.load {
            Load::Whole(load) => load().map(Some),
            Load::Parts(load, _) => load(),
        };
        self.bytes.get_or_init(load).as_ref().map(Option::as_deref).map_err(Error::clone)
    }

    /// Reads the content from its first byte on, however large it is.
    pub fn open(&self, read: &mut dyn FnMut(&mut dyn Read) -> Result<()>) -> Result<()> {
        match self.load {
            Load::Whole(_) => read(&mut self.bytes()?),
            Load::Parts(_, open) => open(read),
        }
    }

    /// What was read, to be written over: a buffer for the next content.
    pub fn into_spare(self) -> Option<Vec<u8>> {
        self.bytes.into_inner()?.ok()?
    }

    /// Bytes read at once so far: `None` before the first call to [`Content::bytes`], and for what is too large.
    pub fn read(&self) -> Option<usize> {
        match self.bytes.get()? {
            Ok(bytes) => bytes.as_ref().map(Vec::len),
            Err(_) => Some(0),
        }
    }
}

/// The result of applying a delta to a base.
pub struct DeltaResult<'a> {
    pub bytes: &'a [u8],
    /// Length of the base in bytes.
    pub base_len: usize,
    /// The runs that were copied from the base, in the order of `bytes` and without overlaps there. Runs that are
    /// adjacent in both are one.
    pub copied: &'a [CopiedRun],
}

/// A run of bytes copied from a delta's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopiedRun {
    /// Offset in the base.
    pub from: usize,
    /// Offset in the result.
    pub at: usize,
    pub len: usize,
}

/// A (blob, path) pair that a change introduces.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// Relative to the repository's root (or to the working directory outside a repository), `/` between parts.
    pub path: &'a BStr,
    /// The first commit of the change that brings the pair; `None` for the index and the work tree.
    pub commit: Option<Oid>,
    /// `None` for a file of the work tree.
    pub blob: Option<Oid>,
    /// What stands in a tree under this path is a symbolic link: the content is its target.
    pub symlink: bool,
    pub content: &'a Content<'a>,
}

impl<'a> File<'a> {
    /// Reads on first call.
    pub fn bytes(&self) -> Result<&'a [u8]> {
        self.content.bytes()
    }
}

/// Name, address and time of an author, committer or tagger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub name: BString,
    pub email: BString,
    /// Seconds since 1970-01-01 UTC.
    pub time: i64,
}

/// What kind of object a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Not an object yet: the file that the `commit-msg` hook got.
    Pending,
    Commit(Oid),
    /// An annotated tag object; the name is the one inside the object (`v1.2.0`).
    Tag(Oid, BString),
}

/// A commit, an annotated tag, or the message about to become one.
pub struct Commit<'a> {
    pub carrier: Carrier,
    /// As git will keep it, UTF-8 where an `encoding` header said how to get there. What git's clean-up would
    /// remove is blanked with spaces, not cut, so offsets are those of the original.
    pub message: BString,
    /// Every header line of the object, raw: `mergetag` and signatures included. Empty while pending.
    pub headers: BString,
    pub parents: Vec<Oid>,
    /// `None` while pending.
    pub tree: Option<Oid>,
    pub author: Person,
    pub committer: Person,
    /// The branches to which the change makes it new: rules on the shape of messages look at it if there are any.
    /// While pending: the checked-out branch.
    pub new_to: RefSet,
    /// Reads the paths that the commit changes against its first parent.
    pub changed_paths: &'a dyn Fn() -> Result<Vec<BString>>,
    /// Whether it came by a branch, by its full name, that the function accepts.
    pub came_by: &'a CameBy<'a>,
}

/// Answers whether a commit stood on such a branch before the change, by itself or squashed, or lands by a pull request
/// of one.
pub type CameBy<'a> = dyn Fn(&dyn Fn(&BStr) -> bool) -> Result<bool> + 'a;

/// Who pushes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pusher {
    /// This gate does not ask: a laptop or CI, where another gate decides.
    #[default]
    NotAsked,
    /// The server does not say. Such an account is none that may do what only some may.
    Unknown,
    /// The account, as the server names it.
    Named(BString),
}

impl Pusher {
    pub fn name(&self) -> Option<&BString> {
        if let Self::Named(name) = self { Some(name) } else { None }
    }
}

/// A commit, tag or tree that a change brings, as it is stored.
pub struct Object<'a> {
    pub id: Oid,
    pub kind: ObjectKind,
    pub bytes: &'a [u8],
    /// Where a tree stands, as far as somebody knows: the path of the directory, empty for the root.
    pub path: &'a BStr,
    /// What stood there before, in each parent that has a tree there.
    pub before: &'a [&'a [u8]],
}

impl Object<'_> {
    /// Bytes of an id in this repository.
    pub fn hash_length(&self) -> usize {
        self.id.as_bytes().len()
    }
}

/// A ref that a change moves.
pub struct RefUpdate<'a> {
    /// Full name: `refs/heads/main`.
    pub name: BString,
    /// `None`: the ref is created.
    pub old: Option<Oid>,
    /// `None`: the ref is deleted.
    pub new: Option<Oid>,
    pub pusher: Pusher,
    /// The head ref of a pull request that lands with this update; empty where the gate knows only that one does.
    pub head_ref: Option<BString>,
    /// All updates of the same change, this one included: `(name, old, new)`.
    pub together: &'a [(BString, Option<Oid>, Option<Oid>)],
    pub graph: &'a dyn Graph,
    pub shared: Shared,
}

/// What is worked out once for all updates of a change, by type. Clones share it.
#[derive(Clone, Default)]
pub struct Shared(Rc<RefCell<HashMap<TypeId, Rc<dyn Any>>>>);

impl Shared {
    /// The value of this type, made by the first who asks.
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

/// git's own line for a ref update, `old new name`, with zeroes where there is no object.
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

/// What a ref points at, peeled or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// Full name.
    pub name: BString,
    /// The object itself: a tag object for annotated tags.
    pub target: Oid,
}

/// What kind of object an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    Commit,
    Tag,
    Tree,
    Blob,
}

/// A commit's data as the graph rules need it.
#[derive(Clone, Debug)]
pub struct Node {
    pub oid: Oid,
    pub parents: Vec<Oid>,
    pub tree: Oid,
    /// Raw, as stored.
    pub message: BString,
    pub author: Person,
    pub committer: Person,
    /// There is a `gpgsig` (or `gpgsig-sha256`) header.
    pub signed: bool,
}

/// An annotated tag object.
#[derive(Clone, Debug)]
pub struct TagObject {
    pub oid: Oid,
    /// The name inside the object, `v1.2.0`.
    pub name: BString,
    pub target: Oid,
    pub target_kind: ObjectKind,
    pub tagger: Option<Person>,
    pub message: BString,
    pub signed: bool,
    /// The object as stored, for placing carets.
    pub raw: BString,
}

/// What became of merging trees in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    Clean(Oid),
    /// The tree with the non-conflicting parts merged, and the paths that conflict.
    Conflict(Oid, Vec<BString>),
}

/// The commit graph and refs as they stand **before** the change, plus the objects that the change brings.
/// Every method's `Err` means "cannot be seen" (shallow, missing, corrupt).
pub trait Graph {
    /// Parents only, the cheapest question: answered from the commit-graph file where there is one.
    fn parents(&self, commit: Oid) -> Result<Vec<Oid>>;
    fn node(&self, commit: Oid) -> Result<Node>;
    /// Commit time in seconds or a generation that never grows towards ancestors where known; orders walks, decides nothing.
    fn time(&self, commit: Oid) -> Result<i64>;
    /// The commit lies on the shallow boundary: its parents exist but are not here.
    fn is_shallow(&self, commit: Oid) -> Result<bool>;
    fn kind(&self, object: Oid) -> Result<ObjectKind>;
    fn tag(&self, object: Oid) -> Result<TagObject>;
    /// A ref's target before the change, by full name.
    fn find_ref(&self, name: &BStr) -> Result<Option<Oid>>;
    /// Where a branch (short name) stood before: what its reflog and [`Graph::keep_tip`] know.
    fn earlier_tips(&self, _branch: &BStr) -> Result<Vec<Oid>> {
        Ok(Vec::new())
    }
    /// Keeps on a server that the branch stood at a commit: later first parents may not lead there.
    fn keep_tip(&self, _branch: &BStr, _tip: Oid) -> Result<()> {
        Ok(())
    }
    /// All refs under a prefix (`refs/tags/`) before the change, sorted by name.
    fn refs(&self, prefix: &str) -> Result<Vec<Ref>>;
    /// Best common ancestors.
    fn merge_bases(&self, a: Oid, b: Oid) -> Result<Vec<Oid>>;
    fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool>;
    /// Three-way merge of trees in memory (criss-cross bases are merged first, as git does).
    fn merge_commits(&self, ours: Oid, theirs: Oid) -> Result<Merged>;
    /// Three-way merge of trees (ids of trees) in memory with a known base; `None` is the empty tree.
    fn merge_trees(&self, base: Option<Oid>, ours: Oid, theirs: Oid) -> Result<Merged>;
    /// `(path, old, new)` between two trees (ids of trees, not commits): files, links and submodules that differ in id,
    /// kind or mode; renames not followed.
    fn diff_trees(&self, old: Option<Oid>, new: Oid) -> Result<Vec<PathChange>>;

    /// What a walk needs of a commit, in one question.
    fn links(&self, commit: Oid) -> Result<Links> {
        let generation = self.generation(commit)?;
        Ok(Links { parents: self.parents(commit)?, time: self.time(commit)?, generation })
    }

    /// Topological level from the commit-graph file: one more than the largest of its parents'. `None` for a commit
    /// outside the file; as the file is closed under ancestry, no commit that has a level reaches one that has none.
    fn generation(&self, _commit: Oid) -> Result<Option<u32>> {
        Ok(None)
    }

    /// The object came with this change, so no ref could reach it before; `false` where nobody knows.
    fn is_new(&self, _object: Oid) -> Result<bool> {
        Ok(false)
    }

    /// The commit behind an object, through tags of tags; `None` where it ends in a tree or blob.
    fn peel(&self, object: Oid) -> Result<Option<Oid>> {
        let mut at = object;
        // Ids are hashes, so a chain of tags has an end; a hostile one may be long.
        for _ in 0..MAX_NESTED_TAGS {
            match self.kind(at)? {
                ObjectKind::Commit => return Ok(Some(at)),
                ObjectKind::Tag => at = self.tag(at)?.target,
                ObjectKind::Tree | ObjectKind::Blob => return Ok(None),
            }
        }
        Err(Error::undecided(format!("tag object {object} is nested more than {MAX_NESTED_TAGS} deep")))
    }

    /// git's stable patch-id of a single-parent commit; `None` where nobody computes it.
    fn patch_id(&self, _commit: Oid) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

/// A commit's place in a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    pub parents: Vec<Oid>,
    /// As [`Graph::time`] answers.
    pub time: i64,
    /// As [`Graph::generation`] answers.
    pub generation: Option<u32>,
}

/// A path, and the id under it before and after: equal where the mode alone differs.
pub type PathChange = (BString, Option<Oid>, Option<Oid>);

/// How many tag objects may stand between a ref and its commit.
pub const MAX_NESTED_TAGS: usize = 64;

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: BString,
    /// `None` for a work tree's file.
    pub blob: Option<Oid>,
    pub symlink: bool,
}

/// A tree of files that can be asked.
pub trait Snapshot {
    /// All files, sorted by path. Submodules are left out.
    fn entries(&self) -> Result<Vec<Entry>>;
    /// Paths that differ from what the same ref held before the change, deletions included. `Ok(None)` where nobody
    /// knows what stood there before: then everything counts as changed. Costs as much as the change is large.
    fn changed_paths(&self) -> Result<Option<Vec<BString>>> {
        Ok(None)
    }
    /// Content of one file; `Ok(None)` when there is none under that path. A second call may answer from memory.
    fn read(&self, path: &BStr) -> Result<Option<Rc<Stored>>>;
    /// Another ref's tree as it will stand after the change; `Ok(None)` when there is no such ref. `name` may be
    /// a branch (`main`), a tag, or a full ref name.
    fn other(&self, name: &str) -> Result<Option<Box<dyn Snapshot + '_>>>;
    /// Names of branches, short, as they will stand after the change.
    fn branches(&self) -> Result<Vec<BString>>;
}

/// A snapshot that a change results in.
pub struct Tree<'a> {
    /// The tip; `None` for index, work tree and planned trees.
    pub commit: Option<Oid>,
    /// Full name of the branch (or tag) that will have this tree, where one will.
    pub name: Option<BString>,
    pub snapshot: &'a dyn Snapshot,
    /// The same ref before the change; findings that stood there are notes.
    pub before: Option<&'a dyn Snapshot>,
}

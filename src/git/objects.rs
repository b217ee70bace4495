//! Single objects: blobs, trees, and the headers and message of commits and tags, parsed leniently so that a hostile
//! object can be judged. Walks nothing.

use bstr::{BString, ByteSlice as _};
use gix::objs::{Find as _, Kind};

use super::{ThreadRepo, gix_id, oid};
use crate::error::{Error, Result};
use crate::subject::{Node, ObjectKind, Oid, Person, TagObject};

impl ThreadRepo<'_> {
    /// Any object's kind and bytes.
    pub(crate) fn object(&self, id: Oid) -> Result<(Kind, Vec<u8>)> {
        let mut buf = Vec::new();
        if gix_id(id).is_empty_tree() {
            // git has the empty tree without storing it.
            return Ok((Kind::Tree, buf));
        }
        let found = self.gix.objects.try_find(&gix_id(id), &mut buf);
        match found {
            Ok(Some(data)) => {
                let kind = data.kind;
                Ok((kind, buf))
            }
            Ok(None) => Err(missing(id, self)),
            Err(e) => Err(Error::undecided(format!("object {id} cannot be read: {e}"))
                .hint("`git fsck` says whether the repository is damaged")),
        }
    }

    pub(crate) fn has(&self, id: Oid) -> bool {
        gix_id(id).is_empty_tree() || self.gix.has_object(gix_id(id))
    }

    pub fn kind(&self, id: Oid) -> Result<ObjectKind> {
        if gix_id(id).is_empty_tree() {
            return Ok(ObjectKind::Tree);
        }
        let header = self
            .gix
            .try_find_header(gix_id(id))
            .map_err(super::unreadable(format_args!("object {id} cannot be read")))?;
        Ok(header.ok_or_else(|| missing(id, self))?.kind().into())
    }

    /// A blob's content. Counted in the stats.
    pub fn blob(&self, id: Oid) -> Result<Vec<u8>> {
        let (_, bytes) = self.object(id)?;
        self.repo.counters().blob(bytes.len());
        Ok(bytes)
    }

    /// A parsed commit. Counted in the stats.
    pub fn commit(&self, id: Oid) -> Result<RawCommit> {
        let (kind, bytes) = self.object(id)?;
        if kind != Kind::Commit {
            return Err(Error::undecided(format!("object {id} is a {kind}, not a commit")));
        }
        self.repo.counters().commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        RawCommit::parse(id, &bytes)
    }

    pub fn tag(&self, id: Oid) -> Result<TagObject> {
        let (kind, bytes) = self.object(id)?;
        if kind != Kind::Tag {
            return Err(Error::undecided(format!("object {id} is a {kind}, not a tag")));
        }
        parse_tag(id, bytes)
    }
}

impl From<Kind> for ObjectKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Commit => Self::Commit,
            Kind::Tag => Self::Tag,
            Kind::Tree => Self::Tree,
            Kind::Blob => Self::Blob,
        }
    }
}

fn missing(id: Oid, local: &ThreadRepo<'_>) -> Error {
    let error = Error::undecided(format!("object {id} is not here"));
    if local.gix.config_snapshot().string("extensions.partialClone").is_some() {
        error.hint(format!("this is a partial clone: `git cat-file -e {id}` fetches the object"))
    } else if local.gix.is_shallow().unwrap_or(false) {
        error.hint("this clone is shallow: `git fetch --unshallow` brings the rest")
    } else {
        error.hint("`git fsck` says whether the repository is damaged")
    }
}

/// A parsed commit object.
pub struct RawCommit {
    pub node: Node,
    /// Everything before the blank line.
    pub headers: BString,
    /// Converted to UTF-8 by the `encoding` header if possible.
    pub message: BString,
}

impl RawCommit {
    /// Parses headers where git does: `tree` first, then every `parent`, and of all other headers the first of each name.
    /// git ignores a `parent` further down.
    pub(super) fn parse(id: Oid, bytes: &[u8]) -> Result<Self> {
        let broken = |what: &str| {
            Error::undecided(format!("commit {id} {what}")).hint("`git fsck` says whether the repository is damaged")
        };
        let (headers, raw) = split(bytes);
        let mut lines = headers.lines_with_terminator().peekable();
        let tree = lines.next().and_then(|line| header_id(line, b"tree ", id));
        let tree = tree.ok_or_else(|| broken("names no tree"))?;
        let mut parents = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with(b"parent ")) {
            parents.push(header_id(line, b"parent ", id).ok_or_else(|| broken("has a bad line `parent`"))?);
        }
        let (mut author, mut committer, mut encoding) = (None, None, None);
        let mut signed = false;
        for line in lines {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            // A line that begins with a space continues the one before.
            let Some((key, value)) = line.split_once_str(" ") else { continue };
            match key {
                b"author" => author = author.or_else(|| Some(person(value))),
                b"committer" => committer = committer.or_else(|| Some(person(value))),
                b"gpgsig" | b"gpgsig-sha256" => signed = true,
                b"encoding" => encoding = encoding.or(Some(value)),
                _ => {}
            }
        }
        let message = decode(raw, encoding);
        let (author, committer) = (author.unwrap_or_default(), committer.unwrap_or_default());
        let node = Node { oid: id, parents, tree, message: raw.into(), author, committer, signed };
        Ok(Self { node, headers: headers.into(), message })
    }
}

/// The id in a line `name id`, if it is as long as `like`.
fn header_id(line: &[u8], name: &[u8], like: Oid) -> Option<Oid> {
    let hex = line.strip_prefix(name)?.strip_suffix(b"\n")?;
    Oid::from_hex(hex).filter(|id| id.as_bytes().len() == like.as_bytes().len())
}

/// Headers and message: the parts before and after the first empty line.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.find(b"\n\n").map_or((bytes, &[]), |at| (&bytes[..at + 1], &bytes[at + 2..]))
}

fn decode(raw: &[u8], encoding: Option<&[u8]>) -> BString {
    if let Some(encoding) = encoding.and_then(encoding_rs::Encoding::for_label)
        && raw.to_str().is_err()
    {
        return BString::from(encoding.decode_without_bom_handling(raw).0.into_owned());
    }
    raw.into()
}

/// Parses `Name <mail> seconds zone`; parts that are missing stay empty.
fn person(value: &[u8]) -> Person {
    let (name, rest) = value.split_once_str("<").unwrap_or((value, b""));
    let (email, rest) = rest.split_once_str(">").unwrap_or((rest, b""));
    let time = rest.trim().fields().next().and_then(|s| s.to_str().ok()?.parse().ok()).unwrap_or(0);
    Person { name: name.trim().into(), email: email.trim().into(), time }
}

/// Parses a tag as git does: `object`, `type` and `tag` in this order without other lines between them, then optionally
/// `tagger`.
fn parse_tag(id: Oid, bytes: Vec<u8>) -> Result<TagObject> {
    let (headers, message) = split(&bytes);
    let broken = |what: &str| Error::undecided(format!("tag object {id} has no {what}"));
    let mut lines = headers.lines_with_terminator();
    let mut next = |name: &str| -> Option<&[u8]> {
        let line = lines.next()?.strip_suffix(b"\n")?;
        line.strip_prefix(name.as_bytes())?.strip_prefix(b" ")
    };
    let target = next("object").and_then(Oid::from_hex).filter(|t| t.as_bytes().len() == id.as_bytes().len());
    let target = target.ok_or_else(|| broken("target"))?;
    let target_kind = match next("type") {
        Some(b"commit") => ObjectKind::Commit,
        Some(b"tag") => ObjectKind::Tag,
        Some(b"tree") => ObjectKind::Tree,
        Some(b"blob") => ObjectKind::Blob,
        _ => return Err(broken("type")),
    };
    let name = next("tag").ok_or_else(|| broken("name"))?;
    let tagger = next("tagger").map(person);
    let has =
        |name: &str| headers.lines().any(|l| l.strip_prefix(name.as_bytes()).is_some_and(|l| l.starts_with(b" ")));
    let signed = message.contains_str("-----BEGIN PGP SIGNATURE-----")
        || message.contains_str("-----BEGIN SSH SIGNATURE-----")
        || message.contains_str("-----BEGIN SIGNED MESSAGE-----")
        || has("gpgsig")
        || has("gpgsig-sha256");
    Ok(TagObject {
        oid: id,
        name: name.into(),
        target,
        target_kind,
        tagger,
        message: message.into(),
        signed,
        raw: bytes.into(),
    })
}

/// Follows tag objects to what they finally point at.
pub(crate) fn peel(local: &ThreadRepo<'_>, mut id: Oid) -> Result<(Oid, ObjectKind)> {
    // A tag of a tag of a tag is legal; a hundred of them is an attack.
    for _ in 0..64 {
        match local.kind(id)? {
            ObjectKind::Tag => id = local.tag(id)?.target,
            kind => return Ok((id, kind)),
        }
    }
    Err(Error::undecided(format!("the tag at {id} is nested too deeply")))
}

/// An entry of one tree object.
#[derive(Clone, Debug)]
pub(crate) struct TreeEntry {
    pub name: BString,
    pub mode: gix::objs::tree::EntryMode,
    pub id: Oid,
}

impl ThreadRepo<'_> {
    pub(crate) fn tree_entries(&self, id: Oid) -> Result<Vec<TreeEntry>> {
        let (kind, bytes) = self.object(id)?;
        if kind != Kind::Tree {
            return Err(Error::undecided(format!("object {id} is a {kind}, not a tree")));
        }
        gix::objs::TreeRefIter::from_bytes(&bytes, self.gix.object_hash())
            .map(|e| {
                let e = e.map_err(|e| Error::undecided(format!("tree {id} is damaged: {e}")))?;
                Ok(TreeEntry { name: e.filename.to_owned(), mode: e.mode, id: oid(e.oid) })
            })
            .collect()
    }

    /// The tree of a commit, from its first line.
    pub(crate) fn tree_of(&self, commit: Oid) -> Result<Oid> {
        let (kind, bytes) = self.object(commit)?;
        let first = bytes.lines_with_terminator().next().and_then(|line| header_id(line, b"tree ", commit));
        match first {
            Some(tree) if kind == Kind::Commit => {
                self.repo.counters().commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok(tree)
            }
            _ => Ok(self.commit(commit)?.node.tree),
        }
    }
}

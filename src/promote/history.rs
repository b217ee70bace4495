//! The two branches: the commits that only one of them has, and the trees to pick from. Reads each commit once; decides
//! nothing.

use std::collections::HashMap;

use bstr::ByteSlice as _;

use super::trailers::Trailers;
use crate::error::{Error, Result};
use crate::git::{Picker, RawCommit, ThreadRepo, new_commits};
use crate::subject::Oid;
use crate::text;

/// A branch as it stood when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tip {
    /// Full name where there is one, else what the user wrote.
    #[serde(rename = "ref")]
    pub name: String,
    pub oid: Hex,
}

/// An object id in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hex(pub Oid);

impl serde::Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        Oid::from_hex(text.as_bytes()).map(Hex).ok_or_else(|| serde::de::Error::custom("not an object id"))
    }
}

/// A commit of one of the two branches.
pub struct Change {
    pub id: Oid,
    pub raw: RawCommit,
    /// The first parent's tree; `None` for a root commit.
    pub base: Option<Oid>,
    pub trailers: Trailers,
    /// First line, fit to be shown.
    pub subject: String,
    /// Production has it in its history, and this commit of production took it back.
    pub taken_back: Option<Hex>,
    /// It took back this commit of the other branch's own: going there, it would undo that branch's work.
    pub takes_back: Option<Hex>,
}

impl Change {
    pub fn is_merge(&self) -> bool {
        self.raw.node.parents.len() > 1
    }

    pub fn tree(&self) -> Oid {
        self.raw.node.tree
    }

    /// Author time, seconds since 1970.
    pub fn time(&self) -> i64 {
        self.raw.node.author.time
    }

    pub fn author(&self) -> String {
        text::sanitise(&self.raw.node.author.name)
    }
}

/// Both branches since they parted.
pub struct History<'r> {
    pub picker: Picker<'r>,
    pub from: Tip,
    pub onto: Tip,
    /// `onto..from`, parents before children, merges included; before them what production took back.
    pub dev: Vec<Change>,
    /// `from..onto`, parents before children, merges included.
    pub main: Vec<Change>,
    /// The tree at the tip of `onto`.
    pub tree: Oid,
    by_id: HashMap<Oid, usize>,
}

impl<'r> History<'r> {
    /// For a promotion: what production merged and took back waits again.
    pub fn read(local: &ThreadRepo<'r>, from: &str, onto: &str) -> Result<Self> {
        let mut history = Self::between(local, from, onto)?;
        let found = super::taken_back::find(&history)?;
        if found.is_empty() {
            return Ok(history);
        }
        let mut trees = HashMap::new();
        let mut dev = Vec::new();
        for (id, by) in found {
            let change = change(history.picker.repo(), id, &mut trees)?;
            dev.push(Change { taken_back: Some(Hex(by)), ..change });
        }
        dev.append(&mut history.dev);
        history.by_id = dev.iter().enumerate().map(|(at, c)| (c.id, at)).collect();
        history.dev = dev;
        Ok(history)
    }

    /// Only what the one branch has and the other has not.
    pub fn between(local: &ThreadRepo<'r>, from: &str, onto: &str) -> Result<Self> {
        let (from, onto) = (tip(local, from)?, tip(local, onto)?);
        let picker = Picker::new(local);
        let mut trees = HashMap::new();
        let dev = side(picker.repo(), from.oid.0, onto.oid.0, &mut trees)?;
        let main = side(picker.repo(), onto.oid.0, from.oid.0, &mut trees)?;
        let tree = picker.repo().commit(onto.oid.0)?.node.tree;
        let by_id = dev.iter().enumerate().map(|(at, c)| (c.id, at)).collect();
        Ok(Self { picker, from, onto, dev, main, tree, by_id })
    }

    /// Position among the development branch's own commits.
    pub fn position(&self, id: Oid) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// The one own commit of the development branch whose id begins like this.
    pub fn abbreviated(&self, hex: &str) -> Option<usize> {
        if let Some(id) = Oid::from_hex(hex.as_bytes()) {
            return self.position(id);
        }
        let mut hits = self.dev.iter().enumerate().filter(|(_, c)| c.id.to_string().starts_with(hex));
        match (hits.next(), hits.next()) {
            (Some((at, _)), None) => Some(at),
            _ => None,
        }
    }
}

/// A branch by any name git takes; a remote's branch of that name stands in for one that is not here.
pub fn tip(local: &ThreadRepo<'_>, name: &str) -> Result<Tip> {
    let spelled = [format!("refs/heads/{name}"), format!("refs/remotes/origin/{name}")];
    for full in spelled.iter().map(String::as_str).chain([name]) {
        if full.starts_with("refs/") && local.find_ref(full.into())?.is_some() {
            return Ok(Tip { name: full.to_owned(), oid: Hex(local.commit_named(full)?) });
        }
    }
    let oid = local.commit_named(name).map_err(|e| Error { kind: crate::error::Kind::Usage, ..e })?;
    Ok(Tip { name: name.to_owned(), oid: Hex(oid) })
}

fn side(local: &ThreadRepo<'_>, tip: Oid, hidden: Oid, trees: &mut HashMap<Oid, Oid>) -> Result<Vec<Change>> {
    let steps = new_commits(local, &[tip], &[hidden])?;
    let mut out = Vec::with_capacity(steps.len());
    for step in steps {
        out.push(change(local, step.id, trees)?);
    }
    Ok(out)
}

fn change(local: &ThreadRepo<'_>, id: Oid, trees: &mut HashMap<Oid, Oid>) -> Result<Change> {
    let raw = local.commit(id)?;
    trees.insert(id, raw.node.tree);
    let base = match raw.node.parents.first() {
        None => None,
        Some(parent) => Some(match trees.get(parent) {
            Some(tree) => *tree,
            None => {
                let tree = local.commit(*parent)?.node.tree;
                trees.insert(*parent, tree);
                tree
            }
        }),
    };
    let trailers = Trailers::read(raw.message.as_ref());
    let subject = text::sanitise(raw.message.lines().next().unwrap_or_default());
    Ok(Change { id, raw, base, trailers, subject, taken_back: None, takes_back: None })
}

//! Refs by name, stored as files and `packed-refs`, which gix reads, or as a reftable. Owns following symbolic refs;
//! writes nothing.

use bstr::{BStr, BString, ByteSlice as _};

use super::reftable::{self, Refs, Target};
use super::{ThreadRepo, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::{Oid, Ref};

/// As many symbolic refs as git follows.
const SYMBOLIC: usize = 5;

impl ThreadRepo<'_> {
    /// The refs of a repository with a reftable, read once for a run; `None` where refs are files.
    fn reftable(&self) -> Result<Option<&Refs>> {
        let read = || {
            let format = self.gix.config_snapshot().string("extensions.refStorage");
            if format.is_none_or(|f| !f.eq_ignore_ascii_case(b"reftable")) {
                return Ok(None);
            }
            reftable::read(&self.repo.common_dir(), &self.repo.git_dir()).map(Some)
        };
        self.repo.reftable.get_or_init(read).as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// Whether refs are a reftable, which only git can write.
    pub fn has_reftable(&self) -> Result<bool> {
        Ok(self.reftable()?.is_some())
    }

    /// A ref's direct target, not followed; `Ok(None)` if there is no ref of exactly this name.
    pub(super) fn ref_target(&self, full_name: &BStr) -> Result<Option<Target>> {
        if let Some(refs) = self.reftable()? {
            return Ok(refs.get(full_name.as_bytes().as_bstr()).cloned());
        }
        let what = || format!("cannot read the ref {full_name}");
        let found = self.gix.try_find_reference(full_name).map_err(unreadable(what()))?;
        let found = found.filter(|r| r.name().as_bstr() == full_name);
        Ok(found.map(|r| match r.target().into_owned() {
            gix::refs::Target::Object(id) => Target::Object(oid(&id)),
            gix::refs::Target::Symbolic(name) => Target::Symbolic(name.as_bstr().to_owned()),
        }))
    }

    /// A ref's own target (a tag object for annotated tags), symbolic refs followed; `Ok(None)` when there is none.
    pub fn find_ref(&self, full_name: &BStr) -> Result<Option<Oid>> {
        let mut name = full_name.to_owned();
        for at in 0..=SYMBOLIC {
            match self.ref_target(name.as_ref())? {
                None if at == 0 => return Ok(None),
                None => break,
                Some(Target::Object(id)) => return Ok(Some(id)),
                Some(Target::Symbolic(next)) => name = next,
            }
        }
        Err(Error::undecided(format!("cannot follow the ref {full_name}")))
    }

    /// Full name of the ref that a symbolic ref points at; `Ok(None)` if it is not symbolic.
    pub fn symbolic_target(&self, full_name: &str) -> Result<Option<BString>> {
        Ok(match self.ref_target(full_name.into())? {
            Some(Target::Symbolic(name)) => Some(name),
            _ => None,
        })
    }

    /// Refs under a prefix that ends in `/`, sorted by name, unpeeled; symbolic ones followed, dangling ones left out.
    pub fn refs(&self, prefix: &str) -> Result<Vec<Ref>> {
        if let Some(refs) = self.reftable()? {
            let below = refs.range(BString::from(prefix)..).take_while(|(name, _)| name.starts_with(prefix.as_bytes()));
            let followed = below.filter_map(|(name, target)| {
                let target = match target {
                    Target::Object(id) => *id,
                    Target::Symbolic(_) => self.find_ref(name.as_ref()).ok().flatten()?,
                };
                Some(Ref { name: name.clone(), target })
            });
            return Ok(followed.collect());
        }
        let what = || format!("cannot list the refs under {prefix}");
        let platform = self.gix.references().map_err(unreadable(what()))?;
        let mut out = Vec::new();
        for r in platform.prefixed(prefix).map_err(unreadable(what()))? {
            let mut r = r.map_err(unreadable(what()))?;
            let name = r.name().as_bstr().to_owned();
            if let Ok(id) = r.follow_to_object() {
                out.push(Ref { name, target: oid(&id) });
            }
        }
        out.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(out)
    }

    /// Whether there is any ref under a prefix that ends in `/`.
    pub fn has_refs(&self, prefix: &str) -> Result<bool> {
        if let Some(refs) = self.reftable()? {
            let mut below = refs.range(BString::from(prefix)..);
            return Ok(below.next().is_some_and(|(name, _)| name.starts_with(prefix.as_bytes())));
        }
        let what = || format!("cannot list the refs under {prefix}");
        let platform = self.gix.references().map_err(unreadable(what()))?;
        let found = platform.prefixed(prefix).map_err(unreadable(what()))?.next().is_some();
        Ok(found)
    }

    /// The object that a revision names. gix finds no refs in a reftable, so the ref is looked up first, and gix gets its id
    /// with the rest (`~2`, `^{tree}`).
    pub(super) fn revision(&self, name: &str) -> Option<Oid> {
        if let Ok(Some(_)) = self.reftable() {
            let end = name.find(['^', '~', ':', '@']).filter(|at| *at > 0).unwrap_or(name.len());
            let (base, rest) = name.split_at(end);
            let base = if base == "@" { "HEAD" } else { base };
            let spelled = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"].map(|p| format!("{p}{base}"));
            let found = spelled.iter().find_map(|full| self.find_ref(full.as_str().into()).ok().flatten());
            if let Some(id) = found {
                return self.gix.rev_parse_single(format!("{id}{rest}").as_str()).ok().map(|id| oid(&id));
            }
        }
        self.gix.rev_parse_single(name).ok().map(|id| oid(&id))
    }
}

//! Release tags before the push: which commits were validated.
//! Owns the lazily loaded list; formats and versions are `release_tags`'.

use std::cell::OnceCell;
use std::collections::HashMap;

use bstr::{BString, ByteSlice as _};

use crate::error::{Error, Result};
use crate::rules::release_tags::format::{self, TagFormat};
use crate::rules::release_tags::version::Version;
use crate::subject::{Graph, Oid};

/// Release tags by commit, loaded on first use.
pub struct ReleaseTags<'g> {
    graph: &'g dyn Graph,
    formats: &'g [TagFormat],
    tags: OnceCell<Result<ReleaseList>>,
}

#[derive(Default)]
struct ReleaseList {
    by_commit: HashMap<Oid, BString>,
    greatest: Option<Version>,
}

impl<'g> ReleaseTags<'g> {
    pub fn new(graph: &'g dyn Graph, formats: &'g [TagFormat]) -> Self {
        Self { graph, formats, tags: OnceCell::new() }
    }

    /// The short name of a release tag that names exactly this commit.
    pub fn tag_on(&self, commit: Oid) -> Result<Option<&BString>> {
        Ok(self.list()?.by_commit.get(&commit))
    }

    /// The tag name of the next release.
    pub fn next_tag_name(&self) -> Result<String> {
        let version = self.list()?.greatest.as_ref().map(|v| v.next(1));
        let version = version.or_else(|| Version::parse(b"0.1.0").ok());
        let name = self.formats.first().zip(version).map(|(f, v)| f.name(b"component".as_bstr(), &v));
        Ok(name.unwrap_or_else(|| "v0.1.0".into()))
    }

    fn list(&self) -> Result<&ReleaseList> {
        self.tags.get_or_init(|| self.load()).as_ref().map_err(Error::clone)
    }

    fn load(&self) -> Result<ReleaseList> {
        let mut listed = ReleaseList::default();
        for tag in self.graph.refs("refs/tags/")? {
            let name = tag.name.strip_prefix(b"refs/tags/").unwrap_or(&tag.name).as_bstr();
            // A prerelease has yet to be validated.
            let Ok((_, release)) = format::parse_tag(self.formats, name) else { continue };
            if release.version.is_prerelease() {
                continue;
            }
            if let Some(commit) = self.graph.peel(tag.target)? {
                listed.by_commit.entry(commit).or_insert_with(|| name.to_owned());
            }
            if listed.greatest.as_ref().is_none_or(|g| g.precedence(&release.version).is_lt()) {
                listed.greatest = Some(release.version);
            }
        }
        Ok(listed)
    }
}

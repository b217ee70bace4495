//! Trees made in memory, for rules that look at snapshots. Owns [`MemoryTree`]; counts what is read, so that tests can
//! say what must cost nothing.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString};
use portcullis::document::Stored;
use portcullis::error::Result;
use portcullis::subject::{Entry, Oid, Snapshot};

/// A snapshot with other branches beside it.
///
/// ```ignore
/// let tree = MemoryTree::default().file("wmill.yaml", "includeKey: false\n").branch("main", MemoryTree::default());
/// let subject = Tree { commit: None, name: Some("refs/heads/dev".into()), snapshot: &tree, before: None };
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    files: BTreeMap<BString, (Vec<u8>, bool)>,
    branches: BTreeMap<String, MemoryTree>,
    reads: Cell<usize>,
}

impl MemoryTree {
    pub fn file(mut self, path: impl Into<BString>, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), (content.as_ref().to_vec(), false));
        self
    }

    /// A symbolic link; its content is its target.
    pub fn link(mut self, path: impl Into<BString>, target: &str) -> Self {
        self.files.insert(path.into(), (target.into(), true));
        self
    }

    /// Another branch, by its short name.
    pub fn branch(mut self, name: &str, tree: Self) -> Self {
        self.branches.insert(name.to_owned(), tree);
        self
    }

    pub fn files(&self) -> impl Iterator<Item = (&BString, &[u8])> {
        self.files.iter().map(|(path, (content, _))| (path, content.as_slice()))
    }

    /// How many files have been read so far.
    pub fn reads(&self) -> usize {
        self.reads.get()
    }

    /// An id that is the same for the same content; no git hash.
    pub fn blob(content: &[u8]) -> Oid {
        let mut raw = [0_u8; 20];
        for (at, byte) in content.iter().enumerate() {
            raw[at % 20] = raw[at % 20].rotate_left(3) ^ byte;
        }
        Oid::from_bytes(&raw).expect("20 bytes")
    }
}

impl Snapshot for MemoryTree {
    fn entries(&self) -> Result<Vec<Entry>> {
        let entry = |(path, (content, symlink)): (&BString, &(Vec<u8>, bool))| Entry {
            path: path.clone(),
            blob: Some(Self::blob(content)),
            symlink: *symlink,
        };
        Ok(self.files.iter().map(entry).collect())
    }

    fn read(&self, path: &BStr) -> Result<Option<Rc<Stored>>> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.files.get(path).map(|(content, _)| Rc::new(Stored::new(content.clone()))))
    }

    fn other(&self, name: &str) -> Result<Option<Box<dyn Snapshot + '_>>> {
        let short = name.strip_prefix("refs/heads/").unwrap_or(name);
        Ok(self.branches.get(short).map(|tree| Box::new(tree.clone()) as Box<dyn Snapshot + '_>))
    }

    fn branches(&self) -> Result<Vec<BString>> {
        Ok(self.branches.keys().map(|name| name.as_str().into()).collect())
    }
}

//! Files that documents are made of, in one address space: the spans of a document that several files contribute to
//! tell which file each value is written in, as in a compiler's source map. Owns loading and locating.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString};

use crate::document::{Format, Stored};
use crate::error::Result;
use crate::subject::{Entry, Oid, Snapshot};
use crate::yaml::{Mistake, Node, Value};

/// A file that was read.
pub struct SourceFile {
    pub path: BString,
    pub blob: Option<Oid>,
    pub bytes: Rc<Stored>,
    /// Every document, its spans in the address space of all files. Aliases and merge keys are resolved.
    pub roots: Vec<Node>,
    /// Spans of these are the file's own.
    pub mistakes: Vec<Mistake>,
    /// What the file's own offsets are added to.
    base: usize,
    scalars: OnceCell<Vec<Range<usize>>>,
}

impl SourceFile {
    /// A span of a document as the file's own.
    pub fn local(&self, span: &Range<usize>) -> Range<usize> {
        let at = |offset: usize| offset.saturating_sub(self.base).min(self.bytes.len());
        at(span.start)..at(span.end)
    }

    /// The file as a span.
    pub fn whole(&self) -> Range<usize> {
        self.base..self.base + self.bytes.len()
    }

    /// Nothing of it could be read.
    pub fn is_broken(&self) -> bool {
        self.roots.is_empty() && !self.mistakes.is_empty()
    }

    /// The file's own spans of all scalar values, sorted: none may be shown.
    pub fn scalars(&self) -> &[Range<usize>] {
        self.scalars.get_or_init(|| {
            let mut spans = Vec::new();
            for root in &self.roots {
                root.walk(&mut |_, node| {
                    if node.text().is_some() && self.has(&node.span) {
                        spans.push(self.local(&node.span));
                    }
                });
            }
            spans.sort_unstable_by_key(|r| (r.start, r.end));
            spans.dedup();
            spans
        })
    }

    fn has(&self, span: &Range<usize>) -> bool {
        self.base <= span.start && span.end <= self.base + self.bytes.len()
    }
}

/// Bytes of files whose documents are kept. Beyond, a file is parsed again for each document that it is part of.
const MAX_KEPT: usize = 64 << 20;

/// Whose snapshot it is.
enum Held<'s> {
    Borrowed(&'s dyn Snapshot),
    Owned(Box<dyn Snapshot + 's>),
}

/// The files of one snapshot.
pub struct Files<'s> {
    snapshot: Held<'s>,
    entries: Vec<Entry>,
    loaded: RefCell<Loaded>,
}

#[derive(Default)]
struct Loaded {
    /// By path, format, and whether aliases are kept.
    by_path: HashMap<(BString, Format, bool), Option<Rc<SourceFile>>>,
    /// In the order of their bases.
    in_order: Vec<Rc<SourceFile>>,
    end: usize,
    kept: usize,
}

impl<'s> Files<'s> {
    /// Lists the snapshot.
    pub fn new(snapshot: &'s dyn Snapshot) -> Result<Self> {
        Ok(Self { entries: snapshot.entries()?, snapshot: Held::Borrowed(snapshot), loaded: RefCell::default() })
    }

    /// The same for a snapshot that nobody else has.
    pub fn owning(snapshot: Box<dyn Snapshot + 's>) -> Result<Self> {
        Ok(Self { entries: snapshot.entries()?, snapshot: Held::Owned(snapshot), loaded: RefCell::default() })
    }

    pub fn snapshot(&self) -> &dyn Snapshot {
        match &self.snapshot {
            Held::Borrowed(snapshot) => *snapshot,
            Held::Owned(snapshot) => snapshot.as_ref(),
        }
    }

    /// All files of the snapshot, sorted by path.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn entry(&self, path: &BStr) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|e| AsRef::<BStr>::as_ref(&e.path).cmp(path)).ok()?;
        Some(&self.entries[at])
    }

    /// Whether a file stands below a directory. The root is the empty path.
    pub fn has_directory(&self, directory: &BStr) -> bool {
        self.below(directory).next().is_some()
    }

    /// The files below a directory.
    pub fn below<'f>(&'f self, directory: &BStr) -> impl Iterator<Item = &'f Entry> {
        let mut prefix = directory.to_owned();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let from = self.entries.partition_point(|e| e.path < prefix);
        self.entries[from..].iter().take_while(move |e| e.path.starts_with(&prefix))
    }

    /// Reads a file, once. `None`: there is none, or it is a symbolic link.
    pub fn load(&self, path: &BStr, format: Format) -> Result<Option<Rc<SourceFile>>> {
        self.load_as(path, format, false)
    }

    /// The same with aliases and merge keys as they are written, for a reader who follows none.
    pub fn load_unresolved(&self, path: &BStr, format: Format) -> Result<Option<Rc<SourceFile>>> {
        self.load_as(path, format, true)
    }

    fn load_as(&self, path: &BStr, format: Format, keep: bool) -> Result<Option<Rc<SourceFile>>> {
        let name = (path.to_owned(), format, keep);
        if let Some(file) = self.loaded.borrow().by_path.get(&name) {
            return Ok(file.clone());
        }
        let entry = self.entry(path).filter(|e| !e.symlink);
        let bytes = if entry.is_some() { self.snapshot().read(path)? } else { None };
        let (Some(entry), Some(bytes)) = (entry, bytes) else {
            self.loaded.borrow_mut().by_path.insert(name, None);
            return Ok(None);
        };
        let document = bytes.document(format);
        let mut loaded = self.loaded.borrow_mut();
        let base = loaded.end;
        loaded.end = base + bytes.len() + 1;
        let mut mistakes = document.mistakes.clone();
        let mut roots = Vec::with_capacity(document.roots.len());
        for root in &document.roots {
            let has_alias = format == Format::Yaml && !keep && root.has_alias();
            let resolved = if has_alias { root.resolved() } else { None };
            if resolved.is_none() && has_alias {
                let message = "its aliases stand for too much to be resolved".into();
                mistakes.push(Mistake { span: 0..0, message });
            }
            roots.push(shifted(resolved.as_ref().unwrap_or(root), base));
        }
        loaded.kept += bytes.len();
        let file = SourceFile {
            path: path.to_owned(),
            blob: entry.blob,
            bytes,
            roots,
            mistakes,
            base,
            scalars: OnceCell::new(),
        };
        let file = Rc::new(file);
        loaded.in_order.push(Rc::clone(&file));
        if loaded.kept <= MAX_KEPT {
            loaded.by_path.insert(name, Some(Rc::clone(&file)));
        }
        Ok(Some(file))
    }

    /// The bytes of a file, whatever it is.
    pub fn read(&self, path: &BStr) -> Result<Option<Rc<Stored>>> {
        self.snapshot().read(path)
    }

    /// The file that a span of a document is written in.
    pub fn locate(&self, span: &Range<usize>) -> Option<Rc<SourceFile>> {
        let loaded = self.loaded.borrow();
        let after = loaded.in_order.partition_point(|f| f.base <= span.start);
        loaded.in_order[..after].last().filter(|f| f.has(span)).cloned()
    }
}

/// A copy whose spans begin at `base`.
fn shifted(node: &Node, base: usize) -> Node {
    let value = match &node.value {
        Value::Seq(items) => Value::Seq(items.iter().map(|i| shifted(i, base)).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(k, v)| (shifted(k, base), shifted(v, base))).collect()),
        other => other.clone(),
    };
    Node { span: node.span.start + base..node.span.end + base, value }
}

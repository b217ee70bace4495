//! One environment as a tree shows it: its files read, its variables listed. Owns which tree that is: the one that is
//! judged, or another ref's as it will stand after the change.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::markers;
use super::model::{Kind, Value};
use super::settings::{Place, Settings, Source};
use super::sources::{Reader, Variable, neutral};
use crate::document::{self, Stored};
use crate::error::Result;
use crate::policy::scope::Branches;
use crate::subject::{Entry, Oid, Snapshot};
use crate::yaml::Mistake;

/// A file that was read.
pub struct Text {
    pub path: BString,
    /// The ref that it stands on, where that is another than the judged one.
    pub reference: Option<String>,
    pub blob: Option<Oid>,
    pub bytes: Rc<Stored>,
    /// Every scalar value in it: none may be shown.
    pub values: Vec<Range<usize>>,
    pub mistakes: Vec<Mistake>,
    /// Nothing of it could be read.
    pub broken: bool,
}

/// Why an environment has no variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    NoRef(String),
    NoFile,
}

/// One environment of one source.
pub struct Side {
    /// By the order of environments.
    pub environment: usize,
    /// It stands in the tree that is judged.
    pub here: bool,
    pub gap: Option<Gap>,
    pub texts: Vec<Text>,
    pub variables: BTreeMap<Rc<str>, Variable>,
    /// The first key of each name, once somebody asked.
    keys: OnceCell<HashMap<String, Rc<str>>>,
    /// What its references name, likewise.
    targets: OnceCell<HashSet<String>>,
}

impl Side {
    /// The first variable of this name or key.
    pub fn named(&self, name: &str) -> Option<&Variable> {
        let keys = self.keys.get_or_init(|| {
            // Backwards, so that the first of a name stays.
            self.variables.values().rev().map(|v| (v.name.clone(), Rc::clone(&v.key))).collect()
        });
        let by_name = keys.get(name).and_then(|key| self.variables.get(key));
        let by_key = self.variables.get(name);
        by_name.into_iter().chain(by_key).min_by_key(|v| &v.key)
    }

    /// Whether a value refers to this name.
    pub fn refers_to(&self, name: &str) -> bool {
        let all = || self.variables.values().flat_map(|v| v.value.targets.iter().cloned()).collect();
        self.targets.get_or_init(all).contains(name)
    }
}

/// The trees that sources speak of.
pub struct Views<'t> {
    snapshot: &'t dyn Snapshot,
    name: Option<BString>,
    entries: Vec<Entry>,
    others: HashMap<String, Option<View<'t>>>,
}

struct View<'t> {
    snapshot: Box<dyn Snapshot + 't>,
    entries: Vec<Entry>,
}

impl<'t> Views<'t> {
    /// Lists the judged tree. `name`: the full name of its ref.
    pub fn new(snapshot: &'t dyn Snapshot, name: Option<&BStr>) -> Result<Self> {
        let entries = snapshot.entries()?;
        Ok(Self { snapshot, name: name.map(ToOwned::to_owned), entries, others: HashMap::new() })
    }

    /// Whether a place stands in the judged tree: it names no ref, the tree's own, or the branch of an environment
    /// that has several.
    pub fn is_here(&self, place: &Place, branches: &[String]) -> bool {
        let (Some(reference), name) = (&place.reference, self.name.as_ref()) else { return true };
        let Some(name) = name else { return false };
        let full = |short: &str| name.strip_prefix(b"refs/heads/").is_some_and(|n| n == short.as_bytes());
        name == reference
            || full(reference)
            || (branches.contains(reference) && Branches::new(branches).is_ok_and(|b| b.is_match(name.as_ref())))
    }

    /// Lists the other refs that a source speaks of.
    pub fn open(&mut self, source: &Source, settings: &Settings) -> Result<()> {
        for (place, environment) in source.places.iter().zip(&settings.environments) {
            let Some(place) = place else { continue };
            let Some(reference) = &place.reference else { continue };
            if self.is_here(place, &environment.branches) || self.others.contains_key(reference) {
                continue;
            }
            let view = match self.snapshot.other(reference)? {
                Some(snapshot) => {
                    let entries = snapshot.entries()?;
                    Some(View { snapshot, entries })
                }
                None => None,
            };
            self.others.insert(reference.clone(), view);
        }
        Ok(())
    }

    /// The files of a place in the judged tree, for telling whether a change touches them.
    pub fn watched(&self, place: &Place, source: &Source) -> Vec<&Entry> {
        self.entries.iter().filter(|e| !e.symlink && place.has(e.path.as_ref(), source.format)).collect()
    }

    /// Reads one environment: the side, and its variables before they have their keys.
    pub fn side(
        &self,
        source: &Source,
        environment: usize,
        settings: &Settings,
    ) -> Result<Option<(Side, Vec<Variable>)>> {
        let Some(place) = &source.places[environment] else { return Ok(None) };
        let here = self.is_here(place, &settings.environments[environment].branches);
        let mut side = Side {
            environment,
            here,
            gap: None,
            texts: Vec::new(),
            variables: BTreeMap::new(),
            keys: OnceCell::new(),
            targets: OnceCell::new(),
        };
        let reference = place.reference.as_ref().filter(|_| !here);
        let (snapshot, entries): (&dyn Snapshot, &[Entry]) = match reference {
            None => (self.snapshot, &self.entries),
            Some(name) => match self.others.get(name) {
                Some(Some(view)) => (view.snapshot.as_ref(), &view.entries),
                _ => {
                    side.gap = Some(Gap::NoRef(name.clone()));
                    return Ok(Some((side, Vec::new())));
                }
            },
        };
        let files: Vec<&Entry> =
            entries.iter().filter(|e| !e.symlink && place.has(e.path.as_ref(), source.format)).collect();
        if files.is_empty() {
            side.gap = Some(Gap::NoFile);
        }
        let words = &settings.environments[environment].aliases;
        let mut reader = Reader::new(words, &settings.placeholders);
        let several = files.len() > 1 && source.format != super::sources::Format::Windmill;
        for entry in files {
            let Some(bytes) = snapshot.read(entry.path.as_ref())? else { continue };
            let prefix = if several { neutral(&entry.path.to_string(), words) } else { String::new() };
            reader.begin(side.texts.len(), prefix);
            side.texts.push(text(&mut reader, source, place, entry, reference.cloned(), bytes));
        }
        Ok(Some((side, reader.found)))
    }
}

/// Reads the variables of one file.
fn text(
    reader: &mut Reader<'_>,
    source: &Source,
    place: &Place,
    entry: &Entry,
    reference: Option<String>,
    bytes: Rc<Stored>,
) -> Text {
    let mut text = Text {
        path: entry.path.clone(),
        reference,
        blob: entry.blob,
        values: Vec::new(),
        mistakes: Vec::new(),
        broken: false,
        bytes,
    };
    let path: &BStr = entry.path.as_ref();
    if markers::is_sealed(&text.bytes) {
        let value = Value { kind: Kind::Randomised, text: text.bytes.to_str_lossy().into_owned(), targets: Vec::new() };
        reader.whole_file(0..text.bytes.len(), value);
        text.values.push(0..text.bytes.len());
        return text;
    }
    let document = text.bytes.document(source.format.document(path).unwrap_or(document::Format::Yaml));
    for root in &document.roots {
        root.walk(&mut |_, node| {
            if node.text().is_some() {
                text.values.push(node.span.clone());
            }
        });
    }
    text.values.sort_unstable_by_key(|r| r.start);
    text.mistakes = document.mistakes.clone();
    text.mistakes.extend(reader.read(source.format, place.inner(path), &document).err());
    text.broken = document.roots.is_empty() && !text.mistakes.is_empty();
    text
}

/// Gives every variable its key: with its object where any side of the source has several.
pub fn name_keys(read: Vec<(Side, Vec<Variable>)>) -> Vec<Side> {
    let several = read.iter().any(|(_, variables)| {
        let objects: HashSet<&str> = variables.iter().map(|v| &*v.object).collect();
        objects.len() > 1
    });
    let named = |(mut side, variables): (Side, Vec<Variable>)| {
        // In file order: a key that is given twice counts as it is given last.
        for mut variable in variables {
            variable.key = match several && !variable.object.is_empty() {
                true => [&*variable.object, "/", &variable.name].concat().into(),
                false => variable.name.as_str().into(),
            };
            side.variables.insert(Rc::clone(&variable.key), variable);
        }
        side
    };
    read.into_iter().map(named).collect()
}

//! One environment's side of a comparison: its files and variables. Owns which tree they are read from: the checked one, or
//! another ref's after the change.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};

use super::classify;
use super::settings::{DivergenceSettings, FileSet, VariableSource};
use super::sources::{SourceFormat, SourceInputs, Variable, VariableReader, defaults, project};
use crate::error::Result;
use crate::manifests::{self, Files, Graph, SourceFile, Unseen};
use crate::options::scope::Branches;
use crate::subject::{Entry, Snapshot};
use crate::yaml::Mistake;

/// Why an environment has no variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissingSide {
    NoRef(String),
    NoFile,
}

/// One environment of one source.
pub struct Side {
    /// Index of the environment.
    pub environment: usize,
    /// It is in the checked tree.
    pub here: bool,
    /// The ref that it is on, if not the checked one.
    pub reference: Option<String>,
    pub gap: Option<MissingSide>,
    /// Every file that can contain its variables, its own first.
    pub files: Vec<Rc<SourceFile>>,
    pub mistakes: Vec<(Rc<SourceFile>, Mistake)>,
    /// Deployed parts that are not in the repository, with the file that refers to them.
    pub unseen: Vec<(Rc<SourceFile>, Unseen)>,
    pub variables: BTreeMap<Rc<str>, Variable>,
    /// The first key of each name, computed on first use.
    keys: OnceCell<HashMap<String, Rc<str>>>,
    /// The targets of all references, computed on first use.
    targets: OnceCell<HashSet<String>>,
}

impl Side {
    fn new(environment: usize, here: bool) -> Self {
        Self {
            environment,
            here,
            reference: None,
            gap: None,
            files: Vec::new(),
            mistakes: Vec::new(),
            unseen: Vec::new(),
            variables: BTreeMap::new(),
            keys: OnceCell::new(),
            targets: OnceCell::new(),
        }
    }

    /// The first variable of this name or key.
    pub fn named(&self, name: &str) -> Option<&Variable> {
        let keys = self.keys.get_or_init(|| {
            // In reverse, so that the first of a name wins.
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

    /// The first file that could not be parsed at all.
    pub fn broken(&self) -> Option<&SourceFile> {
        self.files.iter().find(|f| f.is_broken() && !classify::is_encrypted_file(&f.bytes)).map(|f| &**f)
    }
}

/// The trees that sources refer to.
pub struct TreeViews<'t> {
    snapshot: &'t dyn Snapshot,
    name: Option<BString>,
    files: Files<'t>,
    others: HashMap<String, Option<Files<'t>>>,
}

impl<'t> TreeViews<'t> {
    /// Lists the checked tree. `name` is the full name of its ref.
    pub fn new(snapshot: &'t dyn Snapshot, name: Option<&BStr>) -> Result<Self> {
        let files = Files::new(snapshot)?;
        Ok(Self { snapshot, name: name.map(ToOwned::to_owned), files, others: HashMap::new() })
    }

    /// Whether files are in the checked tree: they name no ref, the tree's own, or a branch of the same environment.
    pub fn is_here(&self, location: &FileSet, branches: &[String]) -> bool {
        let (Some(reference), name) = (&location.reference, self.name.as_ref()) else { return true };
        let Some(name) = name else { return false };
        let full = |short: &str| name.strip_prefix(b"refs/heads/").is_some_and(|n| n == short.as_bytes());
        name == reference
            || full(reference)
            || (branches.contains(reference) && Branches::new(branches).is_ok_and(|b| b.is_match(name.as_ref())))
    }

    /// Lists the trees of the other refs that a source names.
    pub fn open(&mut self, source: &VariableSource, settings: &DivergenceSettings) -> Result<()> {
        for (location, environment) in source.locations.iter().zip(&settings.environments) {
            let Some(location) = location else { continue };
            let Some(reference) = &location.reference else { continue };
            if self.is_here(location, &environment.branches) || self.others.contains_key(reference) {
                continue;
            }
            let files = self.snapshot.other(reference)?.map(Files::owning).transpose()?;
            self.others.insert(reference.clone(), files);
        }
        Ok(())
    }

    /// The matching files of the checked tree, to see whether a change touches them.
    pub fn watched(&self, location: &FileSet, source: &VariableSource) -> Vec<&Entry> {
        matching(&self.files, location, source.format)
    }

    /// Paths whose content differs from `before`. Files without a blob id count as changed.
    pub fn changed(&self, before: &TreeViews<'_>) -> HashSet<BString> {
        let (now, then) = (self.files.entries(), before.files.entries());
        let known: HashMap<&BString, &Entry> = then.iter().map(|e| (&e.path, e)).collect();
        let differs = |e: &&Entry| e.blob.is_none() || known.get(&e.path) != Some(e);
        let mut changed: HashSet<BString> = now.iter().filter(differs).map(|e| e.path.clone()).collect();
        let gone = then.iter().filter(|e| self.files.entry(e.path.as_ref()).is_none());
        changed.extend(gone.map(|e| e.path.clone()));
        changed
    }

    /// Whether the files depend on one of the `changed` paths: a base, a file of variables.
    pub fn depends_on(&self, location: &FileSet, source: &VariableSource, changed: &HashSet<BString>) -> Result<bool> {
        let own: Vec<&BString> = self.watched(location, source).into_iter().map(|e| &e.path).collect();
        let is_part = |path: &BString| {
            let name = manifests::name(path.as_ref());
            let kind = [&b".yaml"[..], b".yml", b".json"].iter().any(|end| name.ends_with(end));
            kind || match source.format {
                SourceFormat::Compose => name.find("env").is_some(),
                // Generators read any file below a kustomization.
                _ => overlay_of(&self.files, path.as_ref()).is_some(),
            }
        };
        match source.format {
            SourceFormat::Dotenv | SourceFormat::Tfvars => {
                Ok(own.iter().filter_map(|p| defaults(source.format, AsRef::as_ref(*p))).any(|d| changed.contains(&d)))
            }
            SourceFormat::HelmValues => Ok(own.iter().any(|path| {
                let directory = manifests::directory(AsRef::as_ref(*path));
                ["values.yaml", "values.yml"]
                    .iter()
                    .any(|n| manifests::join(directory, n).is_some_and(|p| changed.contains(&p)))
            })),
            SourceFormat::Compose if changed.iter().any(is_part) => {
                let paths: Vec<BString> = own.into_iter().cloned().collect();
                let used = project(&self.files, &paths)?.used;
                Ok(used.iter().any(|p| changed.contains(p)))
            }
            SourceFormat::K8sConfig if changed.iter().any(is_part) => {
                let overlays = own.iter().filter_map(|p| overlay_of(&self.files, AsRef::as_ref(*p)));
                for directory in overlays.collect::<BTreeSet<_>>() {
                    let graph = Graph::of(&self.files, directory)?;
                    if graph.files_of(directory).iter().any(|p| changed.contains(&**p)) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Reads all environments of a source.
    pub fn sides(&self, source: &VariableSource, settings: &DivergenceSettings) -> Result<Vec<Side>> {
        let several = self.has_several(source, settings);
        let mut read = Vec::new();
        for environment in 0..settings.environments.len() {
            read.extend(self.side(source, environment, settings, several)?);
        }
        Ok(assign_keys(read))
    }

    /// The tree that has an environment's files; `Err` with the ref's name if it is missing.
    fn files_of<'v>(&'v self, location: &FileSet, here: bool) -> std::result::Result<&'v Files<'t>, String> {
        match location.reference.as_ref().filter(|_| !here) {
            None => Ok(&self.files),
            Some(name) => self.others.get(name).and_then(Option::as_ref).ok_or_else(|| name.clone()),
        }
    }

    /// Whether any environment has several independent files, so that keys need the file's name. A kustomization and its
    /// files count as one.
    fn has_several(&self, source: &VariableSource, settings: &DivergenceSettings) -> bool {
        source.locations.iter().zip(&settings.environments).any(|(location, environment)| {
            let Some(location) = location else { return false };
            let Ok(files) = self.files_of(location, self.is_here(location, &environment.branches)) else {
                return false;
            };
            let unit = |e: &Entry| -> BString {
                let path: &BStr = e.path.as_ref();
                let overlay = overlay_of(files, path).filter(|_| source.format == SourceFormat::K8sConfig);
                overlay.unwrap_or(path).to_owned()
            };
            let units: BTreeSet<BString> = matching(files, location, source.format).into_iter().map(unit).collect();
            units.len() > 1
        })
    }

    /// Reads one environment: the side, and its variables without their keys.
    fn side(
        &self,
        source: &VariableSource,
        environment: usize,
        settings: &DivergenceSettings,
        several: bool,
    ) -> Result<Option<(Side, Vec<Variable>)>> {
        let Some(location) = &source.locations[environment] else { return Ok(None) };
        let here = self.is_here(location, &settings.environments[environment].branches);
        let mut side = Side::new(environment, here);
        side.reference = location.reference.clone().filter(|_| !here);
        let files = match self.files_of(location, here) {
            Ok(files) => files,
            Err(name) => {
                side.gap = Some(MissingSide::NoRef(name));
                return Ok(Some((side, Vec::new())));
            }
        };
        let mut paths: Vec<BString> =
            matching(files, location, source.format).into_iter().map(|e| e.path.clone()).collect();
        if paths.is_empty() {
            side.gap = Some(MissingSide::NoFile);
        }
        let order = location.override_order(&paths);
        if let Some(order) = &order {
            paths.clone_from(order);
        }
        let words = &settings.environments[environment].aliases;
        let mut reader = VariableReader::new(files, words, &settings.placeholders);
        let inner = |path: &BStr| location.inner(path).to_owned();
        let inputs = SourceInputs { paths: &paths, in_order: order.is_some(), several, inner: &inner };
        reader.read_all(source.format, &inputs)?;
        let VariableReader { found, read, unseen, mistakes, .. } = reader;
        for file in read.iter().filter(|f| !classify::is_encrypted_file(&f.bytes)) {
            side.mistakes.extend(file.mistakes.iter().map(|m| (Rc::clone(file), m.clone())));
        }
        side.mistakes.extend(mistakes);
        side.unseen = unseen.into_iter().filter_map(|u| Some((files.locate(&u.span)?, u))).collect();
        side.files = read;
        Ok(Some((side, found)))
    }
}

fn matching<'f>(files: &'f Files<'_>, location: &FileSet, format: SourceFormat) -> Vec<&'f Entry> {
    files.entries().iter().filter(|e| !e.symlink && location.contains(e.path.as_ref(), format)).collect()
}

/// The nearest directory with a kustomization, at or above a file.
pub fn overlay_of<'p>(files: &Files<'_>, path: &'p BStr) -> Option<&'p BStr> {
    let mut directory = manifests::directory(path);
    loop {
        if manifests::has_kustomization(files, directory) {
            return Some(directory);
        }
        if directory.is_empty() {
            return None;
        }
        directory = manifests::directory(directory);
    }
}

/// Sets the key of every variable: with its object if any side of the source has several.
fn assign_keys(read: Vec<(Side, Vec<Variable>)>) -> Vec<Side> {
    let several = read.iter().any(|(_, variables)| {
        let objects: HashSet<&str> = variables.iter().map(|v| &*v.object).collect();
        objects.len() > 1
    });
    let key = |variable: &Variable| -> Rc<str> {
        match several && !variable.object.is_empty() {
            true => [&*variable.object, "/", &variable.name].concat().into(),
            false => variable.name.as_str().into(),
        }
    };
    // A default only counts for keys that some environment's own file has.
    let own: HashSet<Rc<str>> = read.iter().flat_map(|(_, v)| v).filter(|v| !v.inherited).map(key).collect();
    let named = |(mut side, variables): (Side, Vec<Variable>)| {
        // In file order: the last value of a duplicate key wins.
        for mut variable in variables {
            variable.key = key(&variable);
            if !variable.inherited || own.contains(&variable.key) {
                side.variables.insert(Rc::clone(&variable.key), variable);
            }
        }
        side
    };
    read.into_iter().map(named).collect()
}

//! Which kustomizations are made of which files, from the kustomizations alone: what a change of a file reaches, and
//! which directories are built by nobody else.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bstr::{BStr, BString, ByteSlice as _};

use super::{FILE_NAMES, has_kustomization, kustomization};
use crate::error::Result;
use crate::manifests::files::Files;
use crate::manifests::{edit, paths};
use crate::yaml::Node;

/// Whether a document is a kustomization, and not an object of Flux that has the same kind.
pub fn is_kustomization(root: &Node) -> bool {
    let group = root.get("apiVersion").and_then(Node::text).unwrap_or_default();
    !group.contains("toolkit.fluxcd.io")
}

/// What one kustomization names.
#[derive(Debug, Default)]
struct Named {
    /// The file itself.
    file: BString,
    directories: Vec<BString>,
    files: BTreeSet<BString>,
    component: bool,
}

/// Every kustomization of a snapshot.
#[derive(Debug, Default)]
pub struct Graph {
    by_directory: BTreeMap<BString, Named>,
}

impl Graph {
    /// Reads all kustomizations, and nothing else.
    pub fn read(files: &Files<'_>) -> Result<Self> {
        let mut graph = Self::default();
        for entry in files.entries().iter().filter(|e| !e.symlink) {
            let path: &BStr = entry.path.as_ref();
            if !FILE_NAMES.iter().any(|n| paths::name(path) == *n) {
                continue;
            }
            graph.add(files, paths::directory(path))?;
        }
        Ok(graph)
    }

    /// Reads the kustomizations that a directory is built from.
    pub fn of(files: &Files<'_>, directory: &BStr) -> Result<Self> {
        let mut graph = Self::default();
        let mut waiting = vec![directory.to_owned()];
        while let Some(directory) = waiting.pop() {
            if !graph.by_directory.contains_key(&directory) {
                graph.add(files, directory.as_ref())?;
                let named = graph.by_directory.get(&directory);
                waiting.extend(named.into_iter().flat_map(|n| n.directories.iter().cloned()));
            }
        }
        Ok(graph)
    }

    fn add(&mut self, files: &Files<'_>, directory: &BStr) -> Result<()> {
        let Some(file) = kustomization(files, directory)? else { return Ok(()) };
        let mut named = Named { file: file.path.clone(), ..Named::default() };
        if let Some(root) = file.roots.first() {
            named.component = root.get("kind").and_then(Node::text) == Some("Component");
            references(root, &mut |path| {
                let Some(below) = paths::join(directory, path) else { return };
                match has_kustomization(files, below.as_ref()) {
                    true => named.directories.push(below),
                    false => drop(named.files.insert(below)),
                }
            });
        }
        self.by_directory.insert(directory.to_owned(), named);
        Ok(())
    }

    /// Directories that no other kustomization builds, components left out. Of directories that only build one
    /// another, each is one.
    pub fn roots(&self) -> Vec<&BStr> {
        let built: HashSet<&BString> = self.by_directory.values().flat_map(|n| &n.directories).collect();
        let mut reached: HashSet<&BStr> = HashSet::new();
        let mut roots = Vec::new();
        for needs_root in [true, false] {
            for (directory, named) in &self.by_directory {
                let is_root =
                    if needs_root { !built.contains(directory) } else { !reached.contains(directory.as_bstr()) };
                if !named.component && is_root {
                    roots.push(directory.as_bstr());
                    self.reach(directory.as_ref(), &mut reached);
                }
            }
        }
        roots
    }

    /// Adds a directory and all that it is built from.
    fn reach<'g>(&'g self, directory: &'g BStr, reached: &mut HashSet<&'g BStr>) {
        let mut waiting = vec![directory];
        while let Some(directory) = waiting.pop() {
            if reached.insert(directory) {
                let named = self.by_directory.get(directory);
                waiting.extend(named.into_iter().flat_map(|n| &n.directories).map(|d| d.as_bstr()));
            }
        }
    }

    /// Every file that a directory is built from, the missing ones too.
    pub fn files_of<'g>(&'g self, directory: &'g BStr) -> BTreeSet<&'g BStr> {
        let mut reached = HashSet::new();
        self.reach(directory, &mut reached);
        let named = reached.iter().filter_map(|d| self.by_directory.get(*d));
        named.flat_map(|n| n.files.iter().chain([&n.file])).map(|f| f.as_bstr()).collect()
    }

    /// Every file that any kustomization names, and every kustomization.
    pub fn all_files(&self) -> HashSet<&BStr> {
        self.by_directory.values().flat_map(|n| n.files.iter().chain([&n.file])).map(|f| f.as_bstr()).collect()
    }
}

/// Every path that a kustomization names.
fn references(root: &Node, visit: &mut dyn FnMut(&str)) {
    let mut each = |node: Option<&Node>| {
        if let Some(text) = node.and_then(Node::text).filter(|t| !t.contains('\n')) {
            visit(text);
        }
    };
    let list = |key: &str| root.get(key).map_or(&[][..], Node::items);
    for key in [
        "resources",
        "bases",
        "components",
        "patchesStrategicMerge",
        "crds",
        "configurations",
        "generators",
        "transformers",
    ] {
        list(key).iter().for_each(|item| each(Some(item)));
    }
    for key in ["patches", "patchesJson6902", "replacements"] {
        list(key).iter().for_each(|item| each(item.get("path")));
    }
    for item in list("configMapGenerator").iter().chain(list("secretGenerator")) {
        for from in item.get("files").map_or(&[][..], Node::items).iter().filter_map(Node::text) {
            let path = from.split_once('=').map_or(from, |(_, path)| path);
            each(Some(&edit::string(path, 0..0)));
        }
        item.get("envs").map_or(&[][..], Node::items).iter().for_each(|e| each(Some(e)));
        each(item.get("env"));
    }
    list("helmCharts").iter().for_each(|item| each(item.get("valuesFile")));
}

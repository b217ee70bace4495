//! What `kustomize build` makes of a directory, each value with the place where it was written last. Owns the order of
//! the steps; each step has a file of its own. Content from outside of the repository is not fetched but told of.

mod generate;
mod graph;
mod json6902;
mod merge;
mod names;
mod replace;
mod select;
mod transform;

pub use graph::{Graph, is_kustomization};
pub use transform::image_parts;

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};

use super::files::{Files, SourceFile};
use super::object::{Object, is_builtin, unfold};
use super::{edit, inline, paths};
use crate::document::Format;
use crate::error::Result;
use crate::yaml::Node;
use select::Selector;

/// The names that kustomize looks for, in its order.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Kustomizations inside one another.
const MAX_DEPTH: usize = 32;
/// Objects and directories of one build: a hostile tree doubles at every level.
const MAX_OBJECTS: usize = 20_000;

/// Unseen parts that one build tells of.
const MAX_UNSEEN: usize = 1_000;

/// Why a part of what is deployed is not in the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// It comes from another repository, a registry, or a program.
    Remote,
    /// The repository has no such file.
    Missing,
    /// It does not fit: a patch without its object, an operation without its field, a limit.
    Failed,
}

/// A part of what is deployed that is not in the documents.
#[derive(Clone, Debug)]
pub struct Unseen {
    pub gap: Gap,
    /// What asks for it.
    pub span: Range<usize>,
    pub what: String,
}

/// What a directory builds.
#[derive(Clone, Debug, Default)]
pub struct Built {
    pub objects: Vec<Object>,
    pub unseen: Vec<Unseen>,
    /// Every file that was asked for, the missing ones too.
    pub used: BTreeSet<BString>,
}

/// Builds a directory; `None` where it has no kustomization.
pub fn build(files: &Files<'_>, directory: &BStr) -> Result<Option<Built>> {
    if kustomization(files, directory)?.is_none() {
        return Ok(None);
    }
    let mut builder = Builder::new(files);
    let mut objects = Vec::new();
    builder.accumulate(directory, &mut objects)?;
    objects.retain(|o: &Object| {
        let annotation = o.node.at(&["metadata", "annotations", "config.kubernetes.io/local-config"]);
        annotation.and_then(Node::text) != Some("true")
    });
    let Builder { unseen, used, .. } = builder;
    Ok(Some(Built { objects, unseen, used }))
}

/// The kustomization of a directory.
pub fn kustomization(files: &Files<'_>, directory: &BStr) -> Result<Option<Rc<SourceFile>>> {
    for name in FILE_NAMES {
        let path = paths::join(directory, name).unwrap_or_default();
        if files.entry(path.as_ref()).is_none() {
            continue;
        }
        let file = files.load(path.as_ref(), Format::Yaml)?;
        return Ok(file.filter(|f| f.roots.first().is_none_or(is_kustomization)));
    }
    Ok(None)
}

/// A build under way.
pub struct Builder<'b, 's> {
    files: &'b Files<'s>,
    unseen: Vec<Unseen>,
    used: BTreeSet<BString>,
    /// The directories that are being built, one inside the other.
    open: Vec<BString>,
    made: usize,
}

impl<'b, 's> Builder<'b, 's> {
    fn new(files: &'b Files<'s>) -> Self {
        Self { files, unseen: Vec::new(), used: BTreeSet::new(), open: Vec::new(), made: 0 }
    }

    fn unseen(&mut self, gap: Gap, at: &Node, what: impl Into<String>) {
        if self.unseen.len() < MAX_UNSEEN {
            self.unseen.push(Unseen { gap, span: at.span.clone(), what: what.into() });
        }
    }

    fn missing(&mut self, at: &Node, path: &str) {
        let gap = if paths::is_remote(path) { Gap::Remote } else { Gap::Missing };
        self.unseen(gap, at, path);
    }

    /// A file that a kustomization names.
    fn file(&mut self, directory: &BStr, at: &Node, path: &str, format: Format) -> Result<Option<Rc<SourceFile>>> {
        let Some(path_below) = paths::join(directory, path) else {
            self.missing(at, path);
            return Ok(None);
        };
        let file = self.files.load(path_below.as_ref(), format)?;
        self.used.insert(path_below);
        match &file {
            None => self.missing(at, path),
            Some(file) if file.is_broken() => self.unseen(Gap::Failed, at, format!("{path} cannot be read")),
            Some(_) => {}
        }
        Ok(file)
    }

    /// Adds what a directory brings to `objects`, and changes them all as it says: a component changes what is there.
    fn accumulate(&mut self, directory: &BStr, objects: &mut Vec<Object>) -> Result<()> {
        let Some(file) = kustomization(self.files, directory)? else { return Ok(()) };
        self.used.insert(file.path.clone());
        let Some(root) = file.roots.first() else { return Ok(()) };
        if self.open.len() >= MAX_DEPTH || self.open.iter().any(|d| d == directory) {
            self.unseen(Gap::Failed, root, "it leads back to itself, or too deep");
            return Ok(());
        }
        self.made += 1;
        if self.made > MAX_OBJECTS {
            self.unseen(Gap::Failed, root, format!("more than {MAX_OBJECTS} objects and directories"));
            return Ok(());
        }
        self.open.push(directory.to_owned());
        let list = |key: &str| root.get(key).map_or(&[][..], Node::items);
        for item in list("resources").iter().chain(list("bases")) {
            self.resource(directory, item, objects)?;
        }
        generate::run(self, directory, root, objects)?;
        for chart in list("helmCharts").iter().chain(list("helmChartInflationGenerator")) {
            self.unseen(Gap::Remote, chart, "a chart that Helm would render");
        }
        for key in ["generators", "transformers"] {
            for item in list(key) {
                self.unseen(Gap::Remote, item, format!("what a plugin under `{key}` does"));
            }
        }
        for item in list("components") {
            let Some(path) = item.text() else { continue };
            match paths::join(directory, path).filter(|p| has_kustomization(self.files, p.as_ref())) {
                Some(below) => self.accumulate(below.as_ref(), objects)?,
                None => self.missing(item, path),
            }
        }
        self.transform(directory, root, objects)?;
        names::update(objects);
        self.open.pop();
        Ok(())
    }

    fn resource(&mut self, directory: &BStr, item: &Node, objects: &mut Vec<Object>) -> Result<()> {
        let Some(path) = item.text() else { return Ok(()) };
        let Some(below) = paths::join(directory, path) else {
            self.missing(item, path);
            return Ok(());
        };
        if has_kustomization(self.files, below.as_ref()) {
            let mut own = Vec::new();
            self.accumulate(below.as_ref(), &mut own)?;
            objects.append(&mut own);
            return Ok(());
        }
        let Some(file) = self.file(directory, item, path, format_of(below.as_ref()))? else { return Ok(()) };
        let mut found = Vec::new();
        file.roots.iter().for_each(|root| unfold(root, &mut found));
        self.made += found.len();
        if self.made > MAX_OBJECTS {
            self.unseen(Gap::Failed, item, format!("more than {MAX_OBJECTS} objects"));
            return Ok(());
        }
        objects.extend(found.into_iter().filter(|n| n.get("kind").is_some()).map(|n| Object::new(n.clone())));
        Ok(())
    }

    fn transform(&mut self, directory: &BStr, root: &Node, objects: &mut Vec<Object>) -> Result<()> {
        let list = |key: &str| root.get(key).map_or(&[][..], Node::items);
        for item in list("patchesStrategicMerge") {
            let Some(text) = item.text() else { continue };
            if text.contains('\n') || text.trim_start().starts_with('{') {
                let patches = self.inline(item);
                patches.iter().for_each(|p| self.patch(p, None, item, objects));
            } else if let Some(file) = self.file(directory, item, text, Format::Yaml)? {
                file.roots.iter().for_each(|p| self.patch(p, None, item, objects));
            }
        }
        self.patches(directory, list("patches"), objects)?;
        if let Some(to) = root.get("namespace") {
            transform::namespace(objects, to);
        }
        transform::rename(objects, root.get("namePrefix"), root.get("nameSuffix"));
        transform::labels(objects, root);
        if let Some(pairs) = root.get("commonAnnotations") {
            transform::annotations(objects, pairs);
        }
        self.patches(directory, list("patchesJson6902"), objects)?;
        transform::replicas(objects, list("replicas"));
        transform::images(objects, list("images"));
        for item in list("replacements") {
            let from_file = match item.get("path").and_then(|p| p.text().map(|t| (p, t))) {
                Some((at, path)) => self.file(directory, at, path, Format::Yaml)?,
                None => None,
            };
            let several = from_file.as_ref().map_or(std::slice::from_ref(item), |f| &f.roots);
            for one in several.iter().flat_map(|n| if n.is_seq() { n.items() } else { std::slice::from_ref(n) }) {
                if let Err(why) = replace::apply(objects, one) {
                    self.unseen(Gap::Failed, item, why);
                }
            }
        }
        Ok(())
    }

    /// `patches` and `patchesJson6902`: a file or a text, with a target or without.
    fn patches(&mut self, directory: &BStr, list: &[Node], objects: &mut Vec<Object>) -> Result<()> {
        for item in list {
            let target = item.get("target").map(|t| Selector::read(t, false));
            let inline = item.get("patch").filter(|p| p.text().is_some());
            let from_file = match (inline, item.get("path").and_then(|p| p.text().map(|t| (p, t)))) {
                (None, Some((at, path))) => {
                    let format = paths::join(directory, path).map_or(Format::Yaml, |p| format_of(p.as_ref()));
                    self.file(directory, at, path, format)?
                }
                _ => None,
            };
            let roots = match (inline, &from_file) {
                (Some(text), _) => self.inline(text),
                (None, Some(file)) => file.roots.clone(),
                (None, None) => continue,
            };
            let at = item.get("path").unwrap_or(item);
            roots.iter().for_each(|p| self.patch(p, target.as_ref(), at, objects));
        }
        Ok(())
    }

    fn inline(&self, scalar: &Node) -> Vec<Node> {
        inline::documents(self.files, scalar)
    }

    /// One patch of either kind. `at`: what asks for it.
    fn patch(&mut self, patch: &Node, target: Option<&Selector>, at: &Node, objects: &mut Vec<Object>) {
        if patch.is_seq() {
            let Some(target) = target else {
                return self.unseen(Gap::Failed, at, "a JSON patch needs a target");
            };
            for object in objects.iter_mut().filter(|o| target.matches(o)) {
                object.remember();
                if let Err(why) = json6902::apply(&mut object.node, patch.items()) {
                    self.unseen.push(Unseen { gap: Gap::Failed, span: patch.span.clone(), what: why });
                }
            }
            return;
        }
        if !patch.is_map() {
            return;
        }
        let own = Object::new(patch.clone());
        let mut body = patch.clone();
        // A patch finds its object by these and does not change them.
        for key in ["apiVersion", "kind"] {
            edit::remove(&mut body, key);
        }
        if let Some(metadata) = edit::get_mut(&mut body, "metadata") {
            edit::remove(metadata, "name");
            edit::remove(metadata, "namespace");
        }
        let mut found = false;
        objects.retain_mut(|object| {
            let meant = match target {
                Some(target) => target.matches(object),
                None => object.is(own.kind(), own.group(), own.name(), own.namespace()),
            };
            if !meant {
                return true;
            }
            found = true;
            let builtin = is_builtin(object.group());
            merge::apply(&mut object.node, &body, builtin)
        });
        if !found && target.is_none() {
            self.unseen(Gap::Failed, at, format!("no {} named {} to patch", own.kind(), own.name()));
        }
    }
}

/// Applies patches in the shape of `patches:` to objects. `directory`: what their paths are relative to.
pub fn patch(files: &Files<'_>, directory: &BStr, patches: &[Node], objects: &mut Vec<Object>) -> Result<()> {
    Builder::new(files).patches(directory, patches, objects)
}

/// Merges a patch into an object whose kind Kubernetes does not define: its lists are replaced.
pub fn merge_custom(object: &mut Node, patch: &Node) {
    merge::apply(object, patch, false);
}

/// Whether a directory has a kustomization, by names alone.
pub fn has_kustomization(files: &Files<'_>, directory: &BStr) -> bool {
    FILE_NAMES.iter().any(|name| paths::join(directory, name).is_some_and(|p| files.entry(p.as_ref()).is_some()))
}

fn format_of(path: &BStr) -> Format {
    if path.ends_with_str(".json") { Format::Json } else { Format::Yaml }
}

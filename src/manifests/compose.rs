//! The services of compose files as compose reads them: several files merged in their order, `extends` and `include`
//! followed, variables of `env_file` read. Interpolation is left alone: `${NAME}` is a reference.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bstr::{BStr, BString};

use super::files::{Files, SourceFile};
use super::kustomize::{Gap, Unseen};
use super::paths;
use crate::document::Format;
use crate::error::Result;
use crate::yaml::Node;

/// Name, key and value; the value is `None` where it is handed on from outside.
pub type Assignment = (String, Node, Option<Node>);

/// One service.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Variables of the files of `env_file`; later ones overrule earlier ones.
    pub from_files: Vec<Assignment>,
    /// Variables of `environment`, which overrule those.
    pub variables: Vec<Assignment>,
    /// The files of `env_file`, as they are named.
    pub env_files: Vec<Node>,
    pub image: Option<Node>,
    builds: bool,
}

/// What compose files hold.
#[derive(Default)]
pub struct Compose {
    pub services: BTreeMap<String, Service>,
    pub unseen: Vec<Unseen>,
    /// Every file that was asked for, the missing ones too.
    pub used: BTreeSet<BString>,
    pub files: Vec<Rc<SourceFile>>,
}

/// `extends` of `extends`, and `include` in `include`.
const MAX_DEPTH: usize = 16;

/// Reads files in the order in which compose would be given them.
pub fn read(files: &Files<'_>, given: &[BString]) -> Result<Compose> {
    let mut out = Compose::default();
    let mut services = BTreeMap::new();
    for path in given {
        out.document(files, path.as_ref(), &mut services, 0)?;
    }
    out.services = services;
    Ok(out)
}

/// Whether a file cannot stand alone: one of its services has neither an image nor anything to build.
pub fn is_override(compose: &Compose) -> bool {
    compose.services.values().any(|s| s.image.is_none() && !s.builds)
}

impl Compose {
    fn load(&mut self, files: &Files<'_>, path: &BStr) -> Result<Option<Rc<SourceFile>>> {
        let file = files.load(path, Format::Yaml)?;
        self.used.insert(path.to_owned());
        if let Some(file) = &file
            && !self.files.iter().any(|f| f.path == file.path)
        {
            self.files.push(Rc::clone(file));
        }
        Ok(file)
    }

    fn missing(&mut self, at: &Node, path: &str) {
        let gap = if paths::is_remote(path) { Gap::Remote } else { Gap::Missing };
        self.unseen.push(Unseen { gap, span: at.span.clone(), what: path.to_owned() });
    }

    fn document(
        &mut self,
        files: &Files<'_>,
        path: &BStr,
        services: &mut BTreeMap<String, Service>,
        depth: usize,
    ) -> Result<()> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        let Some(file) = self.load(files, path)? else { return Ok(()) };
        let directory = paths::directory(path);
        for root in &file.roots {
            for item in root.get("include").map_or(&[][..], Node::items) {
                let node = item.get("path").unwrap_or(item);
                for node in node.items().iter().chain(Some(node).filter(|n| n.text().is_some())) {
                    let Some(text) = node.text() else { continue };
                    match paths::join(directory, text).filter(|p| files.entry(p.as_ref()).is_some()) {
                        Some(below) => self.document(files, below.as_ref(), services, depth + 1)?,
                        None => self.missing(node, text),
                    }
                }
            }
            for (name, node) in root.get("services").map_or(&[][..], Node::entries) {
                let name = name.text().unwrap_or("?").to_owned();
                let own = self.service(files, path, root, node, depth)?;
                merge(services.entry(name).or_default(), own);
            }
        }
        Ok(())
    }

    fn service(&mut self, files: &Files<'_>, path: &BStr, root: &Node, node: &Node, depth: usize) -> Result<Service> {
        let mut service = Service::default();
        if let Some(extends) = node.get("extends").filter(|_| depth <= MAX_DEPTH) {
            let name = extends.text().or_else(|| extends.get("service").and_then(Node::text)).unwrap_or_default();
            match extends.get("file").and_then(|f| f.text().map(|t| (f, t))) {
                Some((at, text)) => {
                    let below = paths::join(paths::directory(path), text);
                    let file = match &below {
                        Some(below) => self.load(files, below.as_ref())?,
                        None => None,
                    };
                    match (file, below) {
                        (Some(file), Some(below)) => {
                            let base = file.roots.iter().find_map(|r| Some((r, r.at(&["services", name])?)));
                            if let Some((root, base)) = base {
                                service = self.service(files, below.as_ref(), root, base, depth + 1)?;
                            }
                        }
                        _ => self.missing(at, text),
                    }
                }
                None => {
                    if let Some(base) = root.at(&["services", name]) {
                        service = self.service(files, path, root, base, depth + 1)?;
                    }
                }
            }
        }
        let own = self.own(files, paths::directory(path), node)?;
        merge(&mut service, own);
        Ok(service)
    }

    /// What a service says itself.
    fn own(&mut self, files: &Files<'_>, directory: &BStr, node: &Node) -> Result<Service> {
        let mut service =
            Service { image: node.get("image").cloned(), builds: node.get("build").is_some(), ..Service::default() };
        if let Some(list) = node.get("env_file") {
            for item in list.items().iter().chain(Some(list).filter(|n| !n.is_seq())) {
                let at = item.get("path").unwrap_or(item);
                let Some(text) = at.text() else { continue };
                service.env_files.push(at.clone());
                let below = paths::join(directory, text);
                let file = match &below {
                    Some(path) => {
                        self.used.insert(path.clone());
                        files.load(path.as_ref(), Format::Dotenv)?
                    }
                    None => None,
                };
                match file {
                    Some(file) => {
                        for (key, value) in file.roots.iter().flat_map(Node::entries) {
                            let name = key.text().unwrap_or("?").to_owned();
                            service.from_files.push((name, key.clone(), Some(value.clone())));
                        }
                        if !self.files.iter().any(|f| f.path == file.path) {
                            self.files.push(file);
                        }
                    }
                    None if item.get("required").and_then(Node::as_bool) == Some(false) => {}
                    None => self.missing(at, text),
                }
            }
        }
        let environment = node.get("environment");
        for (key, value) in environment.map_or(&[][..], Node::entries) {
            let handed_on = value.is_null() && value.span.is_empty();
            let name = key.text().unwrap_or("?").to_owned();
            service.variables.push((name, key.clone(), Some(value.clone()).filter(|_| !handed_on)));
        }
        for item in environment.map_or(&[][..], Node::items) {
            let Some(text) = item.text() else { continue };
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(super::edit::string(value, item.span.clone()))),
                None => (text, None),
            };
            service.variables.push((name.trim().to_owned(), item.clone(), value));
        }
        Ok(service)
    }
}

fn merge(into: &mut Service, from: Service) {
    into.from_files.extend(from.from_files);
    into.variables.extend(from.variables);
    into.env_files.extend(from.env_files);
    into.image = from.image.or(into.image.take());
    into.builds |= from.builds;
}

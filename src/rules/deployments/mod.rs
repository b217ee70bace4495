//! What deploys what, and from where: revisions that Argo CD, Flux and Kargo follow, paths that they apply, jobs that CI
//! starts. Owns which documents are looked at, and the words that the checks share; each tool has its own file.
//! Objects are looked at as they are deployed: a file that a kustomization uses is judged by what the kustomization
//! makes of it.

mod argocd;
mod flux;
mod github;
mod gitlab;
mod kargo;
mod kustomize;
mod revisions;
mod scene;
mod triggers;

use bstr::{BStr, BString, ByteSlice as _};

use super::{Check, Checks, Rule};
use crate::document::Format;
use crate::error::Result;
use crate::finding::Findings;
use crate::manifests::{self, Files, Graph, SourceFile};
use crate::options::scope::Globs;
use crate::options::{Environment, Options};
use crate::rules::structured;
use crate::subject::{Kinds, Tree};
use crate::yaml::Node;
use revisions::Revisions;
use scene::{Findable, Scene};

pub static RULE: Rule = Rule {
    id: "deployments",
    looks_at: Kinds::TREE,
    policy: include_str!("../../../policies/deployments.yml"),
    compile: |options| {
        let deployments = Deployments::read(options);
        // Where no environment is known, no deployment can be to the wrong one.
        if deployments.environments.is_empty() {
            return Checks::default();
        }
        Checks { trees: vec![Box::new(deployments)], ..Checks::default() }
    },
};

/// Whether something that deserves a look is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stance {
    Allow,
    Deny,
}

impl Stance {
    fn read(options: &Options<'_>, key: &'static str) -> Self {
        if options.choice(key, &["allow", "deny"]) == "deny" { Self::Deny } else { Self::Allow }
    }
}

struct Deployments {
    environments: Vec<Environment>,
    revisions: Revisions,
    /// URLs of repositories whose revisions are meant; empty: what deploys a directory of the judged tree.
    repositories: Globs,
    head: Stance,
    manual: Stance,
}

impl Deployments {
    fn read(options: &Options<'_>) -> Self {
        let environments = options.vocabulary().environments.clone();
        Self {
            revisions: Revisions::read(options, &environments),
            repositories: options.globs("repositories"),
            head: Stance::read(options, "head"),
            manual: Stance::read(options, "manual"),
            environments,
        }
    }

    /// The last environment is production.
    fn production(&self) -> usize {
        self.environments.len() - 1
    }
}

fn is_workflow(path: &BStr) -> bool {
    [".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/"].iter().any(|d| path.starts_with(d.as_bytes()))
}

fn is_gitlab(path: &BStr) -> bool {
    path == ".gitlab-ci.yml" || path == ".gitlab-ci.yaml" || path.starts_with(b".gitlab/ci/")
}

fn is_yaml(path: &BStr) -> bool {
    path.ends_with(b".yaml") || path.ends_with(b".yml")
}

fn is_kustomization(path: &BStr) -> bool {
    manifests::FILE_NAMES.iter().any(|name| manifests::name(path) == *name)
}

/// Objects of Argo CD, Flux and Kargo say so by their group, near the top or not at all.
fn deploys(bytes: &[u8]) -> bool {
    [&b"argoproj.io/"[..], b"toolkit.fluxcd.io/", b"kargo.akuity.io/"].iter().any(|group| bytes.find(group).is_some())
}

impl Check<Tree<'_>> for Deployments {
    fn check(&self, tree: &Tree<'_>, out: &mut Findings<'_>) -> Result<()> {
        let wanted = |p: &BStr| is_yaml(p) || is_kustomization(p) || p.ends_with(b".json") || p.ends_with(b".env");
        let touched = structured::touched(tree, wanted)?;
        if touched.is_empty() {
            return Ok(());
        }
        let files = Files::new(tree.snapshot)?;
        let branch = tree.name.as_ref().map(|n| n.as_bstr());
        let mut scene = Scene::new(self, &files, branch, out);
        let (ci, others): (Vec<_>, Vec<_>) =
            touched.into_iter().map(|e| e.path).partition(|p| is_workflow(p.as_ref()) || is_gitlab(p.as_ref()));
        for path in &ci {
            let Some(file) = files.load(path.as_ref(), Format::Yaml)? else { continue };
            scene.look_at(Findable::File(file.path.clone()));
            for root in &file.roots {
                if is_workflow(path.as_ref()) {
                    github::check(&mut scene, root)?;
                } else {
                    gitlab::check(&mut scene, root);
                }
            }
        }
        // Who is made of what is asked only where a kustomization could be touched.
        let graph = match others.iter().any(|p| is_in_kustomization(&files, p.as_ref())) {
            true => Graph::read(&files)?,
            false => Graph::default(),
        };
        let used = graph.all_files();
        for path in others.iter().filter(|p| !used.contains(p.as_bstr()) && is_yaml(p.as_ref())) {
            if let Some(file) = deploying(&files, path.as_ref())? {
                scene.look_at(Findable::File(path.clone()));
                file.roots.iter().try_for_each(|root| objects(&mut scene, root))?;
            } else if manifests::name(path.as_ref()).starts_with(b"values")
                && files.read(path.as_ref())?.is_some_and(|b| b.find(b"targetRevision").is_some())
                && let Some(file) = files.load(path.as_ref(), Format::Yaml)?
            {
                scene.look_at(Findable::File(path.clone()));
                file.roots.iter().for_each(|root| argocd::values(&mut scene, root));
            }
        }
        let touches = |files: &std::collections::BTreeSet<&BStr>| others.iter().any(|p| files.contains(p.as_bstr()));
        for path in others.iter().filter(|p| is_kustomization(p.as_ref())) {
            if let Some(file) = files.load(path.as_ref(), Format::Yaml)? {
                scene.look_at(Findable::File(path.clone()));
                file.roots.iter().take(1).for_each(|root| kustomize::check(&mut scene, root));
            }
        }
        for directory in graph.roots() {
            let parts = graph.files_of(directory);
            if !touches(&parts) {
                continue;
            }
            let mut any = false;
            for part in &parts {
                any = any || (files.entry(part).is_some() && files.read(part)?.is_some_and(|b| deploys(&b)));
            }
            let Some(built) = (if any { manifests::build(&files, directory)? } else { None }) else { continue };
            scene.look_at(Findable::Overlay(directory.to_owned()));
            built.objects.iter().try_for_each(|object| one(&mut scene, &object.node))?;
        }
        Ok(())
    }
}

/// Whether a kustomization stands above a file, or beside it.
fn is_in_kustomization(files: &Files<'_>, path: &BStr) -> bool {
    let mut directory = manifests::directory(path);
    loop {
        if manifests::has_kustomization(files, directory) {
            return true;
        }
        if directory.is_empty() {
            // A file that stands apart may still be named with `..`, which kustomize refuses unless told otherwise.
            return files.entries().iter().any(|e| is_kustomization(e.path.as_ref()));
        }
        directory = manifests::directory(directory);
    }
}

/// A file that has an object of a controller; what is no YAML (a Helm template) is somebody else's matter.
fn deploying(files: &Files<'_>, path: &BStr) -> Result<Option<std::rc::Rc<SourceFile>>> {
    match files.read(path)? {
        Some(bytes) if deploys(&bytes) => files.load(path, Format::Yaml),
        _ => Ok(None),
    }
}

fn objects(scene: &mut Scene<'_, '_, '_>, root: &Node) -> Result<()> {
    let mut found = Vec::new();
    manifests::unfold(root, &mut found);
    found.into_iter().try_for_each(|node| one(scene, node))
}

fn one(scene: &mut Scene<'_, '_, '_>, node: &Node) -> Result<()> {
    argocd::check(scene, node)?;
    flux::check(scene, node)?;
    kargo::check(scene, node);
    let is_flux =
        node.get("apiVersion").and_then(Node::text).is_some_and(|v| v.starts_with("kustomize.toolkit.fluxcd.io/"));
    if is_flux && node.get("kind").and_then(Node::text) == Some("Kustomization") {
        for object in &manifests::flux::applied(scene.files, node)? {
            argocd::check(scene, object)?;
            flux::check(scene, object)?;
        }
    }
    Ok(())
}

/// Path of a file below a directory of the repository, for tests of what is there.
fn is_directory(files: &Files<'_>, path: &str) -> bool {
    let clean = path.trim_start_matches("./").trim_matches('/');
    !clean.is_empty() && clean != "." && files.has_directory(BString::from(clean).as_ref())
}

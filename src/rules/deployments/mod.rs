//! What deploys what, and from where: revisions that Argo CD and Flux follow, jobs that CI starts. Owns the words that
//! the checks share; each tool has its own file.

mod argocd;
mod flux;
mod github;
mod gitlab;
mod revisions;
mod triggers;

use std::ops::Range;

use bstr::{BStr, ByteSlice};

use super::structured::{self, Structured};
use super::{Check, Checks, Rule};
use crate::document::Format;
use crate::error::Result;
use crate::finding::{Findings, Severity, Violation};
use crate::policy::scope::Globs;
use crate::policy::{Environment, Options};
use crate::subject::{Kinds, Tree};
use revisions::Revisions;

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

/// One file, and who is told.
struct Scene<'a, 'o, 'r> {
    rules: &'a Deployments,
    file: &'a Structured,
    /// Full name.
    branch: Option<&'a BStr>,
    /// Whether the tree has a file below a directory.
    has_directory: &'a dyn Fn(&str) -> bool,
    out: &'o mut Findings<'r>,
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

/// Objects of Argo CD and Flux say so by their group, near the top or not at all.
fn deploys(bytes: &[u8]) -> bool {
    bytes.find(b"argoproj.io/").is_some() || bytes.find(b"toolkit.fluxcd.io/").is_some()
}

impl Check<Tree<'_>> for Deployments {
    fn check(&self, tree: &Tree<'_>, out: &mut Findings<'_>) -> Result<()> {
        let yaml = |p: &BStr| p.ends_with(b".yaml") || p.ends_with(b".yml");
        let touched = structured::touched(tree, yaml)?;
        if touched.is_empty() {
            return Ok(());
        }
        let entries = tree.snapshot.entries()?;
        let has_directory = |directory: &str| {
            let prefix = format!("{}/", directory.trim_start_matches("./").trim_matches('/'));
            let at = entries.partition_point(|e| e.path.as_slice() < prefix.as_bytes());
            prefix.len() > 1 && entries.get(at).is_some_and(|e| e.path.starts_with(prefix.as_bytes()))
        };
        let branch = tree.name.as_ref().map(|n| n.as_bstr());
        for entry in touched {
            let path = entry.path.clone();
            let ci = is_workflow(path.as_ref()) || is_gitlab(path.as_ref());
            let Some(bytes) = tree.snapshot.read(path.as_ref())? else { continue };
            if !ci && !deploys(&bytes) {
                continue;
            }
            // What is no YAML (a Helm template) is somebody else's matter.
            let document = bytes.document(Format::Yaml);
            let file = Structured { entry, bytes, document };
            let mut scene = Scene { rules: self, file: &file, branch, has_directory: &has_directory, out: &mut *out };
            for root in &file.document.roots {
                if is_workflow(path.as_ref()) {
                    github::check(&mut scene, root);
                } else if is_gitlab(path.as_ref()) {
                    gitlab::check(&mut scene, root);
                } else {
                    argocd::check(&mut scene, root);
                    flux::check(&mut scene, root);
                }
            }
        }
        Ok(())
    }
}

impl Scene<'_, '_, '_> {
    fn tell(&mut self, code: &'static str, severity: Severity, span: Range<usize>, key: &str, words: (String, &str)) {
        let violation = Violation::new(code, severity, self.file.origin(), &self.file.bytes, span);
        self.out.push(violation.message(words.0).help(words.1).key(key));
    }

    /// The environment that an object belongs to: by its file, else by the first of its own texts that names one, else
    /// by the branch.
    fn environment<'n>(&self, texts: impl IntoIterator<Item = Option<&'n str>>) -> Option<usize> {
        let environments = &self.rules.environments;
        let path = self.file.entry.path.to_str_lossy();
        structured::environment_in(&path, environments)
            .or_else(|| texts.into_iter().flatten().find_map(|text| structured::environment_in(text, environments)))
            .or_else(|| structured::environment_of_branch(self.branch?, environments))
    }
}

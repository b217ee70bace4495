//! What the checks of deployments share: the files of the tree, which environment an object belongs to, and how a
//! finding is placed where its value is written.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};

use super::{Deployments, is_yaml};
use crate::document::Format;
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::manifests::{Files, SourceFile};
use crate::rules::structured;
use crate::yaml::Node;

/// What is being looked at.
pub enum Findable {
    File(BString),
    /// What a kustomization of this directory builds.
    Overlay(BString),
}

pub struct Scene<'a, 'o, 'r> {
    pub rules: &'a Deployments,
    pub files: &'a Files<'a>,
    /// Full name.
    branch: Option<&'a BStr>,
    /// The file, or the directory whose kustomization is built.
    path: BString,
    /// Several overlays share a base, which is told of once.
    told: HashSet<(usize, String)>,
    out: &'o mut Findings<'r>,
}

impl<'a, 'o, 'r> Scene<'a, 'o, 'r> {
    pub fn new(
        rules: &'a Deployments,
        files: &'a Files<'a>,
        branch: Option<&'a BStr>,
        out: &'o mut Findings<'r>,
    ) -> Self {
        Self { rules, files, branch, path: BString::default(), told: HashSet::new(), out }
    }

    pub fn look_at(&mut self, what: Findable) {
        self.path = match what {
            Findable::File(path) | Findable::Overlay(path) => path,
        };
    }

    /// The file or directory that is being looked at.
    pub fn path(&self) -> &BStr {
        self.path.as_ref()
    }

    /// A finding at a span of the documents. `key`: the path of the value in its object.
    pub fn tell(
        &mut self,
        code: &'static str,
        severity: Severity,
        span: Range<usize>,
        key: &str,
        words: (String, &str),
    ) {
        self.report(code, severity, &span, key, words, false);
    }

    /// The same at a value that must not be shown.
    pub fn tell_hidden(
        &mut self,
        code: &'static str,
        severity: Severity,
        span: &Range<usize>,
        key: &str,
        words: (String, &str),
    ) {
        self.report(code, severity, span, key, words, true);
    }

    fn report(
        &mut self,
        code: &'static str,
        severity: Severity,
        span: &Range<usize>,
        key: &str,
        words: (String, &str),
        hide: bool,
    ) {
        let Some(file) = self.file_of(span) else { return };
        if !self.told.insert((span.start, format!("{code} {}", words.0))) {
            return;
        }
        let origin = Origin::File { path: file.path.clone(), commit: None, blob: file.blob };
        let local = file.local(span);
        let violation = Violation::new(code, severity, origin, &file.bytes, local.clone());
        let violation = violation.message(words.0).help(words.1).key(key);
        self.out.push(if hide { violation.hide(local) } else { violation });
    }

    /// The file that a value is written in.
    pub fn file_of(&self, span: &Range<usize>) -> Option<Rc<SourceFile>> {
        self.files.locate(span)
    }

    /// Whether a Kustomization of Flux applies a directory of this repository from a source of this name. Asked only
    /// where it decides whether something is wrong: it reads every file of Flux.
    pub fn applies_from_here(&self, source: &str) -> Result<bool> {
        for entry in self.files.entries().iter().filter(|e| is_yaml(e.path.as_ref())) {
            let path: &BStr = entry.path.as_ref();
            let Some(bytes) = self.files.read(path)? else { continue };
            if bytes.find(b"kustomize.toolkit.fluxcd.io/").is_none() || bytes.find(source).is_none() {
                continue;
            }
            let Some(file) = self.files.load(path, Format::Yaml)? else { continue };
            let found = file.roots.iter().any(|root| {
                let text = |path: &[&str]| root.at(path).and_then(Node::text);
                text(&["spec", "sourceRef", "name"]) == Some(source)
                    && text(&["spec", "path"]).is_some_and(|p| super::is_directory(self.files, p))
            });
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The environment that an object belongs to: by the file or directory that is looked at, by the file that the
    /// object is written in, by the first of its own texts that names one, or by the branch.
    pub fn environment<'n>(&self, object: &Node, texts: impl IntoIterator<Item = Option<&'n str>>) -> Option<usize> {
        self.named_environment(object, texts)
            .or_else(|| structured::environment_of_branch(self.branch?, &self.rules.environments))
    }

    /// The same without the branch.
    pub fn named_environment<'n>(
        &self,
        object: &Node,
        texts: impl IntoIterator<Item = Option<&'n str>>,
    ) -> Option<usize> {
        let environments = &self.rules.environments;
        let by_path = |path: &BStr| structured::environment_in(&path.to_str_lossy(), environments);
        by_path(self.path.as_ref())
            .or_else(|| by_path(self.file_of(&object.span)?.path.as_ref()))
            .or_else(|| texts.into_iter().flatten().find_map(|text| structured::environment_in(text, environments)))
    }
}

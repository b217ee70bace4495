//! `windmill`: repositories that Windmill syncs with. Checks what `wmill.yaml` exports, that synced files hold no plain
//! secrets, and that environments stay apart.
//! Owns which files are read, each once. Every other file here owns one group of requirements.

mod config;
mod content;
mod drift;
mod exports;
mod files;
mod identity;
mod key_file;
mod keys;
mod options;
mod parsed_file;
mod references;
mod root;
mod settings;
mod shell;
mod specific_items;
mod twins;
mod words;
mod workflows;

use std::sync::Arc;

use bstr::{BStr, ByteSlice as _};

use self::options::WindmillOptions;
use self::parsed_file::ParsedFile;
use super::windmill_paths::is_windmill_path;
use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::options::{Options, scope};
use crate::subject::{Entry, Kinds, Tree};

pub static RULE: Rule = Rule {
    id: "windmill",
    looks_at: Kinds::FILE.union(Kinds::TREE),
    policy: include_str!("../../../policies/windmill.yml"),
    compile,
};

fn compile(options: &Options<'_>) -> Checks {
    let options = Arc::new(WindmillOptions::new(options));
    Checks {
        files: vec![
            Box::new(key_file::KeyFileCheck::default()),
            Box::new(content::ContentCheck { options: Arc::clone(&options) }),
        ],
        trees: vec![Box::new(WindmillTrees { options })],
        ..Checks::default()
    }
}

/// Checks every Windmill root of a tree.
struct WindmillTrees {
    options: Arc<WindmillOptions>,
}

/// The tree under check, shared by all groups of requirements.
struct TreeContext<'t> {
    options: &'t WindmillOptions,
    tree: &'t Tree<'t>,
    /// Index of the environment that the tree's branch belongs to.
    environment: Option<usize>,
}

impl<'a> Check<Tree<'a>> for WindmillTrees {
    fn check(&self, tree: &Tree<'a>, out: &mut Findings<'_>) -> Result<()> {
        // Problems that existed before are not this change's, so an unrelated change need not list the tree.
        if let Some(changed) = tree.snapshot.changed_paths()?
            && !changed.iter().any(|path| self.is_relevant(path.as_bstr()))
        {
            return Ok(());
        }
        let entries = tree.snapshot.entries()?;
        let context = TreeContext { options: &self.options, tree, environment: self.options.of_tree(tree) };
        root::misnamed_configs(&context, &entries, out);
        let roots = root::find(&entries);
        for root in &roots {
            root.check(&context, out)?;
        }
        if !roots.is_empty() {
            root::state_directories(&context, &entries, out);
            workflows::check(&context, &entries, out)?;
        }
        key_file::check_key_with_secrets(&context, &entries, out)
    }
}

impl WindmillTrees {
    /// Whether a change of this path can cause a finding.
    fn is_relevant(&self, path: &BStr) -> bool {
        let name = files::base_name(path);
        files::item(path).is_some()
            || files::is_key_file(path)
            || name.starts_with(b"wmill")
            || name.starts_with(b"settings")
            || path.split(|b| *b == b'/').any(|part| part == b".wmill")
            || is_windmill_path(path)
            || scope::is_match(&self.options.ci_files, path)
    }
}

impl TreeContext<'_> {
    fn in_production(&self) -> bool {
        self.environment.is_some_and(|e| self.options.is_production(e))
    }

    /// Reads and parses a file of the tree; `None` if it is missing or a symbolic link.
    fn read(&self, entry: &Entry) -> Result<Option<ParsedFile<'static>>> {
        if entry.symlink {
            return Ok(None);
        }
        let bytes = self.tree.snapshot.read(entry.path.as_bstr())?;
        Ok(bytes.map(|bytes| ParsedFile::of_tree(self.tree, entry.path.as_bstr(), entry.blob, bytes)))
    }

    /// The file before the change.
    fn before(&self, text: &ParsedFile<'_>) -> Result<Option<ParsedFile<'static>>> {
        let Some(before) = self.tree.before else { return Ok(None) };
        let path = text.path.as_bstr();
        Ok(before.read(path)?.map(|bytes| ParsedFile::of_tree(self.tree, path, None, bytes)))
    }

    /// A finding about a path, not about the file's content.
    fn path_violation(
        &self,
        entry: &Entry,
        code: &'static str,
        severity: Severity,
        identity: &str,
    ) -> Violation<'static> {
        let origin = Origin::File { path: entry.path.clone(), commit: self.tree.commit, blob: entry.blob };
        Violation::new(code, severity, origin, b"", 0..0).identity([entry.path.as_slice(), identity.as_bytes()])
    }
}

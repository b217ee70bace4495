//! `windmill`: repositories that Windmill syncs with. What `wmill.yaml` lets out, what stands in the files that came,
//! and whether the environments keep apart.
//! Owns which files are looked at, once each; every file beside this one owns a group of requirements.

mod config;
mod content;
mod drift;
mod files;
mod identity;
mod items;
mod key_file;
mod keys;
mod references;
mod root;
mod settings;
mod setup;
mod shell;
mod switches;
mod text;
mod twins;
mod words;
mod workflows;

use std::sync::Arc;

use bstr::{BStr, ByteSlice};

use self::setup::Setup;
use self::text::Text;
use super::windmill_paths::is_windmill_path;
use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::policy::{Options, scope};
use crate::subject::{Entry, Kinds, Tree};

pub static RULE: Rule = Rule {
    id: "windmill",
    looks_at: Kinds::FILE.and(Kinds::TREE),
    policy: include_str!("../../../policies/windmill.yml"),
    compile,
};

fn compile(options: &Options<'_>) -> Checks {
    let setup = Arc::new(Setup::new(options));
    Checks {
        files: vec![Box::new(key_file::KeyFile::default()), Box::new(content::Content { setup: Arc::clone(&setup) })],
        trees: vec![Box::new(Snapshots { setup })],
        ..Checks::default()
    }
}

/// Judges every Windmill root of a tree.
struct Snapshots {
    setup: Arc<Setup>,
}

/// The tree that is judged, for every group.
struct Ground<'t> {
    setup: &'t Setup,
    tree: &'t Tree<'t>,
    /// Of the tree's branch.
    environment: Option<usize>,
}

impl<'a> Check<Tree<'a>> for Snapshots {
    fn check(&self, tree: &Tree<'a>, out: &mut Findings<'_>) -> Result<()> {
        // What stood before the change is not its fault; a change beside it costs no listing of the tree.
        if let Some(changed) = tree.snapshot.changed_paths()?
            && !changed.iter().any(|path| self.concerns(path.as_bstr()))
        {
            return Ok(());
        }
        let entries = tree.snapshot.entries()?;
        let ground = Ground { setup: &self.setup, tree, environment: self.setup.of_tree(tree) };
        root::unread_names(&ground, &entries, out);
        let roots = root::find(&entries);
        for root in &roots {
            root.check(&ground, out)?;
        }
        if !roots.is_empty() {
            root::state_directories(&ground, &entries, out);
            workflows::check(&ground, &entries, out)?;
        }
        key_file::together(&ground, &entries, out)
    }
}

impl Snapshots {
    /// Whether a change of this path can break anything here.
    fn concerns(&self, path: &BStr) -> bool {
        let name = files::base_name(path);
        files::item(path).is_some()
            || files::is_key_file(path)
            || name.starts_with(b"wmill")
            || name.starts_with(b"settings")
            || path.split(|b| *b == b'/').any(|part| part == b".wmill")
            || is_windmill_path(path)
            || scope::is_match(&self.setup.ci_files, path)
    }
}

impl Ground<'_> {
    fn in_production(&self) -> bool {
        self.environment.is_some_and(|e| self.setup.is_production(e))
    }

    /// A file of the tree; `None` where it went away meanwhile, or is a link to something else.
    fn read(&self, entry: &Entry) -> Result<Option<Text<'static>>> {
        if entry.symlink {
            return Ok(None);
        }
        let bytes = self.tree.snapshot.read(entry.path.as_bstr())?;
        Ok(bytes.map(|bytes| Text::of_tree(self.tree, entry.path.as_bstr(), entry.blob, bytes)))
    }

    /// The file as it stood before the change.
    fn before(&self, text: &Text<'_>) -> Result<Option<Text<'static>>> {
        let Some(before) = self.tree.before else { return Ok(None) };
        let path = text.path.as_bstr();
        Ok(before.read(path)?.map(|bytes| Text::of_tree(self.tree, path, None, bytes)))
    }

    /// A finding about a path, not about what stands in the file.
    fn about(&self, entry: &Entry, code: &'static str, severity: Severity, identity: &str) -> Violation<'static> {
        let origin = Origin::File { path: entry.path.clone(), commit: self.tree.commit, blob: entry.blob };
        Violation::new(code, severity, origin, b"", 0..0).identity([entry.path.as_slice(), identity.as_bytes()])
    }
}

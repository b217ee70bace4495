//! A Windmill root: the directory of a `wmill.yaml` and the files below it that belong to no deeper one.
//! Owns how a root is found and that each of its files is read once.

use std::collections::HashMap;

use bstr::{BStr, ByteSlice};

use super::config::Config;
use super::files::{self, Item, Kind};
use super::references::Targets;
use super::text::Text;
use super::{Ground, content, drift, identity, items, keys, settings, switches, twins};
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;

/// Code of a file that is not what its name says.
const SYNTAX: &str = "windmill/syntax";

pub(super) struct Root<'e> {
    config: &'e Entry,
    /// What is read as structured data, in the order of the tree.
    items: Vec<(Item, &'e Entry)>,
}

/// Every root, and which files belong to it.
pub(super) fn find(entries: &[Entry]) -> Vec<Root<'_>> {
    let configs = entries.iter().filter(|e| files::base_name(e.path.as_bstr()) == b"wmill.yaml");
    let mut roots: Vec<Root<'_>> = configs.map(|config| Root { config, items: Vec::new() }).collect();
    if roots.is_empty() {
        return roots;
    }
    let by_directory: HashMap<&BStr, usize> =
        roots.iter().enumerate().map(|(n, r)| (files::directory(r.config.path.as_bstr()), n)).collect();
    for entry in entries {
        let mut directory = files::directory(entry.path.as_bstr());
        let owner = loop {
            match by_directory.get(directory) {
                Some(n) => break Some(*n),
                None if directory.is_empty() => break None,
                None => directory = files::directory(directory[..directory.len() - 1].as_bstr()),
            }
        };
        let below = entry.path[directory.len()..].as_bstr();
        if let Some((root, item)) = owner.and_then(|n| Some((n, files::item(below)?))) {
            roots[root].items.push((item, entry));
        }
    }
    roots
}

/// `wmill.yml` looks like a configuration and is never read.
pub(super) fn unread_names(ground: &Ground<'_>, entries: &[Entry], out: &mut Findings<'_>) {
    for entry in entries.iter().filter(|e| files::base_name(e.path.as_bstr()) == b"wmill.yml") {
        let violation = ground.about(entry, "windmill/unknown-key", Severity::Warning, "wmill.yml");
        let to = entry.path.to_str_lossy().replace("wmill.yml", "wmill.yaml");
        let help = format!("git mv -- {} {}", crate::shell::quote(&entry.path), crate::shell::quote(to.as_bytes()));
        out.push(violation.message("`wmill.yml` is never read: the CLI looks for `wmill.yaml`").help(help));
    }
}

/// One finding for each tracked `.wmill/`, at its first file.
pub(super) fn state_directories(ground: &Ground<'_>, entries: &[Entry], out: &mut Findings<'_>) {
    let mut last = None;
    for entry in entries {
        let path = entry.path.as_slice();
        let start = if path.starts_with(b".wmill/") { Some(0) } else { path.find(b"/.wmill/").map(|at| at + 1) };
        let Some(directory) = start.map(|s| &path[..s + b".wmill".len()]) else { continue };
        if last == Some(directory) {
            continue;
        }
        last = Some(directory);
        let violation = ground.about(entry, "windmill/state-directory", Severity::Error, "");
        let directory = directory.as_bstr();
        let help = format!("git rm -r --cached -- '{directory}' && echo '.wmill/' >> .gitignore");
        out.push(violation.message(format!("`{directory}/` is the CLI's local state and is tracked")).help(help));
    }
}

impl Root<'_> {
    pub(super) fn check(&self, ground: &Ground<'_>, out: &mut Findings<'_>) -> Result<()> {
        if self.config.symlink {
            let violation = ground.about(self.config, SYNTAX, Severity::Error, "");
            let help = "put the file itself here: what a link points at is not judged";
            out.push(violation.message("`wmill.yaml` is a symbolic link").help(help));
        }
        // A configuration that cannot be read is told, and its files are judged without it.
        let text = ground.read(self.config)?;
        let config = text.as_ref().and_then(|t| configuration(t, out));
        if let (Some(text), Some(config)) = (&text, &config) {
            switches::check(ground, text, config, out);
            keys::check(text, config, out);
            identity::config(ground, text, config, out);
            items::patterns(text, config, &self.items, out);
            drift::check(ground, text, config, out)?;
        }
        twins::check(ground, config.as_ref(), &self.items, out);
        self.files(ground, config.as_ref(), out)
    }

    fn files(&self, ground: &Ground<'_>, config: Option<&Config<'_>>, out: &mut Findings<'_>) -> Result<()> {
        let targets = Targets::new(ground, config, &self.items);
        for (item, entry) in &self.items {
            if item.kind == Kind::User {
                settings::user(ground, entry, out);
            }
            if matches!(item.kind, Kind::ResourceFile | Kind::Folder | Kind::User) {
                continue;
            }
            let judged = matches!(item.kind, Kind::Variable | Kind::Resource | Kind::Settings);
            let open = item.kind == Kind::Trigger && settings::may_be_open(ground, config, item);
            if !judged && !open && !targets.are_asked_for(item.kind) {
                continue;
            }
            let Some(text) = ground.read(entry)? else { continue };
            if judged && let Some(violation) = text.syntax(SYNTAX) {
                out.push(violation);
            }
            match item.kind {
                Kind::Variable => content::ciphertext(ground, &text, out),
                Kind::Settings => {
                    settings::check(ground, &text, out)?;
                    identity::settings(ground, config, item, &text, out);
                }
                Kind::Trigger if open => settings::open_trigger(&text, out),
                _ => {}
            }
            targets.check(item.kind, &text, out);
        }
        Ok(())
    }
}

/// `None` where it cannot be read, which is told.
fn configuration<'n>(text: &'n Text<'_>, out: &mut Findings<'_>) -> Option<Config<'n>> {
    let doubled = keys::doubled(text, out);
    let help = "the CLI stops with an error here; check the file with `wmill config`";
    for mistake in text.document.mistakes.iter().filter(|m| !doubled.contains(&m.span.start)) {
        let Some(violation) = text.violation(SYNTAX, Severity::Error, mistake.span.clone(), "") else { break };
        out.push(violation.message(format!("`wmill.yaml` cannot be read: {}", mistake.message)).help(help));
    }
    if let Some(second) = text.document.roots.get(1) {
        let violation = text.violation(SYNTAX, Severity::Error, second.span.clone(), "1");
        let message = "`wmill.yaml` holds more than one document: the CLI refuses it";
        violation.into_iter().for_each(|v| out.push(v.message(message).help(help)));
    }
    let root = match text.root() {
        Some(root) if root.is_map() || root.is_null() => root,
        Some(root) => {
            let violation = text.violation(SYNTAX, Severity::Error, root.span.clone(), "");
            let message = format!("`wmill.yaml` holds {}, not a map", root.kind());
            violation.into_iter().for_each(|v| out.push(v.message(message.clone())));
            return None;
        }
        None if text.document.mistakes.is_empty() => &NOTHING,
        None => return None,
    };
    Some(Config::of(root))
}

/// What an empty file holds.
static NOTHING: crate::yaml::Node = crate::yaml::Node { span: 0..0, value: crate::yaml::Value::Map(Vec::new()) };

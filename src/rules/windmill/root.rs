//! A Windmill root: the directory of a `wmill.yaml`, with the files below it that belong to no deeper root.
//! Owns how roots are found, and reads each of their files once.

use std::collections::HashMap;

use bstr::{BStr, ByteSlice as _};

use super::config::WmillConfig;
use super::files::{self, Item, ItemKind};
use super::parsed_file::ParsedFile;
use super::references::Targets;
use super::{TreeContext, content, drift, exports, identity, keys, settings, specific_items, twins};
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;

/// A file that is not valid YAML or JSON.
const SYNTAX: &str = "windmill/syntax";

pub(super) struct Root<'e> {
    config: &'e Entry,
    /// Files that Windmill reads as structured data, in tree order.
    items: Vec<(Item, &'e Entry)>,
}

/// Finds every root and the files that belong to it.
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

/// Reports `wmill.yml`: the CLI never reads it.
pub(super) fn misnamed_configs(context: &TreeContext<'_>, entries: &[Entry], out: &mut Findings<'_>) {
    for entry in entries.iter().filter(|e| files::base_name(e.path.as_bstr()) == b"wmill.yml") {
        let violation = context.path_violation(entry, "windmill/unknown-key", Severity::Warning, "wmill.yml");
        let to = entry.path.to_str_lossy().replace("wmill.yml", "wmill.yaml");
        let help = format!("git mv -- {} {}", crate::shell::quote(&entry.path), crate::shell::quote(to.as_bytes()));
        out.push(violation.message("`wmill.yml` is never read: the CLI looks for `wmill.yaml`").help(help));
    }
}

/// Reports each tracked `.wmill/` once, at its first file.
pub(super) fn state_directories(context: &TreeContext<'_>, entries: &[Entry], out: &mut Findings<'_>) {
    let mut last = None;
    for entry in entries {
        let path = entry.path.as_slice();
        let start = if path.starts_with(b".wmill/") { Some(0) } else { path.find(b"/.wmill/").map(|at| at + 1) };
        let Some(directory) = start.map(|s| &path[..s + b".wmill".len()]) else { continue };
        if last == Some(directory) {
            continue;
        }
        last = Some(directory);
        let violation = context.path_violation(entry, "windmill/state-directory", Severity::Error, "");
        let directory = directory.as_bstr();
        let help = format!("git rm -r --cached -- '{directory}' && echo '.wmill/' >> .gitignore");
        out.push(violation.message(format!("`{directory}/` is the CLI's local state and is tracked")).help(help));
    }
}

impl Root<'_> {
    pub(super) fn check(&self, context: &TreeContext<'_>, out: &mut Findings<'_>) -> Result<()> {
        if self.config.symlink {
            let violation = context.path_violation(self.config, SYNTAX, Severity::Error, "");
            let help = "put the file itself here: the target of a link is not checked";
            out.push(violation.message("`wmill.yaml` is a symbolic link").help(help));
        }
        // An unreadable configuration is a finding; the other files are then checked without it.
        let text = context.read(self.config)?;
        let config = text.as_ref().and_then(|t| parse_config(t, out));
        if let (Some(text), Some(config)) = (&text, &config) {
            exports::check(context, text, config, out);
            keys::check(text, config, out);
            identity::config(context, text, config, out);
            specific_items::unmatched_patterns(text, config, &self.items, out);
            drift::check(context, text, config, out)?;
        }
        twins::check(context, config.as_ref(), &self.items, out);
        self.files(context, config.as_ref(), out)
    }

    fn files(&self, context: &TreeContext<'_>, config: Option<&WmillConfig<'_>>, out: &mut Findings<'_>) -> Result<()> {
        let targets = Targets::new(context, config, &self.items);
        for (item, entry) in &self.items {
            if item.kind == ItemKind::User {
                settings::user(context, entry, out);
            }
            if matches!(item.kind, ItemKind::ResourceFile | ItemKind::Folder | ItemKind::User) {
                continue;
            }
            let is_checked = matches!(item.kind, ItemKind::Variable | ItemKind::Resource | ItemKind::Settings);
            let may_be_open = item.kind == ItemKind::Trigger && settings::may_be_open(context, config, item);
            if !is_checked && !may_be_open && !targets.can_refer(item.kind) {
                continue;
            }
            let Some(text) = context.read(entry)? else { continue };
            if is_checked && let Some(violation) = text.syntax(SYNTAX) {
                out.push(violation);
            }
            match item.kind {
                ItemKind::Variable => content::ciphertext(context, &text, out),
                ItemKind::Settings => {
                    settings::check(context, &text, out)?;
                    identity::settings(context, config, item, &text, out);
                }
                ItemKind::Trigger if may_be_open => settings::open_trigger(&text, out),
                _ => {}
            }
            targets.check(item.kind, &text, out);
        }
        Ok(())
    }
}

/// `None` if the file is not a map; that is a finding.
fn parse_config<'n>(text: &'n ParsedFile<'_>, out: &mut Findings<'_>) -> Option<WmillConfig<'n>> {
    let duplicates = keys::duplicates(text, out);
    let help = "fix the file and check it with `wmill config`: the CLI stops with an error here";
    for mistake in text.document.mistakes.iter().filter(|m| !duplicates.contains(&m.span.start)) {
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
        None if text.document.mistakes.is_empty() => &EMPTY_MAP,
        None => return None,
    };
    Some(WmillConfig::new(root))
}

/// The content of an empty file.
static EMPTY_MAP: crate::yaml::Node = crate::yaml::Node { span: 0..0, value: crate::yaml::Value::Map(Vec::new()) };

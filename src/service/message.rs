//! The commit message: a conventional header, and the changed items by kind. Lists names only, never contents.

use std::collections::BTreeMap;

use bstr::BString;

use super::request::Request;
use crate::promote::items::item_of;

/// Maximum number of items listed per kind.
const MAX_LISTED: usize = 50;

/// How a path changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemChange {
    Added,
    Changed,
    Removed,
}

/// The message for these staged paths.
pub fn message(request: &Request, changes: &[(BString, ItemChange)]) -> String {
    let header = match &request.message {
        Some(message) => message.trim().to_owned(),
        None => format!("chore(windmill): sync workspace {}", request.workspace),
    };
    let mut out = header;
    for (kind, items) in by_kind(changes) {
        out.push_str(&format!("\n\n{kind}\n"));
        let lines = items.iter().take(MAX_LISTED).map(|(item, change)| match change {
            ItemChange::Added => format!("- {item} (new)"),
            ItemChange::Changed => format!("- {item}"),
            ItemChange::Removed => format!("- {item} (removed)"),
        });
        out.push_str(&lines.collect::<Vec<_>>().join("\n"));
        if items.len() > MAX_LISTED {
            out.push_str(&format!("\n- and {} more", items.len() - MAX_LISTED));
        }
    }
    out.push('\n');
    out
}

/// Items by kind, each with the combined change of its files.
fn by_kind(changes: &[(BString, ItemChange)]) -> BTreeMap<String, BTreeMap<String, ItemChange>> {
    let mut kinds: BTreeMap<String, BTreeMap<String, ItemChange>> = BTreeMap::new();
    for (path, change) in changes {
        let (kind, item) = kind_and_item(path);
        kinds
            .entry(kind)
            .or_default()
            .entry(item)
            .and_modify(|c| *c = if *c == *change { *c } else { ItemChange::Changed })
            .or_insert(*change);
    }
    kinds
}

/// The kind in the plural, as a heading, and the item's name.
fn kind_and_item(path: &BString) -> (String, String) {
    let shown = crate::text::sanitise(path);
    let (directory, name) = shown.rsplit_once('/').unwrap_or(("", &shown));
    if name.starts_with("folder.") && name.contains(".meta.") {
        return ("folders".to_owned(), directory.to_owned());
    }
    if name.contains(".resource-type.") {
        return ("resource types".to_owned(), shown);
    }
    match item_of(path.as_ref()) {
        (item, kind) if !kind.is_empty() => (format!("{}s", kind.replace('_', " ")), item),
        _ => ("files".to_owned(), shown),
    }
}

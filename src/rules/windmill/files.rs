//! What a path below a Windmill root is: its kind, the item's path, the workspace in its name. Looks at names only.

use bstr::{BStr, ByteSlice as _};

/// The kind of item that a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    Variable,
    Resource,
    /// The content of a resource that is a file.
    ResourceFile,
    Schedule,
    /// `http_trigger`, `kafka_trigger`, ...
    Trigger,
    Folder,
    Settings,
    User,
    /// The definition of a flow or app, in either layout.
    Runnable,
}

/// A file below a root, as its name describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub kind: ItemKind,
    /// The name that references use, `f/app/db`: the directory for a folder, else the path without its extension.
    pub name: String,
    /// The path that `specificItems` match: without the workspace, and with `.yaml` for `.json`.
    pub base: String,
    /// The workspace in the name: `staging` of `db.staging.variable.yaml`.
    pub workspace: Option<String>,
}

/// Endings of flows and apps: dotted or, with `nonDottedPaths`, underscored directories.
const RUNNABLES: [&str; 6] = [
    "flow/flow.yaml",
    "flow/flow.json",
    "app/app.yaml",
    "app/app.json",
    "raw_app/raw_app.yaml",
    "raw_app/raw_app.json",
];

/// `path` is relative to the root. `None` for files that Windmill does not read as structured data.
pub(super) fn item(path: &BStr) -> Option<Item> {
    let path = path.to_str_lossy();
    let (dir, file) = path.rsplit_once('/').map_or(("", &*path), |(d, f)| (d, f));
    let below = |name: &str| if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
    if RUNNABLES.iter().any(|r| path.strip_suffix(r).is_some_and(|p| p.ends_with('.') || p.ends_with("__"))) {
        return Some(Item { kind: ItemKind::Runnable, name: dir.to_owned(), base: path.to_string(), workspace: None });
    }
    if let Some((stem, ending)) = file.split_once(".resource.file.") {
        let (name, workspace) = environment(stem);
        let base = below(&format!("{name}.resource.file.{ending}"));
        return Some(Item { kind: ItemKind::ResourceFile, name: below(name), base, workspace });
    }
    let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".json"))?;
    if stem == "settings" || dir.is_empty() && stem.strip_prefix("settings.").is_some_and(|w| !w.contains('.')) {
        if !dir.is_empty() {
            return None;
        }
        let workspace = stem.strip_prefix("settings.").map(ToOwned::to_owned);
        return Some(Item {
            kind: ItemKind::Settings,
            name: "settings".into(),
            base: "settings.yaml".into(),
            workspace,
        });
    }
    if let Some(inner) = stem.strip_prefix("folder.").and_then(|s| s.strip_suffix("meta")) {
        let workspace = inner.strip_suffix('.').filter(|w| !w.contains('.'));
        if !dir.is_empty() && (inner.is_empty() || workspace.is_some()) {
            let base = below("folder.meta.yaml");
            return Some(Item { kind: ItemKind::Folder, name: dir.into(), base, workspace: workspace.map(Into::into) });
        }
    }
    let (stem, kind_name) = stem.rsplit_once('.')?;
    let kind = match kind_name {
        "variable" => ItemKind::Variable,
        "resource" => ItemKind::Resource,
        "schedule" => ItemKind::Schedule,
        "user" if dir == "users" => ItemKind::User,
        "flow" | "app" => ItemKind::Runnable,
        k if k.ends_with("_trigger") => ItemKind::Trigger,
        _ => return None,
    };
    // A user's name is an email address and contains dots.
    let (name, workspace) = if kind == ItemKind::User { (stem, None) } else { environment(stem) };
    if name.is_empty() {
        return None;
    }
    Some(Item { kind, name: below(name), base: below(&format!("{name}.{kind_name}.yaml")), workspace })
}

/// `db.staging` is `db` of `staging`.
fn environment(stem: &str) -> (&str, Option<String>) {
    match stem.rsplit_once('.') {
        Some((name, workspace)) if !name.is_empty() && !workspace.is_empty() => (name, Some(workspace.to_owned())),
        _ => (stem, None),
    }
}

/// A workspace's name as the CLI writes it into file names.
pub(super) fn in_file_name(workspace: &str) -> String {
    workspace.replace(['/', '\\', ':', '*', '?', '"', '<', '>', '|', '.'], "_")
}

/// `encryption_key.yaml`, `encryption_key.staging.json`, ... at any depth.
pub(super) fn is_key_file(path: &BStr) -> bool {
    let name = base_name(path);
    let Some(stem) = [&b".yaml"[..], b".yml", b".json"].iter().find_map(|e| name.strip_suffix(*e)) else {
        return false;
    };
    match stem.strip_prefix(b"encryption_key") {
        Some(b"") => true,
        Some([b'.', workspace @ ..]) => !workspace.is_empty() && !workspace.contains(&b'.'),
        _ => false,
    }
}

pub(super) fn base_name(path: &BStr) -> &[u8] {
    path.rfind_byte(b'/').map_or(path.as_bytes(), |at| &path[at + 1..])
}

/// The directory of a path with its trailing slash; empty at the top.
pub(super) fn directory(path: &BStr) -> &BStr {
    path[..path.rfind_byte(b'/').map_or(0, |at| at + 1)].as_bstr()
}

/// Whether the file name ends in `.KIND.yaml` or `.KIND.json`, in whatever root.
pub(super) fn has_kind(path: &BStr, kind: &str) -> bool {
    let name = base_name(path);
    let stem = name.strip_suffix(b".yaml").or_else(|| name.strip_suffix(b".json"));
    stem.and_then(|s| s.strip_suffix(kind.as_bytes())).is_some_and(|s| s.len() > 1 && s.ends_with(b"."))
}

//! Which paths Windmill's sync writes. Owns the names of its files and directories, for all rules. Looks at names only;
//! file contents are checked by the `windmill` rules.

use bstr::{BStr, ByteSlice as _};

/// Suffixes of Windmill's items in any directory, each with `.yaml` or `.json`.
const ITEMS: &[&str] = &[
    "script",
    "variable",
    "resource",
    "resource-type",
    "schedule",
    "http_trigger",
    "websocket_trigger",
    "kafka_trigger",
    "nats_trigger",
    "postgres_trigger",
    "mqtt_trigger",
    "sqs_trigger",
    "gcp_trigger",
    "azure_trigger",
    "email_trigger",
    "native_trigger",
    "user",
    "group",
];

/// Suffixes of directories that hold one item: Windmill writes everything in them.
const DIRECTORIES: &[&str] = &[".flow", "__flow", ".app", "__app", ".raw_app", "__raw_app"];

/// Extensions of scripts. They count only under `f/<folder>/` or `u/<user>/`.
const SCRIPTS: &[&str] = &[
    "ts",
    "js",
    "py",
    "go",
    "sh",
    "ps1",
    "sql",
    "gql",
    "php",
    "rs",
    "cs",
    "nu",
    "java",
    "rb",
    "r",
    "lock",
    "playbook.yml",
];

/// Whether Windmill writes this path. The workspace may be a directory of the repository (`windmill/f/app/x.ts`).
pub fn is_windmill_path(path: &BStr) -> bool {
    let Some((name, directories)) = split(path) else { return false };
    if directories.iter().any(|d| DIRECTORIES.iter().any(|s| d.len() > s.len() && d.ends_with(s.as_bytes()))) {
        return true;
    }
    if matches!(name, b"wmill.yaml" | b"wmill-lock.yaml") {
        return true;
    }
    if let Some(stem) = strip_any(name, &[".yaml", ".json"]) {
        // `folder.meta.yaml`, `folder.prod.meta.yaml`; `settings.yaml`, `settings.staging.yaml`.
        let folder = stem.starts_with(b"folder.") && stem.ends_with(b".meta");
        let named = |word: &[u8]| stem.strip_prefix(word).is_some_and(|r| r.is_empty() || is_workspace(r));
        if folder || named(b"settings") || named(b"encryption_key") {
            return true;
        }
        if ITEMS.iter().any(|i| stem.strip_suffix(i.as_bytes()).is_some_and(|s| s.len() > 1 && s.ends_with(b"."))) {
            return true;
        }
    }
    // A resource whose value is a file: `x.resource.file.ini`.
    if name.contains_str(".resource.file.") {
        return true;
    }
    in_namespace(&directories)
        && SCRIPTS
            .iter()
            .any(|s| name.strip_suffix(s.as_bytes()).is_some_and(|stem| stem.len() > 1 && stem.ends_with(b".")))
}

fn split(path: &BStr) -> Option<(&[u8], Vec<&[u8]>)> {
    let mut parts: Vec<&[u8]> = path.split_str("/").collect();
    let name = parts.pop().filter(|n| !n.is_empty())?;
    (!parts.iter().any(|p| matches!(*p, b"." | b".."))).then_some((name, parts))
}

fn strip_any<'n>(name: &'n [u8], endings: &[&str]) -> Option<&'n [u8]> {
    endings.iter().find_map(|e| name.strip_suffix(e.as_bytes()))
}

/// `.staging`: the infix of a workspace-specific file.
fn is_workspace(rest: &[u8]) -> bool {
    rest.strip_prefix(b".").is_some_and(|w| !w.is_empty() && !w.contains(&b'.'))
}

/// Whether the path is below `f/<folder>` or `u/<user>`, Windmill's two namespaces.
fn in_namespace(directories: &[&[u8]]) -> bool {
    directories.windows(2).any(|pair| matches!(pair[0], b"f" | b"u") && !pair[1].is_empty())
}

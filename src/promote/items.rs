//! What the commits of a plan change: Windmill items and deployed directories, and files that carry an environment's
//! identity and must not be promoted.

use std::collections::BTreeMap;

use bstr::{BStr, ByteSlice as _};

use super::history::{Hex, History};
use super::plan::{Item, Plan, State, Step};
use crate::error::Result;
use crate::{shell, text};

/// The deployed thing that a file belongs to: `(path, kind)`.
pub fn item_of(path: &BStr) -> (String, String) {
    let text = text::sanitise(path);
    if let Some(found) = windmill(&text) {
        return found;
    }
    let directory = text.rsplit_once('/').map_or(".", |(dir, _)| dir);
    (directory.to_owned(), String::new())
}

/// A Windmill item: `f/<folder>/<name>` or `u/<user>/<name>`, whatever stands in front and after.
fn windmill(path: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    let start = parts.windows(3).position(|w| matches!(w[0], "f" | "u"))?;
    let rest = &parts[start..];
    let directory = rest.iter().position(|p| {
        p.ends_with(".flow")
            || p.ends_with("__flow")
            || p.ends_with(".app")
            || p.ends_with("__app")
            || p.ends_with(".raw_app")
    });
    let (last, name) = match directory {
        Some(at) => (at, rest[at]),
        None => (rest.len() - 1, *rest.last()?),
    };
    let plain = name.replace("__flow", ".flow").replace("__app", ".app");
    let mut words = plain.split('.');
    let base = words.next()?;
    let tail: Vec<&str> = words.collect();
    let kind = tail
        .iter()
        .find(|w| {
            matches!(
                **w,
                "flow"
                    | "app"
                    | "raw_app"
                    | "resource"
                    | "variable"
                    | "schedule"
                    | "script"
                    | "http_trigger"
                    | "kafka_trigger"
                    | "websocket_trigger"
                    | "postgres_trigger"
                    | "nats_trigger"
                    | "mqtt_trigger"
                    | "sqs_trigger"
                    | "gcp_trigger"
                    | "email_trigger"
                    | "folder"
            )
        })
        .copied()
        .unwrap_or(if tail.is_empty() { "" } else { "script" });
    let mut item: Vec<&str> = rest[..last].to_vec();
    item.push(base);
    Some((item.join("/"), kind.to_owned()))
}

/// Which environment it is stands in such files: Windmill's configuration, settings and variables.
pub fn is_identity(path: &BStr) -> bool {
    let name = path.rsplit_once_str("/").map_or(path.as_bytes(), |(_, name)| name);
    let settings = name.starts_with(b"settings") && (name.ends_with(b".yaml") || name.ends_with(b".json"));
    name == b"wmill.yaml"
        || settings
        || name.ends_with(b".variable.yaml")
        || name.ends_with(b".variable.json")
        || name.starts_with(b"encryption_key")
}

/// Marks the steps that carry identity.
pub fn flag_identity(history: &History<'_>, steps: &mut [Step]) -> Result<()> {
    for step in steps {
        let Some(at) = history.position(step.commit.0) else { continue };
        let change = &history.dev[at];
        let edits = history.picker.edits(change.base, change.tree())?;
        step.identity =
            edits.iter().filter(|e| is_identity(e.path.as_ref())).map(|e| text::sanitise(&e.path)).collect();
        if !step.identity.is_empty() && step.identity.len() < edits.len() {
            let files = edits.iter().filter(|e| is_identity(e.path.as_ref()));
            let files: Vec<String> = files.map(|e| shell::pathspec(&e.path)).collect();
            let id = step.commit.0;
            step.split = vec![
                format!("git cherry-pick -x {id}"),
                format!("git restore --source=HEAD~ --staged --worktree -- {}", files.join(" ")),
                "git commit --amend --no-edit".to_owned(),
            ];
        }
    }
    Ok(())
}

/// What the picks of a plan change, sorted by path.
pub fn group(history: &History<'_>, plan: &Plan) -> Result<Vec<Item>> {
    let mut out: BTreeMap<(String, String), Vec<Hex>> = BTreeMap::new();
    for step in plan.steps.iter().filter(|s| s.state != State::Empty) {
        let Some(at) = history.position(step.commit.0) else { continue };
        let change = &history.dev[at];
        for edit in history.picker.edits(change.base, change.tree())?.iter() {
            let commits = out.entry(item_of(edit.path.as_ref())).or_default();
            if commits.last() != Some(&step.commit) {
                commits.push(step.commit);
            }
        }
    }
    // A script is one item, whether its text or its metadata changed.
    Ok(out.into_iter().map(|((path, kind), commits)| Item { path, kind, commits }).collect())
}

//! Values of a Helm chart: files that each overrule those before them, key by key. `null` takes a key away.

use bstr::{BStr, BString};

use super::files::Files;
use super::{edit, paths};
use crate::document::Format;
use crate::error::Result;
use crate::yaml::{Node, Value};

/// The chart's own values that a file of values overrules: `values.yaml` beside it.
pub fn base(files: &Files<'_>, path: &BStr) -> Option<BString> {
    let directory = paths::directory(path);
    let found = ["values.yaml", "values.yml"].iter().filter_map(|name| paths::join(directory, name));
    found.into_iter().find(|p| p != path && files.entry(p.as_ref()).is_some())
}

/// The files merged in their order.
pub fn values(files: &Files<'_>, given: &[BString]) -> Result<Option<Node>> {
    let mut merged: Option<Node> = None;
    for path in given {
        let format = Format::of(path.as_ref()).filter(|f| *f == Format::Json).unwrap_or(Format::Yaml);
        let Some(file) = files.load(path.as_ref(), format)? else { continue };
        for root in file.roots.iter().filter(|r| r.is_map()) {
            match &mut merged {
                Some(base) => merge(base, root),
                None => merged = Some(root.clone()),
            }
        }
    }
    Ok(merged)
}

/// Lays `over` over `base`.
pub fn merge(base: &mut Node, over: &Node) {
    for (key, value) in over.entries() {
        let Some(name) = key.text() else { continue };
        if value.is_null() {
            edit::remove(base, name);
            continue;
        }
        match edit::get_mut(base, name) {
            Some(below) if below.is_map() && matches!(value.value, Value::Map(_)) => merge(below, value),
            _ => edit::set_with(base, key.clone(), value.clone()),
        }
    }
}

//! Variables and resources of a Windmill workspace: `f/app/x.variable.yaml`, `f/app/db.resource.json`. The
//! `windmill` rules check the sync's settings.

use bstr::{BStr, ByteSlice};

use super::{VariableReader, plain};
use crate::document::leaves;
use crate::rules::divergence::model::{ComparedValue, ValueKind};
use crate::yaml::{Mistake, Node};

const ENDS: [(&str, bool); 6] = [
    (".variable.yaml", false),
    (".variable.yml", false),
    (".variable.json", false),
    (".resource.yaml", true),
    (".resource.yml", true),
    (".resource.json", true),
];

/// The item's path without its extension, and whether it is a resource.
fn item(path: &BStr) -> Option<(&BStr, bool)> {
    ENDS.iter().find_map(|(end, resource)| Some((path.strip_suffix(end.as_bytes())?.as_bstr(), *resource)))
}

/// Whether a file is an item, for one of the environments in `suffix` if given.
pub fn is_item(path: &BStr, suffix: Option<&[String]>) -> bool {
    let Some((base, _)) = item(path) else { return false };
    suffix.is_none_or(|words| words.iter().any(|w| base.ends_with(format!(".{w}").as_bytes())))
}

/// `path` is relative to the workspace's root.
pub fn read(reader: &mut VariableReader<'_, '_>, path: &BStr, roots: &[Node]) -> Result<(), Mistake> {
    let (Some((base, resource)), Some(root)) = (item(path), roots.first()) else { return Ok(()) };
    let suffix = reader.words.iter().find_map(|w| base.strip_suffix(format!(".{w}").as_bytes()));
    let name = suffix.map_or(base, ByteSlice::as_bstr).to_string();
    let Some((key, value)) = root.entry("value") else { return Ok(()) };
    let first = reader.found.len();
    if resource {
        for leaf in leaves(value)? {
            let dot = if leaf.path.is_empty() { "" } else { "." };
            let held = reader.value(leaf.value);
            reader.push("", &format!("{name}{dot}{}", leaf.path), leaf.key.unwrap_or(key), leaf.value, held);
        }
    } else {
        let text = value.text().unwrap_or_default().trim();
        let secret = root.get("is_secret").and_then(Node::as_bool) == Some(true);
        let held = match secret && is_ciphertext(text) {
            true => ComparedValue { kind: ValueKind::Deterministic, text: text.to_owned(), targets: Vec::new() },
            false if value.text().is_some() => reader.value(value),
            false => plain(""),
        };
        reader.push("", &name, key, value, held);
    }
    let attribute = if resource {
        root.get("resource_type").and_then(Node::text).unwrap_or_default().to_owned()
    } else {
        format!("is_secret: {}", root.get("is_secret").and_then(Node::text).unwrap_or("false"))
    };
    reader.found[first..].iter_mut().for_each(|v| v.attribute = Some(attribute.clone()));
    Ok(())
}

/// Base64 of whole cipher blocks.
fn is_ciphertext(text: &str) -> bool {
    let digits = text.bytes().filter(|b| !b.is_ascii_whitespace());
    let length = digits.clone().count();
    let padding = text.bytes().rev().take_while(|b| *b == b'=').count();
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    length > 0
        && length.is_multiple_of(4)
        && padding <= 2
        && digits.clone().all(good)
        && (length / 4 * 3 - padding).is_multiple_of(16)
}

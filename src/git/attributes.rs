//! Whether `.gitattributes` sets how a path is merged: a driver, `-merge`, `binary`, `merge=union`. Reads the files of the
//! tree that is merged onto. When in doubt the answer is yes, which makes it a conflict.

use bstr::{BStr, ByteSlice as _};
use gix::glob;

use super::Picker;
use crate::error::Result;
use crate::subject::Oid;

pub(super) fn has_merge_attribute(picker: &Picker<'_>, tree: Oid, path: &BStr) -> Result<bool> {
    let mut start = 0;
    loop {
        let file = [path[..start].as_bytes(), b".gitattributes"].concat();
        if let Some(leaf) = picker.leaf(tree, file.as_bstr())?
            && leaf.is_file()
        {
            let text = picker.blob(leaf.id)?;
            if text.lines().any(|line| sets_merge_for(line, path[start..].as_bstr())) {
                return Ok(true);
            }
        }
        match path[start..].find_byte(b'/') {
            Some(slash) => start += slash + 1,
            None => return Ok(false),
        }
    }
}

/// Whether a line sets a merge attribute and its pattern matches the path, which is relative to the file's directory.
fn sets_merge_for(line: &[u8], path: &BStr) -> bool {
    let line = line.trim();
    if line.starts_with(b"#") {
        return false;
    }
    let mut words = line.fields();
    let Some(pattern) = words.next() else { return false };
    let merging = |word: &[u8]| {
        let name = word.split(|b| *b == b'=').next().unwrap_or_default();
        // `!merge`, `-text` and the like only reset attributes.
        matches!(name, b"merge" | b"-merge" | b"binary") && word != b"merge"
    };
    if !words.any(merging) {
        return false;
    }
    if pattern.starts_with(b"\"") || pattern.starts_with(b"[attr]") {
        return true;
    }
    let Some(pattern) = glob::Pattern::from_bytes_without_negation(pattern) else { return false };
    let base = path.rfind_byte(b'/').map(|at| at + 1);
    pattern.matches_repo_relative_path(
        path,
        base,
        Some(false),
        glob::pattern::Case::Sensitive,
        glob::wildmatch::Mode::NO_MATCH_SLASH_LITERAL,
    )
}

//! File names that some file system treats as another name: HFS+ and NTFS, after git's `utf8.c` and `path.c`. Owns git's
//! own file names and how names are folded for comparison.

use std::borrow::Cow;

use bstr::ByteSlice as _;
use unicode_normalization::UnicodeNormalization as _;

/// A file that git reads: its name without the dot, and its NTFS short name if the plain one is taken.
pub struct DotFile {
    name: &'static [u8],
    short: &'static [u8; 6],
}

pub const MODULES: DotFile = DotFile { name: b"gitmodules", short: b"gi7eba" };
pub const ATTRIBUTES: DotFile = DotFile { name: b"gitattributes", short: b"gi7d29" };
pub const IGNORE: DotFile = DotFile { name: b"gitignore", short: b"gi250a" };
pub const MAILMAP: DotFile = DotFile { name: b"mailmap", short: b"maba30" };

/// Whether HFS+ or NTFS treats the name as `.git`. A backslash separates directories on Windows.
pub fn is_dot_git(name: &[u8]) -> bool {
    is_hfs_dot(name, b"git") || name.split(|b| *b == b'\\').any(is_ntfs_dot_git)
}

/// Whether HFS+ or NTFS treats the name as this file.
pub fn is_dot_file(name: &[u8], file: &DotFile) -> bool {
    is_hfs_dot(name, file.name) || name.split(|b| *b == b'\\').any(|name| is_ntfs_dot_file(name, file))
}

fn is_ntfs_dot_git(name: &[u8]) -> bool {
    let starts = |with: &[u8]| name.get(..with.len()).is_some_and(|n| n.eq_ignore_ascii_case(with));
    let rest = if starts(b".git") {
        &name[4..]
    } else if starts(b"git~1") {
        &name[5..]
    } else {
        return false;
    };
    is_ignored_suffix(rest)
}

/// Whether NTFS ignores the rest of a name: trailing dots and spaces, or a stream name after a colon.
fn is_ignored_suffix(rest: &[u8]) -> bool {
    let end = rest.iter().find(|b| !matches!(b, b'.' | b' '));
    matches!(end, None | Some(b':' | b'/'))
}

fn is_ntfs_dot_file(name: &[u8], file: &DotFile) -> bool {
    let length = file.name.len();
    if name.first() == Some(&b'.') && name.get(1..=length).is_some_and(|n| n.eq_ignore_ascii_case(file.name)) {
        return is_ignored_suffix(&name[length + 1..]);
    }
    let Some(short) = name.get(..8) else { return false };
    let tilde = short[6] == b'~';
    if tilde && short[..6].eq_ignore_ascii_case(&file.name[..6]) && matches!(short[7], b'1'..=b'4') {
        return is_ignored_suffix(&name[8..]);
    }
    let Some(at) = short.find_byte(b'~').filter(|at| *at <= 6) else { return false };
    let digits = &short[at + 1..];
    short[..at].eq_ignore_ascii_case(&file.short[..at])
        && matches!(digits.first(), Some(b'1'..=b'9'))
        && digits.iter().all(u8::is_ascii_digit)
        && is_ignored_suffix(&name[8..])
}

fn is_hfs_dot(name: &[u8], file: &[u8]) -> bool {
    // Like git, stop at bytes that are not UTF-8.
    let valid = name.to_str().unwrap_or_else(|e| name[..e.valid_up_to()].to_str().unwrap_or_default());
    let mut seen = valid.chars().filter(|c| !is_ignored(*c)).map(|c| c.to_ascii_lowercase());
    seen.next() == Some('.')
        && file.iter().all(|b| seen.next() == Some(*b as char))
        && matches!(seen.next(), None | Some('/'))
}

/// Characters that HFS+ ignores when it compares names.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// How two names with the same folded form differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    Case,
    Unicode,
    Alias,
}

/// The name without differences that some system ignores: case, Unicode form, trailing dots and spaces.
pub fn fold(name: &[u8]) -> Vec<u8> {
    if name.is_ascii() {
        return without_windows_suffix(name).to_ascii_lowercase();
    }
    folded(&String::from_utf8_lossy(without_windows_suffix(name)), name)
}

fn folded(text: &str, name: &[u8]) -> Vec<u8> {
    if name.to_str().is_err() {
        // No system folds names that are not text.
        return name.to_vec();
    }
    let plain = text.chars().filter(|c| !is_ignored(*c)).nfd().flat_map(char::to_lowercase);
    plain.nfd().collect::<String>().into_bytes()
}

/// The name without the suffix that Windows drops; the whole name if nothing would be left.
fn without_windows_suffix(name: &[u8]) -> &[u8] {
    let end = name.find_byte(b':').unwrap_or(name.len());
    let kept = name[..end].trim_end_with(|c| matches!(c, '.' | ' '));
    if kept.is_empty() { name } else { kept }
}

pub fn difference(a: &[u8], b: &[u8]) -> Difference {
    let text = |name| String::from_utf8_lossy(name);
    let (a, b): (Cow<'_, str>, Cow<'_, str>) = (text(a), text(b));
    if a.to_lowercase() == b.to_lowercase() {
        Difference::Case
    } else if a.nfd().flat_map(char::to_lowercase).eq(b.nfd().flat_map(char::to_lowercase)) {
        Difference::Unicode
    } else {
        Difference::Alias
    }
}

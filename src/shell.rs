//! Words for a POSIX shell, so that a proposed command names what it is about and runs nothing else.
//! The only quoter; scripts, hooks and every proposed command use it.

use bstr::ByteSlice as _;

use crate::text::is_unsafe;

/// One word of a script, quoted where it must be. Bytes stay as they are.
pub fn quote_bytes(word: &[u8]) -> Vec<u8> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(b);
    if !word.is_empty() && word.iter().all(plain) && word[0] != b'-' {
        return word.to_vec();
    }
    [b"'", word.replace("'", r"'\''").as_slice(), b"'"].concat()
}

/// One word of a command that is shown, and pasted. What cannot be shown as it is (control characters, bytes that are
/// not UTF-8) is written as `$'...'`, so that the word is still the same one.
pub fn quote(word: impl AsRef<[u8]>) -> String {
    let word = word.as_ref();
    match word.to_str() {
        Ok(text) if !text.chars().any(is_unsafe) => quote_bytes(word).to_str_lossy().into_owned(),
        _ => escaped(word),
    }
}

fn escaped(word: &[u8]) -> String {
    let mut out = String::from("$'");
    for b in word {
        match b {
            b'\'' | b'\\' => out.extend(['\\', *b as char]),
            b' '..=b'~' => out.push(*b as char),
            // Three digits always, so that a digit behind it is one of its own.
            _ => out.push_str(&format!("\\{b:03o}")),
        }
    }
    out.push('\'');
    out
}

/// A path for a git command that takes pathspecs: never an option, never a pattern that matches other files too.
pub fn pathspec(path: impl AsRef<[u8]>) -> String {
    let path = path.as_ref();
    if path.starts_with(b":") || path.iter().any(|b| b"*?[\\".contains(b)) {
        quote([b":(literal)", path].concat())
    } else if path.starts_with(b"-") {
        quote([b"./", path].concat())
    } else {
        quote(path)
    }
}

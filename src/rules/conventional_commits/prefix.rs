//! Prefixes that tools and people put before a header: draft marks (`WIP:`, `[Draft]`), issue keys (`OPS-7:`, `[OPS-7]`,
//! `#12`) and `Merged PR 7:`. Owns their forms and the header after them.

use super::convention::{Convention, TypeMatch};
use super::parse::{Parts, parse};

/// The issue keys and numbers in such prefixes, and the text after them. `None` if there is no prefix.
pub fn split(line: &str) -> Option<(Vec<String>, &str)> {
    let mut rest = line.trim_start();
    let mut keys = Vec::new();
    let mut found = false;
    while let Some((key, after)) = strip_draft_mark(rest).map(|after| (None, after)).or_else(|| reference(rest)) {
        keys.extend(key);
        rest = after;
        found = true;
    }
    found.then_some((keys, rest))
}

/// The parts of a header that is valid but for the case of its type.
pub fn valid_header(line: &str, convention: &Convention) -> Option<Parts> {
    let message = parse(line.as_bytes()).filter(|m| m.errors.is_empty())?;
    let mut parts = message.parts();
    parts.kind = match convention.match_type(&parts.kind) {
        TypeMatch::Known => parts.kind,
        TypeMatch::Case(Some(kind)) => kind.to_owned(),
        TypeMatch::Case(None) => convention.type_case.apply(&parts.kind)?,
        TypeMatch::Unknown(_) => return None,
    };
    Some(parts)
}

/// Adds the keys that the description does not have to its end.
pub fn append_keys(parts: &mut Parts, mut keys: Vec<String>) {
    keys.retain(|key| !parts.description.contains(key.as_str()));
    if !keys.is_empty() {
        parts.description = format!("{} ({})", parts.description, keys.join(", "));
    }
}

/// The text after a draft mark, as GitLab, Gitea and people write it; `None` without one.
pub fn strip_draft_mark(title: &str) -> Option<&str> {
    const WORDS: [&str; 3] = ["draft", "wip", "work in progress"];
    let bracketed = title.strip_prefix('[').map(|t| (t, ']')).or_else(|| title.strip_prefix('(').map(|t| (t, ')')));
    let (inner, close) = bracketed.unwrap_or((title, ':'));
    WORDS.iter().find_map(|word| {
        inner.get(..word.len()).filter(|w| w.eq_ignore_ascii_case(word))?;
        let rest = inner[word.len()..].trim_start();
        let rest = rest.strip_prefix(close).or_else(|| rest.strip_prefix("- ").filter(|_| close == ':'))?;
        Some(rest.trim_start_matches([':', ' ']))
    })
}

/// The issue key or pull request number at the start, and the text after it.
fn reference(line: &str) -> Option<(Option<String>, &str)> {
    if let Some(rest) = line.strip_prefix("Merged PR ").or_else(|| line.strip_prefix("Merged in PR ")) {
        let (number, rest) = rest.split_once(':')?;
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        return is_number.then(|| (Some(format!("#{number}")), rest.trim_start()));
    }
    let open = line.starts_with(['[', '(']);
    let inner = if open { &line[1..] } else { line };
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && !"-_#".contains(c))?;
    let key = inner[..end].to_owned();
    let rest = if open { inner[end..].strip_prefix([']', ')'])? } else { &inner[end..] };
    let rest = rest.trim_start_matches([':', '-', '|', ' ']);
    is_key(&key).then_some((Some(key), rest))
}

/// `OPS-7`, `ops2-17`, `#12`
fn is_key(word: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let project = |s: &str| s.len() > 1 && s.starts_with(|c: char| c.is_ascii_alphabetic());
    word.strip_prefix('#').is_some_and(digits)
        || word.rsplit_once('-').is_some_and(|(name, number)| project(name) && digits(number))
}

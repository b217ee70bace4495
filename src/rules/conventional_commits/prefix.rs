//! Words that tools and people put before a header: marks of drafts (`WIP:`, `[Draft]`), keys of issues (`OPS-7:`,
//! `[OPS-7]`, `#12`) and `Merged PR 7:`. Owns their forms, and the header behind them.

use super::convention::{Convention, Kind};
use super::parse::{Parts, parse};

/// The parts of a good header that stands behind such words; keys and numbers are kept at the end of the description.
/// `None` where there are no such words, or no header behind them.
pub fn without(line: &str, convention: &Convention) -> Option<Parts> {
    let mut rest = line.trim_start();
    let mut keys = Vec::new();
    let mut found = false;
    while let Some((key, after)) = mark(rest).map(|after| (None, after)).or_else(|| reference(rest)) {
        keys.extend(key);
        rest = after;
        found = true;
    }
    let message = parse(rest.as_bytes()).filter(|m| found && m.slips.is_empty())?;
    let mut parts = message.parts();
    parts.kind = match convention.kind(&parts.kind) {
        Kind::Known => parts.kind,
        Kind::Case(Some(kind)) => kind.to_owned(),
        Kind::Case(None) => convention.type_case.apply(&parts.kind)?,
        Kind::Unknown(_) => return None,
    };
    keys.retain(|key| !parts.description.contains(key.as_str()));
    if !keys.is_empty() {
        parts.description = format!("{} ({})", parts.description, keys.join(", "));
    }
    Some(parts)
}

/// What stands behind the mark of a draft, as GitLab, Gitea and people write it; `None` where there is none.
pub fn mark(title: &str) -> Option<&str> {
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

/// The key of an issue or the number of a pull request at the start, and what follows.
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

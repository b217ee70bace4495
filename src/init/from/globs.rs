//! Regular expressions on paths as globs, where globs say the same. One difference stays: a glob that means a file also means
//! all below a directory of that name.

/// The globs that match where a regular expression is found in a path; `None` where no glob says the same.
pub fn of_regex(pattern: &str) -> Option<Vec<String>> {
    let parts = alternatives(unwrapped(pattern.trim()))?;
    parts.iter().map(|part| one(part)).collect()
}

/// Without parentheses around the whole.
fn unwrapped(pattern: &str) -> &str {
    let inner = pattern.strip_prefix("(?:").or_else(|| pattern.strip_prefix('('));
    match inner.and_then(|p| p.strip_suffix(')')) {
        Some(inner) if !inner.starts_with('?') && alternatives(inner).is_some() => inner,
        _ => pattern,
    }
}

/// Split at `|` outside of parentheses; `None` where these do not match or a class holds one.
fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0usize);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                part.push(c);
                part.push(chars.next()?);
                continue;
            }
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            '|' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    (depth == 0).then_some(parts)
}

/// Where a match may begin.
#[derive(PartialEq)]
enum Start {
    Anywhere,
    Path,
    Component,
}

fn one(pattern: &str) -> Option<String> {
    let (mut start, mut rest) = (Start::Anywhere, pattern);
    for (prefix, means) in [
        ("^.*/", Start::Anywhere),
        ("(^|/)", Start::Component),
        ("(?:^|/)", Start::Component),
        ("(^|.*/)", Start::Component),
        ("(?:^|.*/)", Start::Component),
        ("(.*/)?", Start::Anywhere),
        ("^(.*/)?", Start::Component),
        ("^(?:.*/)?", Start::Component),
        ("^", Start::Path),
        ("(.*?)", Start::Anywhere),
        ("(.*)", Start::Anywhere),
        (".*?", Start::Anywhere),
        (".*", Start::Anywhere),
    ] {
        if let Some(after) = rest.strip_prefix(prefix) {
            // `^.*/x` begins at a component below the root.
            (start, rest) = (means, if prefix == "^.*/" { &rest[prefix.len() - 1..] } else { after });
            break;
        }
    }
    if start == Start::Path && (rest.starts_with(".*") || rest.starts_with("(.*")) {
        return one(rest);
    }
    let (body, ends) = match rest.strip_suffix('$').filter(|r| !r.ends_with('\\')) {
        Some(body) => (body, true),
        None => (rest, false),
    };
    let trimmed = [".*?", ".*", "(.*?)", "(.*)"].iter().find_map(|any| body.strip_suffix(any));
    let (body, ends) = trimmed.map_or((body, ends), |body| (body, false));
    let glob = body_glob(body)?;
    if glob.is_empty() {
        return None;
    }
    let head = match (start, glob.starts_with('/')) {
        (Start::Path, _) => format!("/{}", glob.trim_start_matches('/')),
        (Start::Component, _) => format!("**/{}", glob.trim_start_matches('/')),
        (Start::Anywhere, true) => format!("*/**{glob}"),
        (Start::Anywhere, false) => format!("**/*{glob}"),
    };
    // A glob of a directory has all below it.
    Some(if ends || head.ends_with('/') { head } else { head + "*" })
}

fn body_glob(body: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("[^/]*").or_else(|| rest.strip_prefix("[^/]+")) {
            out.push_str(if rest.starts_with("[^/]+") { "?*" } else { "*" });
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix(".*").filter(|_| out.ends_with('/')) {
            // Any file below a directory.
            let after = after.strip_prefix('?').unwrap_or(after);
            if after.starts_with('/') {
                return None;
            }
            out.push_str("**/*");
            rest = after;
            continue;
        }
        if c == '(' {
            let end = rest.find(')')?;
            let inner = rest[1..end].strip_prefix("?:").unwrap_or(&rest[1..end]);
            let words: Option<Vec<String>> = alternatives(inner)?.iter().map(|word| literal(word)).collect();
            out.push_str(&format!("{{{}}}", words?.join(",")));
            rest = &rest[end + 1..];
        } else {
            let length = if c == '\\' { 1 + rest[1..].chars().next()?.len_utf8() } else { c.len_utf8() };
            out.push_str(&literal(&rest[..length])?);
            rest = &rest[length..];
        }
        if rest.starts_with(['*', '+', '?', '{']) {
            return None;
        }
    }
    Some(out)
}

/// A text without operators; a bare dot is any character.
fn literal(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '.' => out.push('?'),
            '\\' => match chars.next()? {
                c if c.is_alphanumeric() => return None,
                c => push_escaped(&mut out, c),
            },
            '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' => return None,
            c => push_escaped(&mut out, c),
        }
    }
    Some(out)
}

fn push_escaped(out: &mut String, c: char) {
    if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | ',') {
        out.push('\\');
    }
    out.push(c);
}

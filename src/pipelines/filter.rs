//! Filter patterns of GitHub Actions for branches and tags: which names a list admits, and names made from a pattern.
//! See <https://docs.github.com/actions/reference/workflow-syntax-for-github-actions#filter-pattern-cheat-sheet>.

use regex::Regex;

/// Whether a list of patterns admits a name. The last pattern that matches decides; `!` excludes. `None` where a
/// pattern is invalid.
pub fn admits(patterns: &[&str], name: &str) -> Option<bool> {
    let mut admitted = false;
    for pattern in patterns {
        let (excludes, pattern) = pattern.strip_prefix('!').map_or((false, *pattern), |rest| (true, rest));
        if Regex::new(&to_regex(pattern)).ok()?.is_match(name) {
            admitted = !excludes;
        }
    }
    Some(admitted)
}

/// `?` and `+` repeat the character or set before them, as they do in a regular expression.
fn to_regex(pattern: &str) -> String {
    let mut regex = String::from("^(?:");
    let mut chars = pattern.chars().peekable();
    let mut in_set = false;
    while let Some(c) = chars.next() {
        match c {
            ']' => {
                in_set = false;
                regex.push(']');
            }
            _ if in_set => {
                if matches!(c, '[' | '&' | '~' | '^' | '\\') {
                    regex.push('\\');
                }
                regex.push(c);
            }
            '[' => {
                in_set = true;
                regex.push('[');
            }
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                regex.push_str(".*");
            }
            '*' => regex.push_str("[^/]*"),
            '?' | '+' => regex.push(c),
            '\\' => regex.push_str(&regex::escape(&chars.next().map(String::from).unwrap_or_default())),
            _ => regex.push_str(&regex::escape(&c.to_string())),
        }
    }
    regex.push_str(")$");
    regex
}

/// Names that a pattern matches, made from its own words.
pub fn samples(pattern: &str) -> Vec<String> {
    let pattern = pattern.strip_prefix('!').unwrap_or(pattern);
    let mut found: Vec<String> = ["x", "1", "", "-x"].iter().map(|star| sample(pattern, star)).collect();
    found.retain(|name| !name.is_empty() && admits(&[pattern], name) == Some(true));
    found.dedup();
    found
}

/// A name with `star` for each `*`, the first character for each set, and each repeated character once.
fn sample(pattern: &str, star: &str) -> String {
    let mut name = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                while chars.next_if_eq(&'*').is_some() {}
                name.push_str(star);
            }
            '[' => {
                let set: Vec<char> = chars.by_ref().take_while(|c| *c != ']').collect();
                // `0` begins no part of a version but zero itself, which is fine once; the end of a range is as good.
                name.extend(set.get(if set.get(1) == Some(&'-') { 2 } else { 0 }));
            }
            '?' | '+' => {}
            '\\' => name.extend(chars.next()),
            _ => name.push(c),
        }
    }
    name
}

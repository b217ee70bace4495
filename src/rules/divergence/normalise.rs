//! Normalises equivalent spellings before comparison: blanks, quotes, booleans, numbers, URLs. Strings that look like
//! numbers only lose a plus sign: `1.10` may be a version.

use crate::yaml::{Node, Scalar};

/// The normalised text of a scalar.
pub fn of_node(node: &Node) -> String {
    match node.scalar() {
        Some(Scalar::Int(n)) => n.to_string(),
        // `1.0` equals `1`; larger numbers keep their digits.
        Some(Scalar::Float(x)) if x.fract() == 0.0 && x.abs() < 9e15 => (x as i64).to_string(),
        Some(Scalar::Float(x)) if x.is_finite() && x.abs() < 9e15 => x.to_string(),
        Some(Scalar::Bool(b)) => b.to_string(),
        Some(Scalar::Null) => String::new(),
        _ => of_text(node.text().unwrap_or_default()),
    }
}

/// The normalised text.
pub fn of_text(text: &str) -> String {
    let text = unquoted(text.trim());
    if let Some(word) = ["true", "false"].into_iter().find(|w| text.eq_ignore_ascii_case(w)) {
        return word.to_owned();
    }
    if let Some(digits) = text.strip_prefix('+').filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit())) {
        return digits.to_owned();
    }
    url(text).unwrap_or_else(|| text.to_owned())
}

/// Removes one pair of surrounding quotes.
fn unquoted(text: &str) -> &str {
    let pair = ['"', '\''].into_iter().find_map(|q| text.strip_prefix(q)?.strip_suffix(q));
    pair.map_or(text, str::trim)
}

const PORTS: [(&str, &str); 8] = [
    ("http", "80"),
    ("https", "443"),
    ("ws", "80"),
    ("wss", "443"),
    ("postgres", "5432"),
    ("postgresql", "5432"),
    ("redis", "6379"),
    ("mysql", "3306"),
];

/// Lower-cases scheme and host; removes the default port and trailing slashes.
fn url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if scheme.is_empty() || !scheme.chars().all(good) || rest.contains(char::is_whitespace) {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(u, h)| (u, h));
    let mut host = host.to_ascii_lowercase();
    if let Some((name, port)) = host.rsplit_once(':')
        && PORTS.contains(&(scheme.as_str(), port))
    {
        host.truncate(name.len());
    }
    let at = if user.is_empty() { "" } else { "@" };
    let path = if path.contains(['?', '#']) { path } else { path.trim_end_matches('/') };
    Some(format!("{scheme}://{user}{at}{host}{path}"))
}

//! What a text is before anybody compares it: ciphertext, a reference, a placeholder, plain; and which environment it
//! names. Owns the marks of other tools.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::model::{Kind, Value};
use super::normalise;
use crate::values::placeholder::is_unfilled;
use crate::yaml::Node;

/// How ciphertext with a nonce begins.
const RANDOMISED: &[&str] = &[
    "ENC[AES256_GCM,",
    "-----BEGIN AGE ENCRYPTED FILE-----",
    "age-encryption.org/v1",
    "-----BEGIN PGP MESSAGE-----",
    "$ANSIBLE_VAULT;",
    "\0GITCRYPT",
    "encrypted:",
    "vault:v",
];

/// How a reference begins that means the same wherever it stands.
const ABSOLUTE: &[&str] = &[
    "$vault:",
    "$aws_sm:",
    "$azure_kv:",
    "<path:",
    "ref+",
    "op://",
    "awssm://",
    "gcpsm://",
    "arn:aws:secretsmanager:",
];

/// How a reference begins that each workspace resolves for itself.
const SCOPED: &[&str] = &["$var:", "$res:"];

/// Texts that stand for a value that is not there yet.
#[derive(Clone, Debug, Default)]
pub struct Placeholders(GlobSet);

impl Placeholders {
    /// Globs over the whole text, in either case. `Err` says which glob is wrong, and why.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern).case_insensitive(true).backslash_escape(true).build();
            set.add(glob.map_err(|e| format!("not a glob: {}", e.kind()))?);
        }
        set.build().map(Self).map_err(|e| e.to_string())
    }
}

/// Whether a whole file is ciphertext.
pub fn is_sealed(bytes: &[u8]) -> bool {
    RANDOMISED[1..6].iter().any(|m| bytes.trim_ascii_start().starts_with(m.as_bytes()))
}

/// A scalar as a value.
pub fn of_node(node: &Node, placeholders: &Placeholders) -> Value {
    marked(node.text().unwrap_or_default(), placeholders, || normalise::of_node(node))
}

/// A text as a value.
pub fn of_text(text: &str, placeholders: &Placeholders) -> Value {
    marked(text, placeholders, || normalise::of_text(text))
}

fn marked(raw: &str, placeholders: &Placeholders, normal: impl Fn() -> String) -> Value {
    let text = raw.trim();
    let value = |kind, text: &str, targets| Value { kind, text: text.to_owned(), targets };
    if is_ciphertext(text) {
        return value(Kind::Randomised, text, Vec::new());
    }
    if ABSOLUTE.iter().any(|m| text.starts_with(m)) {
        return value(Kind::Reference, text, Vec::new());
    }
    if let Some(target) = SCOPED.iter().find_map(|m| text.strip_prefix(m)) {
        return value(Kind::Reference, text, vec![target.to_owned()]);
    }
    let targets = expansions(text);
    if !targets.is_empty() {
        return value(Kind::Reference, text, targets);
    }
    let normal = normal();
    if placeholders.0.is_match(&normal) || is_unfilled(normal.as_bytes()) {
        let kind = if normal.is_empty() { Kind::Empty } else { Kind::Placeholder };
        return Value { kind, text: normal, targets: Vec::new() };
    }
    let kind = if normal.is_empty() { Kind::Empty } else { Kind::Plain };
    Value { kind, text: normal, targets: Vec::new() }
}

fn is_ciphertext(text: &str) -> bool {
    RANDOMISED.iter().any(|mark| {
        text.strip_prefix(mark).is_some_and(|rest| match *mark {
            // `vault:v1:...` is transit; `vault:secret/data/x#y` is no ciphertext.
            "vault:v" => rest.split_once(':').is_some_and(|(n, _)| n.parse::<u16>().is_ok()),
            "encrypted:" => rest.len() >= 16 && !rest.contains(' '),
            _ => true,
        })
    })
}

/// Names in `${NAME}` and `${{ secrets.NAME }}`.
fn expansions(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let inner = rest[at + 2..].trim_start_matches('{');
        let Some(end) = inner.find('}') else { break };
        let name: String = inner[..end].trim().chars().take_while(|c| !matches!(c, ':' | '-' | '?' | '+')).collect();
        let name = name.rsplit('.').next().unwrap_or_default().trim();
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        rest = &inner[end..];
    }
    names
}

/// Longer texts are documents, not values, and may speak of anything.
const LONGEST: usize = 1024;

/// Whether a value names one of `words` as a word, and none of `own`.
pub fn names_other(value: &Value, words: &[String], own: &[String]) -> bool {
    let text = &value.text;
    if !matches!(value.kind, Kind::Plain | Kind::Reference) || text.len() > LONGEST {
        return false;
    }
    if value.kind == Kind::Plain && text.contains('\n') {
        return false;
    }
    names(text, words) && !names(text, own)
}

/// Whether one of `words` stands in a text, parted by anything but letters and digits. The last label of a host and
/// the directory `/dev` are no words.
pub fn names(text: &str, words: &[String]) -> bool {
    let mut start = 0;
    let parts = text.split(|c: char| !c.is_alphanumeric()).map(|part| {
        let at = start;
        start += part.len() + text[at + part.len()..].chars().next().map_or(0, char::len_utf8);
        (at, part)
    });
    parts.into_iter().any(|(at, part)| {
        let (before, after) = (&text[..at], &text[at + part.len()..]);
        let label = before.ends_with('.') && (after.is_empty() || after.starts_with(['/', ':']));
        let device = part == "dev" && before == "/" && after.starts_with('/');
        // `dev-team` is who, and `dev-tools` is what: neither is where.
        let compound = part.eq_ignore_ascii_case("dev")
            && after.strip_prefix(['-', '_']).is_some_and(|rest| {
                let word = &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())];
                ["team", "teams", "tools", "tool", "ops", "portal", "docs", "container", "containers", "null"]
                    .iter()
                    .any(|w| word.eq_ignore_ascii_case(w))
            });
        let company = part.eq_ignore_ascii_case("dev") && after.starts_with(".azure.com");
        !label && !device && !compound && !company && words.iter().any(|w| w.eq_ignore_ascii_case(part))
    })
}

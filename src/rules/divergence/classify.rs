//! Classifies a value before it is compared: ciphertext, reference, placeholder or plain. Owns the prefixes by which other
//! tools mark their ciphertext and references.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::model::{ComparedValue, ValueKind};
use super::normalise;
use crate::rules::structured::names;
use crate::values::placeholder::is_unfilled;
use crate::yaml::Node;

/// Prefixes of ciphertext with a nonce.
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

/// Prefixes of references that mean the same in every environment.
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

/// Prefixes of references that each workspace resolves itself.
const SCOPED: &[&str] = &["$var:", "$res:"];

/// Globs for values that are not filled in yet.
#[derive(Clone, Debug, Default)]
pub struct Placeholders(GlobSet);

impl Placeholders {
    /// Case-insensitive globs over the whole text. `Err` names the invalid glob and the reason.
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
pub fn is_encrypted_file(bytes: &[u8]) -> bool {
    RANDOMISED[1..6].iter().any(|m| bytes.trim_ascii_start().starts_with(m.as_bytes()))
}

/// Classifies a scalar.
pub fn classify_node(node: &Node, placeholders: &Placeholders) -> ComparedValue {
    classify(node.text().unwrap_or_default(), placeholders, || normalise::of_node(node))
}

/// Classifies a text.
pub fn classify_text(text: &str, placeholders: &Placeholders) -> ComparedValue {
    classify(text, placeholders, || normalise::of_text(text))
}

fn classify(raw: &str, placeholders: &Placeholders, normal: impl Fn() -> String) -> ComparedValue {
    let text = raw.trim();
    let value = |kind, text: &str, targets| ComparedValue { kind, text: text.to_owned(), targets };
    if is_ciphertext(text) {
        return value(ValueKind::Randomised, text, Vec::new());
    }
    if ABSOLUTE.iter().any(|m| text.starts_with(m)) {
        return value(ValueKind::Reference, text, Vec::new());
    }
    if let Some(target) = SCOPED.iter().find_map(|m| text.strip_prefix(m)) {
        return value(ValueKind::Reference, text, vec![target.to_owned()]);
    }
    let targets = expansions(text);
    if !targets.is_empty() {
        return value(ValueKind::Reference, text, targets);
    }
    let normal = normal();
    if placeholders.0.is_match(&normal) || is_unfilled(normal.as_bytes()) {
        let kind = if normal.is_empty() { ValueKind::Empty } else { ValueKind::Placeholder };
        return ComparedValue { kind, text: normal, targets: Vec::new() };
    }
    let kind = if normal.is_empty() { ValueKind::Empty } else { ValueKind::Plain };
    ComparedValue { kind, text: normal, targets: Vec::new() }
}

fn is_ciphertext(text: &str) -> bool {
    RANDOMISED.iter().any(|mark| {
        text.strip_prefix(mark).is_some_and(|rest| match *mark {
            // `vault:v1:...` is transit ciphertext; `vault:secret/data/x#y` is a reference.
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

/// Longer texts are documents, which may mention any environment.
const LONGEST: usize = 1024;

/// Whether a value contains one of `words` as a whole word, and none of `own`.
pub fn names_other(value: &ComparedValue, words: &[String], own: &[String]) -> bool {
    let text = &value.text;
    if !matches!(value.kind, ValueKind::Plain | ValueKind::Reference) || text.len() > LONGEST {
        return false;
    }
    if value.kind == ValueKind::Plain && text.contains('\n') {
        return false;
    }
    names(text, words) && !names(text, own)
}

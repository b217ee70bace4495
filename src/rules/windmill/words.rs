//! Classifies names and values: which environment they name, and whether they are secret. Owns the word lists.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::options::Vocabulary;
use crate::values;

/// Lower-case words of a name: `SlackOAuth_token2` is `slack o auth token 2`; camel case parts too.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars().take(1024) {
        let parts = !c.is_alphanumeric()
            || c.is_uppercase() && before.is_lowercase()
            || c.is_numeric() != before.is_numeric() && before.is_alphanumeric();
        if parts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|w| !w.is_empty());
    words
}

/// The name and aliases of an environment, as lists of words.
#[derive(Clone, Debug)]
pub(super) struct EnvironmentNames {
    /// One list of words for the name and for each alias.
    names: Vec<Vec<String>>,
}

impl EnvironmentNames {
    /// One per environment, in the policy's order.
    pub(super) fn all(vocabulary: &Vocabulary) -> Vec<Self> {
        let names = |e: &crate::options::Environment| {
            let split = std::iter::once(&e.name).chain(&e.aliases).map(|n| words(n)).filter(|n| !n.is_empty());
            Self { names: split.collect() }
        };
        vocabulary.environments.iter().map(names).collect()
    }

    pub(super) fn are_in(&self, words: &[String]) -> bool {
        self.names.iter().any(|name| words.windows(name.len()).any(|w| w == name))
    }
}

/// An environment other than `own` that a text names; `None` if it names `own` too.
pub(super) fn other_environment(text: &str, own: usize, names: &[EnvironmentNames]) -> Option<usize> {
    let words = words(&without_domain(text));
    if names.get(own).is_some_and(|n| n.are_in(&words)) {
        return None;
    }
    (0..names.len()).find(|&e| e != own && names[e].are_in(&words))
}

/// `https://app.windmill.dev/x` without `dev`: a top-level domain names no environment.
fn without_domain(text: &str) -> String {
    let Some((_, rest)) = text.split_once("://") else { return text.to_owned() };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, h)| h);
    let host = host.rsplit_once(':').map_or(host, |(h, _)| h);
    let labels = host.rsplit_once('.').map_or(host, |(l, _)| l);
    format!("{labels} {path}")
}

/// Last words of the names of secrets.
const SECRET: [&str; 16] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "apikeys",
    "webhook",
    "webhooks",
    "credential",
    "credentials",
    "apitoken",
];

/// Last two words of the names of secrets.
const SECRET_PAIRS: [(&str, &str); 15] = [
    ("api", "key"),
    ("api", "keys"),
    ("private", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("encryption", "key"),
    ("signing", "key"),
    ("account", "key"),
    ("shared", "key"),
    ("auth", "key"),
    ("master", "key"),
    ("ssh", "key"),
    ("webhook", "url"),
    ("webhook", "uri"),
    ("connection", "string"),
];

/// Words before `tokens` that mean a number of tokens.
const COUNTED: [&str; 8] = ["max", "min", "num", "total", "prompt", "completion", "input", "output"];

/// Whether a name is that of a secret: `db_password`, `slackWebhookUrl`, `api_key_staging`; not `token_url`,
/// `password_policy` or `max_tokens`.
pub(super) fn names_secret(name: &str, environments: &[EnvironmentNames]) -> bool {
    let mut words = words(name);
    while words.len() > 1 {
        let last = &words[words.len() - 1..];
        let number = last[0].chars().all(char::is_numeric);
        if !number && !environments.iter().any(|e| e.are_in(last)) {
            break;
        }
        words.pop();
    }
    let word = |back: usize| words.len().checked_sub(back).and_then(|n| words.get(n)).map_or("", String::as_str);
    let (before, last) = (word(2), word(1));
    if matches!(last, "token" | "tokens") && COUNTED.contains(&before) {
        return false;
    }
    SECRET.contains(&last)
        || SECRET_PAIRS.contains(&(before, last))
        || last == "pass" && words.len() <= 2
        || word(3) == "private" && before == "key" && last == "pem"
}

/// A Windmill reference (`$var:`, `$res:`), or empty.
pub(super) fn is_reference(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || ["$var:", "$res:"].iter().any(|r| text.strip_prefix(r).is_some_and(|t| !t.trim().is_empty()))
}

/// Whether a literal under a secret's name is only a placeholder or a template, by the lists of the secrets rule. Unlike
/// there, a weak password counts as a secret.
pub(super) fn stands_for_secret(text: &str) -> bool {
    let value = text.trim().as_bytes();
    values::is_reference(value) || values::placeholder::is_gap(value)
}

/// User and password, or a token alone, before the host of a URL.
static URL_CREDENTIALS: LazyLock<Option<Regex>> =
    LazyLock::new(|| ascii(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@:'\x22]*:([^\s/?#@'\x22]+)@[^\s/?#@]"));

/// Values that are secrets by their form alone.
static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    ascii(concat!(
        r"-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{30}|\bgithub_pat_[A-Za-z0-9_]{30}|\bglpat-[\w-]{16}",
        r"|\bxox[abeprs]-[\w-]{10}|\bxapp-[\w-]{10}|\b(?:AKIA|ASIA)[A-Z2-7]{16}\b|\b[sr]k_live_[A-Za-z0-9]{16}",
        r"|\bsk-(?:ant|proj)-[\w-]{16}|\bnpm_[A-Za-z0-9]{30}|\bhvs\.[\w-]{16}|\bAIza[\w-]{30}|\bSG\.[\w-]{16,}\.[\w-]{16}",
        r"|\bAGE-SECRET-KEY-1|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",
        r"|hooks\.slack\.com/(?:services|workflows)/\w+/\w+|discord(?:app)?\.com/api/webhooks/\d+/[\w-]{16}",
    ))
});

/// Without Unicode: its tables would cost a hundred times what these few patterns do.
fn ascii(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).unicode(false).build().ok()
}

/// Bytes; no token is shorter.
const SHORTEST_TOKEN: usize = 15;

/// Whether a URL contains a password that is not a reference or placeholder.
pub(super) fn has_url_credentials(text: &str) -> bool {
    if !(text.contains("://") && text.contains('@')) {
        return false;
    }
    let Some(regex) = URL_CREDENTIALS.as_ref() else { return false };
    let real = |p: &[u8]| !matches!(p[0], b'$' | b'{' | b'<' | b'%') && !p.iter().all(|b| matches!(b, b'*' | b'x'));
    regex.captures_iter(text.as_bytes()).any(|c| c.get(1).is_some_and(|p| real(p.as_bytes())))
}

/// Describes the secret that a value is by its form alone.
pub(super) fn secret_value(text: &str) -> Option<&'static str> {
    if has_url_credentials(text) {
        return Some("a URL with credentials");
    }
    let long = text.len() >= SHORTEST_TOKEN;
    TOKENS.as_ref().filter(|t| long && t.is_match(text.as_bytes())).map(|_| "the form of a token, key or webhook")
}

/// Base64 of whole AES blocks. Hexadecimal digits would decode to blocks too, but are a token or a digest.
pub(super) fn is_ciphertext(text: &str) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let text = text.trim();
    let hex = |digit: fn(&u8) -> bool| text.bytes().all(|b| b.is_ascii_digit() || digit(&b));
    if hex(|b| (b'a'..=b'f').contains(b)) || hex(|b| (b'A'..=b'F').contains(b)) {
        return false;
    }
    STANDARD.decode(text).is_ok_and(|raw| !raw.is_empty() && raw.len().is_multiple_of(16))
}

/// A reference to a secret store: Vault, AWS Secrets Manager, Azure Key Vault.
pub(super) fn is_external(text: &str) -> bool {
    ["$vault:", "$aws_sm:", "$azure_kv:"].iter().any(|r| text.trim().strip_prefix(r).is_some_and(|t| !t.is_empty()))
}

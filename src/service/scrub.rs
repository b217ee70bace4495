//! Tokens, and masking them in texts. No output of a child is shown without it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::text;

const MASK: &str = "********";
/// Maximum number of characters shown of a foreign text.
const MAX_SHOWN: usize = 200;

/// A secret from a caller; `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value of an `Authorization` header, with this as the password.
    pub fn basic(&self, user: &str) -> Self {
        Self(format!("Basic {}", STANDARD.encode(format!("{user}:{}", self.0))))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Masks secrets in texts.
#[derive(Debug)]
pub struct Scrub {
    /// Longest first, because one secret may be part of another.
    secrets: Vec<Token>,
}

impl Scrub {
    /// Masks these tokens, also in their URL-encoded and `Basic` forms.
    pub fn new(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut secrets = Vec::new();
        for token in tokens {
            let bare = token.expose().strip_prefix("Basic ").map(str::to_owned);
            secrets.push(Token(escaped(token.expose())));
            secrets.extend(bare.map(Token));
            secrets.push(token);
        }
        secrets.retain(|s| !s.0.is_empty());
        secrets.sort_by_key(|s| std::cmp::Reverse(s.0.len()));
        Self { secrets }
    }

    /// The text without secrets, credentials in URLs and control characters.
    pub fn text(&self, text: &str) -> String {
        let mut out = without_escapes(text);
        for secret in &self.secrets {
            out = out.replace(&secret.0, MASK);
        }
        text::sanitise_lines(&without_userinfo(&out))
    }

    /// The last non-empty line, shortened: usually the error of a failed program.
    pub fn last_line(&self, output: &[u8]) -> String {
        let text = self.text(&String::from_utf8_lossy(output));
        let line = text.lines().map(str::trim).rfind(|l| !l.is_empty()).unwrap_or("no output");
        line.chars().take(MAX_SHOWN).collect()
    }
}

/// Removes terminal escape sequences.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.peek() == Some(&'[') {
            chars.by_ref().take_while(|c| !('@'..='~').contains(c) || *c == '[').for_each(drop);
        } else {
            out.push(c);
        }
    }
    out
}

/// Masks the credentials between `//` and `@` in URLs.
fn without_userinfo(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || c == '\'' || c == '"').unwrap_or(after.len());
        match after[..end].rfind('@') {
            Some(sign) => {
                out.push_str(MASK);
                rest = &after[sign..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

//! Tokens, and texts that must not hold one. Owns masking; nothing of a child's output is shown without it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::text;

const MASK: &str = "********";
/// Of a foreign text so many characters are shown.
const SHOWN: usize = 200;

/// A secret from outside: no `Debug`, log or answer shows it.
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

/// Takes secrets out of texts.
#[derive(Debug)]
pub struct Scrub {
    /// Longest first, so that a part of one does not leave the rest of it.
    secrets: Vec<Token>,
}

impl Scrub {
    /// For these tokens, also as they look in a URL or behind `Basic`.
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

    /// The text without secrets, without credentials in URLs and without anything that moves a cursor.
    pub fn text(&self, text: &str) -> String {
        let mut out = without_escapes(text);
        for secret in &self.secrets {
            out = out.replace(&secret.0, MASK);
        }
        text::sanitise_lines(&without_userinfo(&out))
    }

    /// The last line that says something, cut: what a program that failed leaves.
    pub fn last_words(&self, output: &[u8]) -> String {
        let text = self.text(&String::from_utf8_lossy(output));
        let line = text.lines().map(str::trim).rfind(|l| !l.is_empty()).unwrap_or("it said nothing");
        line.chars().take(SHOWN).collect()
    }
}

/// Terminal colours are noise in a log.
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

/// A URL loses what stands between its `//` and its `@`.
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

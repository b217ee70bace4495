//! Structured files of all formats as one kind of tree: YAML, JSON, TOML, dotenv and Terraform values, with the span of every
//! key and value. Owns formats, common limits, key paths and flattening.
//! The tree is [`yaml::Node`]: quoted strings are strings, bare words are typed as in YAML.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use bstr::{BStr, ByteSlice as _};

use crate::yaml::{self, Mistake, Node, Value};

mod dotenv;
mod flat;
mod json;
mod path;
mod stored;
mod tfvars;
mod toml;

pub use flat::{Leaf, leaves};
pub use path::{Path, PathMatch};
pub use stored::Stored;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Yaml,
    Json,
    Toml,
    Dotenv,
    /// Terraform variable values: HCL assignments of literals.
    Tfvars,
}

impl Format {
    pub const NAMES: &'static [&'static str] = &["yaml", "json", "toml", "dotenv", "tfvars"];

    /// One of [`Format::NAMES`].
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "yaml" => Self::Yaml,
            "json" => Self::Json,
            "toml" => Self::Toml,
            "dotenv" => Self::Dotenv,
            "tfvars" => Self::Tfvars,
            _ => return None,
        })
    }

    /// The format by file name: `x.yml`, `.env.production`, `prod.tfvars`.
    pub fn of(path: &BStr) -> Option<Self> {
        let name = path.rfind_byte(b'/').map_or(path.as_bytes(), |at| &path[at + 1..]).to_ascii_lowercase();
        if name.starts_with(b".env") && matches!(name.get(4), None | Some(b'.')) {
            return Some(Self::Dotenv);
        }
        Some(match &name[name.rfind_byte(b'.')? + 1..] {
            b"yaml" | b"yml" => Self::Yaml,
            b"json" => Self::Json,
            b"toml" => Self::Toml,
            b"env" => Self::Dotenv,
            b"tfvars" => Self::Tfvars,
            _ => return None,
        })
    }
}

/// A parsed file.
#[derive(Clone, Debug)]
pub struct Document {
    pub format: Format,
    /// YAML may have several documents, in file order; other formats have one, or none if nothing could be parsed.
    pub roots: Vec<Node>,
    /// Syntax errors and duplicate keys. If the format allows it, parsing continues after a mistake.
    pub mistakes: Vec<Mistake>,
}

impl Document {
    /// Parses the bytes of a file. Never fails, but may return mistakes and no root.
    pub fn read(format: Format, bytes: &[u8]) -> Self {
        if format == Format::Yaml {
            let yaml::Documents { roots, mistakes } = yaml::parse(bytes);
            return Self { format, roots, mistakes };
        }
        if bytes.len() > yaml::MAX_BYTES {
            let message = format!("the file is larger than {} MiB and was not read", yaml::MAX_BYTES >> 20);
            return Self { format, roots: Vec::new(), mistakes: vec![Mistake { span: 0..0, message }] };
        }
        let (text, foreign) = decode(bytes);
        let mut cursor = Cursor { text: &text, at: 0, nodes: 0, mistakes: foreign.into_iter().collect() };
        if text.starts_with('\u{feff}') {
            cursor.at = '\u{feff}'.len_utf8();
        }
        let root = match format {
            Format::Json => json::read(&mut cursor),
            Format::Toml => toml::read(&mut cursor),
            Format::Dotenv => Some(dotenv::read(&mut cursor)),
            Format::Tfvars => Some(tfvars::read(&mut cursor)),
            Format::Yaml => None,
        };
        Self { format, roots: root.into_iter().collect(), mistakes: cursor.mistakes }
    }
}

/// Maximum number of mistakes per text.
const MAX_MISTAKES: usize = 100;

/// A position in a text, with the state that all parsers share.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
    nodes: usize,
    mistakes: Vec<Mistake>,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Consumes one character.
    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Consumes `what` if it is next.
    fn eat(&mut self, what: &str) -> bool {
        let here = self.rest().starts_with(what);
        if here {
            self.at += what.len();
        }
        here
    }

    /// Consumes characters while they match.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// The end of the current line, before `\n` or `\r\n`.
    fn line_end(&self) -> usize {
        let rest = self.rest();
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        self.at + line.strip_suffix('\r').unwrap_or(line).len()
    }

    fn mistake(&mut self, span: Range<usize>, message: impl Into<String>) {
        if self.mistakes.len() < MAX_MISTAKES {
            self.mistakes.push(Mistake { span, message: message.into() });
        }
    }

    /// Counts a key or value. False if there are too many; the first time records a mistake.
    fn count_node(&mut self) -> bool {
        self.nodes += 1;
        if self.nodes == yaml::MAX_NODES + 1 {
            let message = format!("more than {} keys and values: the rest was not read", yaml::MAX_NODES);
            self.mistake(self.at..self.at, message);
        }
        self.nodes <= yaml::MAX_NODES
    }

    /// Records a mistake for every duplicate key.
    fn check_duplicates(&mut self, entries: &[(Node, Node)]) {
        let mut seen = HashSet::with_capacity(entries.len());
        for (key, _) in entries {
            let Some(name) = key.text() else { continue };
            if !seen.insert(name) {
                let name: String = name.chars().take(64).collect();
                self.mistake(key.span.clone(), format!("the key `{name}` is given twice"));
            }
        }
    }
}

/// A string node.
fn string(span: Range<usize>, text: impl Into<String>) -> Node {
    Node { span, value: Value::Scalar { text: text.into(), plain: false, tag: None } }
}

/// A plain scalar: a number, boolean or null, typed on demand.
fn plain(span: Range<usize>, text: impl Into<String>) -> Node {
    Node { span, value: Value::Scalar { text: text.into(), plain: true, tag: None } }
}

/// Decodes bytes to text of the same length: invalid UTF-8 bytes become `_`.
fn decode(bytes: &[u8]) -> (Cow<'_, str>, Option<Mistake>) {
    let at = match std::str::from_utf8(bytes) {
        Ok(text) => return (Cow::Borrowed(text), None),
        Err(e) => e.valid_up_to(),
    };
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '_'));
    }
    (Cow::Owned(text), Some(Mistake { span: at..at + 1, message: "the file is not UTF-8".into() }))
}

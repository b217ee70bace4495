//! Structured files of every format as one kind of tree: YAML, JSON, TOML, dotenv and Terraform values, each key and
//! value with its bytes. Owns formats, the common limits, key paths and flattening; judges nothing.
//! The tree itself is [`yaml::Node`]: quoted strings are strings, bare words are typed as YAML types them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use bstr::{BStr, ByteSlice};

use crate::yaml::{self, Mistake, Node, Value};

mod dotenv;
mod flat;
mod json;
mod path;
mod stored;
mod tfvars;
mod toml;

pub use flat::{Leaf, leaves};
pub use path::{Found, Path};
pub use stored::Stored;

/// How a file is written.
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

    /// What a file's name says: `x.yml`, `.env.production`, `prod.tfvars`.
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

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Document {
    pub format: Format,
    /// YAML may have several, in file order; the other formats have one, or none where nothing could be read.
    pub roots: Vec<Node>,
    /// What is wrong with the file, doubled keys included. What stands around a mistake is in the tree where the
    /// format allows to go on.
    pub mistakes: Vec<Mistake>,
}

impl Document {
    /// Reads the bytes of a file as stored; never fails, but may hold mistakes and no root.
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

/// Mistakes told for one text.
const MAX_MISTAKES: usize = 100;

/// A place in a text, with what the readers share.
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

    /// Steps over one character.
    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Steps over `what` if it stands here.
    fn eat(&mut self, what: &str) -> bool {
        let here = self.rest().starts_with(what);
        if here {
            self.at += what.len();
        }
        here
    }

    /// Steps over characters while they fit, and gives them.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// The end of the line that the cursor is in, before `\n` or `\r\n`.
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

    /// Counts a key or value; `false`, with a mistake the first time, when there are too many.
    fn count(&mut self) -> bool {
        self.nodes += 1;
        if self.nodes == yaml::MAX_NODES + 1 {
            let message = format!("more than {} keys and values: the rest was not read", yaml::MAX_NODES);
            self.mistake(self.at..self.at, message);
        }
        self.nodes <= yaml::MAX_NODES
    }

    /// A mistake for every key that is given twice.
    fn doubled(&mut self, entries: &[(Node, Node)]) {
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

/// A string, or anything that is not typed.
fn string(span: Range<usize>, text: impl Into<String>) -> Node {
    Node { span, value: Value::Scalar { text: text.into(), plain: false, tag: None } }
}

/// A number, a boolean, a null: typed on asking.
fn plain(span: Range<usize>, text: impl Into<String>) -> Node {
    Node { span, value: Value::Scalar { text: text.into(), plain: true, tag: None } }
}

/// The bytes as text of the same length: every byte that is not UTF-8 becomes `_`.
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

//! YAML with positions: documents as trees with the span of every key and value. The only user of a YAML library.
//! Parsing does not expand aliases or apply merge keys ([`Node::resolved`] does), reports duplicate keys, and is bounded in
//! depth and size.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle, options};

mod lines;
mod path;
mod resolve;
mod scalar;

pub use path::{Step, dotted};
pub use scalar::Scalar;

/// Maximum nesting of maps and lists; a deeper document is a mistake.
pub const MAX_DEPTH: usize = 128;
/// Maximum size of a text in bytes; a larger one is a mistake and is not parsed.
pub const MAX_BYTES: usize = 16 << 20;
/// Maximum number of keys and values in a text; exceeding it is a mistake and ends parsing.
pub const MAX_NODES: usize = 500_000;
/// Up to this number of keys, comparing pairs is faster than hashing.
const SMALL_MAP: usize = 12;
/// Maximum number of mistakes per text; parsing stops there.
const MAX_MISTAKES: usize = 100;

/// A value and its span in bytes of the stored file, including a BOM.
///
/// Quotes and brackets belong to the span, tags and anchors do not. A block scalar's span is its content without the header
/// and the last line end; a block map or list ends with its last value. The span of an empty value is empty, after the `:` or
/// `-`.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A plain scalar is typed by the YAML 1.2 core schema on demand; a quoted one is a string.
    Scalar {
        text: String,
        plain: bool,
        /// Resolved: `tag:yaml.org,2002:bool` for `!!bool`, `!x` for `!x`.
        tag: Option<String>,
    },
    Seq(Vec<Node>),
    /// In file order, including duplicate keys, which are also reported as mistakes.
    Map(Vec<(Node, Node)>),
    /// `*name`, not followed: the span of the anchored value, if it ends before the alias.
    Alias(Option<Range<usize>>),
}

/// An error in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    pub span: Range<usize>,
    pub message: String,
}

/// A parsed text: all documents that could be parsed, and all mistakes.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    pub roots: Vec<Node>,
    pub mistakes: Vec<Mistake>,
}

/// Parses all documents of a text. After a mistake, parsing resumes at the next `---`. Invalid UTF-8 is a mistake, and such
/// bytes are read as `_`.
pub fn parse(bytes: &[u8]) -> Documents {
    if bytes.len() > MAX_BYTES {
        let message = format!("the file is larger than {} MiB and was not read as YAML", MAX_BYTES >> 20);
        return Documents { roots: Vec::new(), mistakes: vec![Mistake { span: 0..0, message }] };
    }
    let (text, foreign) = decode(bytes);
    match lines::read(&text) {
        Some(documents) if foreign.is_none() => documents,
        _ => read(&text, foreign),
    }
}

/// Parses with the library only. Tests compare the fast path, which handles nearly all files, with this.
#[doc(hidden)]
pub fn parse_by_library(bytes: &[u8]) -> Documents {
    let (text, foreign) = decode(bytes);
    read(&text, foreign)
}

/// Whether [`parse`] uses the fast path for this text.
#[doc(hidden)]
pub fn is_quick(bytes: &[u8]) -> bool {
    let (text, foreign) = decode(bytes);
    foreign.is_none() && lines::read(&text).is_some()
}

fn read(text: &str, foreign: Option<Mistake>) -> Documents {
    let mut builder =
        TreeBuilder { text, documents: Documents::default(), open: Vec::new(), nodes: 0, anchors: HashMap::new() };
    builder.documents.mistakes.extend(foreign);
    builder.read();
    builder.documents
}

/// Deserializes one document, without positions.
pub fn from_str<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    serde_yaml::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| typed_mistake(&e))
}

/// Like [`from_str`], for the `n`th document of a text, counted from 0.
pub fn from_document<T: serde::de::DeserializeOwned>(text: &str, n: usize) -> Result<T, Mistake> {
    match serde_yaml::Deserializer::from_str(text.trim_start_matches('\u{feff}')).nth(n) {
        Some(document) => T::deserialize(document).map_err(|e| typed_mistake(&e)),
        None => Err(Mistake { span: 0..0, message: format!("there is no document {}", n + 1) }),
    }
}

fn typed_mistake(e: &serde_yaml::Error) -> Mistake {
    let at = e.location().map_or(0, |l| l.index());
    Mistake { span: at..at, message: e.to_string() }
}

/// The text before the first line that starts another document.
pub fn first_document(text: &str) -> &str {
    let after = text.strip_prefix("---").map_or(0, |_| 3);
    let end = text[after..]
        .match_indices("\n---")
        .map(|(at, _)| after + at + 1)
        .find(|at| text[at + 3..].chars().next().is_none_or(|c| c.is_ascii_whitespace()));
    &text[..end.unwrap_or(text.len())]
}

impl Node {
    /// The value of a key of a map; the last one of duplicates.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, v)| v)
    }

    /// Key and value, for findings that point at the key.
    pub fn entry(&self, key: &str) -> Option<(&Node, &Node)> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().rev().find(|(k, _)| k.text() == Some(key)).map(|(k, v)| (k, v))
    }

    pub fn entries(&self) -> &[(Node, Node)] {
        if let Value::Map(e) = &self.value { e } else { &[] }
    }

    pub fn items(&self) -> &[Node] {
        if let Value::Seq(i) = &self.value { i } else { &[] }
    }

    /// The text of a scalar, whatever its type.
    pub fn text(&self) -> Option<&str> {
        if let Value::Scalar { text, .. } = &self.value { Some(text) } else { None }
    }

    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    pub fn is_seq(&self) -> bool {
        matches!(self.value, Value::Seq(_))
    }
}

/// Decodes bytes to text of the same length: invalid UTF-8 and NUL, which YAML forbids, become `_`.
fn decode(bytes: &[u8]) -> (Cow<'_, str>, Option<Mistake>) {
    let first = match std::str::from_utf8(bytes) {
        Ok(text) if memchr::memchr(0, bytes).is_none() => return (Cow::Borrowed(text), None),
        Ok(_) => bytes.len(),
        Err(e) => e.valid_up_to(),
    };
    let nul = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let message = if nul < first { "a NUL byte in a YAML file" } else { "the file is not UTF-8" };
    let at = first.min(nul);
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.extend(chunk.valid().chars().map(|c| if c == '\0' { '_' } else { c }));
        text.extend(chunk.invalid().iter().map(|_| '_'));
    }
    (Cow::Owned(text), Some(Mistake { span: at..at + 1, message: message.into() }))
}

/// A map or list that is being parsed.
struct OpenCollection {
    start: usize,
    flow: bool,
    map: bool,
    /// The library's number of its anchor; 0 for none.
    anchor: usize,
    /// For a map, keys and values alternate.
    children: Vec<Node>,
}

struct TreeBuilder<'t> {
    text: &'t str,
    documents: Documents,
    open: Vec<OpenCollection>,
    nodes: usize,
    /// The spans of anchored values, by the library's numbers.
    anchors: HashMap<usize, Range<usize>>,
}

impl TreeBuilder<'_> {
    fn read(&mut self) {
        let limits = options! {
            emit_comments: false,
            // An unresolved alias is a mistake, but the rest of the document is still useful.
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let mut parser = Parser::new_from_str_with_options(self.text, limits);
        loop {
            let broken = match parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => return,
                Some(Ok((event, span))) => {
                    let at = span.byte_range().unwrap_or(0..0);
                    self.take(event, at).err()
                }
                Some(Err(e)) => {
                    let at = e.marker().byte_offset().unwrap_or(0).min(self.text.len());
                    Some(Mistake { span: at..self.char_end(at), message: e.info() })
                }
            };
            if let Some(mistake) = broken {
                self.documents.mistakes.push(mistake);
                self.open.clear();
                if self.nodes > MAX_NODES
                    || self.documents.mistakes.len() >= MAX_MISTAKES
                    || !next_document(&mut parser)
                {
                    return;
                }
            }
        }
    }

    fn take(&mut self, event: Event<'_>, at: Range<usize>) -> Result<(), Mistake> {
        let (flow, map, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|t| format!("{}{}", t.handle(), t.suffix()));
                let node = self.scalar(text, style, tag, at);
                return self.put(node, anchor);
            }
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).cloned();
                return self.put(Node { span: at, value: Value::Alias(target) }, 0);
            }
            Event::UnresolvedAlias(name) => {
                let message = format!("there is no anchor `&{}` before this alias", short(&name));
                self.documents.mistakes.push(Mistake { span: at.clone(), message });
                return self.put(Node { span: at, value: Value::Alias(None) }, 0);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(at),
            Event::SequenceStart(style, anchor, ..) => (style == StructureStyle::Flow, false, anchor),
            Event::MappingStart(style, anchor, ..) => (style == StructureStyle::Flow, true, anchor),
            _ => return Ok(()),
        };
        if self.open.len() >= MAX_DEPTH {
            return Err(Mistake { span: at, message: format!("nested deeper than {MAX_DEPTH} levels") });
        }
        self.open.push(OpenCollection { start: at.start, flow, map, anchor, children: Vec::new() });
        Ok(())
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, tag: Option<String>, mut at: Range<usize>) -> Node {
        let bytes = self.text.as_bytes();
        let plain = style == ScalarStyle::Plain;
        let mut text = text.into_owned();
        match style {
            ScalarStyle::Plain if at.start == at.end || &bytes[at.clone()] == b"-" && text == "~" => {
                // Empty value: the parser reports `~`, after a comment if there is one, or over the dash.
                text.clear();
                let marked = at.start < at.end || bytes.get(at.start) == Some(&b':');
                at.start = self.after_key().unwrap_or((at.start + usize::from(marked)).min(bytes.len()));
                at.end = at.start;
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                while at.end > at.start && matches!(bytes[at.end - 1], b'\n' | b'\r' | b' ') {
                    at.end -= 1;
                }
            }
            _ => {}
        }
        Node { span: at, value: Value::Scalar { text, plain, tag } }
    }

    /// Offset after the `:` of the key whose value comes next.
    fn after_key(&self) -> Option<usize> {
        let open = self.open.last().filter(|o| o.map && o.children.len() % 2 == 1)?;
        let key = open.children.last()?.span.end;
        let rest = self.text[key..].trim_start_matches(' ');
        rest.starts_with(':').then(|| self.text.len() - rest.len() + 1)
    }

    fn close(&mut self, at: Range<usize>) -> Result<(), Mistake> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let first = open.children.first().map(|n| n.span.start);
        let is_dash = |at: usize| {
            let mut here = self.text[at..].bytes();
            here.next() == Some(b'-') && here.next().is_none_or(|b| b.is_ascii_whitespace())
        };
        let start = if !open.flow && !open.map && (first == Some(open.start) || !is_dash(open.start)) {
            // For a list that is not indented, the parser's span begins at the first value, not at the dash.
            let before = self.text[..open.start].trim_end_matches([' ', '\t']);
            if before.ends_with('-') { before.len() - 1 } else { open.start }
        } else {
            open.start
        };
        let last = open.children.last().map(|n| n.span.end);
        let end = if open.flow { at.end } else { last.unwrap_or(start) };
        let value = if open.map {
            let mut entries = Vec::with_capacity(open.children.len() / 2);
            let mut children = open.children.into_iter();
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                entries.push((key, value));
            }
            check_duplicates(&entries, &mut self.documents.mistakes);
            Value::Map(entries)
        } else {
            Value::Seq(open.children)
        };
        self.put(Node { span: start..end.max(start), value }, open.anchor)
    }

    /// `anchor` is the library's number of the node's anchor; 0 for none.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Mistake> {
        self.nodes += 1;
        if anchor > 0 {
            self.anchors.insert(anchor, node.span.clone());
        }
        if self.nodes > MAX_NODES {
            let message = format!("more than {MAX_NODES} keys and values: the rest was not read");
            return Err(Mistake { span: node.span, message });
        }
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.documents.roots.push(node),
        }
        Ok(())
    }

    fn char_end(&self, at: usize) -> usize {
        let next = self.text.get(at..).and_then(|t| t.chars().next());
        at + next.filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8)
    }
}

/// Records a mistake for every duplicate key.
fn check_duplicates(entries: &[(Node, Node)], mistakes: &mut Vec<Mistake>) {
    // `1` and `"1"` are different keys.
    fn name(key: &Node) -> Option<(&str, bool)> {
        key.text().map(|text| (text, key.as_str().is_some()))
    }
    let mut report = |key: &Node, name: &str| {
        if mistakes.len() < MAX_MISTAKES {
            let message = format!("the key `{}` is given twice", short(name));
            mistakes.push(Mistake { span: key.span.clone(), message });
        }
    };
    if entries.len() <= SMALL_MAP {
        for (at, (key, _)) in entries.iter().enumerate() {
            if let Some(text) = key.text()
                && entries[..at].iter().any(|(k, _)| k.text() == Some(text) && name(k) == name(key))
            {
                report(key, text);
            }
        }
        return;
    }
    let mut seen = HashSet::with_capacity(entries.len());
    for (key, _) in entries {
        if let Some(name) = name(key)
            && !seen.insert(name)
        {
            report(key, name.0);
        }
    }
}

/// Skips to the next document. False if there is none.
fn next_document<'t>(parser: &mut Parser<'t, StrInput<'t>>) -> bool {
    parser.proceed_next_document().unwrap_or(false)
}

/// A name shortened for messages.
fn short(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(64) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}

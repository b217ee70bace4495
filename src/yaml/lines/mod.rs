//! Fast path for common YAML: one entry per line, indented by spaces. Parses it in one pass, several times faster than the
//! library, into exactly the same tree.
//! Supports block maps and lists, scalars and flow collections that end on their line, and block scalars without an
//! indentation indicator. For anything else, including mistakes other than duplicate keys, it gives up, and the library parses
//! the whole text.

use std::ops::Range;

use memchr::memchr;

use super::{Documents, MAX_NODES, Mistake, Node, Value, check_duplicates};

mod flow;
mod scalar;

/// Maximum nesting; deeper documents are left to the library, which enforces the limit.
const MAX_DEPTH: usize = 64;
/// Maximum number of anchors in a document, because each alias searches them linearly.
const MAX_ANCHORS: usize = 500;
/// Maximum length of a key in bytes; YAML limits implicit keys to 1,024 characters.
const MAX_KEY: usize = 1000;

/// Parses all documents of a text; `None` if it needs the library.
pub(super) fn read(text: &str) -> Option<Documents> {
    is_ordinary(text).then_some(())?;
    let mut lines = LineParser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        indent: 0,
        more: false,
        nodes: 0,
        anchors: Vec::new(),
        mistakes: Vec::new(),
    };
    let roots = lines.documents()?;
    Some(Documents { roots, mistakes: lines.mistakes })
}

/// Whether a text has no control characters, no line ends but `\n`, and no byte order mark.
fn is_ordinary(text: &str) -> bool {
    let bytes = text.as_bytes();
    // A fold without an exit becomes a few instructions for 32 bytes.
    let plain = |b: u8| b >= b' ' && b != 0x7f || b == b'\n' || b == b'\t';
    bytes.iter().fold(true, |all, b| all & plain(*b))
        && (text.is_ascii()
            || text.chars().all(|c| {
                c.is_ascii()
                    || matches!(c, '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}')
                    || matches!(c, '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
            }))
}

struct LineParser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Spaces before the content at `at` on a new line.
    indent: usize,
    /// There is more content of the document at `at`.
    more: bool,
    nodes: usize,
    /// Anchors of this document with the spans of their complete values.
    anchors: Vec<(&'t str, Option<Range<usize>>)>,
    mistakes: Vec<Mistake>,
}

/// A scalar or flow collection on a line: a value, or a key before `:`.
enum Piece {
    Key(Node),
    Value(Node),
}

impl<'t> LineParser<'t> {
    fn documents(&mut self) -> Option<Vec<Node>> {
        let mut roots = Vec::new();
        self.next_content()?;
        loop {
            if !self.more && self.bytes[self.at..].starts_with(b"---") {
                self.at += 3;
                self.end_line()?;
            }
            // Leave an empty document to the library.
            self.more.then_some(())?;
            self.anchors.clear();
            let root = self.node(self.indent, None, 0)?;
            (root.is_map() || root.is_seq()).then_some(())?;
            roots.push(root);
            if self.more {
                return None;
            }
            if self.at == self.bytes.len() {
                return Some(roots);
            }
        }
    }

    /// Moves from the beginning of a line to the next content, or to the end of the document.
    fn next_content(&mut self) -> Option<()> {
        loop {
            let spaces = self.spaces(self.at);
            let at = self.at + spaces;
            match self.bytes.get(at) {
                None => {
                    self.at = at;
                    self.more = false;
                    return Some(());
                }
                Some(b'\n') => self.at = at + 1,
                Some(b'#') => self.at = self.next_line(at),
                Some(b'\t') => return None,
                Some(first) => {
                    let marks =
                        |mark: &[u8]| spaces == 0 && self.bytes[at..].starts_with(mark) && self.is_blank(at + 3);
                    if marks(b"...") || spaces == 0 && *first == b'%' {
                        return None;
                    }
                    (self.indent, self.more) = (spaces, !marks(b"---"));
                    self.at = at;
                    return Some(());
                }
            }
        }
    }

    /// Parses a value whose first line begins at `column`, inside a parent at column `parent`.
    fn node(&mut self, column: usize, parent: Option<usize>, depth: usize) -> Option<Node> {
        match self.bytes[self.at] {
            b'-' if self.is_blank(self.at + 1) => self.list(column, depth),
            b'|' | b'>' => self.block_scalar(parent?),
            _ => match self.piece(parent)? {
                Piece::Key(key) => self.map(column, key, depth),
                Piece::Value(value) => self.ended(parent, value),
            },
        }
    }

    /// Returns a value that ends with its line; `None` if the next line continues it.
    fn ended(&self, parent: Option<usize>, value: Node) -> Option<Node> {
        (!self.more || parent.is_some_and(|p| self.indent <= p)).then_some(value)
    }

    fn list(&mut self, column: usize, depth: usize) -> Option<Node> {
        (depth < MAX_DEPTH).then_some(())?;
        let start = self.at;
        let mut items = Vec::new();
        while self.more && self.bytes[self.at] == b'-' && self.is_blank(self.at + 1) {
            let after = self.at + 1;
            let spaces = self.spaces(after);
            self.at = after + spaces;
            let item = if self.is_line_over(spaces) {
                // After a comment, or only spaces, the library reports another span.
                (!items.is_empty() || self.bytes.get(self.at) != Some(&b'#')).then_some(())?;
                self.end_line()?;
                if self.more && self.indent > column {
                    self.node(self.indent, Some(column), depth + 1)?
                } else {
                    (spaces == 0).then_some(())?;
                    self.empty(after)?
                }
            } else if self.bytes[self.at] == b'&' {
                self.anchored(column, depth)?
            } else {
                self.node(column + 1 + spaces, Some(column), depth + 1)?
            };
            items.push(item);
            if self.more && self.indent > column {
                return None;
            }
            if self.indent < column {
                break;
            }
        }
        let end = items.last()?.span.end;
        self.put(start..end, Value::Seq(items))
    }

    /// Parses a map after its first key and `:`.
    fn map(&mut self, column: usize, key: Node, depth: usize) -> Option<Node> {
        (depth < MAX_DEPTH).then_some(())?;
        let start = key.span.start;
        let mut entries = Vec::new();
        let mut key = key;
        loop {
            let value = self.after_key(column, depth)?;
            entries.push((key, value));
            if !self.more || self.indent < column {
                break;
            }
            let is_item = self.bytes[self.at] == b'-' && self.is_blank(self.at + 1);
            if self.indent > column || is_item {
                return None;
            }
            let Piece::Key(next) = self.piece(Some(column))? else { return None };
            key = next;
        }
        check_duplicates(&entries, &mut self.mistakes);
        let end = entries.last()?.1.span.end;
        self.put(start..end.max(start), Value::Map(entries))
    }

    fn after_key(&mut self, column: usize, depth: usize) -> Option<Node> {
        let after = self.at;
        let spaces = self.spaces(after);
        self.at += spaces;
        if self.is_line_over(spaces) {
            self.end_line()?;
            return match self.more {
                true if self.indent > column => self.node(self.indent, Some(column), depth + 1),
                true if self.indent == column && self.bytes[self.at] == b'-' && self.is_blank(self.at + 1) => {
                    self.list(column, depth + 1)
                }
                _ => self.empty(after),
            };
        }
        if self.bytes[self.at] == b'&' {
            return self.anchored(column, depth);
        }
        self.on_line(column)
    }

    /// Parses a value after an anchor, inside a parent at `column`.
    fn anchored(&mut self, column: usize, depth: usize) -> Option<Node> {
        let name = self.name()?;
        (self.anchors.len() < MAX_ANCHORS).then_some(())?;
        let number = self.anchors.len();
        self.anchors.push((name, None));
        let spaces = self.spaces(self.at);
        self.at += spaces;
        let node = if self.is_line_over(spaces) {
            self.end_line()?;
            (self.more && self.indent > column).then_some(())?;
            self.node(self.indent, Some(column), depth + 1)?
        } else {
            self.on_line(column)?
        };
        // YAML forbids an anchor on an alias, on the same line or the next.
        (!matches!(node.value, Value::Alias(_))).then_some(())?;
        self.anchors[number].1 = Some(node.span.clone());
        Some(node)
    }

    /// Parses the name after `&` or `*`, up to a space or the line's end.
    fn name(&mut self) -> Option<&'t str> {
        let start = self.at + 1;
        let is_name = |b: &&u8| b.is_ascii_alphanumeric() || matches!(**b, b'-' | b'_');
        let end = start + self.bytes[start..].iter().take_while(is_name).count();
        (end > start && self.is_blank(end)).then_some(())?;
        self.at = end;
        Some(&self.text[start..end])
    }

    /// Parses a value that begins within a line and is not a block collection.
    fn on_line(&mut self, column: usize) -> Option<Node> {
        if matches!(self.bytes[self.at], b'|' | b'>') {
            return self.block_scalar(column);
        }
        match self.piece(Some(column))? {
            Piece::Value(value) => self.ended(Some(column), value),
            Piece::Key(_) => None,
        }
    }

    /// Parses a scalar or flow collection inside a parent at column `parent`, and the rest of its line unless it is a key.
    fn piece(&mut self, parent: Option<usize>) -> Option<Piece> {
        let start = self.at;
        let (node, key) = match self.bytes[start] {
            b'[' | b'{' => (self.flow(0)?, false),
            b'"' | b'\'' => {
                let node = self.quoted(parent)?;
                (node, self.bytes.get(self.at) == Some(&b':') && self.is_blank(self.at + 1))
            }
            b'*' => {
                let name = self.name()?;
                // The last anchor with a name wins.
                let (_, target) = self.anchors.iter().rev().find(|(n, _)| *n == name)?;
                let target = target.clone();
                (self.put(start..self.at, Value::Alias(target))?, false)
            }
            _ => self.plain_in_block(parent)?,
        };
        if key {
            // A key ends on its line.
            let is_short = self.at - start <= MAX_KEY && memchr(b'\n', &self.bytes[start..self.at]).is_none();
            is_short.then_some(())?;
            self.at += 1;
            return Some(Piece::Key(node));
        }
        self.end_line()?;
        Some(Piece::Value(node))
    }

    fn plain(&mut self, span: Range<usize>) -> Option<Node> {
        let text = self.text[span.clone()].to_owned();
        self.put(span, Value::Scalar { text, plain: true, tag: None })
    }

    /// An empty value after the `:` or `-` that ends at `at`.
    fn empty(&mut self, at: usize) -> Option<Node> {
        self.plain(at..at)
    }

    fn put(&mut self, span: Range<usize>, value: Value) -> Option<Node> {
        self.nodes += 1;
        (self.nodes <= MAX_NODES).then_some(Node { span, value })
    }

    /// Skips spaces, a comment and the line's end, then moves to the next content.
    fn end_line(&mut self) -> Option<()> {
        self.skip_spaces();
        let spaces = usize::from(self.bytes[self.at - 1] == b' ');
        self.is_line_over(spaces).then_some(())?;
        self.at = self.next_line(self.at);
        self.next_content()
    }

    /// Whether only a comment follows on the line. `spaces` is the number of spaces before.
    fn is_line_over(&self, spaces: usize) -> bool {
        match self.bytes.get(self.at) {
            None | Some(b'\n') => true,
            Some(b'#') => spaces > 0,
            _ => false,
        }
    }

    fn is_blank(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), None | Some(b' ' | b'\n'))
    }

    fn skip_spaces(&mut self) {
        self.at += self.spaces(self.at);
    }

    fn spaces(&self, at: usize) -> usize {
        self.bytes[at..].iter().take_while(|b| **b == b' ').count()
    }

    fn next_line(&self, at: usize) -> usize {
        memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |n| at + n + 1)
    }
}

//! Flow collections that end on the line on which they begin.

use super::{LineParser, MAX_DEPTH, MAX_KEY};
use crate::yaml::{Node, Value, check_duplicates};

impl LineParser<'_> {
    /// Parses a flow collection on one line.
    pub(super) fn flow(&mut self, depth: usize) -> Option<Node> {
        (depth < MAX_DEPTH).then_some(())?;
        let start = self.at;
        let map = self.bytes[start] == b'{';
        let close = if map { b'}' } else { b']' };
        self.at += 1;
        self.skip_spaces();
        let mut items = Vec::new();
        let mut entries = Vec::new();
        while *self.bytes.get(self.at)? != close {
            let item = self.flow_item(depth)?;
            if map {
                // The `:` of a key, and a space.
                (self.bytes[self.at..].starts_with(b": ") && item.text().is_some()).then_some(())?;
                (item.span.len() <= MAX_KEY).then_some(())?;
                self.at += 2;
                self.skip_spaces();
                let value = self.flow_item(depth)?;
                entries.push((item, value));
            } else {
                items.push(item);
            }
            self.skip_spaces();
            match *self.bytes.get(self.at)? {
                b',' => {
                    self.at += 1;
                    let spaces = self.spaces(self.at);
                    self.at += spaces;
                    // Leave `[a,]` and `[a,b]` to the library, because plain scalars may contain commas.
                    (spaces > 0 && *self.bytes.get(self.at)? != close).then_some(())?;
                }
                b if b == close => {}
                _ => return None,
            }
        }
        self.at += 1;
        let value = if map {
            check_duplicates(&entries, &mut self.mistakes);
            Value::Map(entries)
        } else {
            Value::Seq(items)
        };
        self.put(start..self.at, value)
    }

    fn flow_item(&mut self, depth: usize) -> Option<Node> {
        match *self.bytes.get(self.at)? {
            b'[' | b'{' => self.flow(depth + 1),
            b'"' | b'\'' => self.quoted(None),
            _ => {
                self.may_begin_plain().then_some(())?;
                let start = self.at;
                let mut end = start;
                for (at, b) in self.bytes.iter().enumerate().skip(start) {
                    match b {
                        b' ' => continue,
                        b',' | b']' | b'}' => break,
                        b':' if self.bytes.get(at + 1) == Some(&b' ') => {
                            // Leave the rare `{a : b}` to the library.
                            (end == at).then_some(())?;
                            break;
                        }
                        // Leave `{a:}`, `{a:[b]}` and multi-line collections to the library.
                        b':' if matches!(self.bytes.get(at + 1), Some(b',' | b'[' | b']' | b'{' | b'}')) => {
                            return None;
                        }
                        b'[' | b'{' | b'\n' | b'\t' | b'#' => return None,
                        _ => end = at + 1,
                    }
                }
                self.at = end;
                self.plain(start..end)
            }
        }
    }
}

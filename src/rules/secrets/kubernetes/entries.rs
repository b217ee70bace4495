//! Where the entries of a manifest stand: keys and values of `data` and `stringData`, by indentation or by braces.

use std::ops::Range;

use bstr::ByteSlice as _;

/// One entry of `data` or `stringData`.
pub struct Entry {
    pub key: Range<usize>,
    pub value: Range<usize>,
    pub encoded: bool,
}

/// Column of a line's first key: `- ` belongs to the indentation.
fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| matches!(b, b' ' | b'-')).count()
}

/// A line that ends what stands at `column`.
fn ends(line: &[u8], column: usize) -> bool {
    // Most lines are indented: that is the cheaper question.
    line.starts_with(b"---") || indent(line) < column && !is_blank(line)
}

/// A line that says nothing.
fn is_blank(line: &[u8]) -> bool {
    let first = line.iter().position(|b| !matches!(b, b' ' | b'\t'));
    let said = &line[first.unwrap_or(line.len())..];
    match said.first() {
        // Whatever Unicode calls white, too.
        Some(b) if !b.is_ascii_graphic() => said.trim_start().first().is_none_or(|b| *b == b'#'),
        said => said.is_none_or(|b| *b == b'#'),
    }
}

/// The manifest around its `kind` key, by indentation: whole lines, from `floor` on.
pub fn region(text: &[u8], key: usize, floor: usize) -> Range<usize> {
    let line = crate::text::line_around(text, key);
    let column = key - line.start;
    let opens = |line: &[u8]| line.get(..column).is_some_and(|lead| lead.contains(&b'-'));
    let mut start = line.start;
    while start > floor && !opens(&text[start..line.end]) {
        let above = crate::text::line_around(text, start - 1);
        if ends(&text[above.clone()], column) {
            break;
        }
        start = above.start;
    }
    let mut end = line.end;
    while end < text.len() {
        let start = end + 1;
        let below = memchr::memchr(b'\n', &text[start.min(text.len())..]).map_or(text.len(), |n| start + n);
        let next = &text[start.min(below)..below];
        if ends(next, column) || indent(next) == column && opens(next) {
            break;
        }
        end = below;
    }
    start..end
}

/// `data:` and `stringData:` at the column of the manifest's keys, and what is indented below.
pub fn block_entries(text: &[u8], region: &Range<usize>, out: &mut Vec<Entry>) {
    let mut lines: Vec<Range<usize>> = Vec::new();
    let mut at = region.start;
    while at < region.end {
        let end = memchr::memchr(b'\n', &text[at..region.end]).map_or(region.end, |n| at + n);
        lines.push(at..end);
        at = end + 1;
    }
    let Some(column) = lines.iter().map(|l| &text[l.clone()]).find(|l| !is_blank(l)).map(indent) else { return };
    let mut encoded = None;
    let mut inner = None;
    let mut number = 0;
    while number < lines.len() {
        let range = lines[number].clone();
        let line = &text[range.clone()];
        number += 1;
        let here = indent(line);
        if here > column && encoded.is_none() || is_blank(line) {
            continue;
        }
        if here <= column {
            let key = line[here..].trim_end();
            encoded = [(&b"data:"[..], true), (b"stringData:", false)]
                .iter()
                .find(|(k, _)| key.starts_with(k))
                .map(|(_, e)| *e);
            inner = None;
            continue;
        }
        let Some(encoded) = encoded else { continue };
        if *inner.get_or_insert(here) != here {
            continue;
        }
        let Some(colon) =
            line[here..].find(": ").or_else(|| line.trim_end().strip_suffix(b":").map(|l| l.len() - here))
        else {
            continue;
        };
        let mut start = range.start + here + colon + 1;
        let mut end = range.end;
        let rest = text[start.min(end)..end].trim();
        // A block scalar, or a plain one that begins on the next line.
        if rest.is_empty() || matches!(rest[0], b'|' | b'>') {
            let first = number;
            while number < lines.len()
                && (text[lines[number].clone()].trim().is_empty() || indent(&text[lines[number].clone()]) > here)
            {
                number += 1;
            }
            if first == number {
                continue;
            }
            start = lines[first].start;
            end = lines[number - 1].end;
        } else if let Some(comment) = text[start..end].find(" #") {
            end = start + comment;
        }
        let quoted = text[start..end].trim_with(|c| c.is_whitespace() || matches!(c, '"' | '\''));
        let lead = text[start..end].find(quoted).unwrap_or(0);
        out.push(Entry {
            key: range.start + here..range.start + here + colon,
            value: start + lead..start + lead + quoted.len(),
            encoded,
        });
    }
}

/// An object or list that is open while walking over braces.
struct Frame {
    /// The key under which it stands in its parent.
    name: Range<usize>,
    is_secret: bool,
    /// Its own members that are scalars.
    fields: Vec<Entry>,
    /// The members of its `data` and `stringData`.
    data: Vec<Entry>,
    /// The last string or word, and the key before a colon.
    word: Range<usize>,
    key: Option<Range<usize>>,
}

/// Walks over JSON (or YAML in flow style) once, and collects `data` of objects that turn out to be Secrets.
pub fn flow_entries(text: &[u8], from: usize, out: &mut Vec<Entry>) {
    let frame = |name| Frame { name, is_secret: false, fields: Vec::new(), data: Vec::new(), word: 0..0, key: None };
    let mut stack: Vec<Frame> = vec![frame(0..0)];
    let mut at = from;
    while at < text.len() {
        let top = stack.len() - 1;
        match text[at] {
            quote @ (b'"' | b'\'') => {
                let start = at + 1;
                at = start;
                while at < text.len() && text[at] != quote && text[at] != b'\n' {
                    at += if text[at] == b'\\' && quote == b'"' { 2 } else { 1 };
                }
                stack[top].word = start..at.min(text.len());
            }
            b':' => stack[top].key = Some(stack[top].word.clone()),
            b',' | b'}' | b']' | b'\n' => {
                let frame = &mut stack[top];
                if let Some(key) = frame.key.take_if(|key| key.end < frame.word.start) {
                    frame.is_secret |= &text[key.clone()] == b"kind" && &text[frame.word.clone()] == b"Secret";
                    frame.fields.push(Entry { key, value: frame.word.clone(), encoded: false });
                }
                if matches!(text[at], b'}' | b']') && top > 0 {
                    let Some(closed) = stack.pop() else { return };
                    let parent = &mut stack[top - 1];
                    let name = &text[closed.name.clone()];
                    parent.key = None;
                    if closed.is_secret {
                        out.extend(closed.data);
                    } else if name == b"data" || name == b"stringData" {
                        let encoded = name == b"data";
                        parent.data.extend(closed.fields.into_iter().map(|e| Entry { encoded, ..e }));
                    }
                }
            }
            b'{' | b'[' if stack.len() < 256 => {
                let name = stack[top].key.clone().unwrap_or(0..0);
                stack.push(frame(name));
            }
            b if b.is_ascii_whitespace() => {}
            _ => {
                let start = at;
                at += 1;
                while at < text.len() && !b",:{}[]\"'\n".contains(&text[at]) {
                    at += 1;
                }
                stack[top].word = start..start + text[start..at].trim_end().len();
                continue;
            }
        }
        at += 1;
    }
}

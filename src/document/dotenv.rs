//! dotenv files as common loaders read them: `KEY=value`, `export KEY=value`, `KEY: value`; bare, single-quoted, double-quoted
//! and back-quoted values, the quoted ones over several lines. All values are strings; `${OTHER}` is not expanded.

use super::{Cursor, string};
use crate::yaml::{Node, Value};

pub(super) fn read(c: &mut Cursor<'_>) -> Node {
    let start = c.at;
    let mut entries = Vec::new();
    loop {
        c.take_while(char::is_whitespace);
        match c.peek() {
            None => break,
            Some('#') => c.at = c.line_end(),
            Some(_) => {
                if !c.count_node() {
                    break;
                }
                entries.extend(assignment(c));
            }
        }
    }
    c.check_duplicates(&entries);
    Node { span: start..c.at, value: Value::Map(entries) }
}

fn blank(c: &mut Cursor<'_>) {
    c.take_while(|c| c == ' ' || c == '\t');
}

/// Parses one assignment and moves past it. `None` after a mistake; then the cursor is at the end of the line.
fn assignment(c: &mut Cursor<'_>) -> Option<(Node, Node)> {
    let line = c.at..c.line_end();
    if c.rest().strip_prefix("export").is_some_and(|r| r.starts_with([' ', '\t'])) {
        c.at += "export".len();
        blank(c);
    }
    let from = c.at;
    let name = c.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let key = string(from..c.at, name);
    blank(c);
    if name.is_empty() || !(c.eat("=") || c.eat(":")) {
        c.at = line.end;
        // `export NAME` exports a variable that is set elsewhere.
        let is_export = from > line.start && !name.is_empty() && key.span.end == line.end;
        if !is_export {
            c.mistake(line, "not an assignment");
        }
        return None;
    }
    let after = c.at;
    blank(c);
    let value = match c.peek() {
        Some(quote @ ('"' | '\'' | '`')) => quoted(c, quote),
        _ => bare(c, after),
    };
    Some((key, value))
}

/// Parses a bare value: to the end of the line, or to a `#` after a blank.
fn bare(c: &mut Cursor<'_>, after: usize) -> Node {
    let end = c.line_end();
    let text = &c.text[after..end];
    let comment = text.char_indices().find(|&(i, ch)| ch == '#' && i > 0 && text[..i].ends_with([' ', '\t']));
    let text = text[..comment.map_or(text.len(), |(i, _)| i)].trim_end();
    let start = c.at.min(after + text.len());
    let node = string(start..after + text.len(), &c.text[start..after + text.len()]);
    c.at = end;
    node
}

fn quoted(c: &mut Cursor<'_>, quote: char) -> Node {
    let start = c.at;
    c.bump();
    let mut out = String::new();
    loop {
        out.push_str(c.take_while(|ch| ch != quote && !(ch == '\\' && quote == '"')));
        match c.bump() {
            Some('\\') => match c.bump() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(same @ ('"' | '\\' | '$' | '\'' | '`')) => out.push(same),
                Some(other) => out.extend(['\\', other]),
                None => {}
            },
            Some(_) => break,
            None => {
                // Never closed: like loaders, take the line as it is.
                c.at = start;
                let end = c.line_end();
                c.mistake(start..start + 1, "this quote is never closed");
                c.at = end;
                return string(start..end, &c.text[start + 1..end]);
            }
        }
    }
    let node = string(start..c.at, out);
    blank(c);
    let rest = c.at..c.line_end();
    if !rest.is_empty() && !c.rest().starts_with('#') {
        c.mistake(rest.clone(), "unexpected text after the closing quote");
    }
    c.at = rest.end;
    node
}

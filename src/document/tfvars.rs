//! Terraform variable values: HCL assignments of literals. Anything else (a reference, call or block) is a mistake and kept as
//! written; nothing is evaluated.

use super::{Cursor, plain, string};
use crate::yaml::{MAX_DEPTH, Node, Value};

pub(super) fn read(c: &mut Cursor<'_>) -> Node {
    let start = c.at;
    let mut entries = Vec::new();
    loop {
        space(c, true);
        if c.peek().is_none() || !c.count_node() {
            break;
        }
        let line = c.at..c.line_end();
        let key = name(c);
        space(c, false);
        match key {
            Some(key) if !c.rest().starts_with("==") && c.eat("=") => {
                let value = value(c, 0);
                space(c, false);
                let rest = c.at..c.line_end();
                if !rest.is_empty() {
                    c.mistake(rest.clone(), "unexpected text after the value");
                    c.at = rest.end;
                }
                entries.push((key, value));
            }
            _ => {
                c.mistake(line.clone(), "not an assignment");
                c.at = line.end.max(c.at);
            }
        }
    }
    c.check_duplicates(&entries);
    Node { span: start..c.at, value: Value::Map(entries) }
}

/// Skips blanks and comments; line ends too if `lines`.
fn space(c: &mut Cursor<'_>, lines: bool) {
    loop {
        c.take_while(|c| c.is_whitespace() && (lines || c != '\n'));
        if c.rest().starts_with('#') || c.rest().starts_with("//") {
            c.at = c.line_end();
        } else if c.rest().starts_with("/*") {
            match c.rest().find("*/") {
                Some(end) => c.at += end + 2,
                None => {
                    c.mistake(c.at..c.at + 2, "this comment is never closed");
                    c.at = c.text.len();
                }
            }
        } else {
            return;
        }
        if !lines && c.rest().starts_with(['\n', '\r']) {
            return;
        }
    }
}

/// A bare or quoted key.
fn name(c: &mut Cursor<'_>) -> Option<Node> {
    if c.peek() == Some('"') {
        return Some(quoted(c));
    }
    let from = c.at;
    let word = c.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    (!word.is_empty()).then(|| string(from..c.at, word))
}

fn value(c: &mut Cursor<'_>, depth: usize) -> Node {
    space(c, depth > 0);
    let start = c.at;
    if depth > MAX_DEPTH {
        c.mistake(start..start, format!("nested deeper than {MAX_DEPTH} levels"));
        c.at = c.text.len();
        return plain(start..start, "");
    }
    c.count_node();
    match c.peek() {
        Some('"') => {
            let node = quoted(c);
            // `"a" == b ? ...` and the like.
            if ends_value(c) { node } else { expression(c, start) }
        }
        Some('[') => list(c, depth),
        Some('{') => map(c, depth),
        Some('<') if c.rest().starts_with("<<") => heredoc(c),
        _ => {
            let word = c.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
            let number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && word.parse::<f64>().is_ok();
            if (number || matches!(word, "true" | "false" | "null")) && ends_value(c) {
                plain(start..c.at, word)
            } else {
                expression(c, start)
            }
        }
    }
}

/// Whether only blanks, a comment or a delimiter follow.
fn ends_value(c: &Cursor<'_>) -> bool {
    let rest = c.rest().trim_start_matches([' ', '\t', '\r']);
    rest.is_empty() || rest.starts_with(['\n', ',', ']', '}', '#']) || rest.starts_with("//") || rest.starts_with("/*")
}

/// Parses an expression: kept as written, up to the end of its line or of the enclosing brackets.
fn expression(c: &mut Cursor<'_>, start: usize) -> Node {
    c.at = start;
    let (mut open, mut quoted, mut end) = (0_usize, false, start);
    while let Some(ch) = c.peek() {
        match ch {
            '\n' if open == 0 => break,
            '"' => quoted = !quoted,
            '\\' if quoted => {
                c.bump();
            }
            '(' | '[' | '{' if !quoted => open += 1,
            ')' | ']' | '}' | ',' if !quoted && open == 0 => break,
            ')' | ']' | '}' if !quoted => open -= 1,
            _ => {}
        }
        c.bump();
        if !ch.is_whitespace() {
            end = c.at;
        }
    }
    let message = if end == start { "a value is missing" } else { "not a literal" };
    c.mistake(start..end, message);
    string(start..end, &c.text[start..end])
}

fn list(c: &mut Cursor<'_>, depth: usize) -> Node {
    let start = c.at;
    c.bump();
    let mut items = Vec::new();
    loop {
        space(c, true);
        if c.eat("]") {
            break;
        }
        let before = c.at;
        if c.peek().is_none() || !c.count_node() {
            c.mistake(start..start + 1, "this bracket is never closed");
            break;
        }
        items.push(value(c, depth + 1));
        space(c, true);
        if !c.eat(",") && c.peek().is_some_and(|c| c != ']') {
            let at = c.at;
            c.mistake(at..at, "expected a comma or a closing bracket");
            if at == before {
                c.bump();
            }
        }
    }
    Node { span: start..c.at, value: Value::Seq(items) }
}

fn map(c: &mut Cursor<'_>, depth: usize) -> Node {
    let start = c.at;
    c.bump();
    let mut entries = Vec::new();
    loop {
        space(c, true);
        if c.eat("}") {
            break;
        }
        if c.peek().is_none() || !c.count_node() {
            c.mistake(start..start + 1, "this brace is never closed");
            break;
        }
        let from = c.at;
        let key = name(c);
        space(c, false);
        match key {
            Some(key) if c.eat("=") || c.eat(":") => entries.push((key, value(c, depth + 1))),
            _ => {
                c.at = c.line_end().max(from);
                c.mistake(from..c.at, "not an assignment");
                if c.at == from {
                    c.bump();
                }
            }
        }
        space(c, false);
        c.eat(",");
    }
    c.check_duplicates(&entries);
    Node { span: start..c.at, value: Value::Map(entries) }
}

/// A string in double quotes. Templates in it (`${...}`) are kept as written.
fn quoted(c: &mut Cursor<'_>) -> Node {
    let start = c.at;
    c.bump();
    let mut out = String::new();
    loop {
        out.push_str(c.take_while(|c| !matches!(c, '"' | '\\' | '\n')));
        match c.peek() {
            Some('"') => {
                c.bump();
                return string(start..c.at, out);
            }
            Some('\\') => {
                c.bump();
                match c.bump() {
                    Some('n') => out.push('\n'),
                    Some('r') => out.push('\r'),
                    Some('t') => out.push('\t'),
                    Some(same @ ('"' | '\\')) => out.push(same),
                    Some(kind @ ('u' | 'U')) => unicode(c, if kind == 'u' { 4 } else { 8 }, &mut out),
                    Some(other) => out.extend(['\\', other]),
                    None => {}
                }
            }
            _ => {
                c.mistake(start..start + 1, "this string is never closed");
                return string(start..c.at, out);
            }
        }
    }
}

fn unicode(c: &mut Cursor<'_>, digits: usize, out: &mut String) {
    let code = c.rest().get(..digits).and_then(|h| u32::from_str_radix(h, 16).ok()).and_then(char::from_u32);
    match code {
        Some(ch) => {
            out.push(ch);
            c.at += digits;
        }
        None => c.mistake(c.at..c.at, "not a Unicode character"),
    }
}

/// `<<EOT` or `<<-EOT`; the value spans the lines between the markers.
fn heredoc(c: &mut Cursor<'_>) -> Node {
    let start = c.at;
    c.at += 2;
    let indented = c.eat("-");
    let marker = c.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let header = c.at..c.line_end();
    if marker.is_empty() || !c.text[header.clone()].trim().is_empty() {
        return expression(c, start);
    }
    c.at = header.end;
    c.take_while(|c| c == '\r');
    c.eat("\n");
    let body = c.at;
    let mut lines = Vec::new();
    while c.at < c.text.len() {
        let line = c.at..c.line_end();
        c.at = line.end;
        c.take_while(|c| c == '\r');
        if c.text[line.clone()].trim() == marker {
            let end = line.start.max(body + 1) - 1;
            c.at = line.end;
            return string(body..end.max(body), dedent(&lines, indented));
        }
        lines.push(&c.text[line]);
        c.eat("\n");
    }
    c.mistake(start..header.start, format!("no line `{marker}` ends this heredoc"));
    string(body..c.at, dedent(&lines, indented))
}

fn dedent(lines: &[&str], indented: bool) -> String {
    let indent = |l: &&&str| l.len() - l.trim_start_matches([' ', '\t']).len();
    let common = if indented { lines.iter().filter(|l| !l.trim().is_empty()).map(|l| indent(&l)).min() } else { None };
    lines.iter().map(|l| format!("{}\n", l.get(common.unwrap_or(0)..).unwrap_or_default())).collect()
}

//! JSON (RFC 8259) with spans. Strict: comments and trailing commas are mistakes. Stops at the first mistake.

use super::{Cursor, plain, string};
use crate::yaml::{MAX_DEPTH, Mistake, Node, Value};

/// `None` after a mistake.
pub(super) fn read(c: &mut Cursor<'_>) -> Option<Node> {
    let root = value(c, 0).and_then(|root| {
        space(c);
        let rest = c.at..c.text.len();
        if rest.is_empty() { Ok(root) } else { Err(here(c, "unexpected text after the JSON value")) }
    });
    root.map_err(|m| c.mistake(m.span, m.message)).ok()
}

fn here(c: &Cursor<'_>, message: impl Into<String>) -> Mistake {
    let end = c.at + c.peek().filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
    Mistake { span: c.at..end, message: message.into() }
}

fn space(c: &mut Cursor<'_>) {
    c.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
}

fn value(c: &mut Cursor<'_>, depth: usize) -> Result<Node, Mistake> {
    space(c);
    if depth > MAX_DEPTH {
        return Err(here(c, format!("nested deeper than {MAX_DEPTH} levels")));
    }
    if !c.count_node() {
        return Err(here(c, "too many keys and values"));
    }
    let start = c.at;
    match c.peek() {
        Some('{') => {
            c.bump();
            map(c, start, depth)
        }
        Some('[') => {
            c.bump();
            list(c, start, depth)
        }
        Some('"') => quoted(c),
        Some('-' | '0'..='9') => number(c),
        Some('a'..='z') => {
            let word = c.take_while(|c| c.is_ascii_alphanumeric());
            if !matches!(word, "true" | "false" | "null") {
                return Err(Mistake { span: start..c.at, message: "a bare word is not a JSON value".into() });
            }
            Ok(plain(start..c.at, word))
        }
        Some(_) => Err(here(c, "a JSON value cannot begin like this")),
        None => Err(here(c, "a value is missing at the end of the file")),
    }
}

fn map(c: &mut Cursor<'_>, start: usize, depth: usize) -> Result<Node, Mistake> {
    let mut entries = Vec::new();
    space(c);
    if !c.eat("}") {
        loop {
            space(c);
            if c.peek() != Some('"') {
                return Err(here(c, "expected a key in double quotes"));
            }
            let key = quoted(c)?;
            space(c);
            if !c.eat(":") {
                return Err(here(c, "expected a colon"));
            }
            entries.push((key, value(c, depth + 1)?));
            space(c);
            if c.eat("}") {
                break;
            }
            if !c.eat(",") {
                return Err(here(c, "expected a comma or a closing brace"));
            }
        }
    }
    c.check_duplicates(&entries);
    Ok(Node { span: start..c.at, value: Value::Map(entries) })
}

fn list(c: &mut Cursor<'_>, start: usize, depth: usize) -> Result<Node, Mistake> {
    let mut items = Vec::new();
    space(c);
    if !c.eat("]") {
        loop {
            items.push(value(c, depth + 1)?);
            space(c);
            if c.eat("]") {
                break;
            }
            if !c.eat(",") {
                return Err(here(c, "expected a comma or a closing bracket"));
            }
        }
    }
    Ok(Node { span: start..c.at, value: Value::Seq(items) })
}

fn number(c: &mut Cursor<'_>) -> Result<Node, Mistake> {
    let start = c.at;
    let text = c.take_while(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E'));
    let digits = text.strip_prefix('-').unwrap_or(text);
    let led = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    let dotted = digits.split_once('.').is_some_and(|(_, f)| !f.starts_with(|c: char| c.is_ascii_digit()));
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || led || dotted || text.parse::<f64>().is_err() {
        return Err(Mistake { span: start..c.at, message: "not a JSON number".into() });
    }
    Ok(plain(start..c.at, text))
}

/// Parses a string with its quotes.
fn quoted(c: &mut Cursor<'_>) -> Result<Node, Mistake> {
    let start = c.at;
    c.bump();
    let mut out = String::new();
    loop {
        out.push_str(c.take_while(|c| c != '"' && c != '\\' && c >= ' '));
        let at = c.at;
        match c.bump() {
            Some('"') => return Ok(string(start..c.at, out)),
            Some('\\') => escape(c, at, &mut out)?,
            Some(_) => {
                return Err(Mistake {
                    span: at..at,
                    message: "a control character in a string must be escaped".into(),
                });
            }
            None => return Err(Mistake { span: start..start + 1, message: "this string is never closed".into() }),
        }
    }
}

fn escape(c: &mut Cursor<'_>, at: usize, out: &mut String) -> Result<(), Mistake> {
    out.push(match c.bump() {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some(same @ ('"' | '\\' | '/')) => same,
        Some('u') => {
            let high = unit(c, at)?;
            let pair = (0xd800..0xdc00).contains(&high) && c.rest().starts_with("\\u");
            let code = if pair {
                c.at += 2;
                let low = unit(c, at)?;
                if (0xdc00..0xe000).contains(&low) { 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) } else { low }
            } else {
                high
            };
            // A lone surrogate is not a character, and cannot be part of a secret.
            char::from_u32(code).unwrap_or('\u{fffd}')
        }
        _ => return Err(Mistake { span: at..c.at, message: "unknown escape in JSON".into() }),
    });
    Ok(())
}

fn unit(c: &mut Cursor<'_>, at: usize) -> Result<u32, Mistake> {
    let code = c.rest().get(..4).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
    let code = code.and_then(|h| u32::from_str_radix(h, 16).ok());
    let code = code.ok_or_else(|| Mistake { span: at..c.at, message: "expected four hexadecimal digits".into() })?;
    c.at += 4;
    Ok(code)
}

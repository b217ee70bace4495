//! The forms in which a value is written down: quoted, plain, in a block, an element, a default, an entry of a list.
//! Owns where a value ends, not whether it is a secret; whether there is an assignment at all is for `generic.rs` to say.

use std::ops::Range;

use bstr::ByteSlice as _;

use crate::rules::secrets::assignment::score::VALUE;
use crate::rules::secrets::assignment::{NAME, Reader};
use crate::rules::secrets::file_kind::FileKind;
use crate::values;

/// What was read on the right-hand side.
pub struct Value {
    pub range: Range<usize>,
    pub quoted: bool,
    /// What counts if nothing else is given: `${DB_PASSWORD:-x}`.
    pub fallback: bool,
    /// It stands in a list or map whose name is that of secrets.
    pub member: bool,
}

impl Value {
    pub fn quoted(range: Range<usize>) -> Self {
        Self { range, quoted: true, fallback: false, member: false }
    }
}

/// What stands around a literal without changing it.
const WRAPPERS: &[&[u8]] = &[
    b"[]byte(",
    b"Some(",
    b"String::from(",
    b"SecretString::from(",
    b"SecretString::new(",
    b"Secret::new(",
    b"Buffer.from(",
    b"new String(",
    b"new SecureString(",
];

impl<'t> Reader<'t> {
    /// `${NAME:-value}`, `${NAME:value}`: to the brace.
    pub fn fallback(&self, at: usize) -> Option<Value> {
        let at = self.skip(at, b":-=");
        if matches!(self.byte(at), b'+' | b'?') {
            return None;
        }
        let ahead = self.ahead_in_line(at);
        let end = ahead.find_byteset(b"}\n$")?;
        (ahead[end] == b'}').then(|| Value { fallback: true, ..self.trimmed(at..at + end, true) })
    }

    /// The argument of an option, as the next entry of a list.
    pub fn next_item(&self, name: &Range<usize>, at: usize) -> Option<Value> {
        let at = self.skip(at, b" ");
        if !self.starts(at, b"- ") || self.starts(at, b"- -") {
            return None;
        }
        self.quoted(at + 2).or_else(|| self.plain(name, at + 2))
    }

    /// A string in quotes, in a call that leaves it as it is.
    pub fn wrapped(&self, at: usize) -> Option<Value> {
        let wrapper = WRAPPERS.iter().find(|w| self.starts(at, w));
        self.quoted(at + wrapper.map_or(0, |w| w.len())).or_else(|| self.default_of_variable(at))
    }

    /// What a variable of the environment is if it is not set: `os.environ.get("X", "...")`, `env('X', '...')`.
    fn default_of_variable(&self, at: usize) -> Option<Value> {
        const READERS: [&[u8]; 7] =
            [b"os.environ.get(", b"os.getenv(", b"environ.get(", b"getenv(", b"env(", b"ENV.fetch(", b"config("];
        let reader = READERS.iter().find(|r| self.file.is_code() && self.starts(at, r))?;
        let variable = self.quoted(at + reader.len())?;
        let comma = self.skip(variable.range.end + 1, b" ");
        if self.byte(comma) != b',' {
            return None;
        }
        let default = self.quoted(self.skip(comma + 1, b" "))?;
        Some(Value { fallback: true, ..default })
    }

    /// An assignment within a string of a program: `"APP_SECRET=..."`, `"--password=..."`, `"?token=..."`.
    pub fn inner(&self, name: &Range<usize>, operator: &[u8], at: usize) -> Option<Value> {
        let before = name.start.checked_sub(1).map_or(b'\n', |at| self.text[at]);
        if operator != b"=" || at != name.end + 1 || !matches!(before, b'"' | b'\'' | b'`' | b'-' | b'?' | b'&') {
            return None;
        }
        let ahead = self.ahead_in_line(at);
        let end = ahead.find_byteset(b"\"'` &\n\\")?;
        (ahead[end] != b'\n').then(|| self.trimmed(at..at + end, false))
    }

    /// `<key>APIKey</key>` and `<string>...</string>` after it, in a property list.
    pub fn property(&self, at: usize) -> Option<Value> {
        let at = self.skip(at, b" \t\r\n");
        if self.starts(at, b"<string>") { self.element(at + "<string>".len()) } else { None }
    }

    /// `"old" -> "new"` of a plan: the value that comes next.
    pub fn after_arrow(&self, value: &Value) -> Option<Value> {
        let at = self.skip(value.range.end + usize::from(value.quoted), b" ");
        if value.quoted && self.starts(at, b"-> ") { self.quoted(at + 3) } else { None }
    }

    /// The content of an XML element.
    pub fn element(&self, at: usize) -> Option<Value> {
        const CDATA: &[u8] = b"<![CDATA[";
        let mut at = self.skip(at, b" \t\r\n");
        let cdata = self.starts(at, CDATA);
        at += if cdata { CDATA.len() } else { 0 };
        let ahead = self.ahead(at, VALUE);
        let end = ahead.find(if cdata { &b"]]>"[..] } else { b"</" })?;
        // What follows on another line is another element.
        let line = ahead[..end].find_byte(b'\n').unwrap_or(end);
        ahead[line..end].trim().is_empty().then(|| self.trimmed(at..at + line, true))
    }

    /// A string in quotes, on one line.
    pub fn quoted(&self, at: usize) -> Option<Value> {
        let start = self.skip(at, b"\\");
        let escaped = start > at;
        let quote = self.byte(start);
        if !matches!(quote, b'"' | b'\'' | b'`') {
            return None;
        }
        let mut start = start + 1;
        if self.byte(start) == quote && self.byte(start + 1) == quote {
            start += 2;
        }
        let ahead = &self.text[start.min(self.text.len())..self.text.len().min(start + VALUE)];
        let literal = quote == b'\'' && !escaped && self.file == FileKind::Config;
        let mut end = 0;
        while end < ahead.len() {
            match ahead[end] {
                b'\n' => break,
                b'\\' if escaped => break,
                // In configuration a backslash in single quotes is one, and two quotes are one.
                b'\\' if literal => {}
                b'\'' if literal && ahead.get(end + 1) == Some(&b'\'') => end += 1,
                // A shell's string that goes on after a quote of its own.
                b'\'' if literal && ahead[end + 1..].starts_with(b"\\\'\'") => end += 3,
                b'\\' => end += 1,
                b if b == quote => break,
                _ => {}
            }
            end += 1;
        }
        self.saw(start + end + 2);
        if ahead.get(end) == Some(&b'\n') {
            return None;
        }
        let end = end.min(ahead.len());
        Some(Value { range: start..start + end, quoted: true, fallback: false, member: false })
    }

    /// An unquoted value: to the end of the line in configuration, with its comment taken off.
    pub fn plain(&self, name: &Range<usize>, at: usize) -> Option<Value> {
        if self.file.is_code() {
            return None;
        }
        let ahead = self.ahead_in_line(at);
        let mut end = ahead.find_byteset(b"\n\r").unwrap_or(ahead.len());
        if let Some(comment) = ahead[..end].find(b" #") {
            end = comment;
        }
        // A line end that is written out, in a string of JSON.
        if let Some(line) = ahead[..end].find(b"\\n").filter(|_| self.text[at - 1] == b'=') {
            end = line;
        }
        let mut range = at..at + end;
        // Query strings, flow maps, connection strings, commands.
        let query = name.start > 0 && matches!(self.text[name.start - 1], b'?' | b'&');
        if let Some(value) = self.rest_of_line(name, at..at + end) {
            return Some(value);
        }
        let stops: &[u8] = if query { b" \t;,&\"'`<>)}]" } else { b" \t;,\"'`<>)}]" };
        let mut word = ahead[..end].find_byteset(stops).unwrap_or(end);
        // The brace that closes `base64:${APP_KEY}`.
        if ahead[word..end].starts_with(b"}") && ahead[..word].contains_str("${") {
            word = ahead[word + 1..end].find_byteset(stops).map_or(end, |next| word + 1 + next);
        }
        let rest = ahead[word..end].trim();
        if word < end && !rest.is_empty() {
            let ends = b";,&})]\"'`<-|\\>".contains(&rest[0]) || has_equals(rest);
            // `NAME=value command`
            let command = name.end + 1 == at
                && self.text[at - 1] == b'='
                && !self.text[name.clone()].iter().any(u8::is_ascii_lowercase);
            if !ends && !command {
                // Several words are prose.
                return None;
            }
            range.end = at + word;
        }
        Some(self.trimmed(range, false))
    }

    /// A generated password without quotes, as properties and plain scalars of YAML have it: the name begins the line, and
    /// everything after it is one random word, whatever marks stand in it.
    fn rest_of_line(&self, name: &Range<usize>, line: Range<usize>) -> Option<Value> {
        if self.file != FileKind::Config {
            return None;
        }
        let value = self.trimmed(line, false);
        let text = &self.text[value.range.clone()];
        let marks = text.find_byteset(b";,&\"'`<>)}]")?;
        let before = &self.text[name.start.saturating_sub(NAME)..name.start];
        let lead = &before[before.rfind_byte(b'\n').map_or(0, |at| at + 1)..];
        let begins =
            lead.iter().all(|b| matches!(b, b' ' | b'\t' | b'-') || b.is_ascii_alphanumeric() || b"_.".contains(b));
        // What closes a list or a command, what goes on with another setting, and code.
        let goes_on = text[marks..].iter().any(u8::is_ascii_alphanumeric) && !has_setting(&text[marks..]);
        let is_code = values::is_reference(&text[..marks])
            || ["${", "$(", "{{", "<%", "#{"].iter().any(|open| text.contains_str(open));
        let is_word = !text.iter().any(u8::is_ascii_whitespace);
        (begins && goes_on && !is_code && is_word && values::is_random(text)).then_some(value)
    }

    /// A block scalar of YAML with one line in it.
    pub fn block(&self, at: usize) -> Option<Value> {
        let header = self.ahead(at, 16);
        let line = header.find_byte(b'\n')?;
        if !header[1..line].iter().all(|b| b"+-0123456789 \r".contains(b)) {
            return None;
        }
        let start = at + line + 1;
        let ahead = self.ahead_in_line(start);
        let end = ahead.find_byte(b'\n').unwrap_or(ahead.len());
        Some(self.trimmed(start..start + end, true))
    }

    pub fn trimmed(&self, range: Range<usize>, quoted: bool) -> Value {
        let text = &self.text[range.clone()];
        let start = range.start + (text.len() - text.trim_start().len());
        Value { range: start..start + text.trim().len(), quoted, fallback: false, member: false }
    }

    pub fn skip(&self, mut at: usize, set: &[u8]) -> usize {
        let ceiling = self.text.len().min(at + 64);
        while at < ceiling && set.contains(&self.text[at]) {
            at += 1;
        }
        self.saw(at + 1);
        at
    }

    /// At most so many bytes from a place on; past the end there are none.
    pub fn ahead(&self, at: usize, most: usize) -> &'t [u8] {
        self.saw(at + most);
        &self.text[at.min(self.text.len())..self.text.len().min(at + most)]
    }

    /// The rest of the line with its end, as far as a value can reach.
    pub fn ahead_in_line(&self, at: usize) -> &'t [u8] {
        let ahead = &self.text[at.min(self.text.len())..self.text.len().min(at + VALUE)];
        match memchr::memchr(b'\n', ahead) {
            Some(end) => self.ahead(at, end + 1),
            None => self.ahead(at, VALUE),
        }
    }

    pub fn saw(&self, end: usize) {
        self.reach.set(self.reach.get().max(end));
    }

    pub fn starts(&self, at: usize, with: &[u8]) -> bool {
        self.ahead(at, with.len()) == with
    }

    pub fn byte(&self, at: usize) -> u8 {
        self.saw(at + 1);
        self.text.get(at).copied().unwrap_or(b'\n')
    }
}

/// Whether another setting follows: `;Database=x`, `&user=x`, `,port:1`.
fn has_setting(rest: &[u8]) -> bool {
    rest.split(|b| b";,&".contains(b)).skip(1).any(|part| {
        let name = part.iter().take_while(|b| b.is_ascii_alphabetic() || **b == b'_').count();
        name > 3 && matches!(part.get(name), Some(b'=' | b':'))
    })
}

fn has_equals(rest: &[u8]) -> bool {
    rest[..rest.find_byte(b' ').unwrap_or(rest.len())].contains(&b'=')
}

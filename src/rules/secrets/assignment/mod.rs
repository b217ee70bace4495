//! The generic detector: a value that looks like a secret, assigned to a name that says it is one.
//! Owns how assignments are read, in every syntax of the field and without parsing any of them; `name.rs` judges the left
//! side and `judge.rs` the right one.

mod directive;
pub mod key_name;
mod named_value;
mod nested;
mod score;
mod template;
mod value_span;

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use bstr::ByteSlice as _;

use crate::finding::{Confidence, Severity};
use crate::rules::secrets::detectors::table::ASSIGNMENT;
use crate::rules::secrets::file_kind::FileKind;
use crate::rules::secrets::scan::scanner::Hit;
use crate::values;
use key_name::Kind;
use score::{Class, Place};
use value_span::Value;

/// How far a name may reach.
pub const NAME: usize = 64;

/// How far before its keyword an assignment is read at most.
pub const BEFORE: usize = 9 * NAME;

/// Reads assignments in one text.
pub struct Reader<'t> {
    text: &'t [u8],
    file: FileKind,
    /// Where the last name looked at ended: several keywords can stand in one name.
    seen: usize,
    /// The end of what was looked at, for whoever has to know what the answer depends on.
    pub reach: Cell<usize>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t [u8], file: FileKind) -> Self {
        Self { text, file, seen: 0, reach: Cell::new(0) }
    }

    /// The secrets that are assigned to the name around a keyword. `example`: what stands in this text is made up.
    pub fn assignments<'d>(&mut self, keyword: Range<usize>, example: &dyn Fn() -> bool) -> Vec<Hit<'d>> {
        if self.file == FileKind::Lock || keyword.start < self.seen {
            return Vec::new();
        }
        let name = self.name(&keyword);
        self.seen = name.end;
        if self.is_about_another(&name) {
            return Vec::new();
        }
        self.secrets(&name, &OnceCell::new(), example)
    }

    /// Whether [`Reader::assignments`] finds something if the text stands in a file of each of these kinds.
    pub fn finds<const N: usize>(&mut self, keyword: Range<usize>, kinds: [FileKind; N]) -> [bool; N] {
        let name = self.name(&keyword);
        if self.is_about_another(&name) {
            return [false; N];
        }
        let kind = OnceCell::new();
        kinds.map(|file| {
            self.file = file;
            !self.secrets(&name, &kind, &|| false).is_empty()
        })
    }

    /// The secrets that are assigned to a name; `kind` is what the name says, once that was asked.
    fn secrets<'d>(
        &self,
        name: &Range<usize>,
        kind: &OnceCell<Option<Kind>>,
        example: &dyn Fn() -> bool,
    ) -> Vec<Hit<'d>> {
        if self.is_link(name) {
            return Vec::new();
        }
        // Most names are followed by no assignment at all: that is the cheaper question.
        let values = self.values(name);
        if values.is_empty() {
            return Vec::new();
        }
        let Some(kind) = *kind.get_or_init(|| {
            let name = &self.text[name.clone()];
            key_name::kind(name).or_else(|| key_name::is_collection(name).then_some(Kind::Token))
        }) else {
            return Vec::new();
        };
        values.into_iter().filter_map(|value| self.judge(name, kind, value, example)).collect()
    }

    fn judge<'d>(&self, name: &Range<usize>, kind: Kind, value: Value, example: &dyn Fn() -> bool) -> Option<Hit<'d>> {
        let text = &self.text[value.range.clone()];
        // Prose is full of words: the cheapest question that most of it fails.
        if self.file == FileKind::Prose && !value.quoted && !values::is_random(text) {
            return None;
        }
        // `MYSQL_PASSWORD=mysql` keeps no secret.
        if self.text[name.clone()].to_ascii_lowercase().contains_str(text.to_ascii_lowercase()) {
            return None;
        }
        let file = if self.is_minified(name.start) { FileKind::Minified } else { self.file };
        // What a map or list of secrets holds need not be called a password.
        let kind = if value.member && kind != Kind::Token { Kind::Password } else { kind };
        let mut class = Class::of(kind, text, value.quoted, file)?;
        // What documentation shows: `ExamplePassword123!`.
        if file == FileKind::Prose && kind != Kind::Token && text.to_ascii_lowercase().contains_str("password") {
            class = Class::Chosen;
        }
        let place = Place::of(file, example() || in_documentation(self.text, name.start));
        if place == Place::Screen && !(text.len() >= 20 && text.iter().all(u8::is_ascii_alphanumeric)) {
            return None;
        }
        if place == Place::Prose && !value.quoted && !matches!(class, Class::Random | Class::Short) {
            return None;
        }
        let in_words = matches!(class, Class::Word | Class::Phrase);
        // Words below a name are most often its settings.
        if in_words && value.member {
            return None;
        }
        let mut confidence = score::confidence(kind, class, place)?;
        if in_words && self.is_repeated(&value.range) {
            confidence = Confidence::Low;
        }
        if value.fallback && !matches!(class, Class::Random | Class::Short | Class::Strong) {
            confidence = Confidence::Low;
        }
        let (start, end) = (name.start.min(value.range.start), name.end.max(value.range.end));
        Some(Hit {
            detector: &ASSIGNMENT,
            range: start..end,
            secret: value.range,
            confidence,
            severity: Severity::Error,
            pair: None,
        })
    }

    /// A word that stands near by again, as the name of a user, a database or a host, is a default.
    fn is_repeated(&self, value: &Range<usize>) -> bool {
        const NEAR: usize = 4 * NAME;
        let (before, after) = (&self.text[value.start.saturating_sub(NEAR)..value.start], self.ahead(value.end, NEAR));
        let word = self.text[value.clone()].to_ascii_lowercase();
        [before, after].iter().any(|near| near.to_ascii_lowercase().contains_str(&word))
    }

    /// Code in which no line ends near here.
    fn is_minified(&self, at: usize) -> bool {
        const LINE: usize = 600;
        let around = &self.text[at.saturating_sub(LINE)..self.text.len().min(at + LINE)];
        self.file == FileKind::Script && around.len() > LINE && memchr::memchr(b'\n', around).is_none()
    }

    /// The whole name that a keyword is part of.
    fn name(&self, keyword: &Range<usize>) -> Range<usize> {
        let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.') || b >= 0x80;
        let floor = keyword.start.saturating_sub(NAME);
        let mut start = keyword.start;
        while start > floor && part(self.text[start - 1]) {
            start -= 1;
        }
        // A keyword may hold what ends a name: `pass:`, `_key =`.
        let inner = self.text[keyword.clone()].iter().position(|b| !part(*b) && *b != b' ');
        let mut end = inner.map_or(keyword.end, |at| keyword.start + at);
        while end > keyword.start && self.text[end - 1] == b' ' {
            end -= 1;
        }
        let ceiling = self.text.len().min(end + NAME);
        while end < ceiling && part(self.text[end]) {
            end += 1;
        }
        self.saw(end + 1);
        // The dashes of an option are not part of its name.
        while matches!(self.text[start], b'-' | b'.') && start < keyword.start {
            start += 1;
        }
        start..end
    }

    /// Between `{{` and `}}` stands code.
    fn is_in_template(&self, name: &Range<usize>) -> bool {
        let before = &self.text[name.start.saturating_sub(2 * NAME)..name.start];
        let line = &before[before.rfind_byte(b'\n').map_or(0, |at| at + 1)..];
        line.contains(&b'{') && line.rfind("{{").is_some_and(|open| line.rfind("}}").is_none_or(|close| close < open))
    }

    /// `name="..."`, `key="..."`: an attribute that names what the element holds.
    fn is_label(&self, name: &Range<usize>) -> bool {
        let before = self.text[name.start.saturating_sub(6)..name.start].to_ascii_lowercase();
        before.ends_with(b"name=\"") || before.ends_with(b"key=\"")
    }

    /// The digest of a manifest, and what a badge needs.
    fn is_about_another(&self, name: &Range<usize>) -> bool {
        let before = &self.text[name.start.saturating_sub(16)..name.start];
        before.ends_with(b"checksum/")
            || self.is_in_ciphertext(name)
            || before.ends_with(b".svg?")
            || before.ends_with(b"^")
            // A tag of YAML that reads the secret from elsewhere.
            || before.ends_with(b"!")
            || self.is_in_template(name)
    }

    /// `"encrypted": { "token": ...`, as Renovate has it.
    fn is_in_ciphertext(&self, name: &Range<usize>) -> bool {
        let before = &self.text[name.start.saturating_sub(NAME)..name.start];
        let parent = before.trim_end_with(|c| matches!(c, '"' | '\'' | ' ' | '\n' | '{' | ':' | '\t'));
        parent.len() < before.len() && before[parent.len()..].contains(&b':') && parent.ends_with(b"encrypted")
    }

    /// The definition of a link.
    fn is_link(&self, name: &Range<usize>) -> bool {
        self.file == FileKind::Prose && self.starts(name.end, b"]: ")
    }

    /// The values that a name has: one that follows it, those of a list, map or block below it, or the value of the object
    /// that it names.
    fn values(&self, name: &Range<usize>) -> Vec<Value> {
        match self.value(name) {
            Some(value) => {
                let second = self.after_arrow(&value);
                let value = self.literal(value);
                std::iter::once(value).chain(second).collect()
            }
            None => {
                let nested = self.nested(name);
                if nested.is_empty() { self.named_values(name) } else { nested }
            }
        }
    }

    /// Finds the value after a name: over its closing quote, a type, and whatever this syntax assigns with.
    fn value(&self, name: &Range<usize>) -> Option<Value> {
        let before = name.start.checked_sub(1).map_or(b'\n', |at| self.text[at]);
        let mut at = name.end;
        // Strings within strings have a backslash more at each level.
        let escapes = self.skip(at, b"\\");
        let quoted_name = matches!(self.byte(escapes), b'"') || escapes == at && matches!(self.byte(at), b'\'' | b'`');
        if quoted_name {
            at = escapes + 1;
        }
        if self.byte(at) == b']' {
            at += 1;
        }
        let gap = at;
        at = self.skip(at, b" \t");
        let option = self.text[..name.start].ends_with(b"--");
        let code = self.file.is_code();
        match self.byte(at) {
            b':' | b'-' if self.text[..name.start].ends_with(b"${") => self.fallback(at),
            b'=' | b':' | b'?' | b'+' | b'|' | b'!' => self.assigned(name, at),
            b'>' if before == b'<' => self.element(at + 1),
            // `<entry key="password">...</entry>`
            b'>' if quoted_name && self.is_label(name) => self.element(at + 1),
            b'(' if code || self.file == FileKind::Prose => self.wrapped(self.skip(at + 1, b" ")),
            b'{' if code && matches!(self.byte(at + 1), b'"' | b'\'') => self.quoted(at + 1),
            b',' if quoted_name && (option || code && self.label(name).is_none()) => {
                self.quoted(self.skip(at + 1, b" "))
            }
            b'\n' if option => self.next_item(name, at + 1),
            b'<' if self.starts(at, b"</key>") => self.property(at + "</key>".len()),
            _ if at > gap && !quoted_name => self.spaced(name, at),
            _ => None,
        }
    }

    /// After a name and blanks: `=`, `:`, `:=`, `=>`, `==`, `?=`, `||=`, and types in between.
    fn assigned(&self, name: &Range<usize>, start: usize) -> Option<Value> {
        let mut at = self.skip(start, b"=:?+|!");
        let operator = &self.text[start..at];
        // A variable of psql.
        let variable = operator == b":" && start > name.end && self.byte(at) == b'\'';
        // `label: "Password:", other: "..."`
        let before = name.start.checked_sub(1).map_or(b'\n', |at| self.text[at]);
        let inside = matches!(before, b'"' | b'\'') && start == name.end && operator == b":" && self.byte(at) == before;
        if variable || inside || operator == b"!" || operator == b"|" || operator == b"+" || operator == b"?" {
            return None;
        }
        if operator.ends_with(b"=") && self.byte(at) == b'>' {
            at += 1;
        }
        // `a:b` is an assignment where keys are quoted; elsewhere it is part of some name.
        let bare = start == name.end && operator == b":";
        if bare && !matches!(self.byte(at), b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`') && !self.is_property(name) {
            return None;
        }
        at = self.skip(at, b" \t");
        // `password: string = "..."`, `token: &'static str = "..."`
        if operator == b":" && self.file.is_code() {
            let line = self.ahead(at, NAME);
            let line = &line[..line.find_byteset(b"\n,;\"").unwrap_or(line.len())];
            if let Some(equals) = line.find_byte(b'=') {
                at = self.skip(at + equals + 1, b" \t");
            }
        }
        if matches!(self.byte(at), b'|' | b'>') && operator == b":" {
            return self.block(at);
        }
        // Prefixes of string literals, anchors and tags of YAML.
        let has_prefixes = self.file != FileKind::Config;
        if has_prefixes
            && matches!(self.byte(at), b'b' | b'r' | b'f' | b'u' | b'@')
            && matches!(self.byte(at + 1), b'"' | b'\'')
        {
            // A string of Python with expressions in it.
            let string = self.ahead_in_line(at + 2);
            let string = &string[..string.find_byteset(b"\"'").unwrap_or(string.len())];
            if self.byte(at) == b'f' && self.file.is_code() && string.contains(&b'{') {
                return None;
            }
            at += 1;
        }
        if self.starts(at, b"!!str ") {
            at += 6;
        }
        if self.byte(at) == b'&' && operator == b":" && self.file == FileKind::Config {
            let word = self.ahead(at, NAME).iter().position(|b| *b == b' ')?;
            at += word + 1;
        }
        if let Some(template) = self.template(at) {
            return Some(template);
        }
        if self.opens_structure(at, operator) {
            return None;
        }
        self.wrapped(at).or_else(|| self.plain(name, at)).or_else(|| self.inner(name, operator, at))
    }

    /// A list or map begins here, not a password that starts with a bracket.
    fn opens_structure(&self, at: usize, operator: &[u8]) -> bool {
        let next = self.byte(self.skip(at + 1, b" \t"));
        matches!(self.byte(at), b'[' | b'{')
            && (operator == b":" || matches!(next, b'"' | b'\'' | b'\n' | b'\r' | b'[' | b'{'))
    }

    /// A dotted name at the start of a line of configuration, as Java's properties have them: `a.password:x`.
    fn is_property(&self, name: &Range<usize>) -> bool {
        self.file == FileKind::Config
            && self.text[name.clone()].contains(&b'.')
            && (name.start == 0 || self.text[name.start - 1] == b'\n')
    }

    /// After a name and at least one blank, where a blank assigns.
    fn spaced(&self, name: &Range<usize>, at: usize) -> Option<Value> {
        let near = &self.text[name.start.saturating_sub(NAME * 2)..name.start];
        let before = &near[memchr::memrchr(b'\n', near).map_or(0, |n| n + 1)..];
        let word = &self.text[name.clone()];
        let first = before.trim_start();
        if before.ends_with(b"--") && self.byte(at) != b'-' {
            return self.quoted(at).or_else(|| self.plain(name, at));
        }
        if self.starts(at, b"$$") && word.eq_ignore_ascii_case(b"password") {
            let end = self.ahead_in_line(at + 2).find("$$")?;
            return Some(Value::quoted(at + 2..at + 2 + end));
        }
        if word.ends_with(b"BY") || word.eq_ignore_ascii_case(b"password") && matches!(self.byte(at), b'\'' | b'`') {
            return self.quoted(at);
        }
        // Gradle's signing, and C.
        if matches!(word, b"keyPassword" | b"storePassword") || first.starts_with(b"#define ") {
            return self.quoted(at);
        }
        // `IDENTIFIED WITH mysql_native_password BY '...'`
        if self.starts(at, b"BY ") {
            return self.quoted(self.skip(at + 3, b" "));
        }
        let instruction = first.starts_with(b"ENV ") || first.starts_with(b"ARG ");
        let netrc = word == b"password" && (before.contains_str("login ") || near.trim_end().ends_with_str("login"));
        if instruction || netrc {
            return self.quoted(at).or_else(|| self.plain(name, at));
        }
        // `var password string = "..."`, `password text := ...`
        let line = self.ahead(at, NAME);
        let kind = line.iter().take_while(|b| b.is_ascii_alphanumeric() || b"*[]&.<>".contains(b)).count();
        let equals = at + kind + line[kind..].iter().take_while(|b| **b == b' ').count();
        if kind > 0 && self.file.is_code() && self.byte(equals) == b'=' {
            return self.quoted(self.skip(equals + 1, b" "));
        }
        self.directive(name, at, first)
    }
}

/// Whether a line is a comment of the kind that documentation is made from: `##` of charts, `///` and `//!` of programs.
pub fn in_documentation(text: &[u8], at: usize) -> bool {
    let from = at.saturating_sub(256);
    let line = memchr::memrchr(b'\n', &text[from..at]).map_or(from, |end| from + end + 1);
    let head = text[line..].trim_start();
    [&b"## "[..], b"///", b"//!"].iter().any(|mark| head.starts_with(mark))
}

//! The generic detector: a value that looks like a secret, assigned to a name that says it is one.
//! Owns how assignments are read, in every syntax of the field and without parsing any of them; `name.rs` and `value.rs` judge
//! the two sides.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use bstr::{BStr, ByteSlice};

use super::detector::Detector;
use super::name::{self, Kind};
use super::placeholder;
use super::scan::Hit;
use super::value;
use crate::finding::{Confidence, Severity};

/// An assignment found by its syntax only.
pub static ASSIGNMENT: Detector = detector(
    "generic-assignment",
    "a secret in an assignment",
    "change it wherever it is accepted: whoever can read the repository knows it",
);

/// An entry of a Kubernetes `Secret`.
pub static KUBERNETES: Detector = detector(
    "kubernetes-secret",
    "a Kubernetes Secret with its value in the clear (base64 hides nothing)",
    "change the value wherever it is accepted, then keep it as a SealedSecret, an ExternalSecret or a SOPS file",
);

const fn detector(id: &'static str, name: &'static str, revoke: &'static str) -> Detector {
    Detector {
        id: Cow::Borrowed(id),
        name: Cow::Borrowed(name),
        provider: Cow::Borrowed("generic"),
        keywords: Cow::Borrowed(&[]),
        pattern: Cow::Borrowed(""),
        offsets: &[],
        entropy: 0.0,
        checks: Cow::Borrowed(&[]),
        paths: Cow::Borrowed(&[]),
        severity: Severity::Error,
        confidence: Confidence::Medium,
        revoke: Cow::Borrowed(revoke),
        docs: Cow::Borrowed(""),
        window: 0,
        pair: None,
        matcher: OnceLock::new(),
        scope: OnceLock::new(),
    }
}

/// Specific detectors come first, whatever they found.
pub fn rank(detector: &Detector) -> u8 {
    match detector.id.as_ref() {
        "generic-assignment" => 2,
        "kubernetes-secret" => 1,
        _ => 0,
    }
}

/// How far a value, a name and the way between them may reach.
const VALUE: usize = 512;
const NAME: usize = 64;

/// Reads assignments in one text.
pub struct Reader<'t> {
    text: &'t [u8],
    file: FileKind,
    /// Where the last name looked at ended: several keywords can stand in one name.
    seen: usize,
}

/// How the right-hand sides of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileKind {
    /// An unquoted word is a value.
    Config,
    /// An unquoted word is an expression.
    Code,
    /// Words everywhere: only what looks random is a value.
    Prose,
    /// Machine-written, full of hashes.
    Lock,
}

/// What was read on the right-hand side.
struct Value {
    range: Range<usize>,
    quoted: bool,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t [u8], path: Option<&BStr>) -> Self {
        Self { text, file: path.map_or(FileKind::Prose, file_kind), seen: 0 }
    }

    /// Reads the assignment around a keyword, if there is one and its value is a secret.
    pub fn assignment<'d>(&mut self, keyword: Range<usize>) -> Option<Hit<'d>> {
        if self.file == FileKind::Lock || keyword.start < self.seen {
            return None;
        }
        let name = self.name(&keyword);
        self.seen = name.end;
        let kind = name::kind(&self.text[name.clone()])?;
        let value = self.value(&name)?;
        let text = &self.text[value.range.clone()];
        let confidence = self.judge(kind, text, value.quoted)?;
        Some(Hit {
            detector: &ASSIGNMENT,
            range: name.start..value.range.end,
            secret: value.range,
            confidence,
            severity: Severity::Error,
            pair: None,
        })
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    /// The whole name that a keyword is part of.
    fn name(&self, keyword: &Range<usize>) -> Range<usize> {
        let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
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
        start..end
    }

    fn skip(&self, mut at: usize, set: &[u8]) -> usize {
        let ceiling = self.text.len().min(at + 64);
        while at < ceiling && set.contains(&self.text[at]) {
            at += 1;
        }
        at
    }

    /// Finds the value after a name: over its closing quote, a type, and whatever this syntax assigns with.
    fn value(&self, name: &Range<usize>) -> Option<Value> {
        let before = name.start.checked_sub(1).map_or(b'\n', |at| self.text[at]);
        let mut at = name.end;
        let quoted_name =
            matches!(self.byte(at), b'"' | b'\'' | b'`') || self.byte(at) == b'\\' && self.byte(at + 1) == b'"';
        if quoted_name {
            at += if self.byte(at) == b'\\' { 2 } else { 1 };
        }
        if self.byte(at) == b']' {
            at += 1;
        }
        let gap = at;
        at = self.skip(at, b" \t");
        match self.byte(at) {
            b'=' | b':' | b'?' | b'+' | b'|' | b'!' => self.assigned(at),
            b'>' if before == b'<' => self.element(at + 1),
            b'>' => self.pair(at + 1),
            b'(' if self.file != FileKind::Config => self.quoted(self.skip(at + 1, b" ")),
            b',' if quoted_name && self.file == FileKind::Code => self.quoted(self.skip(at + 1, b" ")),
            b',' | b'\n' | b'\r' | b'/' | b'}' | b'{' => self.pair(at),
            _ if at > gap => self.spaced(name, at),
            _ => None,
        }
    }

    /// After a name and blanks: `=`, `:`, `:=`, `=>`, `==`, `?=`, `||=`, and types in between.
    fn assigned(&self, start: usize) -> Option<Value> {
        let mut at = self.skip(start, b"=:?+|!");
        let operator = &self.text[start..at];
        if operator == b"!" || operator == b"|" || operator == b"+" || operator == b"?" {
            return None;
        }
        if operator.ends_with(b"=") && self.byte(at) == b'>' {
            at += 1;
        }
        at = self.skip(at, b" \t");
        // `password: string = "..."`, `token: &'static str = "..."`
        if operator == b":" && self.file == FileKind::Code {
            let line = &self.text[at..self.text.len().min(at + NAME)];
            let line = &line[..line.find_byteset(b"\n,;\"").unwrap_or(line.len())];
            if let Some(equals) = line.find_byte(b'=') {
                at = self.skip(at + equals + 1, b" \t");
            }
        }
        if matches!(self.byte(at), b'|' | b'>') && operator == b":" {
            return self.block(at);
        }
        // Prefixes of string literals, anchors and tags of YAML.
        if matches!(self.byte(at), b'b' | b'r' | b'f' | b'u' | b'@') && matches!(self.byte(at + 1), b'"' | b'\'') {
            at += 1;
        }
        if self.text[at..].starts_with(b"!!str ") {
            at += 6;
        }
        if self.byte(at) == b'&' && self.file == FileKind::Config {
            let word = self.text[at..].iter().take(NAME).position(|b| *b == b' ')?;
            at += word + 1;
        }
        self.quoted(at).or_else(|| self.plain(at))
    }

    /// After a name and at least one blank, where a blank assigns.
    fn spaced(&self, name: &Range<usize>, at: usize) -> Option<Value> {
        let start = crate::text::line_around(self.text, name.start).start.max(name.start.saturating_sub(NAME * 2));
        let before = &self.text[start..name.start];
        let word = &self.text[name.clone()];
        let first = before.trim_start();
        if before.ends_with(b"--") && self.byte(at) != b'-' {
            return self.quoted(at).or_else(|| self.plain(at));
        }
        if word.to_ascii_lowercase().ends_with(b"by")
            || word.eq_ignore_ascii_case(b"password") && self.byte(at) == b'\''
        {
            return self.quoted(at);
        }
        let instruction = first.starts_with(b"ENV ") || first.starts_with(b"ARG ");
        let netrc = word == b"password"
            && (before.contains_str("login ") || self.text[..name.start].trim_end().ends_with_str("login"));
        if instruction || netrc {
            return self.quoted(at).or_else(|| self.plain(at));
        }
        // `var password string = "..."`, `password text := ...`
        let line = &self.text[at..self.text.len().min(at + NAME)];
        let kind = line.iter().take_while(|b| b.is_ascii_alphanumeric() || b"*[]&.<>".contains(b)).count();
        let equals = at + kind + line[kind..].iter().take_while(|b| **b == b' ').count();
        if kind > 0 && self.file == FileKind::Code && self.byte(equals) == b'=' {
            return self.quoted(self.skip(equals + 1, b" "));
        }
        None
    }

    /// The name is itself a value: `name: DB_PASSWORD` and `value: ...` after it, an XML `key="..." value="..."`, or a
    /// variable of HCL with its `default`.
    fn pair(&self, at: usize) -> Option<Value> {
        let ahead = &self.text[at..self.text.len().min(at + 256)];
        let key = [&b"value"[..], b"default"].iter().filter_map(|key| ahead.find(key).map(|f| f + key.len())).min()?;
        let between = &ahead[..key];
        // Nothing but line ends, quotes and one name may stand in between.
        if between.iter().filter(|b| **b == b'\n').count() > 4 || between.find_iter("name").count() > 0 {
            return None;
        }
        let mut at = at + key;
        at = self.skip(at, b"\"' \t");
        if !matches!(self.byte(at), b':' | b'=') {
            return None;
        }
        at = self.skip(at + 1, b" \t");
        self.quoted(at).or_else(|| self.plain(at))
    }

    /// The content of an XML element.
    fn element(&self, at: usize) -> Option<Value> {
        let ahead = &self.text[at..self.text.len().min(at + VALUE)];
        let end = ahead.find_byteset(b"<\n")?;
        (ahead[end] == b'<').then(|| self.trimmed(at..at + end, true))
    }

    /// A string in quotes, on one line.
    fn quoted(&self, at: usize) -> Option<Value> {
        let escaped = self.byte(at) == b'\\';
        let start = at + usize::from(escaped);
        let quote = self.byte(start);
        if !matches!(quote, b'"' | b'\'' | b'`') {
            return None;
        }
        let mut start = start + 1;
        if self.byte(start) == quote && self.byte(start + 1) == quote {
            start += 2;
        }
        let ahead = &self.text[start..self.text.len().min(start + VALUE)];
        let mut end = 0;
        while end < ahead.len() {
            match ahead[end] {
                b'\n' => return None,
                b'\\' if escaped => break,
                b'\\' => end += 1,
                b if b == quote => break,
                _ => {}
            }
            end += 1;
        }
        let end = end.min(ahead.len());
        Some(Value { range: start..start + end, quoted: true })
    }

    /// An unquoted value: to the end of the line in configuration, with its comment taken off.
    fn plain(&self, at: usize) -> Option<Value> {
        if self.file == FileKind::Code {
            return None;
        }
        let ahead = &self.text[at..self.text.len().min(at + VALUE)];
        let mut end = ahead.find_byteset(b"\n\r").unwrap_or(ahead.len());
        if let Some(comment) = ahead[..end].find(b" #") {
            end = comment;
        }
        let mut range = at..at + end;
        // Flow maps, query strings, connection strings, commands.
        let word = ahead[..end].find_byteset(b" \t;,&\"'`<>)}").unwrap_or(end);
        let rest = ahead[word..end].trim();
        if word < end && !rest.is_empty() {
            let ends = matches!(rest[0], b';' | b',' | b'&' | b'}' | b')' | b'"' | b'\'' | b'`' | b'<');
            if !ends
                && !(rest[0] == b'-' || rest[0] == b'|' || rest[0] == b'\\' || rest[0] == b'>')
                && !has_equals(rest)
            {
                // Several words are prose.
                return None;
            }
            range.end = at + word;
        }
        Some(self.trimmed(range, false))
    }

    /// A block scalar of YAML with one line in it.
    fn block(&self, at: usize) -> Option<Value> {
        let header = &self.text[at..self.text.len().min(at + 16)];
        let line = header.find_byte(b'\n')?;
        if !header[1..line].iter().all(|b| b"+-0123456789 \r".contains(b)) {
            return None;
        }
        let start = at + line + 1;
        let ahead = &self.text[start..self.text.len().min(start + VALUE)];
        let end = ahead.find_byte(b'\n').unwrap_or(ahead.len());
        Some(self.trimmed(start..start + end, true))
    }

    fn trimmed(&self, range: Range<usize>, quoted: bool) -> Value {
        let text = &self.text[range.clone()];
        let start = range.start + (text.len() - text.trim_start().len());
        Value { range: start..start + text.trim().len(), quoted }
    }

    /// How sure we are that a value is a secret, if it may be one at all.
    fn judge(&self, kind: Kind, text: &[u8], quoted: bool) -> Option<Confidence> {
        if text.len() < 4 || text.len() >= VALUE || text.iter().any(|b| b.is_ascii_control() || *b == b' ') {
            return None;
        }
        if value::is_reference(text)
            || value::is_ciphertext(text)
            || placeholder::is_password_placeholder(text)
            || text.contains_str("://")
            || text.iter().all(|b| b.is_ascii_digit() || b".,:-".contains(b))
        {
            return None;
        }
        // Calls, comparisons and members are code, not values.
        if !quoted && text.find_byteset(b"()[]").is_some() {
            return None;
        }
        let strong = value::is_random(text);
        let found = match kind {
            Kind::Password => {
                let kinds =
                    [u8::is_ascii_alphabetic, u8::is_ascii_digit].iter().filter(|k| text.iter().any(|b| k(b))).count()
                        + usize::from(text.iter().any(u8::is_ascii_punctuation));
                if strong {
                    Confidence::Medium
                } else if value::is_identifier(text) {
                    // One small word can be a password, several in a row are a name.
                    let word = text.len() >= 6 && text.iter().all(u8::is_ascii_lowercase);
                    if word && self.file == FileKind::Config { Confidence::Low } else { return None }
                } else if kinds > 1 && text.len() >= 6 {
                    Confidence::Medium
                } else {
                    Confidence::Low
                }
            }
            Kind::Token if value::is_uuid(text) => Confidence::Low,
            Kind::Token if strong && text.len() >= 16 => Confidence::Medium,
            Kind::Token if strong => Confidence::Low,
            Kind::Token => return None,
        };
        if self.file == FileKind::Prose && !strong {
            return (kind == Kind::Password && quoted).then_some(Confidence::Low);
        }
        Some(found)
    }
}

fn has_equals(rest: &[u8]) -> bool {
    rest[..rest.find_byte(b' ').unwrap_or(rest.len())].contains(&b'=')
}

/// What kind of file a path names.
fn file_kind(path: &BStr) -> FileKind {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default().to_ascii_lowercase();
    let lock: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "cargo.lock",
        "go.sum",
        "go.work.sum",
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
        "pipfile.lock",
        "composer.lock",
        "gemfile.lock",
        "flake.lock",
        "mix.lock",
        "packages.lock.json",
        "pubspec.lock",
        ".terraform.lock.hcl",
        "chart.lock",
        "deno.lock",
        "podfile.lock",
        "wmill-lock.yaml",
    ];
    if lock.iter().any(|l| name == l.as_bytes()) {
        return FileKind::Lock;
    }
    let code: &[&str] = &[
        "go",
        "rs",
        "py",
        "pyi",
        "js",
        "jsx",
        "mjs",
        "cjs",
        "ts",
        "tsx",
        "mts",
        "vue",
        "svelte",
        "java",
        "kt",
        "kts",
        "scala",
        "groovy",
        "c",
        "h",
        "cc",
        "cpp",
        "cxx",
        "hpp",
        "m",
        "mm",
        "cs",
        "fs",
        "vb",
        "rb",
        "php",
        "swift",
        "dart",
        "lua",
        "pl",
        "pm",
        "ex",
        "exs",
        "erl",
        "clj",
        "hs",
        "r",
        "jl",
        "zig",
        "nim",
        "proto",
        "css",
        "scss",
        "html",
        "htm",
        "map",
        "ipynb",
        "tf",
        "hcl",
        "sql",
        "graphql",
        "cue",
        "jsonnet",
        "libsonnet",
        "ps1",
        "psm1",
        "star",
        "bzl",
        "nix",
    ];
    match name.rfind_byte(b'.').map(|dot| &name[dot + 1..]) {
        Some(b"md" | b"mdx" | b"rst" | b"adoc" | b"txt" | b"po" | b"pot" | b"csv" | b"svg" | b"log") => FileKind::Prose,
        Some(extension) if code.iter().any(|c| extension == c.as_bytes()) => FileKind::Code,
        _ => FileKind::Config,
    }
}

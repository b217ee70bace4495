//! Entries of Kubernetes `Secret` manifests, wherever their keys stand: YAML or JSON, several documents, lists.
//! Owns the judgement of an entry; `entries` reads them from broken and templated files too, so it parses neither for real.

mod entries;

use std::ops::Range;

use bstr::{BStr, ByteSlice as _};

use crate::finding::Confidence;
use crate::rules::secrets::assignment::key_name;
use crate::rules::secrets::decode;
use crate::rules::secrets::detectors::table::KUBERNETES;
use crate::rules::secrets::scan::scanner::{Hit, Scanner};
use crate::values;
use crate::values::placeholder;
use entries::{Entry, block_entries, flow_entries, region};

/// Reads the Secrets of one text; each part of it once.
pub struct Reader {
    /// Everything before has been read.
    done: usize,
}

impl Reader {
    pub fn new() -> Self {
        Self { done: 0 }
    }

    /// One that has read everything.
    pub fn of_nothing() -> Self {
        Self { done: usize::MAX }
    }

    /// Called at every `secret`: if it is the value of `kind: Secret`, the entries of that manifest.
    pub fn at<'s>(&mut self, text: &[u8], keyword: Range<usize>, scanner: &'s Scanner) -> Vec<Hit<'s>> {
        self.manifest(text, keyword, scanner).map_or_else(Vec::new, |(_, hits)| hits)
    }

    /// The same, with the part of the text on which that depends; `None` where no manifest begins to be read.
    pub fn manifest<'s>(
        &mut self,
        text: &[u8],
        keyword: Range<usize>,
        scanner: &'s Scanner,
    ) -> Option<(Range<usize>, Vec<Hit<'s>>)> {
        if keyword.start < self.done {
            return None;
        }
        let key = kind_key(text, &keyword)?;
        let mut entries = Vec::new();
        let flow = text[..key].trim_end().last().is_some_and(|b| matches!(b, b'{' | b','));
        let read = if flow {
            flow_entries(text, self.done, &mut entries);
            self.done = text.len();
            0..text.len()
        } else {
            let region = region(text, key, self.done);
            block_entries(text, &region, &mut entries);
            self.done = region.end.max(keyword.end);
            // The lines beyond its ends are what ended it.
            let above = crate::text::line_around(text, region.start.saturating_sub(1)).start;
            above..(crate::text::line_around(text, (self.done + 1).min(text.len())).end + 2).min(text.len())
        };
        let hits = entries.into_iter().filter_map(|entry| judge(text, &entry, scanner)).collect();
        Some((read, hits))
    }
}

/// Whether a keyword is the value of `kind: Secret`.
pub fn is_kind(text: &[u8], keyword: &Range<usize>) -> bool {
    kind_key(text, keyword).is_some()
}

/// Where the key `kind` starts, if the keyword is its value.
fn kind_key(text: &[u8], keyword: &Range<usize>) -> Option<usize> {
    let after = text.get(keyword.end).copied().unwrap_or(b'\n');
    if &text[keyword.clone()] != b"Secret" || after.is_ascii_alphanumeric() {
        return None;
    }
    let quotes = |c| matches!(c, '"' | '\'' | ' ');
    let start = keyword.start.saturating_sub(24);
    let before = text[start..keyword.start].trim_end_with(quotes).strip_suffix(b":")?;
    let before = before.trim_end_with(quotes).strip_suffix(b"kind")?;
    Some(start + before.len() - usize::from(before.ends_with(b"\"") || before.ends_with(b"'")))
}

/// Keys whose values are no secrets, unless they look random.
const HARMLESS: &[&str] = &[
    "username",
    "user",
    "login",
    "host",
    "hostname",
    "port",
    "url",
    "uri",
    "endpoint",
    "region",
    "bucket",
    "namespace",
    "name",
    "email",
    "type",
    "project",
    "issuer",
    "client-id",
    "client_id",
    "clientid",
    "tenant",
    "tenant-id",
    "database",
    "dbname",
    "db",
    "enabled",
    "insecure",
    "schema",
    "scheme",
    "domain",
    "server",
];

/// How gzip begins in base64, and how that does once more.
const PACKED: [&[u8]; 2] = [b"H4sI", b"SDRzSU"];

/// The most that is unpacked: a release has 1 MiB packed.
const RELEASE: usize = 8 << 20;

/// What is packed with gzip, in base64 once or, as Helm does it, twice; as much of it as there is.
fn unpack(raw: &[u8]) -> Option<Vec<u8>> {
    let decode = |text: &[u8]| decode::base64(&text[..text.len() / 4 * 4]);
    let once = raw.starts_with(PACKED[1]).then(|| decode(raw)).flatten();
    let packed = once.as_deref().unwrap_or(raw);
    packed
        .starts_with(PACKED[0])
        .then(|| decode(packed))
        .flatten()
        .and_then(|bytes| decode::gunzip(&bytes, RELEASE))
        .map(|unpacked| unpacked.bytes)
}

/// The secrets of a release of Helm: its values as they stand, and its manifests, which are strings in it.
fn in_release<'s>(release: &[u8], scanner: &'s Scanner) -> Vec<Hit<'s>> {
    let mut hits = scanner.scan(release, Some(BStr::new("release.json")));
    let mut rest: Vec<serde_json::Value> = serde_json::from_slice(release).into_iter().collect();
    while let Some(value) = rest.pop() {
        match value {
            serde_json::Value::String(text) if text.contains('\n') => {
                hits.extend(scanner.scan(text.as_bytes(), Some(BStr::new("manifest.yaml"))));
            }
            serde_json::Value::Array(items) => rest.extend(items),
            serde_json::Value::Object(fields) => rest.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    hits
}

fn surest(hits: Vec<Hit<'_>>) -> Option<Hit<'_>> {
    hits.into_iter().filter(|h| h.confidence > Confidence::Low).max_by_key(|h| h.confidence)
}

/// Whether an entry is a secret, and which: what a value decodes to is scanned in its own right.
fn judge<'s>(text: &[u8], entry: &Entry, scanner: &'s Scanner) -> Option<Hit<'s>> {
    let key = text[entry.key.clone()].trim_with(|c| c.is_whitespace() || matches!(c, '"' | '\'')).to_ascii_lowercase();
    let raw = text[entry.value.clone()].trim();
    let decoded = entry
        .encoded
        .then(|| decode::base64(&raw.iter().filter(|b| !b.is_ascii_whitespace()).copied().collect::<Vec<_>>()));
    let hit = |detector, confidence, severity| Hit {
        detector,
        range: entry.key.start..entry.value.end,
        secret: entry.value.clone(),
        confidence,
        severity,
        pair: None,
    };
    let told = |found: Hit<'s>| hit(found.detector, found.confidence, found.severity);
    if PACKED.iter().any(|front| raw.starts_with(front)) {
        return unpack(raw).and_then(|release| surest(in_release(&release, scanner))).map(told);
    }
    if raw.is_empty() || values::is_reference(raw) || values::is_ciphertext(raw) {
        return None;
    }
    // What stands inside is asked first: a whole file may look like anything from outside. In the clear it is part of the
    // text, which is being scanned anyway.
    if let Some(Some(inside)) = &decoded {
        let hits = scanner.scan(inside, Some(decode::path_of(inside)));
        let forms = scanner.scan(inside, None);
        if let Some(found) = surest(hits).or_else(|| surest(forms)) {
            return Some(told(found));
        }
    }
    if placeholder::is_password_placeholder(raw) {
        return None;
    }
    let plain = match &decoded {
        Some(Some(decoded)) => decoded.as_slice(),
        // Not base64 at all: a template, or somebody forgot to encode it.
        Some(None) => raw,
        None => raw,
    };
    let plain = plain.trim();
    let public = key.ends_with(b".crt")
        || key.ends_with(b".pub")
        || plain.starts_with(b"-----BEGIN CERTIFICATE")
        || plain.starts_with(b"-----BEGIN PUBLIC");
    if public
        || plain.is_empty()
        || values::is_reference(plain)
        || values::is_ciphertext(plain)
        || placeholder::is_password_placeholder(plain)
    {
        return None;
    }
    // The entry of an htpasswd file: a user and a hash.
    if plain.split_once_str(":").is_some_and(|(_, hash)| values::is_ciphertext(hash)) {
        return None;
    }
    // A file within the Secret: in the clear it is part of the text, and encoded it has just been scanned.
    if plain.contains(&b'\n') || values::is_timestamp(plain) {
        return None;
    }
    // A document: what stands in it has just been scanned.
    if matches!(plain.first(), Some(b'{' | b'[')) && serde_json::from_slice::<serde::de::IgnoredAny>(plain).is_ok() {
        return None;
    }
    // Of a string in a program, and what follows it.
    if plain.contains(&b'`') || plain.contains(&b'"') && !plain.starts_with(b"{") {
        return None;
    }
    let address = values::contains(plain, "://") && !values::contains(plain, "@");
    let words = plain.contains(&b' ');
    // Of identifiers only those that a generator may have drawn are passwords here.
    let any = |kind: fn(&u8) -> bool| plain.iter().any(kind);
    let kinds = [any(u8::is_ascii_lowercase), any(u8::is_ascii_uppercase), any(u8::is_ascii_digit)];
    let kinds = kinds.iter().filter(|kind| **kind).count();
    let is_joined = plain.iter().all(u8::is_ascii_alphanumeric);
    let is_mixed = kinds == 3 || kinds == 2 && is_joined && plain.len() >= 10 && key_name::kind(plain).is_none();
    let in_words = values::is_identifier(plain);
    let confidence = match key_name::kind(&key) {
        Some(_)
            if words
                && ["secret", "password", "token", "key"]
                    .iter()
                    .any(|w| values::contains(&plain.to_ascii_lowercase(), w)) =>
        {
            return None;
        }
        Some(_) if in_words && !is_mixed || values::is_numbered_word(plain) || plain.len() < 6 => Confidence::Low,
        Some(_) => Confidence::Medium,
        None if address || key.ends_with(b"known_hosts") => return None,
        // Who has the id of a client, a tenant or a subscription can do nothing with it.
        None if values::is_uuid(plain) && key.ends_with(b"id") => return None,
        None if values::is_random(plain) => Confidence::Medium,
        None if HARMLESS.iter().any(|h| key.ends_with(h.as_bytes())) => return None,
        None if plain.len() < 8
            || words
            || values::is_identifier(plain)
            || values::contains(plain, "://")
            || decoded.is_none() =>
        {
            return None;
        }
        None => Confidence::Low,
    };
    Some(hit(&KUBERNETES, confidence, KUBERNETES.severity))
}

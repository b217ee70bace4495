//! Parses commits and tags line by line like `git fsck`. Stops where git stops: at the first fault that is an error.

use bstr::ByteSlice as _;

use super::Fault;

const NUL_IN_HEADER: Fault = Fault::error("nulInHeader", "there is a NUL byte in the headers");
const UNTERMINATED_HEADER: Fault = Fault::error("unterminatedHeader", "the headers do not end in an empty line");
const MISSING_TREE: Fault = Fault::error("missingTree", "the first line is not `tree`");
const BAD_TREE: Fault = Fault::error("badTreeSha1", "`tree` does not name an object id");
const BAD_PARENT: Fault = Fault::error("badParentSha1", "`parent` does not name an object id");
const MISSING_AUTHOR: Fault = Fault::error("missingAuthor", "the line `author` is missing");
const MULTIPLE_AUTHORS: Fault = Fault::error("multipleAuthors", "there is more than one line `author`");
const MISSING_COMMITTER: Fault = Fault::error("missingCommitter", "the line `committer` is missing");
const NUL_IN_COMMIT: Fault = Fault::error("nulInCommit", "there is a NUL byte in the message");
const MISSING_OBJECT: Fault = Fault::error("missingObject", "the first line is not `object`");
const BAD_OBJECT: Fault = Fault::error("badObjectSha1", "`object` does not name an object id");
const MISSING_TYPE_ENTRY: Fault = Fault::error("missingTypeEntry", "the second line is not `type`");
const MISSING_TYPE: Fault = Fault::error("missingType", "the line `type` does not end");
const BAD_TYPE: Fault = Fault::error("badType", "`type` does not name a kind of object");
const MISSING_TAG_ENTRY: Fault = Fault::error("missingTagEntry", "the third line is not `tag`");
const MISSING_TAG: Fault = Fault::error("missingTag", "the line `tag` does not end");
const BAD_TAG_NAME: Fault = Fault::warning("badTagName", "`tag` is not a valid tag name");
const MISSING_TAGGER: Fault = Fault::warning("missingTaggerEntry", "the line `tagger` is missing");

const MISSING_NAME: Fault = Fault::error("missingNameBeforeEmail", "the name before the address is missing");
const BAD_NAME: Fault = Fault::error("badName", "there is a `>` in the name");
const MISSING_EMAIL: Fault = Fault::error("missingEmail", "the address is missing");
const NO_SPACE_BEFORE_EMAIL: Fault = Fault::error("missingSpaceBeforeEmail", "the space before the address is missing");
const BAD_EMAIL: Fault = Fault::error("badEmail", "the address does not end in `>`");
const NO_SPACE_BEFORE_DATE: Fault = Fault::error("missingSpaceBeforeDate", "the space before the date is missing");
const BAD_DATE: Fault = Fault::error("badDate", "the date is not a number of seconds");
const ZERO_PADDED_DATE: Fault = Fault::error("zeroPaddedDate", "the date begins with a zero");
const DATE_OVERFLOW: Fault = Fault::error("badDateOverflow", "the date is too large");
const BAD_TIMEZONE: Fault = Fault::error("badTimezone", "the time zone is not a sign and four digits");

/// Faults of a commit, each with the offset of its line.
pub fn commit(bytes: &[u8], hash_length: usize) -> Vec<(Fault, usize)> {
    ObjectParser { bytes, at: 0, found: Vec::new() }.faults(|r| r.commit(hash_length))
}

/// Faults of a tag, each with the offset of its line.
pub fn tag(bytes: &[u8], hash_length: usize) -> Vec<(Fault, usize)> {
    ObjectParser { bytes, at: 0, found: Vec::new() }.faults(|r| r.tag(hash_length))
}

struct ObjectParser<'b> {
    bytes: &'b [u8],
    /// Offset of the next line.
    at: usize,
    found: Vec<(Fault, usize)>,
}

impl ObjectParser<'_> {
    fn faults(mut self, read: impl FnOnce(&mut Self) -> Result<(), (Fault, usize)>) -> Vec<(Fault, usize)> {
        if let Err(last) = read(&mut self) {
            self.found.push(last);
        }
        self.found
    }

    fn commit(&mut self, hash_length: usize) -> Result<(), (Fault, usize)> {
        self.headers()?;
        self.id("tree ", hash_length, MISSING_TREE, BAD_TREE)?;
        while self.next_is("parent ") {
            self.id("parent ", hash_length, BAD_PARENT, BAD_PARENT)?;
        }
        let (first, mut authors) = (self.at, 0);
        while self.next_is("author ") {
            authors += 1;
            self.ident("author ")?;
        }
        match authors {
            0 => return Err((MISSING_AUTHOR, self.at)),
            1 => {}
            _ => return Err((MULTIPLE_AUTHORS, first)),
        }
        if !self.next_is("committer ") {
            return Err((MISSING_COMMITTER, self.at));
        }
        self.ident("committer ")?;
        match self.bytes.find_byte(0) {
            Some(at) => Err((NUL_IN_COMMIT, self.bytes[..at].rfind_byte(b'\n').map_or(0, |n| n + 1))),
            None => Ok(()),
        }
    }

    fn tag(&mut self, hash_length: usize) -> Result<(), (Fault, usize)> {
        self.headers()?;
        self.id("object ", hash_length, MISSING_OBJECT, BAD_OBJECT)?;
        let kind = self.line("type ", MISSING_TYPE_ENTRY, MISSING_TYPE)?;
        if ![&b"commit"[..], b"tree", b"blob", b"tag"].contains(&kind.1) {
            return Err((BAD_TYPE, kind.0));
        }
        let name = self.line("tag ", MISSING_TAG_ENTRY, MISSING_TAG)?;
        let bad = (!is_tag_name(name.1)).then_some((BAD_TAG_NAME, name.0));
        self.found.extend(bad);
        if self.next_is("tagger ") {
            return self.ident("tagger ");
        }
        self.found.push((MISSING_TAGGER, self.at));
        Ok(())
    }

    fn next_is(&self, name: &str) -> bool {
        self.bytes[self.at..].starts_with(name.as_bytes())
    }

    /// Checks that the headers have no NUL byte and that the last one ends.
    fn headers(&self) -> Result<(), (Fault, usize)> {
        let end = self.bytes.find(b"\n\n");
        let header = &self.bytes[..end.map_or(self.bytes.len(), |at| at + 1)];
        if let Some(at) = header.find_byte(0) {
            return Err((NUL_IN_HEADER, header[..at].rfind_byte(b'\n').map_or(0, |n| n + 1)));
        }
        if end.is_none() && !self.bytes.ends_with(b"\n") {
            return Err((UNTERMINATED_HEADER, self.bytes.rfind_byte(b'\n').map_or(0, |n| n + 1)));
        }
        Ok(())
    }

    /// Parses a line `name ID`.
    fn id(&mut self, name: &str, hash_length: usize, missing: Fault, bad: Fault) -> Result<(), (Fault, usize)> {
        if !self.next_is(name) {
            return Err((missing, self.at));
        }
        let digits = self.at + name.len()..self.at + name.len() + 2 * hash_length;
        let all_hex = self.bytes.get(digits.clone()).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit));
        if !all_hex || self.bytes.get(digits.end) != Some(&b'\n') {
            return Err((bad, self.at));
        }
        self.at = digits.end + 1;
        Ok(())
    }

    /// Parses a line `name VALUE`. Returns its offset and value.
    fn line(&mut self, name: &str, missing: Fault, endless: Fault) -> Result<(usize, &[u8]), (Fault, usize)> {
        let start = self.at;
        if !self.next_is(name) {
            return Err((missing, start));
        }
        let value = start + name.len();
        let length = self.bytes[value..].find_byte(b'\n').ok_or((endless, start))?;
        self.at = value + length + 1;
        Ok((start, &self.bytes[value..value + length]))
    }

    /// Parses a line `name Name <address> seconds zone`.
    fn ident(&mut self, name: &str) -> Result<(), (Fault, usize)> {
        let start = self.at;
        let rest = &self.bytes[start + name.len()..];
        let end = rest.find_byte(b'\n').unwrap_or(rest.len());
        self.at = (start + name.len() + end + 1).min(self.bytes.len());
        // Like git, compare single bytes and stop at a NUL.
        match ident(rest) {
            Some(fault) => Err((fault, start)),
            None => Ok(()),
        }
    }
}

/// The fault of `Name <address> seconds zone` up to the end of the line.
fn ident(line: &[u8]) -> Option<Fault> {
    let byte = |at: usize| line.get(at).copied().unwrap_or(0);
    let stop = |from: usize| {
        let stops = |b: &u8| matches!(b, b'<' | b'>' | b'\n' | 0);
        line[from.min(line.len())..].iter().position(stops).map_or(line.len(), |n| from + n)
    };
    if byte(0) == b'<' {
        return Some(MISSING_NAME);
    }
    let open = stop(0);
    match byte(open) {
        b'>' => return Some(BAD_NAME),
        b'<' => {}
        _ => return Some(MISSING_EMAIL),
    }
    if byte(open - 1) != b' ' {
        return Some(NO_SPACE_BEFORE_EMAIL);
    }
    let close = stop(open + 1);
    if byte(close) != b'>' {
        return Some(BAD_EMAIL);
    }
    if byte(close + 1) != b' ' {
        return Some(NO_SPACE_BEFORE_DATE);
    }
    let mut at = close + 2;
    while matches!(byte(at), b' ' | b'\t') {
        at += 1;
    }
    let digits = line[at.min(line.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let seconds = &line[at.min(line.len())..][..digits];
    if digits == 0 {
        return Some(BAD_DATE);
    }
    if seconds[0] == b'0' && byte(at + 1) != b' ' {
        return Some(ZERO_PADDED_DATE);
    }
    if seconds.to_str().ok().and_then(|s| s.parse::<i64>().ok()).is_none() {
        return Some(DATE_OVERFLOW);
    }
    at += digits;
    if byte(at) != b' ' {
        return Some(BAD_DATE);
    }
    let zone = matches!(byte(at + 1), b'+' | b'-') && (at + 2..at + 6).all(|at| byte(at).is_ascii_digit());
    (!zone || byte(at + 6) != b'\n').then_some(BAD_TIMEZONE)
}

/// Whether a ref below `refs/tags/` may have this name (git-check-ref-format).
fn is_tag_name(name: &[u8]) -> bool {
    let bad = |b: u8| b <= b' ' || b == 127 || b"~^:?*[\\".contains(&b);
    let part = |part: &[u8]| !part.is_empty() && part[0] != b'.' && !part.ends_with(b".lock");
    name.split(|b| *b == b'/').all(part)
        && !name.iter().any(|b| bad(*b))
        && !name.ends_with(b".")
        && !name.contains_str("..")
        && !name.contains_str("@{")
}

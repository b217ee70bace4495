//! What a commit says about itself: where it was picked from, what it takes back, mends and needs, its type, scope and
//! tickets. Reads messages only; believes nothing (`evidence` does the believing).

use bstr::{BStr, ByteSlice};

/// One message, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Ids (or beginnings of ids) in `(cherry picked from commit X)`, `Original commit: X`, `Promoted-from: X`.
    pub picked_from: Vec<String>,
    /// Ids in `This reverts commit X`.
    pub reverts: Vec<String>,
    /// The subject in `Revert "subject"`.
    pub reverts_subject: Option<String>,
    /// Ids in `Depends-on: X`.
    pub depends_on: Vec<String>,
    /// Ids in `Fixes: X`.
    pub fixes: Vec<String>,
    /// `feat`, `fix`, ...; `None` when the header is not a conventional one.
    pub kind: Option<String>,
    pub scope: Option<String>,
    /// What follows the colon, or the whole subject.
    pub title: String,
    /// `!` in the header or a `BREAKING CHANGE` footer.
    pub breaking: Option<String>,
    /// `#12`, `!34`, `ABC-56`.
    pub tickets: Vec<String>,
}

impl Said {
    pub fn read(message: &BStr) -> Self {
        let text = message.to_str_lossy();
        let subject = text.lines().next().unwrap_or("").trim();
        let mut said = Self { title: subject.to_owned(), ..Self::default() };
        said.header(subject);
        for line in text.lines().map(str::trim) {
            said.line(line);
        }
        said.reverts_subject =
            subject.strip_prefix("Revert \"").and_then(|rest| rest.rsplit_once('"')).map(|(inner, _)| inner.to_owned());
        said.tickets = tickets(&text);
        said
    }

    fn header(&mut self, subject: &str) {
        let Some((head, title)) = subject.split_once(": ") else { return };
        let (head, bang) = head.strip_suffix('!').map_or((head, false), |h| (h, true));
        let (kind, scope) = match head.split_once('(') {
            Some((kind, scope)) => match scope.strip_suffix(')') {
                Some(scope) => (kind, Some(scope)),
                None => return,
            },
            None => (head, None),
        };
        if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_alphabetic()) {
            return;
        }
        self.kind = Some(kind.to_ascii_lowercase());
        self.scope = scope.map(ToOwned::to_owned);
        self.title = title.trim().to_owned();
        if bang {
            self.breaking = Some(self.title.clone());
        }
    }

    fn line(&mut self, line: &str) {
        let lower = line.to_ascii_lowercase();
        let after = |prefix: &str| lower.strip_prefix(prefix).map(|rest| ids(rest).collect::<Vec<_>>());
        if let Some(found) = after("(cherry picked from commit ")
            .or_else(|| after("original commit:"))
            .or_else(|| after("promoted-from:"))
        {
            self.picked_from.extend(found.into_iter().take(1));
        } else if let Some(at) = lower.find("this reverts commit ") {
            self.reverts.extend(ids(&lower[at + "this reverts commit ".len()..]).take(1));
        } else if let Some(found) = after("depends-on:") {
            self.depends_on.extend(found);
        } else if let Some(found) = after("fixes:") {
            self.fixes.extend(found.into_iter().take(1));
        } else if let Some(text) =
            line.strip_prefix("BREAKING CHANGE:").or_else(|| line.strip_prefix("BREAKING-CHANGE:"))
        {
            self.breaking = Some(text.trim().to_owned());
        }
    }
}

/// Words of 7 to 64 hexadecimal digits.
fn ids(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| (7..=64).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(ToOwned::to_owned)
}

fn tickets(text: &str) -> Vec<String> {
    let mut out: Vec<String> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';' | '[' | ']' | '.' | ':'))
        .filter(|word| is_ticket(word))
        .map(ToOwned::to_owned)
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

fn is_ticket(word: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if let Some(number) = word.strip_prefix(['#', '!']) {
        return digits(number);
    }
    word.split_once('-').is_some_and(|(key, number)| {
        key.len() >= 2 && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) && digits(number)
    })
}

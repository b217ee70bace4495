//! What a commit's message names: the original it was picked from, the commits it reverts, fixes and depends on, its type,
//! scope and tickets. Reads messages only; `evidence` checks whether what they claim is true.

use bstr::{BStr, ByteSlice as _};

use super::origin::{Origin, request_of};

/// References and trailers of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers {
    /// Ids (or beginnings of ids) in `(cherry picked from commit X)`, `Original commit: X`, `Promoted-from: X`.
    pub picked_from: Vec<String>,
    /// Originals named in other words.
    pub copied_from: Origin,
    /// Gerrit's `Change-Id: X`.
    pub change_id: Option<String>,
    /// Ids in `This reverts commit X`.
    pub reverts: Vec<String>,
    /// The id in `reversing changes made to X`: the parent of a reverted merge that stays.
    pub mainline: Option<String>,
    /// The subject in `Revert "subject"`, also as `Reapply` words the revert of a revert.
    pub reverts_subject: Option<String>,
    /// The pull request in `Reverts owner/repo#12`.
    pub reverts_request: Option<String>,
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

impl Trailers {
    /// Every id that the message names as an original: git's own line first.
    pub fn originals(&self) -> impl Iterator<Item = &String> {
        self.picked_from.iter().chain(&self.copied_from.commits)
    }

    pub fn read(message: &BStr) -> Self {
        let text = message.to_str_lossy();
        let subject = text.lines().next().unwrap_or("").trim();
        let mut trailers = Self { title: subject.to_owned(), ..Self::default() };
        trailers.header(subject);
        for line in text.lines().map(str::trim) {
            trailers.line(line);
        }
        let quoted =
            |verb: &str| subject.strip_prefix(verb).and_then(|rest| rest.rsplit_once('"')).map(|(inner, _)| inner);
        trailers.reverts_subject = quoted("Revert \"")
            .map(ToOwned::to_owned)
            .or_else(|| quoted("Reapply \"").map(|inner| format!("Revert \"{inner}\"")));
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        trailers.mainline = flat.split_once("reversing changes made to ").and_then(|(_, rest)| ids(rest).next());
        trailers.copied_from = Origin::read(&text);
        trailers.copied_from.commits.retain(|id| !trailers.picked_from.contains(id));
        trailers.tickets = tickets(&text);
        trailers
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
        } else if let Some(rest) =
            lower.strip_prefix("reverts ").or_else(|| lower.strip_prefix("this reverts merge request "))
        {
            let word = rest.split(' ').next().unwrap_or_default();
            self.reverts_request = request_of(word.trim_end_matches('.'));
            self.reverts.extend(ids(word).take(1).filter(|_| self.reverts_request.is_none()));
        } else if let Some(id) = lower.strip_prefix("change-id:") {
            self.change_id = Some(id.trim().to_owned()).filter(|id| id.len() >= 8);
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

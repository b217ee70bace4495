//! Which commit or pull request a message says it is a copy of, in the words that people and bots use: `Backport of X`,
//! `commit X upstream.`, `(backport #12)`. Reads single messages; `evidence` checks whether it is true.

/// Originals that a message names beyond git's own line, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Ids, or beginnings of ids.
    pub commits: Vec<String>,
    /// Numbers of pull requests.
    pub requests: Vec<String>,
}

/// What may stand before the claim.
const OPENINGS: [&str; 10] = [
    "this is a ",
    "this is an ",
    "this is the ",
    "this is ",
    "this commit is a ",
    "this commit ",
    "automated ",
    "automatic ",
    "manual ",
    "clean ",
];

/// Lower case, `-` and `_` as spaces. The originals follow at once.
const CLAIMS: [&str; 26] = [
    "cherry picked from",
    "cherry picked commit",
    "cherry picked",
    "cherry picks",
    "cherry pick of",
    "cherry pick from",
    "cherry pick",
    "picked from",
    "backported from",
    "backported",
    "backports",
    "backport of",
    "backport from",
    "backport",
    "back ported from",
    "back port of",
    "forward port of",
    "ported from",
    "port of",
    "x original commit",
    "original commit",
    "upstream commit",
    "source commit",
    "promoted from",
    "grafted from",
    "transplanted from",
];

/// Words between a claim and what it names.
const GLUE: [&str; 12] =
    ["commit", "commits", "the", "following", "and", "from", "pull", "merge", "request", "requests", "pr", "mr"];

impl Origin {
    pub fn read(message: &str) -> Self {
        let mut out = Self::default();
        // A list that a bot writes: one pull request a line, after the line that announces it.
        let mut listing = false;
        for (at, line) in message.lines().map(str::trim).enumerate() {
            let flat = line.to_ascii_lowercase().replace(['-', '_'], " ");
            if at == 0 && flat.starts_with("revert") {
                continue;
            }
            if listing && line.starts_with(['-', '*']) {
                out.listed(line);
                continue;
            }
            listing = flat.contains("backport the following commits") || listing && line.is_empty();
            if flat.split(' ').any(|word| word == "not" || word.ends_with("n't")) {
                continue;
            }
            out.claim(&flat);
            if at == 0 {
                flat.split(['(', '[']).skip(1).for_each(|inner| out.claim(inner));
                let start = flat.trim_start_matches('[');
                if start.starts_with("backport") || start.starts_with("cherry pick") {
                    out.numbers_in_parentheses(line);
                }
            }
        }
        out.commits.dedup();
        out.requests.sort_unstable();
        out.requests.dedup();
        out
    }

    fn claim(&mut self, flat: &str) {
        let mut rest = flat.trim_start_matches(['(', '[', '*', '#', ' ']);
        while let Some(after) = OPENINGS.iter().find_map(|o| rest.strip_prefix(o)) {
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("commit ") {
            // The stable kernel's form: "commit X upstream."
            let mut words = after.split_whitespace();
            if let (Some(id), Some(upstream)) = (words.next().and_then(id_of), words.next())
                && upstream.trim_end_matches('.') == "upstream"
            {
                self.commits.push(id);
            }
            return;
        }
        let after = CLAIMS.iter().find_map(|c| rest.strip_prefix(c));
        let Some(after) = after.filter(|a| a.starts_with([' ', ':'])) else { return };
        let mut numbered = false;
        for word in after.split_whitespace() {
            let word = word.trim_matches(|c: char| matches!(c, ':' | ',' | ';' | '.' | ')' | ']' | '(' | '[' | '`'));
            if word.is_empty() || GLUE.contains(&word) {
                numbered = matches!(word, "request" | "requests" | "pr" | "mr");
            } else if let Some(id) = id_of(word) {
                self.commits.push(id);
            } else if let Some(number) = request_of(word).or_else(|| plain_number(word).filter(|_| numbered)) {
                self.requests.push(number);
            } else {
                break;
            }
        }
    }

    /// `- [title (#12)](https://host/owner/repo/pull/12)`
    fn listed(&mut self, line: &str) {
        self.numbers_in_parentheses(line);
        let words = line.split(['(', ')', '[', ']', ' ']);
        for word in words.filter(|word| word.contains('/')) {
            self.commits.extend(id_of(word));
            self.requests.extend(request_of(word));
        }
    }

    fn numbers_in_parentheses(&mut self, line: &str) {
        let inner = line.split('(').skip(1).filter_map(|rest| rest.split_once(')'));
        self.requests.extend(inner.filter_map(|(inner, _)| request_of(inner)));
    }
}

/// `1a2b3c4`, `owner/repo@1a2b3c4`, `https://host/owner/repo/commit/1a2b3c4`.
fn id_of(word: &str) -> Option<String> {
    let last = word.rsplit(['/', '@']).next().unwrap_or(word).trim_end_matches(['.', ',', ')', ']']);
    let is_id = (7..=64).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| last.to_ascii_lowercase())
}

/// `#12`, `!12`, `owner/repo#12`, `https://host/owner/repo/pull/12`.
pub fn request_of(word: &str) -> Option<String> {
    if let Some((_, number)) = word.rsplit_once(['#', '!']) {
        return plain_number(number);
    }
    let (path, number) = word.rsplit_once('/')?;
    let kind = path.rsplit('/').next()?;
    plain_number(number)
        .filter(|_| matches!(kind, "pull" | "pulls" | "merge_requests" | "merge requests" | "pull requests"))
}

fn plain_number(word: &str) -> Option<String> {
    (!word.is_empty() && word.len() < 12 && word.bytes().all(|b| b.is_ascii_digit())).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn commits_are_named_in_many_ways() {
        for words in [
            "Backport of ID from main.",
            "Backport-of: ID",
            "commit ID upstream.",
            "Commit ID upstream",
            "[ Upstream commit ID ]",
            "Upstream commit: ID",
            "Cherry-pick of ID.",
            "cherry-picked from ID",
            "(cherry-picked from commit ID)",
            "X-Original-Commit: ID",
            "Backported from https://git.example.org/o/r/commit/ID",
            "This is a backport of commit ID.",
            "backport: ID",
        ] {
            let origin = Origin::read(&format!("feat: x\n\n{}", words.replace("ID", ID)));
            assert_eq!(origin.commits, [ID], "{words}");
        }
    }

    #[test]
    fn requests_are_named_in_many_ways() {
        for message in [
            "feat: x (backport #77)",
            "feat: x (backport of #77) (#80)",
            "feat: x\n\nBackport #77",
            "feat: x\n\n(backport of #77)",
            "feat: x\n\n# Description\nBackport of #77 to `1.x`.",
            "feat: x\n\nThis is an automatic backport of pull request #77 done by [Mergify](https://mergify.example).",
            "Automated cherry pick of #77: feat: x",
            "Backport PR #77 on branch 1.x (feat: x)",
            "[Backport 1.x] feat: x (#77)",
            "feat: x\n\nThis will backport the following commits from `main` to `1.x`:\n - [feat: x (#77)](https://h.example/o/r/pull/77)",
            "feat: x\n\nManual backport of o/r#77",
        ] {
            assert_eq!(Origin::read(message).requests, ["77"], "{message}");
        }
    }

    #[test]
    fn mentions_are_no_claims() {
        for words in [
            "Fixes: ID",
            "This avoids what ID does on dev.",
            "Not a backport, see ID for the larger change.",
            "Backport of ID is not needed.",
            "This reverts commit ID.",
            "See the backport of ID",
            "> Backport of ID",
            "commit ID broke upstream.",
            "Backport of the parser; ID has more",
            "Depends-on: ID",
        ] {
            let message = format!("feat: x (#12)\n\n{}", words.replace("ID", ID));
            assert_eq!(Origin::read(&message), Origin::default(), "{words}");
        }
        assert_eq!(Origin::read("Revert \"feat: x (backport #77)\""), Origin::default());
    }
}

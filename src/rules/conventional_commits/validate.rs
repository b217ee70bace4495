//! Validates a message against a [`Convention`]. Owns the mistakes with their spans and wording: one finding per mistake.
//! Exemptions are handled in `exempt.rs`.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::breaking;
use super::characters;
use super::codes::Code;
use super::convention::{Convention, Length, TypeMatch};
use super::correct;
use super::header::SyntaxError;
use super::parse::{self, Footer, Message};

/// One mistake, ready to become a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageMistake {
    pub code: Code,
    /// Bytes of the message.
    pub range: Range<usize>,
    /// Lower case, no full stop, one line.
    pub message: String,
    /// What to do, if the corrected line does not show it.
    pub help: Option<String>,
    /// The corrected line, if it can be guessed.
    pub suggestion: Option<String>,
}

/// Checks the grammar of a message and the convention's requirements.
pub fn validate(text: &[u8], convention: &Convention) -> Vec<MessageMistake> {
    let Some(message) = parse::parse(text) else {
        let help = "say what the change does: `type(scope): description`".to_owned();
        return vec![MessageMistake {
            code: Code::EmptyMessage,
            range: 0..0,
            message: "the message is empty".into(),
            help: Some(help),
            suggestion: None,
        }];
    };
    let mut validator = Validator { message: &message, convention, mistakes: Vec::new() };
    validator.errors();
    validator.kind();
    validator.scope();
    validator.description();
    validator.breaking();
    validator.body();
    validator.footers();
    validator.mistakes
}

/// Adds the corrected line to every mistake of the header, if it can be guessed.
pub fn add_suggestions(text: &[u8], convention: &Convention, mistakes: &mut [MessageMistake]) {
    let line = parse::header_line(text);
    let mendable = |m: &MessageMistake| match m.code {
        Code::BidiControl | Code::ControlCharacter | Code::InvisibleCharacter => m.range.start < line.end,
        code => (Code::LeadingSpace..=Code::FullStop).contains(&code),
    };
    if !mistakes.iter().any(mendable) {
        return;
    }
    let corrected = parse::parse(text).and_then(|message| correct::header(&message, convention));
    let corrected = corrected.filter(|c| c.as_bytes() != &text[line.clone()]);
    for mistake in mistakes.iter_mut().filter(|m| mendable(m)) {
        mistake.suggestion = corrected.clone();
    }
}

/// `fixup!`, `squash!` or `amend!`, at `range`, on a protected branch.
pub fn autosquash_left(range: Range<usize>) -> MessageMistake {
    MessageMistake {
        code: Code::AutosquashLeft,
        range,
        message: "a fixup commit reached a protected branch".into(),
        help: Some("squash it first: `git rebase -i --autosquash`".into()),
        suggestion: None,
    }
}

/// `fixup!` and the like without a space after it, which git does not recognise; `range` is where the space belongs.
pub fn autosquash_not_read(range: Range<usize>) -> MessageMistake {
    MessageMistake {
        code: Code::UnexpectedCharacter,
        range,
        message: "git recognises this prefix only with a space after the `!`".into(),
        help: None,
        suggestion: None,
    }
}

struct Validator<'j> {
    message: &'j Message<'j>,
    convention: &'j Convention,
    mistakes: Vec<MessageMistake>,
}

impl Validator<'_> {
    fn push(&mut self, code: Code, range: Range<usize>, message: impl Into<String>) -> &mut MessageMistake {
        self.mistakes.push(MessageMistake { code, range, message: message.into(), help: None, suggestion: None });
        self.mistakes.last_mut().expect("just pushed")
    }

    fn types(&self) -> String {
        format!("types: {}", self.convention.types.join(", "))
    }

    /// Reports the parser's errors.
    fn errors(&mut self) {
        let no_type = correct::type_is_missing(self.message, self.convention);
        for SyntaxError { code, range } in self.message.errors.clone() {
            let at = self.message.str(&range);
            let kind = self.message.str(&self.message.header.kind);
            let words = match code {
                // Reported once for the whole header below.
                Code::TypeMissing
                | Code::GitmojiPrefix
                | Code::ScopeBrackets
                | Code::ColonMissing
                | Code::UnexpectedCharacter
                    if no_type =>
                {
                    continue;
                }
                // `kind` reports these, as an unknown type.
                Code::TypeUnknown => continue,
                Code::ScopeBrackets if matches!(&*at, "/" | "\\") && !self.convention.is_type(&kind) => continue,
                Code::LeadingSpace => with_odd_space("the header begins with a space", &at),
                Code::GitmojiPrefix => format!("`{at}` is before the type"),
                Code::ScopeEmpty => "the scope is empty".into(),
                Code::ScopeUnclosed => "the scope is not closed: `)` is missing".into(),
                Code::ScopeBrackets => format!("a scope goes in parentheses, not after `{at}`"),
                Code::ScopeCharacter => format!("a scope cannot contain `{}`", at.escape_debug()),
                Code::ScopeSpace => with_odd_space("the scope begins or ends with a space", &at),
                Code::BangBeforeScope => "`!` goes before the colon, not before the scope".into(),
                Code::UnexpectedCharacter => format!("expected a colon, found `{at}`"),
                Code::SpaceBeforeScope => with_odd_space("there is a space before the scope", &at),
                Code::SpaceBeforeColon => with_odd_space("there is a space before the colon", &at),
                Code::ColonMissing if at == "：" => "this is not the ASCII colon".into(),
                Code::ColonMissing => format!("there is no colon after `{}`", self.prefix()),
                Code::ColonDoubled => "there is more than one colon".into(),
                Code::SpaceAfterColon if at.starts_with(char::is_whitespace) => {
                    with_odd_space("exactly one space belongs after the colon", &at)
                }
                Code::SpaceAfterColon => "there is no space after the colon".into(),
                Code::DescriptionEmpty => "the description is empty".into(),
                Code::BlankLineMissing => "the second line is not blank".into(),
                _ => continue,
            };
            let help = match code {
                Code::BlankLineMissing => Some("put a blank line between the header and the body".into()),
                Code::DescriptionEmpty => Some("say after the colon what the change does".into()),
                _ => None,
            };
            self.push(code, range, words).help = help;
        }
        // Without a type, other errors of the header are only noise.
        if no_type {
            self.mistakes.retain(|m| m.code == Code::BlankLineMissing || m.code == Code::LeadingSpace);
            let header = &self.message.header;
            let slip = self.message.errors.iter().find(|s| s.code == Code::TypeMissing);
            let range = if header.kind.is_empty() { slip.map(|s| s.range.clone()) } else { None };
            let range = range.unwrap_or(header.kind.clone());
            let help = if self.message.str(&header.kind) == "Revert" {
                "let `git revert` write the message, or begin with a type: `fix: ...`".into()
            } else {
                format!("begin with a type and a colon: `type: description`; {}", self.types())
            };
            self.push(Code::TypeMissing, range, "the header has no type").help = Some(help);
        }
    }

    /// The header up to where the colon belongs.
    fn prefix(&self) -> String {
        let header = &self.message.header;
        let end = header.bang.map(|b| b + 1).or(header.scope.as_ref().map(|s| s.end + 1)).unwrap_or(header.kind.end);
        self.message.str(&(header.kind.start..end.min(header.line.end))).into_owned()
    }

    fn kind(&mut self) {
        let range = self.message.header.kind.clone();
        if range.is_empty() || self.mistakes.iter().any(|m| m.code == Code::TypeMissing) {
            return;
        }
        let kind = self.message.str(&range).into_owned();
        match self.convention.match_type(&kind) {
            // Without a list of types, `feat/api/x` is still not a type.
            TypeMatch::Known if !self.message.errors.iter().any(|s| s.code == Code::TypeUnknown) => {}
            TypeMatch::Case(_) => {
                let case = format!("{:?}", self.convention.type_case).to_lowercase();
                self.push(Code::TypeCase, range, format!("the type `{kind}` is not in {case} case"));
            }
            TypeMatch::Unknown(Some(meant)) => {
                let words = format!("`{kind}` is not a type; `{meant}` is");
                let help = self.types();
                self.push(Code::TypeUnknown, range, words).help = Some(help);
            }
            TypeMatch::Unknown(None) | TypeMatch::Known => {
                let help = self.types();
                self.push(Code::TypeUnknown, range, format!("`{kind}` is not a type")).help = Some(help);
            }
        }
    }

    fn scope(&mut self) {
        if self.mistakes.iter().any(|m| m.code == Code::TypeMissing) {
            return;
        }
        let header = &self.message.header;
        let Some(range) = header.scope.clone().filter(|r| !self.message.text[r.clone()].trim().is_empty()) else {
            if self.convention.scope_required && header.scope.is_none() {
                let at = header.kind.end;
                let help = match &self.convention.scopes[..] {
                    [] => "name the part that changes: `type(scope): description`".to_owned(),
                    scopes => format!("scopes: {}", scopes.join(", ")),
                };
                self.push(Code::ScopeMissing, at..at, "there is no scope").help = Some(help);
            }
            return;
        };
        let scope = self.message.str(&range).into_owned();
        if let Some(part) = self.convention.unknown_scope(&scope) {
            let help = format!("scopes: {}", self.convention.scopes.join(", "));
            let unknown = &scope[part.clone()];
            let range = range.start + part.start..range.start + part.end;
            self.push(Code::ScopeUnknown, range, format!("`{unknown}` is not a scope here")).help = Some(help);
        } else if !self.convention.scope_case.matches(&scope) {
            let words = format!("the scope `{scope}` is not in the case that the policy requires");
            self.push(Code::ScopeCase, range, words);
        }
    }

    fn description(&mut self) {
        let header = &self.message.header;
        let (line, range) = (header.line.clone(), header.description.clone());
        let text = self.message.str(&range).into_owned();
        let typed = !self.mistakes.iter().any(|m| m.code == Code::TypeMissing);
        if text.ends_with('.') && !text.ends_with("..") {
            self.push(Code::FullStop, range.end - 1..range.end, "the description ends with a full stop");
        }
        if typed && !text.is_empty() {
            if !self.convention.description_case.matches(&text) {
                let first = range.start..range.start + text.chars().next().map_or(0, char::len_utf8);
                self.push(Code::DescriptionCase, first, "the description is not in the case that the policy requires");
            }
            self.length(
                &text,
                range.clone(),
                self.convention.description_length,
                (Code::DescriptionTooShort, Code::DescriptionTooLong),
                "description",
            );
        }
        let whole = Length { min: 0, max: self.convention.header_max };
        let text = self.message.str(&line).into_owned();
        self.length(&text, line.clone(), whole, (Code::HeaderTooLong, Code::HeaderTooLong), "header");
        let end = self.message.text[line.end..].find_byteset(b"\r\n").map_or(self.message.text.len(), |n| line.end + n);
        if self.convention.header_trim && line.end < end {
            self.push(Code::TrailingSpace, line.end..end, "the header ends with white space");
        }
    }

    /// Counts characters; the caret begins at the first one too many.
    fn length(&mut self, text: &str, range: Range<usize>, length: Length, codes: (Code, Code), what: &str) {
        // A character has at least one byte, so most texts need no counting.
        let short = length.min > 0 && text.chars().count() < length.min;
        let long = length.max.filter(|max| text.len() > *max && text.chars().count() > *max);
        if short {
            let words = format!("the {what} has fewer than {} characters", length.min);
            self.push(codes.0, range, words);
        } else if let Some(max) = long {
            let count = text.chars().count();
            let over = text.char_indices().nth(max).map_or(0, |(n, _)| n).min(range.len());
            let help = format!("shorten it to {max} characters; details belong in the body");
            let words = format!("the {what} has {count} characters, {max} are allowed");
            self.push(codes.1, range.start + over..range.end, words).help = Some(help);
        }
    }

    /// See `breaking.rs`.
    fn breaking(&mut self) {
        if let Some(mistake) = breaking::check(self.message) {
            self.mistakes.push(mistake);
        }
    }

    fn body(&mut self) {
        let (convention, message) = (self.convention, self.message);
        let end = message.header.line.end;
        if message.body.is_empty() {
            if convention.body_required {
                let help = "explain after a blank line why the change is made".to_owned();
                self.push(Code::BodyMissing, end..end, "there is no body").help = Some(help);
            }
            return;
        }
        let whole = message.body[0].start..message.body[message.body.len() - 1].end;
        let text = message.str(&whole).into_owned();
        let codes = (Code::BodyTooShort, Code::BodyTooLong);
        self.length(&text, whole.clone(), convention.body_length, codes, "body");
        for range in &message.body {
            if self.check_line_lengths(range, convention.body_line_max, Code::BodyLineTooLong) {
                break;
            }
        }
    }

    /// Reports the first line that is too long, except lines with a URL, which cannot be broken. True if there is one.
    fn check_line_lengths(&mut self, range: &Range<usize>, max: Option<usize>, code: Code) -> bool {
        let Some(max) = max else { return false };
        let mut start = range.start;
        for line in self.message.text[range.clone()].lines_with_terminator() {
            let text = line.trim_end_with(|c| matches!(c, '\r' | '\n')).to_str_lossy();
            if text.len() > max && text.chars().count() > max && !text.contains("://") {
                let over = text.char_indices().nth(max).map_or(0, |(n, _)| n);
                let range = start + over.min(line.len())..start + text.len().min(line.len());
                let words = format!("the line has {} characters, {max} are allowed", text.chars().count());
                self.push(code, range, words).help = Some("break the line".into());
                return true;
            }
            start += line.len();
        }
        false
    }

    fn footers(&mut self) {
        let (convention, message) = (self.convention, self.message);
        let end = message.text.len();
        for footer in &message.footers {
            if self.check_line_lengths(
                &(footer.token.start..footer.value.end),
                convention.footer_line_max,
                Code::FooterLineTooLong,
            ) {
                break;
            }
        }
        if let Some(range) = message.glued.clone().filter(|_| convention.footer_separated) {
            let help = "put a blank line before the footers".to_owned();
            let words = "git reads these footers as part of the body";
            self.push(Code::FooterNotSeparated, range, words).help = Some(help);
        }
        let is_token = |f: &Footer, token: &str| message.text[f.token.clone()].eq_ignore_ascii_case(token.as_bytes());
        let has = |token: &str| {
            message.footers.iter().any(|f| is_token(f, token) && !message.text[f.value.clone()].trim().is_empty())
        };
        for token in convention.footers.iter().filter(|t| !has(t)) {
            let help = format!("end the message with `{token}: ...` in a paragraph of its own");
            self.push(Code::FooterMissing, end..end, format!("there is no footer `{token}`")).help = Some(help);
        }
        if convention.signed_off_by {
            let mut signed = message.footers.iter().filter(|f| is_token(f, "Signed-off-by"));
            let names_somebody = |f: &Footer| is_name_and_address(&message.str(&f.value));
            if !signed.clone().any(names_somebody) {
                let help = "sign off with `git commit --amend --signoff`".to_owned();
                let (range, words) = match signed.next() {
                    Some(f) => {
                        (f.token.start..f.value.end, "`Signed-off-by` needs a name and an email address: `Name <a@b>`")
                    }
                    None => (end..end, "there is no `Signed-off-by`"),
                };
                self.push(Code::SignedOffByMissing, range, words).help = Some(help);
            }
        }
        if !convention.references.is_empty() && !convention.references.iter().any(|r| r.is_match(message.text)) {
            let help = "name the issue in a footer: `Refs: ...`".to_owned();
            self.push(Code::ReferenceMissing, end..end, "the message refers to no issue").help = Some(help);
        }
    }
}

/// Appends the name of an unusual space in `at` to a message.
fn with_odd_space(words: &str, at: &str) -> String {
    characters::odd_space(at).map_or_else(|| words.to_owned(), |name| format!("{words}, and this is a {name}"))
}

/// `Name <address@host>`
fn is_name_and_address(value: &str) -> bool {
    let Some((name, rest)) = value.split_once('<') else { return false };
    let address = rest.trim_end().strip_suffix('>').unwrap_or_default();
    let is_address = address.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && !address.contains(|c: char| c.is_whitespace() || c == '<' || c == '>')
    });
    !name.trim().is_empty() && is_address
}

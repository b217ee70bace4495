//! `conventional-commits`: messages follow Conventional Commits 1.0.0 and the policy's additions.
//! Owns which messages are checked and how a mistake becomes a finding. Every other file here owns one step.

mod breaking;
pub mod case;
pub mod characters;
pub mod cleanup;
pub mod codes;
pub mod convention;
mod correct;
pub mod exempt;
pub mod header;
mod options;
pub mod parse;
pub mod prefix;
pub mod validate;

use bstr::ByteSlice as _;

use self::codes::Code;
use self::convention::Convention;
use self::exempt::{Autosquash, Exemptions};
use self::validate::MessageMistake;
use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::{Findings, Origin, Violation};
use crate::options::Options;
use crate::options::scope::Branches;
use crate::subject::{Carrier, Commit, Kinds};

pub static RULE: Rule = Rule {
    id: "conventional-commits",
    looks_at: Kinds::COMMIT,
    policy: include_str!("../../../policies/conventional-commits.yml"),
    compile,
};

fn compile(options: &Options<'_>) -> Checks {
    let check = MessageCheck {
        convention: options::convention(options),
        exemptions: options::exemptions(options),
        protected: options::protected(options),
    };
    Checks { commits: vec![Box::new(check)], ..Checks::default() }
}

/// Checks the messages of commits, existing and pending.
struct MessageCheck {
    convention: Convention,
    exemptions: Exemptions,
    protected: Branches,
}

impl<'a> Check<Commit<'a>> for MessageCheck {
    fn check(&self, commit: &Commit<'a>, out: &mut Findings<'_>) -> Result<()> {
        let pending = commit.carrier == Carrier::Pending;
        if matches!(commit.carrier, Carrier::Tag(..)) || (commit.new_to.is_empty() && !pending) {
            return Ok(());
        }
        // Deceptive characters are mistakes even in exempt messages.
        let mut mistakes = characters::check(&commit.message, pending);
        let has_invisible = mistakes.iter().any(|m| m.code == Code::InvisibleCharacter);
        // An invisible character in the type already explains why it is unknown.
        mistakes.extend(self.validate(commit)?.into_iter().filter(|m| !has_invisible || m.code != Code::TypeUnknown));
        validate::add_suggestions(&commit.message, &self.convention, &mut mistakes);
        let header = parse::header_line(&commit.message);
        for mistake in mistakes {
            out.push(violation(mistake, commit, &commit.message[header.clone()]));
        }
        Ok(())
    }
}

impl MessageCheck {
    /// The message's mistakes; none if it is exempt.
    fn validate(&self, commit: &Commit<'_>) -> Result<Vec<MessageMistake>> {
        if commit.parents.len() > 1 {
            return Ok(Vec::new());
        }
        let line = parse::header_line(&commit.message);
        let header = &commit.message[line.clone()];
        let mistakes = match exempt::autosquash(commit, header.as_bstr(), &self.protected) {
            Some((_, Autosquash::Allowed)) => Vec::new(),
            Some((length, Autosquash::Left)) => vec![validate::autosquash_left(line.start..line.start + length)],
            Some((length, Autosquash::NotRead)) => {
                let at = line.start + length;
                vec![validate::autosquash_not_read(at..line.end.min(at + 1))]
            }
            None => validate::validate(&commit.message, &self.convention),
        };
        let exempt = !mistakes.is_empty() && self.exemptions.apply(commit, header)?;
        Ok(if exempt { Vec::new() } else { mistakes })
    }
}

fn violation<'c>(mistake: MessageMistake, commit: &'c Commit<'_>, header: &[u8]) -> Violation<'c> {
    let oid = match &commit.carrier {
        Carrier::Commit(oid) => Some(*oid),
        Carrier::Pending | Carrier::Tag(..) => None,
    };
    // The tree identifies the commit across amended messages; the header identifies it across rebases.
    let object = commit.tree.or(oid);
    let identity = [header, object.as_ref().map_or(&b""[..], |o| o.as_bytes())];
    let code: Code = mistake.code;
    let mut violation =
        Violation::new(code.rule(), code.severity(), Origin::Message { commit: oid }, &commit.message, mistake.range)
            .message(mistake.message)
            .identity(identity);
    let line = mistake.suggestion.as_ref().map(|s| format!("write: `{s}`"));
    let help: Vec<String> = line.into_iter().chain(mistake.help).collect();
    if !help.is_empty() {
        violation = violation.help(help.join("\n"));
    }
    match mistake.suggestion {
        Some(suggestion) => violation.suggestion(suggestion),
        None => violation,
    }
}

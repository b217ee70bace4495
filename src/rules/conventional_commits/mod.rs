//! `conventional-commits`: messages keep to Conventional Commits 1.0.0 and to what the policy adds to it.
//! Owns which messages are judged and how a mistake becomes a finding; each file beside it owns one step.

mod breaking;
pub mod case;
pub mod characters;
pub mod cleanup;
pub mod codes;
pub mod convention;
mod correct;
pub mod exempt;
pub mod header;
pub mod judge;
mod options;
pub mod parse;
pub mod prefix;

use bstr::ByteSlice;

use self::codes::Code;
use self::convention::Convention;
use self::exempt::{Autosquash, Exemptions};
use self::judge::Mistake;
use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::{Findings, Origin, Violation};
use crate::policy::Options;
use crate::policy::scope::Branches;
use crate::subject::{Carrier, Commit, Kinds};

pub static RULE: Rule = Rule {
    id: "conventional-commits",
    looks_at: Kinds::COMMIT,
    policy: include_str!("../../../policies/conventional-commits.yml"),
    compile,
};

fn compile(options: &Options<'_>) -> Checks {
    let check = Message {
        convention: options::convention(options),
        exemptions: options::exemptions(options),
        protected: options::protected(options),
    };
    Checks { commits: vec![Box::new(check)], ..Checks::default() }
}

/// Judges the messages of commits, made and pending.
struct Message {
    convention: Convention,
    exemptions: Exemptions,
    protected: Branches,
}

impl<'a> Check<Commit<'a>> for Message {
    fn check(&self, commit: &Commit<'a>, out: &mut Findings<'_>) -> Result<()> {
        let pending = commit.carrier == Carrier::Pending;
        if matches!(commit.carrier, Carrier::Tag(..)) || (commit.new_to.is_empty() && !pending) {
            return Ok(());
        }
        // No exemption lets characters through that make a message look other than it is.
        let mut mistakes = characters::judge(&commit.message, pending);
        let unseen = mistakes.iter().any(|m| m.code == Code::InvisibleCharacter);
        // A word that holds a character nobody sees is not unknown as well.
        mistakes.extend(self.shape(commit)?.into_iter().filter(|m| !unseen || m.code != Code::TypeUnknown));
        judge::correct(&commit.message, &self.convention, &mut mistakes);
        let header = parse::header_line(&commit.message);
        for mistake in mistakes {
            out.push(violation(mistake, commit, &commit.message[header.clone()]));
        }
        Ok(())
    }
}

impl Message {
    /// Mistakes of the message's shape; none where it is exempt.
    fn shape(&self, commit: &Commit<'_>) -> Result<Vec<Mistake>> {
        if commit.parents.len() > 1 {
            return Ok(Vec::new());
        }
        let line = parse::header_line(&commit.message);
        let header = &commit.message[line.clone()];
        let mistakes = match exempt::autosquash(commit, header.as_bstr(), &self.protected) {
            Some((_, Autosquash::Allowed)) => Vec::new(),
            Some((length, Autosquash::Left)) => vec![judge::autosquash_left(line.start..line.start + length)],
            Some((length, Autosquash::NotRead)) => {
                let at = line.start + length;
                vec![judge::autosquash_not_read(at..line.end.min(at + 1))]
            }
            None => judge::judge(&commit.message, &self.convention),
        };
        let exempt = !mistakes.is_empty() && self.exemptions.hold(commit, header)?;
        Ok(if exempt { Vec::new() } else { mistakes })
    }
}

fn violation<'c>(mistake: Mistake, commit: &'c Commit<'_>, header: &[u8]) -> Violation<'c> {
    let oid = match &commit.carrier {
        Carrier::Commit(oid) => Some(*oid),
        Carrier::Pending | Carrier::Tag(..) => None,
    };
    // An amended message of the same tree is the same place; a rebased commit is found by its header.
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

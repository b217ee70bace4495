//! From verdicts to findings: codes, severities, words, carets. Owns the direction of severity: what is new reaches the
//! lower environment first, and a hotfix must not wait for it.

use std::ops::Range;

use super::compare::{Row, asked, rows};
use super::keys::Key;
use super::markers;
use super::model::{Kind, Requirement, Verdict};
use super::settings::{Opaque, Settings, Source};
use super::side::{Gap, Side, Text};
use super::sources::Variable;
use crate::finding::{Findings, Origin, Place, Severity, Violation};
use crate::text::line_around;

/// One source's findings.
pub struct Tell<'s> {
    pub settings: &'s Settings,
    pub source: &'s Source,
    /// The sides before the change.
    pub earlier: &'s [Side],
    /// There is a tree before the change.
    pub before: bool,
}

/// What is to be said, before it is made into a violation.
struct Said {
    code: &'static str,
    severity: Severity,
    message: String,
    help: String,
    /// Identity, beside source and pair.
    key: String,
}

impl<'s> Tell<'s> {
    /// Everything about the sides that stand in the judged tree.
    pub fn all(&self, sides: &[Side], out: &mut Findings<'_>) {
        for side in sides.iter().filter(|s| s.here) {
            self.unreadable(side, out);
            for variable in side.variables.values() {
                self.names_another(side, variable, out);
            }
        }
        for (low, high) in &self.settings.pairs {
            let side = |n: usize| sides.iter().find(|s| s.environment == n);
            if let (Some(low), Some(high)) = (side(*low), side(*high))
                && (low.here || high.here)
            {
                self.pair([low, high], out);
            }
        }
    }

    fn name(&self, side: &Side) -> &'s str {
        &self.settings.environments[side.environment].name
    }

    fn pair(&self, sides: [&Side; 2], out: &mut Findings<'_>) {
        if sides.iter().any(|s| s.gap.is_some()) {
            return self.gap(sides, out);
        }
        if sides.iter().any(|s| s.texts.iter().any(|t| t.broken)) {
            return;
        }
        for row in rows(self.settings, self.source, sides[0], sides[1]) {
            self.row(sides, &row, out);
        }
    }

    /// One side cannot be compared because it is not there.
    fn gap(&self, sides: [&Side; 2], out: &mut Findings<'_>) {
        let source = self.source;
        let names = sides.map(|s| self.name(s));
        let refs = sides.iter().find_map(|s| if let Some(Gap::NoRef(r)) = &s.gap { Some(r) } else { None });
        let missing = sides.iter().position(|s| s.gap.is_some()).unwrap_or(0);
        let shown = source.places[sides[missing].environment].as_ref().map(|p| p.shown()).unwrap_or_default();
        let said = match refs {
            Some(reference) => Said {
                code: "divergence/not-comparable",
                severity: Severity::Note,
                message: format!(
                    "{} and {} of `{}` are not comparable: there is no ref {reference} here",
                    names[0], names[1], source.id
                ),
                help: format!("git fetch origin {reference}"),
                key: names.join("-"),
            },
            None if sides.iter().all(|s| s.gap.is_some()) => Said {
                code: "divergence/missing-file",
                severity: Severity::Warning,
                message: format!("source `{}` has no file in {} nor in {}", source.id, names[0], names[1]),
                help: format!("look at the source's paths in the policy: {shown} names no file"),
                key: names.join("-"),
            },
            None => {
                let removed = missing == 1 && self.had_files(sides[1]);
                Said {
                    code: "divergence/missing-file",
                    severity: self.waiting(removed),
                    message: format!(
                        "source `{}` has no file in {}, but one in {}",
                        source.id,
                        names[missing],
                        names[1 - missing]
                    ),
                    help: format!("add {shown}, or take the environment out of the source"),
                    key: names.join("-"),
                }
            }
        };
        let there = sides.into_iter().find(|s| s.here).and_then(|s| s.texts.first());
        match there {
            Some(text) => self.at(said, out, || (text, 0..line_around(&text.bytes, 0).end, None)),
            None => self.in_policy(said, out),
        }
    }

    fn had_files(&self, side: &Side) -> bool {
        self.earlier.iter().any(|s| s.environment == side.environment && s.here && !s.texts.is_empty())
    }

    /// The severity of what is missing in the higher environment.
    fn waiting(&self, broken_now: bool) -> Severity {
        if broken_now || self.settings.strict { Severity::Error } else { Severity::Warning }
    }

    fn row(&self, sides: [&Side; 2], row: &Row<'_>, out: &mut Findings<'_>) {
        if row.verdict == Verdict::Ok && !row.attribute_differs && row.unexpected == [false; 2] {
            return;
        }
        let names = sides.map(|s| self.name(s));
        let key = &row.key;
        // The higher environment's value where it stands in the judged tree, else the lower one's.
        let at = if sides[1].here && row.sides[1].is_some() { 1 } else { 0 };
        let at = if row.sides[at].is_none() || (!sides[at].here && row.sides[1 - at].is_some()) { 1 - at } else { at };
        let mut say = |at: usize, code, severity, message: String, help: &str| {
            let said =
                Said { code, severity, message, help: help.to_owned(), key: format!("{}:{key}", names.join("-")) };
            let Some(variable) = row.sides[at] else { return };
            let other = row.sides[1 - at].map(|v| place(&sides[1 - at].texts[v.text], v));
            self.at(said, out, || (&sides[at].texts[variable.text], variable.span.clone(), other.clone()));
        };
        if row.attribute_differs {
            let message = format!("`{key}` is of another type, or secret in only one of {} and {}", names[0], names[1]);
            say(
                at,
                "divergence/kind-differs",
                Severity::Error,
                message,
                "make both the same: secret or not, and of one type",
            );
        }
        for n in [0, 1] {
            if row.unexpected[n] && sides[n].here {
                let message = format!("`{key}` in {} is not the value that the policy expects", names[n]);
                say(
                    n,
                    "divergence/expected",
                    Severity::Error,
                    message,
                    "set the value that `expect` names, or change the policy",
                );
            }
        }
        let both = format!("{} and {}", names[0], names[1]);
        match row.verdict {
            Verdict::Ok => {}
            Verdict::Opaque => {
                let severity = match self.settings.opaque {
                    Opaque::Allow => return,
                    Opaque::Note => Severity::Note,
                    Opaque::Deny => Severity::Error,
                };
                let message = format!("`{key}` cannot be compared: its values in {both} are out of sight");
                say(
                    at,
                    "divergence/opaque",
                    severity,
                    message,
                    "compare them by hand; `opaque: allow` says nothing, `opaque: deny` refuses",
                );
            }
            Verdict::Same => {
                let what = match row.sides[at].map(|v| v.value.kind) {
                    Some(Kind::Deterministic) => "has the same secret under the same key",
                    Some(Kind::Randomised) => "was copied: its ciphertext is byte for byte the same",
                    Some(Kind::Reference) => "leads to the same place",
                    _ => "has the same value",
                };
                let message = format!("`{key}` {what} in {both}, and must differ");
                say(at, "divergence/must-differ", Severity::Error, message, "give each environment a value of its own");
            }
            Verdict::Differs => {
                let message = format!("`{key}` differs between {both}, and must match");
                say(
                    at,
                    "divergence/must-match",
                    Severity::Error,
                    message,
                    "make both the same, or say `rule: may_differ` for the key in the policy",
                );
            }
            Verdict::KindDiffers => {
                let kinds = row.sides.map(|v| v.map_or(Kind::Absent, |v| v.value.kind).name());
                let message =
                    format!("`{key}` is {} in {} and {} in {}, and must match", kinds[0], names[0], kinds[1], names[1]);
                say(
                    at,
                    "divergence/kind-differs",
                    Severity::Error,
                    message,
                    "keep it the same way in both, or say `rule: must_differ` for the key in the policy",
                );
            }
            Verdict::Noted => {
                let message = format!("`{key}` differs between {both}");
                say(
                    at,
                    "divergence/differs",
                    Severity::Note,
                    message,
                    "say in the policy what is meant: must_differ, must_match or may_differ",
                );
            }
            Verdict::Missing => self.missing(sides, row, &mut say),
            Verdict::Placeholder => {
                for n in [1, 0] {
                    let Some(variable) = row.sides[n].filter(|_| sides[n].here) else { continue };
                    let what = match variable.value.kind {
                        Kind::Empty => "is empty",
                        Kind::Placeholder => "still is a placeholder",
                        _ => continue,
                    };
                    let message = format!("`{key}` {what} in {}", names[n]);
                    say(
                        n,
                        "divergence/placeholder",
                        Severity::Error,
                        message,
                        "fill it in, or say `rule: ignore` for the key in the policy",
                    );
                }
            }
            Verdict::Elsewhere => {
                let Requirement::OnlyIn(allowed) = row.requirement else { return };
                for n in [0, 1] {
                    if row.sides[n].is_some() && sides[n].here && !allowed.iter().any(|e| e == names[n]) {
                        let message = format!("`{key}` is in {}, and belongs only in {}", names[n], allowed.join(", "));
                        say(n, "divergence/only-in", Severity::Error, message, "take it out here");
                    }
                }
            }
        }
    }

    fn missing(
        &self,
        sides: [&Side; 2],
        row: &Row<'_>,
        say: &mut dyn FnMut(usize, &'static str, Severity, String, &str),
    ) {
        let names = sides.map(|s| self.name(s));
        let gone = usize::from(row.sides[0].is_some());
        let at = 1 - gone;
        let key = row.key;
        if *row.requirement == Requirement::Report {
            let message = format!("`{key}` is in {} only", names[at]);
            return say(at, "divergence/differs", Severity::Note, message, "say in the policy what is meant");
        }
        let message = format!("`{key}` is in {}, and missing in {}", names[at], names[gone]);
        let help = "add it there, or say `rule: only_in` for the key in the policy";
        let severity = match gone {
            1 => self.waiting(self.removed(sides[1], key) || self.newly_referred(sides[1], key)),
            _ => self.waiting(false),
        };
        say(at, "divergence/missing", severity, message, help);
    }

    fn earlier(&self, side: &Side) -> Option<&'s Side> {
        self.earlier.iter().find(|s| s.environment == side.environment && side.here)
    }

    /// The change itself takes the key out of production.
    fn removed(&self, side: &Side, key: &str) -> bool {
        self.earlier(side).is_some_and(|s| s.variables.contains_key(key))
    }

    /// The change brings a reference to a key that production does not have.
    fn newly_referred(&self, side: &Side, key: &str) -> bool {
        let refers = |s: &Side| s.refers_to(key);
        self.before && side.here && refers(side) && !self.earlier(side).is_some_and(refers)
    }

    /// A value that names another environment, and not its own.
    fn names_another(&self, side: &Side, variable: &Variable, out: &mut Findings<'_>) {
        let environments = &self.settings.environments;
        let own = &environments[side.environment];
        let partners = self.settings.pairs.iter().filter_map(|(a, b)| match side.environment {
            n if n == *a => Some(*b),
            n if n == *b => Some(*a),
            _ => None,
        });
        let other = partners
            .into_iter()
            .find(|n| markers::names_other(&variable.value, &environments[*n].aliases, &own.aliases));
        let Some(other) = other else { return };
        let (requirement, expected) = asked(self.settings, self.source, variable);
        if expected || *requirement == Requirement::Ignore {
            return;
        }
        let said = Said {
            code: "divergence/other-environment",
            severity: Severity::Error,
            message: format!("`{}` of {} names {}", variable.key, own.name, environments[other].name),
            help: "point it at its own environment, or say `rule: ignore` for the key in the policy".into(),
            key: format!("{}:{}", own.name, variable.key),
        };
        self.at(said, out, || (&side.texts[variable.text], variable.span.clone(), None));
    }

    fn unreadable(&self, side: &Side, out: &mut Findings<'_>) {
        for text in &side.texts {
            let severity = if text.broken { Severity::Error } else { Severity::Warning };
            for mistake in &text.mistakes {
                let said = Said {
                    code: "divergence/unreadable",
                    severity,
                    message: mistake.message.clone(),
                    help: "mend the file: what cannot be read cannot be compared".into(),
                    key: format!("{}:{}", text.path, mistake.message),
                };
                self.at(said, out, || (text, mistake.span.clone(), None));
            }
        }
    }

    /// A finding in a file, with nothing of the line's values in it.
    fn at<'t>(&self, said: Said, out: &mut Findings<'_>, at: impl FnOnce() -> (&'t Text, Range<usize>, Option<Place>)) {
        let (text, span, other) = at();
        let origin = Origin::File { path: text.path.clone(), commit: None, blob: text.blob };
        let violation = self.violation(said, origin, &text.bytes, span.clone());
        let violation = violation.hide(span.clone()).hide_all(hidden(text, &span));
        out.push(match other {
            Some(place) => violation.also(place),
            None => violation,
        });
    }

    /// A finding on the source as a whole.
    fn in_policy(&self, said: Said, out: &mut Findings<'_>) {
        let Source { file, span, .. } = self.source;
        let origin = Origin::Policy { path: file.path.clone() };
        out.push(self.violation(said, origin, &file.bytes, span.clone()));
    }

    fn violation<'v>(&self, said: Said, origin: Origin, text: &'v [u8], span: Range<usize>) -> Violation<'v> {
        let key = said.key.split_once(':').map_or(said.key.as_str(), |(_, key)| key);
        // A key that was missing as a warning, and that the change makes an error, did not stand before it.
        let worse: &[u8] =
            if said.code == "divergence/missing" && said.severity == Severity::Error { b"now" } else { b"" };
        Violation::new(said.code, said.severity, origin, text, span)
            .message(said.message)
            .help(said.help)
            .identity([self.source.id.as_bytes(), said.key.as_bytes(), worse])
            .key(format!("{}/{key}", self.source.id))
    }
}

fn place(text: &Text, variable: &Variable) -> Place {
    let path = match &text.reference {
        Some(reference) => format!("{reference}:{}", text.path).into(),
        None => text.path.clone(),
    };
    let line = memchr::memchr_iter(b'\n', &text.bytes[..variable.key_span.start.min(text.bytes.len())]).count() + 1;
    Place { path, commit: None, line }
}

/// How far around a finding an excerpt may reach.
const NEAR: usize = 1024;

/// Every value near a finding; of a file that is no good, the whole line.
fn hidden(text: &Text, span: &Range<usize>) -> Vec<Range<usize>> {
    if !text.mistakes.is_empty() {
        let mut line = line_around(&text.bytes, span.start);
        line.end = line.end.max(span.end);
        return vec![line];
    }
    let near = span.start.saturating_sub(NEAR)..span.end.saturating_add(NEAR);
    text.values.iter().filter(|v| v.start < near.end && near.start < v.end).cloned().collect()
}

/// An entry of `keys` that counts no longer.
pub fn expired(key: &Key) -> Violation<'_> {
    let origin = Origin::Policy { path: key.file.path.clone() };
    let until = key.until.map(|d| d.to_string()).unwrap_or_default();
    Violation::new("divergence/expired", Severity::Error, origin, &key.file.bytes, key.span.clone())
        .message(format!("this entry of `keys` ended on {until} and counts no longer"))
        .help("settle the difference and remove the entry, or give it a new date")
}

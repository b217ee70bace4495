//! From verdicts to findings: codes, severities, messages, carets. Owns the direction of severity: a new variable reaches
//! the lower environment first, and a hotfix must not wait for it.

use std::ops::Range;

use super::compare::{Row, asked, rows};
use super::keys::Key;
use super::markers;
use super::model::{Kind, Requirement, Verdict};
use super::settings::{Opaque, Settings, Source};
use super::shared;
use super::side::{Gap, Side};
use super::sources::Variable;
use crate::finding::{Findings, Location, Origin, Severity, Violation};
use crate::manifests::{self, SourceFile};
use crate::text::line_around;

/// Reports one source's findings.
pub struct Reporter<'s> {
    pub settings: &'s Settings,
    pub source: &'s Source,
    /// The sides before the change.
    pub earlier: &'s [Side],
    /// There is a tree before the change.
    pub before: bool,
}

/// A finding before it has a place.
struct Draft {
    code: &'static str,
    severity: Severity,
    message: String,
    help: String,
    /// Identity, beside source and pair.
    key: String,
}

impl<'s> Reporter<'s> {
    /// Everything about the sides that stand in the judged tree.
    pub fn all(&self, sides: &[Side], out: &mut Findings<'_>) {
        for side in sides.iter().filter(|s| s.here) {
            self.unreadable(side, out);
            for variable in side.variables.values() {
                self.names_another(side, variable, out);
                self.payment_mode(side, variable, out);
            }
            self.unseen(side, out);
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
        if sides.iter().any(|s| s.broken().is_some()) {
            return;
        }
        for row in rows(self.settings, self.source, sides[0], sides[1]) {
            self.row(sides, &row, out);
            self.shared(sides, &row, out);
        }
    }

    /// One side cannot be compared because it is not there.
    fn gap(&self, sides: [&Side; 2], out: &mut Findings<'_>) {
        let source = self.source;
        let names = sides.map(|s| self.name(s));
        let refs = sides.iter().find_map(|s| if let Some(Gap::NoRef(r)) = &s.gap { Some(r) } else { None });
        let missing = sides.iter().position(|s| s.gap.is_some()).unwrap_or(0);
        let shown = source.locations[sides[missing].environment].as_ref().map(|p| p.shown()).unwrap_or_default();
        let draft = match refs {
            Some(reference) => Draft {
                code: "divergence/not-comparable",
                severity: Severity::Note,
                message: format!(
                    "{} and {} of `{}` are not comparable: there is no ref {reference} here",
                    names[0], names[1], source.id
                ),
                help: format!("git fetch origin {reference}"),
                key: names.join("-"),
            },
            None if sides.iter().all(|s| s.gap.is_some()) => Draft {
                code: "divergence/missing-file",
                severity: Severity::Warning,
                message: format!("source `{}` has no file in {} nor in {}", source.id, names[0], names[1]),
                help: format!("look at the source's paths in the policy: {shown} names no file"),
                key: names.join("-"),
            },
            None => {
                let removed = missing == 1 && self.had_files(sides[1]);
                Draft {
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
        let there = sides.into_iter().find(|s| s.here).and_then(|s| s.files.first());
        match there {
            Some(file) => self.at(draft, out, file, 0..line_around(&file.bytes, 0).end, None),
            None => self.in_policy(draft, out),
        }
    }

    fn had_files(&self, side: &Side) -> bool {
        self.earlier.iter().any(|s| s.environment == side.environment && s.here && !s.files.is_empty())
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
            let draft =
                Draft { code, severity, message, help: help.to_owned(), key: format!("{}:{key}", names.join("-")) };
            let Some(variable) = row.sides[at] else { return };
            let other = row.sides[1 - at].map(|v| place(sides[1 - at], v));
            self.at(draft, out, &variable.file, variable.span.clone(), other);
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
        let names = |n: &usize| markers::names_other(&variable.value, &environments[*n].aliases, &own.aliases);
        let other = (0..environments.len()).filter(|n| *n != side.environment).find(names);
        let Some(other) = other else { return };
        let (requirement, expected) = asked(self.settings, self.source, variable);
        if expected || *requirement == Requirement::Ignore {
            return;
        }
        let draft = Draft {
            code: "divergence/other-environment",
            severity: Severity::Error,
            message: format!("`{}` of {} names {}", variable.key, own.name, environments[other].name),
            help: "point it at its own environment, or say `rule: ignore` for the key in the policy".into(),
            key: format!("{}:{}", own.name, variable.key),
        };
        self.at(draft, out, &variable.file, variable.span.clone(), None);
    }

    /// A key of a payment provider says itself whether money moves: production takes none with a test key, and staging
    /// takes real money with a live one.
    fn payment_mode(&self, side: &Side, variable: &Variable, out: &mut Findings<'_>) {
        let environments = &self.settings.environments;
        let is_production = side.environment + 1 == environments.len();
        let wrong = match shared::payment_mode(&variable.value) {
            Some(shared::Mode::Test) => is_production,
            Some(shared::Mode::Live) => !is_production,
            None => false,
        };
        let (requirement, expected) = asked(self.settings, self.source, variable);
        if !wrong || expected || *requirement == Requirement::Ignore {
            return;
        }
        let name = &environments[side.environment].name;
        let mode = if is_production { "test" } else { "live" };
        let draft = Draft {
            code: "divergence/payment-mode",
            severity: Severity::Error,
            message: format!("`{}` of {name} is for a payment provider's {mode} mode", variable.key),
            help: match is_production {
                true => "set the provider's live key or address here".into(),
                false => "set the provider's test key or address here, and revoke the live one if it leaked".into(),
            },
            key: format!("{name}:{}", variable.key),
        };
        self.at(draft, out, &variable.file, variable.span.clone(), None);
    }

    /// A webhook, bucket, database or queue that both environments use, though no entry of `keys` speaks of it.
    fn shared(&self, sides: [&Side; 2], row: &Row<'_>, out: &mut Findings<'_>) {
        let [Some(low), Some(high)] = row.sides else { return };
        let equal = low.value.kind == Kind::Plain && low.value == high.value;
        if !equal || row.declared {
            return;
        }
        let Some(what) = shared::resource(&high.name, &high.value) else { return };
        let (at, other) = if sides[1].here { (1, low) } else { (0, high) };
        let names = sides.map(|s| self.name(s));
        let (source, key) = (&self.source.id, row.key);
        let draft = Draft {
            code: "divergence/shared",
            severity: Severity::Warning,
            message: format!("`{key}` is the same {what} in {} and {}", names[0], names[1]),
            help: format!("give each its own, and declare it: {{ match: [\"{source}/{key}\"], rule: must_differ }}"),
            key: format!("{}:{key}", names.join("-")),
        };
        let variable = if at == 1 { high } else { low };
        let also = place(sides[1 - at], other);
        self.at(draft, out, &variable.file, variable.span.clone(), Some(also));
    }

    /// Parts of what is deployed that this repository does not hold.
    fn unseen(&self, side: &Side, out: &mut Findings<'_>) {
        for (file, unseen) in &side.unseen {
            let what = match unseen.gap {
                manifests::Gap::Remote => "is not in this repository, and was not compared",
                manifests::Gap::Missing => "is not here, and was not compared",
                manifests::Gap::Failed => "so a part was not compared",
            };
            let draft = Draft {
                code: "divergence/not-seen",
                severity: Severity::Note,
                message: format!("{}: {what}", unseen.what),
                help: "compare it by hand, or keep what it holds in this repository".into(),
                key: format!("{}:{}", self.name(side), unseen.what),
            };
            self.at(draft, out, file, file.local(&unseen.span), None);
        }
    }

    fn unreadable(&self, side: &Side, out: &mut Findings<'_>) {
        for (file, mistake) in &side.mistakes {
            let draft = Draft {
                code: "divergence/unreadable",
                severity: if file.is_broken() { Severity::Error } else { Severity::Warning },
                message: mistake.message.clone(),
                help: "correct the file: what cannot be read cannot be compared".into(),
                key: format!("{}:{}", file.path, mistake.message),
            };
            self.at(draft, out, file, mistake.span.clone(), None);
        }
    }

    /// A finding in a file, with none of the values near it shown.
    fn at(&self, draft: Draft, out: &mut Findings<'_>, file: &SourceFile, span: Range<usize>, other: Option<Location>) {
        let origin = Origin::File { path: file.path.clone(), commit: None, blob: file.blob };
        let violation = self.violation(draft, origin, &file.bytes, span.clone());
        let violation = violation.hide(span.clone()).hide_all(hidden(file, &span));
        out.push(match other {
            Some(place) => violation.also(place),
            None => violation,
        });
    }

    /// A finding on the source as a whole.
    fn in_policy(&self, draft: Draft, out: &mut Findings<'_>) {
        let Source { file, span, .. } = self.source;
        let origin = Origin::Policy { path: file.path.clone() };
        out.push(self.violation(draft, origin, &file.bytes, span.clone()));
    }

    fn violation<'v>(&self, draft: Draft, origin: Origin, text: &'v [u8], span: Range<usize>) -> Violation<'v> {
        let key = draft.key.split_once(':').map_or(draft.key.as_str(), |(_, key)| key);
        // A key that was missing as a warning, and that the change makes an error, did not stand before it.
        let worse: &[u8] =
            if draft.code == "divergence/missing" && draft.severity == Severity::Error { b"now" } else { b"" };
        Violation::new(draft.code, draft.severity, origin, text, span)
            .message(draft.message)
            .help(draft.help)
            .identity([self.source.id.as_bytes(), draft.key.as_bytes(), worse])
            .key(format!("{}/{key}", self.source.id))
    }
}

fn place(side: &Side, variable: &Variable) -> Location {
    let file = &variable.file;
    let path = match &side.reference {
        Some(reference) => format!("{reference}:{}", file.path).into(),
        None => file.path.clone(),
    };
    let line = memchr::memchr_iter(b'\n', &file.bytes[..variable.key_span.start.min(file.bytes.len())]).count() + 1;
    Location { path, commit: None, line }
}

/// How far around a finding an excerpt may reach.
const NEAR: usize = 1024;

/// Every value near a finding; of a file with mistakes, the whole line.
fn hidden(file: &SourceFile, span: &Range<usize>) -> Vec<Range<usize>> {
    if !file.mistakes.is_empty() || markers::is_sealed(&file.bytes) {
        let mut line = line_around(&file.bytes, span.start);
        line.end = line.end.max(span.end);
        return vec![line];
    }
    let near = span.start.saturating_sub(NEAR)..span.end.saturating_add(NEAR);
    file.scalars().iter().filter(|v| v.start < near.end && near.start < v.end).cloned().collect()
}

/// An entry of `keys` that counts no longer.
pub fn expired(key: &Key) -> Violation<'_> {
    let origin = Origin::Policy { path: key.file.path.clone() };
    let until = key.until.map(|d| d.to_string()).unwrap_or_default();
    Violation::new("divergence/expired", Severity::Error, origin, &key.file.bytes, key.span.clone())
        .message(format!("this entry of `keys` ended on {until} and counts no longer"))
        .help("settle the difference and remove the entry, or give it a new date")
}

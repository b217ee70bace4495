//! Turns verdicts into findings: codes, severities, messages, spans. Owns the direction of severity: a new variable reaches
//! the lower environment first and must not block a hotfix.

use super::classify;
use super::compare::{ComparisonRow, requirement_for, rows};
use super::draft::{Draft, place};
use super::environment_values;
use super::model::{KeyVerdict, Requirement, ValueKind};
use super::settings::{DivergenceSettings, OpaqueAction, VariableSource};
use super::side::{MissingSide, Side};
use super::sources::Variable;
use crate::finding::{Findings, Severity};
use crate::manifests;
use crate::text::line_around;

/// Reports one source's findings.
pub struct Reporter<'s> {
    pub settings: &'s DivergenceSettings,
    pub source: &'s VariableSource,
    /// The sides before the change, if needed.
    pub earlier: &'s [Side],
    /// There is a tree before the change.
    pub before: bool,
}

impl<'s> Reporter<'s> {
    /// Reports all findings about the sides in the checked tree.
    pub fn report_all(&self, sides: &[Side], out: &mut Findings<'_>) {
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

    /// Reports that one side is missing, so that the pair cannot be compared.
    fn gap(&self, sides: [&Side; 2], out: &mut Findings<'_>) {
        let source = self.source;
        let names = sides.map(|s| self.name(s));
        let refs = sides.iter().find_map(|s| if let Some(MissingSide::NoRef(r)) = &s.gap { Some(r) } else { None });
        let missing = sides.iter().position(|s| s.gap.is_some()).unwrap_or(0);
        let shown = source.locations[sides[missing].environment].as_ref().map(|p| p.shown()).unwrap_or_default();
        let draft = match refs {
            Some(reference) => Draft {
                code: "divergence/not-comparable",
                severity: Severity::Note,
                message: format!(
                    "{} and {} of `{}` cannot be compared: there is no ref {reference} here",
                    names[0], names[1], source.id
                ),
                help: format!("git fetch origin {reference}"),
                key: names.join("-"),
            },
            None if sides.iter().all(|s| s.gap.is_some()) => Draft {
                code: "divergence/missing-file",
                severity: Severity::Warning,
                message: format!("source `{}` has no file in {} or {}", source.id, names[0], names[1]),
                help: format!("correct the source's paths in the policy: {shown} matches no file"),
                key: names.join("-"),
            },
            None => {
                let removed = missing == 1 && self.had_files(sides[1]);
                Draft {
                    code: "divergence/missing-file",
                    severity: self.missing_severity(removed),
                    message: format!(
                        "source `{}` has no file in {}, but one in {}",
                        source.id,
                        names[missing],
                        names[1 - missing]
                    ),
                    help: format!("add {shown}, or remove the environment from the source"),
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

    /// The severity of something missing in the higher environment.
    fn missing_severity(&self, broken_now: bool) -> Severity {
        if broken_now || self.settings.strict { Severity::Error } else { Severity::Warning }
    }

    fn row(&self, sides: [&Side; 2], row: &ComparisonRow<'_>, out: &mut Findings<'_>) {
        if row.verdict == KeyVerdict::Ok && !row.attribute_differs && row.unexpected == [false; 2] {
            return;
        }
        let names = sides.map(|s| self.name(s));
        let key = &row.key;
        // Point at the higher environment's value if it is in the checked tree, else at the lower one's.
        let at = if sides[1].here && row.sides[1].is_some() { 1 } else { 0 };
        let at = if row.sides[at].is_none() || (!sides[at].here && row.sides[1 - at].is_some()) { 1 - at } else { at };
        let mut report = |at: usize, code, severity, message: String, help: &str| {
            let draft =
                Draft { code, severity, message, help: help.to_owned(), key: format!("{}:{key}", names.join("-")) };
            let Some(variable) = row.sides[at] else { return };
            let other = row.sides[1 - at].map(|v| place(sides[1 - at], v));
            self.at(draft, out, &variable.file, variable.span.clone(), other);
        };
        if row.attribute_differs {
            let message =
                format!("`{key}` has different types in {} and {}, or is secret in only one", names[0], names[1]);
            report(
                at,
                "divergence/kind-differs",
                Severity::Error,
                message,
                "give both the same type, and make both secret or neither",
            );
        }
        for n in [0, 1] {
            if row.unexpected[n] && sides[n].here {
                let message = format!("`{key}` in {} is not the value that the policy expects", names[n]);
                report(
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
            KeyVerdict::Ok => {}
            KeyVerdict::Opaque => {
                let severity = match self.settings.opaque {
                    OpaqueAction::Allow => return,
                    OpaqueAction::Note => Severity::Note,
                    OpaqueAction::Deny => Severity::Error,
                };
                let message = format!("`{key}` cannot be compared: its values in {both} are encrypted or external");
                report(
                    at,
                    "divergence/opaque",
                    severity,
                    message,
                    "compare them by hand, or set `opaque: allow` in the policy",
                );
            }
            KeyVerdict::Same => {
                let what = match row.sides[at].map(|v| v.value.kind) {
                    Some(ValueKind::Deterministic) => "has the same secret under the same key",
                    Some(ValueKind::Randomised) => "was copied: its ciphertext is byte for byte the same",
                    Some(ValueKind::Reference) => "resolves to the same value",
                    _ => "has the same value",
                };
                let message = format!("`{key}` {what} in {both}, but must differ");
                report(at, "divergence/must-differ", Severity::Error, message, "give each environment its own value");
            }
            KeyVerdict::Differs => {
                let message = format!("`{key}` differs between {both}, but must match");
                report(
                    at,
                    "divergence/must-match",
                    Severity::Error,
                    message,
                    "make both equal, or set `rule: may_differ` for the key in the policy",
                );
            }
            KeyVerdict::KindDiffers => {
                let kinds = row.sides.map(|v| v.map_or(ValueKind::Absent, |v| v.value.kind).name());
                let message =
                    format!("`{key}` is {} in {} and {} in {}, but must match", kinds[0], names[0], kinds[1], names[1]);
                report(
                    at,
                    "divergence/kind-differs",
                    Severity::Error,
                    message,
                    "store it the same way in both, or set `rule: must_differ` for the key in the policy",
                );
            }
            KeyVerdict::Noted => {
                let message = format!("`{key}` differs between {both}");
                report(
                    at,
                    "divergence/differs",
                    Severity::Note,
                    message,
                    "set a rule for the key in the policy: must_differ, must_match or may_differ",
                );
            }
            KeyVerdict::Missing => self.missing(sides, row, &mut report),
            KeyVerdict::Placeholder => {
                for n in [1, 0] {
                    let Some(variable) = row.sides[n].filter(|_| sides[n].here) else { continue };
                    let what = match variable.value.kind {
                        ValueKind::Empty => "is empty",
                        ValueKind::Placeholder => "is still a placeholder",
                        _ => continue,
                    };
                    let message = format!("`{key}` {what} in {}", names[n]);
                    report(
                        n,
                        "divergence/placeholder",
                        Severity::Error,
                        message,
                        "fill it in, or set `rule: ignore` for the key in the policy",
                    );
                }
            }
            KeyVerdict::Elsewhere => {
                let Requirement::OnlyIn(allowed) = row.requirement else { return };
                for n in [0, 1] {
                    if row.sides[n].is_some() && sides[n].here && !allowed.iter().any(|e| e == names[n]) {
                        let message =
                            format!("`{key}` is in {}, but is allowed only in {}", names[n], allowed.join(", "));
                        report(n, "divergence/only-in", Severity::Error, message, "remove it here");
                    }
                }
            }
        }
    }

    fn missing(
        &self,
        sides: [&Side; 2],
        row: &ComparisonRow<'_>,
        report: &mut dyn FnMut(usize, &'static str, Severity, String, &str),
    ) {
        let names = sides.map(|s| self.name(s));
        let gone = usize::from(row.sides[0].is_some());
        let at = 1 - gone;
        let key = row.key;
        if *row.requirement == Requirement::Report {
            let message = format!("`{key}` is in {} only", names[at]);
            return report(at, "divergence/differs", Severity::Note, message, "set a rule for the key in the policy");
        }
        let message = format!("`{key}` is in {}, but missing in {}", names[at], names[gone]);
        let help = "add it there, or set `rule: only_in` for the key in the policy";
        let severity = match gone {
            1 => self.missing_severity(self.removed(sides[1], key) || self.newly_referred(sides[1], key)),
            _ => self.missing_severity(false),
        };
        report(at, "divergence/missing", severity, message, help);
    }

    fn earlier(&self, side: &Side) -> Option<&'s Side> {
        self.earlier.iter().find(|s| s.environment == side.environment && side.here)
    }

    /// The change removes the key from the higher environment.
    fn removed(&self, side: &Side, key: &str) -> bool {
        self.earlier(side).is_some_and(|s| s.variables.contains_key(key))
    }

    /// The change adds a reference to a key that the higher environment does not have.
    fn newly_referred(&self, side: &Side, key: &str) -> bool {
        let refers = |s: &Side| s.refers_to(key);
        self.before && side.here && refers(side) && !self.earlier(side).is_some_and(refers)
    }

    /// Reports a value that names another environment and not its own.
    fn names_another(&self, side: &Side, variable: &Variable, out: &mut Findings<'_>) {
        let environments = &self.settings.environments;
        let own = &environments[side.environment];
        let names = |n: &usize| classify::names_other(&variable.value, &environments[*n].aliases, &own.aliases);
        let other = (0..environments.len()).filter(|n| *n != side.environment).find(names);
        let Some(other) = other else { return };
        let (requirement, expected) = requirement_for(self.settings, self.source, variable);
        if expected || *requirement == Requirement::Ignore {
            return;
        }
        let draft = Draft {
            code: "divergence/other-environment",
            severity: Severity::Error,
            message: format!("`{}` of {} names {}", variable.key, own.name, environments[other].name),
            help: "point it at its own environment, or set `rule: ignore` for the key in the policy".into(),
            key: format!("{}:{}", own.name, variable.key),
        };
        self.at(draft, out, &variable.file, variable.span.clone(), None);
    }

    /// Reports a payment provider's test key in production, or a live key elsewhere. The key itself shows its mode.
    fn payment_mode(&self, side: &Side, variable: &Variable, out: &mut Findings<'_>) {
        let environments = &self.settings.environments;
        let is_production = side.environment + 1 == environments.len();
        let wrong = match environment_values::payment_mode(&variable.value) {
            Some(environment_values::PaymentMode::Test) => is_production,
            Some(environment_values::PaymentMode::Live) => !is_production,
            None => false,
        };
        let (requirement, expected) = requirement_for(self.settings, self.source, variable);
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

    /// Reports a webhook, bucket, database or queue that both environments use and that no entry of `keys` covers.
    fn shared(&self, sides: [&Side; 2], row: &ComparisonRow<'_>, out: &mut Findings<'_>) {
        let [Some(low), Some(high)] = row.sides else { return };
        let equal = low.value.kind == ValueKind::Plain && low.value == high.value;
        if !equal || row.declared {
            return;
        }
        let Some(what) = environment_values::resource(&high.name, &high.value) else { return };
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

    /// Reports deployed parts that are not in this repository.
    fn unseen(&self, side: &Side, out: &mut Findings<'_>) {
        for (file, unseen) in &side.unseen {
            let what = match unseen.gap {
                manifests::Gap::Remote => "it is not in this repository and was not compared",
                manifests::Gap::Missing => "it is missing and was not compared",
                manifests::Gap::Failed => "a part was not compared",
            };
            let draft = Draft {
                code: "divergence/not-seen",
                severity: Severity::Note,
                message: format!("{}: {what}", unseen.what),
                help: "compare it by hand, or move it into this repository".into(),
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
                help: "correct the file, so that it can be compared".into(),
                key: format!("{}:{}", file.path, mistake.message),
            };
            self.at(draft, out, file, mistake.span.clone(), None);
        }
    }
}

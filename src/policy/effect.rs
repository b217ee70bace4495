//! What a change of the policy does to the gate: each difference tightens it, relaxes it or does neither. Owns that
//! judgement; who may relax a policy is `trust`'s. What nobody can tell is taken for relaxing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::load::KEYS;
use super::option_effect::option_effect;
use super::setting::family_of;
use super::{Mode, Policy};
use crate::finding::Severity;
use crate::options::COMMON_KEYS;
use crate::options::Protected;
use crate::options::read::Level;
use crate::options::scope::Branches;
use crate::rules::Rule;
use crate::yaml::{self, Node};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Relaxed,
    Tightened,
    Neutral,
}

impl Effect {
    pub fn name(self) -> &'static str {
        match self {
            Self::Relaxed => "relaxed",
            Self::Tightened => "tightened",
            Self::Neutral => "neutral",
        }
    }
}

/// Families that refuse what no team wants in any repository.
const GUARDED: [&str; 2] = ["secrets", "files"];

/// One difference between two policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub effect: Effect,
    /// `secrets: severity error -> off`.
    pub what: String,
    /// It switches the gate, or a family that guards every repository, off for a whole scope.
    pub disarms: bool,
}

/// Every difference, relaxed ones first.
pub fn compare(old: &Policy, new: &Policy) -> Vec<Change> {
    let mut changes = Changes::default();
    changes.mode(old.mode, new.mode);
    changes.rules(old, new);
    changes.protected(&old.vocabulary.protected, &new.vocabulary.protected);
    changes.environments(old, new);
    let names = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
    changes.approvers(&names(&old.vocabulary.approvers), &names(&new.vocabulary.approvers));
    changes.lists("inline.deny", &names(&old.inline_deny), &names(&new.inline_deny), Effect::Tightened);
    changes.budgets(old, new);
    changes.lists("exceptions", &items(old, "exceptions"), &items(new, "exceptions"), Effect::Relaxed);
    for key in ["detectors", "assertions"] {
        changes.lists(key, &items(old, key), &items(new, key), Effect::Tightened);
    }
    changes.other_keys(old, new);
    changes.0.sort_by_key(|change| change.effect);
    changes.0
}

#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(&mut self, effect: Effect, what: String) {
        self.0.push(Change { effect, what, disarms: false });
    }

    fn disarming(&mut self, effect: Effect, what: String) {
        self.0.push(Change { effect, what, disarms: effect == Effect::Relaxed });
    }

    fn mode(&mut self, old: Mode, new: Mode) {
        match (old, new) {
            (Mode::Enforce, Mode::Report) => self.disarming(Effect::Relaxed, "mode: enforce -> report".into()),
            (Mode::Report, Mode::Enforce) => self.add(Effect::Tightened, "mode: report -> enforce".into()),
            _ => {}
        }
    }

    fn rules(&mut self, old: &Policy, new: &Policy) {
        let (before, after) = (Said::of(old), Said::of(new));
        for rule in old.rules {
            self.severities(rule, old, new);
            let names: BTreeSet<&str> =
                before.names().chain(after.names()).chain([rule.id]).filter(|n| family_of(n) == rule.id).collect();
            for name in names {
                for key in COMMON_KEYS.into_iter().filter(|key| *key != "severity") {
                    let (was, is) = (before.strings(name, key), after.strings(name, key));
                    let effect = scope_effect(key, was.as_ref(), is.as_ref());
                    if effect != Effect::Neutral {
                        let guarded =
                            GUARDED.contains(&name) && key == "exclude" && is.as_ref().is_some_and(is_everything);
                        let what = format!("{name}: {key} {} -> {}", shown(was.as_ref()), shown(is.as_ref()));
                        if guarded { self.disarming(effect, what) } else { self.add(effect, what) }
                    }
                }
            }
            self.options(rule, &before, &after);
        }
    }

    /// Of the family as a whole where the policy speaks of that, else of single codes.
    fn severities(&mut self, rule: &Rule, old: &Policy, new: &Policy) {
        let mut codes: BTreeMap<String, Option<Severity>> = BTreeMap::new();
        let about = rule.about().map(|about| about.codes).unwrap_or_default();
        codes.extend(about.into_iter().map(|c| (c.code, c.severity.0)));
        for policy in [old, new] {
            for (code, _) in policy.settings.codes(rule.id) {
                // The table of detectors has their severities; the worst is assumed.
                codes.entry(code).or_insert(Some(Severity::Error));
            }
        }
        let whole = (old.settings.level(rule.id), new.settings.level(rule.id));
        let mut by_family = BTreeSet::new();
        for (code, default) in codes {
            let [was, is] = [old, new].map(|p| severity(p, rule.id, &code, default));
            let effect = match was.cmp(&is) {
                std::cmp::Ordering::Less => Effect::Tightened,
                std::cmp::Ordering::Greater => Effect::Relaxed,
                std::cmp::Ordering::Equal => continue,
            };
            let name = format!("{}/{code}", rule.id);
            if old.settings.level(&name) == new.settings.level(&name) && whole.0 != whole.1 {
                by_family.insert(effect);
            } else {
                self.add(effect, format!("{name}: severity {} -> {}", word(was), word(is)));
            }
        }
        for effect in by_family {
            let word = |level: Option<Level>| level.map_or("the default", |Level(severity)| word(severity));
            let what = format!("{}: severity {} -> {}", rule.id, word(whole.0), word(whole.1));
            let guarded = GUARDED.contains(&rule.id);
            if guarded { self.disarming(effect, what) } else { self.add(effect, what) }
        }
    }

    fn options(&mut self, rule: &Rule, before: &Said<'_>, after: &Said<'_>) {
        let defaults = yaml::parse(yaml::first_document(rule.policy).as_bytes());
        let default = |key: &str| defaults.roots.first().and_then(|root| root.get(key));
        let keys: BTreeSet<&str> = before.keys(rule.id).chain(after.keys(rule.id)).collect();
        for key in keys.into_iter().filter(|key| !COMMON_KEYS.contains(key)) {
            let (was, is) = (before.get(rule.id, key).or(default(key)), after.get(rule.id, key).or(default(key)));
            if canonical(was) != canonical(is) {
                self.add(option_effect(key, was, is), format!("{}: {key} changed", rule.id));
            }
        }
    }

    fn protected(&mut self, old: &[Protected], new: &[Protected]) {
        let find = |list: &[Protected], name: &str| -> Vec<Protected> {
            list.iter().filter(|p| p.branch == name).cloned().collect()
        };
        let names: BTreeSet<&str> = old.iter().chain(new).map(|p| p.branch.as_str()).collect();
        for name in names {
            let (was, is) = (find(old, name), find(new, name));
            match (&was[..], &is[..]) {
                ([], _) => self.add(Effect::Tightened, format!("protected: {name} added")),
                (_, []) => self.add(Effect::Relaxed, format!("protected: {name} removed")),
                ([was], [is]) => self.protection(name, was, is),
                _ if was == is => {}
                _ => self.add(Effect::Relaxed, format!("protected: {name} changed")),
            }
        }
    }

    fn protection(&mut self, name: &str, was: &Protected, is: &Protected) {
        let accounts = |p: &Protected| p.direct_push.iter().cloned().collect::<BTreeSet<_>>();
        let (before, after) = (accounts(was), accounts(is));
        // Everybody is more than any list.
        let everybody = |accounts: &BTreeSet<String>| accounts.contains("*");
        if everybody(&before) != everybody(&after) {
            let effect = if everybody(&after) { Effect::Relaxed } else { Effect::Tightened };
            self.add(
                effect,
                format!("protected {name}: direct-push {} -> {}", shown(Some(&before)), shown(Some(&after))),
            );
        } else if !everybody(&before) {
            self.lists(&format!("protected {name}: direct-push"), &before, &after, Effect::Relaxed);
        }
        let levels = [
            ("non-ff", was.non_ff, is.non_ff),
            ("delete", was.delete, is.delete),
            ("linear", was.linear, is.linear),
            ("signed", was.signed, is.signed),
        ];
        for (key, was, is) in levels.into_iter().filter(|(_, was, is)| was != is) {
            let effect = if is > was { Effect::Tightened } else { Effect::Relaxed };
            self.add(effect, format!("protected {name}: {key} {} -> {}", word(was), word(is)));
        }
    }

    /// In either direction: a new approver may relax the policy, and without the old ones nobody can mend it.
    fn approvers(&mut self, old: &BTreeSet<String>, new: &BTreeSet<String>) {
        let (added, removed) = (new.difference(old).count(), old.difference(new).count());
        for (count, what) in [(added, "added"), (removed, "removed")].into_iter().filter(|(count, _)| *count > 0) {
            self.add(Effect::Relaxed, format!("approvers: {count} {what}"));
        }
    }

    /// Rules compare environments in their order, so only those that come before all others are an addition. One with
    /// tags makes releases of them, and one with a branch of another environment can stand for that.
    fn environments(&mut self, old: &Policy, new: &Policy) {
        let (was, is) = (&old.vocabulary.environments, &new.vocabulary.environments);
        if was == is {
            return;
        }
        let added = is.strip_suffix(was.as_slice());
        let is_taken = |b: &String| {
            was.iter().any(|e| Branches::new(&e.branches).is_ok_and(|all| all.is_match(b.as_str().into())))
        };
        let is_free = |branch: &String| !branch.contains(['*', '?', '[', '{']) && !is_taken(branch);
        let adds = added.is_some_and(|added| added.iter().all(|e| e.tags.is_empty() && e.branches.iter().all(is_free)));
        let effect = if adds { Effect::Tightened } else { Effect::Relaxed };
        self.add(effect, "environments changed".into());
    }

    fn budgets(&mut self, old: &Policy, new: &Policy) {
        let (was, is) = (&old.vocabulary.budgets, &new.vocabulary.budgets);
        // A push that spends one of these two is not decided: a small one stops everybody, whoever could mend it too.
        for (key, was, is) in [("time", was.time, is.time), ("paths", was.paths, is.paths)] {
            if was != is {
                let effect = if is < was { Effect::Relaxed } else { Effect::Neutral };
                self.add(effect, format!("budgets.{key}: {was} -> {is}"));
            }
        }
        for (key, was, is) in [
            ("content-comparisons", was.content_comparisons, is.content_comparisons),
            ("blob-window", was.blob_window, is.blob_window),
        ] {
            if was != is {
                let effect = if is > was { Effect::Tightened } else { Effect::Relaxed };
                self.add(effect, format!("budgets.{key}: {was} -> {is}"));
            }
        }
    }

    /// `longer`: what an addition does.
    fn lists(&mut self, what: &str, old: &BTreeSet<String>, new: &BTreeSet<String>, longer: Effect) {
        let shorter = if longer == Effect::Relaxed { Effect::Tightened } else { Effect::Relaxed };
        let (added, removed) = (new.difference(old).count(), old.difference(new).count());
        if added > 0 {
            self.add(longer, format!("{what}: {added} added"));
        }
        if removed > 0 {
            self.add(shorter, format!("{what}: {removed} removed"));
        }
    }

    /// Keys that nothing above knows.
    fn other_keys(&mut self, old: &Policy, new: &Policy) {
        const COMPARED: [&str; 12] = [
            "version",
            "extends",
            "mode",
            "environments",
            "protected",
            "approvers",
            "exceptions",
            "inline",
            "budgets",
            "rules",
            "detectors",
            "assertions",
        ];
        for key in KEYS.into_iter().filter(|key| !COMPARED.contains(key) && *key != "policy-changes") {
            let value = |policy: &Policy| canonical(policy.layers.iter().rev().find_map(|l| l.root.get(key)));
            if value(old) != value(new) {
                self.add(Effect::Relaxed, format!("{key} changed"));
            }
        }
    }
}

/// What the layers say under `rules`, the last word on each key.
struct Said<'p>(BTreeMap<&'p str, BTreeMap<&'p str, &'p Node>>);

impl<'p> Said<'p> {
    fn of(policy: &'p Policy) -> Self {
        let mut all: BTreeMap<&str, BTreeMap<&str, &Node>> = BTreeMap::new();
        let maps = policy.layers.iter().filter_map(|layer| layer.root.get("rules"));
        for (name, value) in maps.flat_map(Node::entries).filter_map(|(k, v)| Some((k.text()?, v))) {
            let keys = all.entry(name).or_default();
            keys.extend(value.entries().iter().filter_map(|(k, v)| Some((k.text()?, v))));
        }
        Self(all)
    }

    fn names(&self) -> impl Iterator<Item = &'p str> {
        self.0.keys().copied()
    }

    fn keys(&self, name: &str) -> impl Iterator<Item = &'p str> {
        self.0.get(name).into_iter().flat_map(|keys| keys.keys().copied())
    }

    fn get(&self, name: &str, key: &str) -> Option<&'p Node> {
        self.0.get(name)?.get(key).copied()
    }

    fn strings(&self, name: &str, key: &str) -> Option<BTreeSet<String>> {
        self.get(name, key).map(strings)
    }
}

/// The texts of a list; a single one is a list of one.
fn strings(node: &Node) -> BTreeSet<String> {
    let items = if node.is_seq() { node.items() } else { std::slice::from_ref(node) };
    items.iter().filter_map(|n| n.text().map(str::to_owned)).collect()
}

/// Whether path globs leave nothing out.
fn is_everything(globs: &BTreeSet<String>) -> bool {
    ["*", "**", "**/*", "/*", "/**"].iter().any(|all| globs.contains(*all))
}

/// The severity with which a code is told; `None` is `off`.
fn severity(policy: &Policy, family: &str, code: &str, default: Option<Severity>) -> Option<Severity> {
    match (policy.settings.level(&format!("{family}/{code}")), policy.settings.level(family)) {
        (Some(Level(severity)), _) => severity,
        (None, Some(Level(None))) => None,
        // A family's severity leaves remarks alone, and does not switch on what is off.
        (None, Some(Level(severity))) if default > Some(Severity::Note) => severity,
        _ => default,
    }
}

fn word(severity: Option<Severity>) -> &'static str {
    severity.map_or("off", Severity::name)
}

/// `include` and `branches` say where a rule looks, all places where they are absent; `exclude` says where not.
fn scope_effect(key: &str, was: Option<&BTreeSet<String>>, is: Option<&BTreeSet<String>>) -> Effect {
    let nothing = BTreeSet::new();
    if key == "exclude" {
        let (was, is) = (was.unwrap_or(&nothing), is.unwrap_or(&nothing));
        return if was == is {
            Effect::Neutral
        } else if is.is_subset(was) {
            Effect::Tightened
        } else {
            Effect::Relaxed
        };
    }
    match (was, is) {
        (was, is) if was == is => Effect::Neutral,
        (Some(_), None) => Effect::Tightened,
        (Some(was), Some(is)) if was.is_subset(is) => Effect::Tightened,
        _ => Effect::Relaxed,
    }
}

/// The items of a list of all layers, reasons left out: they excuse nothing.
fn items(policy: &Policy, key: &str) -> BTreeSet<String> {
    let lists = policy.layers.iter().filter_map(|layer| layer.root.get(key));
    lists.flat_map(Node::items).map(|item| without(item, "reason")).collect()
}

fn without(item: &Node, left_out: &str) -> String {
    let entries = item.entries().iter().filter(|(k, _)| k.text() != Some(left_out));
    let pairs: BTreeSet<String> = entries.map(|(k, v)| format!("{:?}:{}", k.text(), canonical(Some(v)))).collect();
    format!("{pairs:?}")
}

/// The same for two nodes that mean the same, wherever they stand and whatever the order of their keys.
pub(super) fn canonical(node: Option<&Node>) -> String {
    let Some(node) = node.filter(|n| !n.is_null()) else { return "null".into() };
    if node.is_map() {
        without(node, "")
    } else if node.is_seq() {
        format!("{:?}", node.items().iter().map(|n| canonical(Some(n))).collect::<Vec<_>>())
    } else {
        format!("{:?}", node.text())
    }
}

fn shown<T: Debug>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".into(), |v| format!("{v:?}"))
}

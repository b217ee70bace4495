//! `branch-topology`: the labelled graphs, the definition as brute force beside it, and the edges.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bstr::BString;
use portcullis::error::{Kind, Result};
use portcullis::finding::{Finding, Findings, NothingToHide, Severity};
use portcullis::options::{Environment, Protected, Trial, Vocabulary};
use portcullis::rules::Check as _;
use portcullis::rules::branch_topology::content::ContentIssue;
use portcullis::rules::branch_topology::graph::Region;
use portcullis::rules::branch_topology::leak::{Breach, Sanction, Stance};
use portcullis::rules::branch_topology::{
    BranchPatterns, BranchTopology, CapSpent, RULE, TopologySettings, TopologySeverities, UpdateOutcome,
};
use portcullis::rules::release_tags::format::TagFormat;
use portcullis::subject::{Oid, Pusher, RefUpdate};

use crate::support::graph::{Commit, Files, Memory, merge_files, oid, with_ids};

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    why: String,
    commits: Vec<Spec>,
    old: Option<String>,
    new: Option<String>,
    dev: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    head: Option<String>,
    #[serde(default)]
    shallow: bool,
    #[serde(default, rename = "shared-topics")]
    shared_topics: Option<String>,
    says: Vec<String>,
}

/// A commit: without `files` one of its own (a merge: what its sides have), `null` deletes, `tree` is everything.
#[derive(serde::Deserialize)]
struct Spec {
    id: String,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    message: String,
    files: Option<BTreeMap<String, Option<String>>>,
    tree: Option<Files>,
    time: Option<i64>,
}

fn repository(specs: &[Spec]) -> Memory {
    let mut memory = Memory::default();
    let names: HashMap<String, Oid> = specs.iter().map(|s| (s.id.clone(), oid(&s.id))).collect();
    for (i, spec) in specs.iter().enumerate() {
        let parents: Vec<Oid> = spec.parents.iter().map(|p| oid(p)).collect();
        let mut files = parents.first().map(|p| memory.commits[p].files.clone()).unwrap_or_default();
        for other in parents.iter().skip(1) {
            files = merge_files(&files, &memory.commits[other].files, &memory.base_files(parents[0], *other)).0;
        }
        let own = if parents.len() < 2 {
            BTreeMap::from([(spec.id.clone(), Some(spec.id.clone()))])
        } else {
            BTreeMap::new()
        };
        for (path, content) in spec.files.clone().unwrap_or(own) {
            match content {
                Some(content) => files.insert(path, content),
                None => files.remove(&path),
            };
        }
        let files = spec.tree.clone().unwrap_or(files);
        let time = spec.time.unwrap_or(1_700_000_000 + 60 * i as i64);
        memory.add(&spec.id, Commit { parents, files, message: with_ids(&spec.message, &names), time, signed: false });
    }
    memory
}

fn branches(names: &[&str]) -> BranchPatterns {
    BranchPatterns::new(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn guard(branch: &str) -> Protected {
    Protected {
        branch: branch.into(),
        direct_push: vec!["*".into()],
        non_ff: Some(Severity::Error),
        delete: Some(Severity::Error),
        linear: None,
        signed: None,
    }
}

/// Everything on, so that every code can be seen.
fn settings() -> TopologySettings {
    let warning = Some(Severity::Warning);
    TopologySettings {
        production: branches(&["main"]),
        development: branches(&["dev"]),
        protected: vec![guard("main"), guard("dev")],
        tags: vec![TagFormat::parse("v{semver}").unwrap()],
        tag_merges: Stance::Allow,
        shared_topics: Stance::Deny,
        pull_request_paths: Default::default(),
        content_cap: 200,
        unfinished: CapSpent::Undecided,
        backport_days: 7,
        severities: TopologySeverities {
            direct_push: Some(Severity::Error),
            squash_leak: Some(Severity::Error),
            no_provenance: warning,
            wholesale: warning,
            foxtrot: warning,
            evil_merge: warning,
            hotfix_not_backported: None,
            lost_work: warning,
        },
    }
}

fn update<'a>(graph: &'a Memory, old: Option<Oid>, new: Option<Oid>) -> RefUpdate<'a> {
    RefUpdate {
        name: "refs/heads/main".into(),
        old,
        new,
        pusher: Pusher::NotAsked,
        head_ref: None,
        together: &[],
        graph,
        shared: Default::default(),
    }
}

fn findings(rule: &BranchTopology, update: &RefUpdate<'_>) -> (Vec<Finding>, Result<()>) {
    let mut out = Findings::new(&NothingToHide, 0);
    let result = rule.check(update, &mut out);
    (out.into_vec(), result)
}

fn says(rule: &BranchTopology, update: &RefUpdate<'_>) -> Vec<String> {
    let (found, result) = findings(rule, update);
    let mut says: BTreeSet<String> =
        found.iter().filter(|f| f.severity > Severity::Note).map(|f| f.rule.to_string()).collect();
    if let Err(e) = result {
        assert_eq!(e.kind, Kind::Undecided);
        assert!(e.hint.is_some(), "{e}");
        says.insert(format!("undecided: {}", if e.message.contains("shallow") { "shallow" } else { "dev-ref" }));
        return says.into_iter().collect();
    }
    let mut region = update.old.map(|old| Region::between(update.graph, &[old], update.new.unwrap()).unwrap());
    match rule.judge(update, update.new.unwrap(), region.as_mut()).unwrap() {
        UpdateOutcome::Baseline => says.insert("ok: baseline".into()),
        UpdateOutcome::Judged { verdict, issues, .. } => {
            says.extend(verdict.sanctioned.iter().map(|(_, s)| match s {
                Sanction::TagMerge(_) => "ok: tag-merge".into(),
                Sanction::HotfixShared => "ok: hotfix-shared".into(),
                Sanction::SharedTopic => "ok: shared-topic".into(),
            }));
            issues.iter().any(|s| matches!(s, ContentIssue::TagSquash { .. })) && says.insert("ok: tag-squash".into())
        }
    };
    says.into_iter().collect()
}

#[test]
fn every_labelled_graph_agrees() {
    let cases = include_str!("../cases/topology.jsonl");
    let mut count = 0;
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        for indexed in [false, true] {
            let mut memory = repository(&case.commits);
            if indexed {
                memory.index_generations();
            }
            for (name, target) in &case.tags {
                memory.set(&format!("refs/tags/{name}"), oid(target));
            }
            if let Some(dev) = &case.dev {
                memory.set("refs/heads/dev", oid(dev));
            }
            let (old, new) = (case.old.as_deref().map(oid), case.new.as_deref().map(oid));
            if case.shallow {
                memory.shallow.extend(new);
            }
            let mut update = update(&memory, old, new);
            update.head_ref = case.head.as_deref().map(BString::from);
            let mut settings = settings();
            if case.shared_topics.as_deref() == Some("allow") {
                settings.shared_topics = Stance::Allow;
            }
            let got = says(&BranchTopology::new(settings), &update);
            assert_eq!(got, case.says, "{} (indexed: {indexed}): {}", case.name, case.why);
        }
        count += 1;
    }
    assert!(count >= 32);
}

/// The definition, word for word, on whole ancestries.
mod definition {
    use std::sync::LazyLock;

    use regex::Regex;

    use super::*;

    pub struct World<'w> {
        pub memory: &'w Memory,
        pub old: Oid,
        pub new: Oid,
        pub devs: Vec<Oid>,
        pub tags: BTreeSet<Oid>,
        pub head: Option<&'w str>,
        pub shared: Stance,
    }

    static HOTFIX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(^|[/'" ])hotfix/"#).unwrap());
    static MERGES_DEV: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^Merge (remote-tracking )?branch(es)? ('[^']*'(, | and ))*'(origin/)?dev'").unwrap()
    });

    fn hotfix(text: &str) -> bool {
        HOTFIX.is_match(text)
    }

    fn trunk(w: &World<'_>, old: &BTreeSet<Oid>) -> BTreeSet<Oid> {
        let mut out = BTreeSet::new();
        let mut stack = w.devs.clone();
        while let Some(at) = stack.pop() {
            if old.contains(&at) || !out.insert(at) {
                continue;
            }
            let c = &w.memory.commits[&at];
            stack.extend(c.parents.first());
            if c.parents.len() > 1
                && (MERGES_DEV.is_match(&c.message) || (old.contains(&c.parents[0]) && !hotfix(&c.message)))
            {
                stack.extend(&c.parents[1..]);
            }
        }
        out
    }

    /// Every top of the frontier, with what becomes of it.
    pub fn judge(w: &World<'_>) -> BTreeMap<Oid, &'static str> {
        let old = w.memory.ancestors([w.old]);
        let gained: BTreeSet<Oid> = w.memory.ancestors([w.new]).difference(&old).copied().collect();
        let dev = w.memory.ancestors(w.devs.iter().copied());
        let shared: BTreeSet<Oid> = gained.intersection(&dev).copied().collect();
        let above = |x: &Oid| shared.iter().any(|y| y != x && w.memory.ancestors([*y]).contains(x));
        let trunk = trunk(w, &old);
        let evident = w.head.is_some_and(hotfix)
            || gained.iter().map(|c| &w.memory.commits[c]).any(|c| c.parents.len() > 1 && hotfix(&c.message));
        // A release tag that is merged exactly brings all that it stands on.
        let parents = gained.iter().map(|c| &w.memory.commits[c].parents).filter(|p| p.len() > 1).flatten().copied();
        let exact = parents.chain([w.new]).filter(|c| gained.contains(c) && w.tags.contains(c));
        let released = w.memory.ancestors(exact);
        let judge = |top: &Oid| {
            if w.tags.contains(top) || released.contains(top) {
                return "tag";
            }
            let below = w.memory.ancestors([*top]);
            let released = w.memory.ancestors(w.tags.intersection(&below).copied());
            let side: BTreeSet<&Oid> = below.iter().filter(|c| !old.contains(c) && !released.contains(c)).collect();
            match side.iter().any(|c| trunk.contains(c)) {
                true => "dev-leak",
                false if evident => "hotfix",
                false if w.shared == Stance::Allow => "topic",
                false => "shared-topic",
            }
        };
        shared.iter().filter(|x| !above(x)).map(|top| (*top, judge(top))).collect()
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

const MESSAGES: [&str; 8] = [
    "feat: x",
    "Merge branch 'topic'",
    "Merge branch 'hotfix/x'",
    "Merge branch 'dev'",
    "Merge branch 'dev' of host:repo into dev",
    "Merge remote-tracking branch 'origin/dev' into x",
    "Merge branch 'topic' into 'dev'",
    "Merge branches 'topic' and 'dev'",
];

fn random_world(dice: &mut Dice, size: usize) -> (Memory, Vec<Oid>) {
    let mut memory = Memory::default();
    let mut ids: Vec<Oid> = Vec::new();
    for i in 0..size {
        let mut parents = Vec::new();
        if i > 0 && dice.below(12) > 0 {
            for _ in 0..[1, 1, 1, 1, 2, 2, 2, 3][dice.below(8)] {
                // Mostly near commits, so that long lines and criss-crosses both happen.
                let back = if dice.below(3) > 0 { 1 + dice.below(i.min(4)) } else { 1 + dice.below(i) };
                let parent = ids[i - back];
                if !parents.contains(&parent) {
                    parents.push(parent);
                }
            }
        }
        let message = MESSAGES[if dice.below(3) == 0 { dice.below(MESSAGES.len()) } else { 0 }].to_owned();
        let time = match dice.below(4) {
            0 => dice.below(2 * size) as i64,
            1 => 0,
            _ => i as i64,
        };
        ids.push(memory.add(&format!("c{i}"), Commit { parents, message, time, ..Commit::default() }));
    }
    (memory, ids)
}

/// The verdict of the product on one update, in the definition's words; only the graph, no content.
fn product(w: &definition::World<'_>) -> BTreeMap<Oid, &'static str> {
    let mut settings = settings();
    settings.severities = TopologySeverities::default();
    settings.shared_topics = w.shared;
    settings.development = branches(&["dev", "dev1"][..w.devs.len()]);
    let rule = BranchTopology::new(settings);
    let mut update = update(w.memory, Some(w.old), Some(w.new));
    update.head_ref = w.head.map(BString::from);
    let mut region = Region::between(w.memory, &[w.old], w.new).unwrap();
    let UpdateOutcome::Judged { verdict, .. } = rule.judge(&update, w.new, Some(&mut region)).unwrap() else {
        unreachable!()
    };
    let leaks =
        verdict.leaks.iter().map(|l| (l.commit, if l.breach == Breach::DevLeak { "dev-leak" } else { "shared-topic" }));
    let fine = verdict.sanctioned.iter().map(|(c, s)| {
        let word = match s {
            Sanction::TagMerge(_) => "tag",
            Sanction::HotfixShared => "hotfix",
            Sanction::SharedTopic => "topic",
        };
        (*c, word)
    });
    leaks.chain(fine).collect()
}

#[test]
fn random_graphs_agree_with_the_definition_whatever_their_dates_say() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..6000 {
        let mut dice = Dice(seed);
        let size = 3 + dice.below(22);
        let (mut memory, ids) = random_world(&mut dice, size);
        let pick = |dice: &mut Dice| ids[dice.below(ids.len())];
        let (old, new) = (pick(&mut dice), pick(&mut dice));
        let devs: Vec<Oid> = (0..1 + dice.below(2)).map(|_| pick(&mut dice)).collect();
        let mut tags = BTreeSet::new();
        for i in 0..dice.below(4) {
            let target = pick(&mut dice);
            if dice.below(4) == 0 {
                memory.set(&format!("refs/tags/v1.{i}.0-rc.1"), target);
            } else {
                tags.insert(target);
                memory.set(&format!("refs/tags/v1.{i}.0"), target);
            }
        }
        for (i, dev) in devs.iter().enumerate() {
            memory.set(&if i == 0 { "refs/heads/dev".into() } else { format!("refs/heads/dev{i}") }, *dev);
        }
        match dice.below(3) {
            0 => memory.index_generations(),
            1 => {
                let reachable = memory.ancestors(devs.iter().copied().chain([old]).chain(tags.iter().copied()));
                memory.fresh = ids.iter().copied().filter(|c| !reachable.contains(c)).collect();
            }
            _ => {}
        }
        let head = [None, None, None, Some("hotfix/a")][dice.below(4)];
        let shared = [Stance::Deny, Stance::Allow][dice.below(2)];
        // The messages of the definition say `dev`, so a second development branch only adds a tip.
        let world = definition::World { memory: &memory, old, new, devs, tags, head, shared };
        let expected = definition::judge(&world);
        let mut got = product(&world);
        // A tag that the old tip has already needs no sanction; where only lying dates hide that, it may be given one.
        let before = memory.ancestors([old]);
        got.retain(|top, word| *word != "tag" || !before.contains(top));
        assert_eq!(got, expected, "seed {seed}, old {old}, new {new}");
        expected.values().for_each(|v| *seen.entry(*v).or_default() += 1);
    }
    for verdict in ["tag", "dev-leak", "hotfix", "topic", "shared-topic"] {
        assert!(seen.get(verdict).copied().unwrap_or(0) > 20, "{verdict} is hardly tried: {seen:?}");
    }
}

/// Commits by `id: parents`, each with a file of its own.
fn graph(commits: &[(&str, &[&str])]) -> Memory {
    let specs: Vec<Spec> = commits
        .iter()
        .map(|(id, parents)| Spec {
            id: (*id).into(),
            parents: parents.iter().map(|p| (*p).into()).collect(),
            message: String::new(),
            files: None,
            tree: None,
            time: None,
        })
        .collect();
    repository(&specs)
}

fn judged(memory: &mut Memory, old: &str, new: &str, dev: &str) -> Vec<String> {
    memory.set("refs/heads/dev", oid(dev));
    let memory = &*memory;
    says(&BranchTopology::new(settings()), &update(memory, Some(oid(old)), Some(oid(new))))
}

#[test]
fn an_octopus_merge_has_a_leak_for_every_unsanctioned_parent() {
    let mut memory = graph(&[
        ("m0", &[]),
        ("a", &["m0"]),
        ("b", &["m0"]),
        ("c", &["m0"]),
        ("d", &["a", "b"]),
        ("e", &["d", "c"]),
        ("m1", &["m0", "a", "b", "c"]),
    ]);
    memory.set("refs/heads/dev", oid("e"));
    memory.set("refs/tags/v1.0.0", oid("b"));
    let update = update(&memory, Some(oid("m0")), Some(oid("m1")));
    let (found, result) = findings(&BranchTopology::new(settings()), &update);
    result.unwrap();
    let codes: Vec<&str> = found.iter().map(|f| f.rule.as_ref()).collect();
    assert_eq!(codes, ["branch-topology/dev-leak", "branch-topology/shared-topic"]);
    let prints: BTreeSet<&str> = found.iter().map(|f| f.fingerprint.as_str()).collect();
    assert_eq!(prints.len(), 2);
}

#[test]
fn criss_cross_merges_are_checked_by_their_newest_commits() {
    // main and dev merged each other: what dev had before the cross is in main already.
    let commits: &[(&str, &[&str])] = &[
        ("m0", &[]),
        ("d1", &["m0"]),
        ("m1", &["m0"]),
        ("m2", &["m1", "d1"]),
        ("d2", &["d1", "m1"]),
        ("d3", &["d2"]),
        ("h", &["m2"]),
        ("m3", &["h", "d2"]),
    ];
    assert_eq!(judged(&mut graph(commits), "m2", "h", "d3"), [""; 0]);
    assert_eq!(judged(&mut graph(commits), "h", "m3", "d3"), ["branch-topology/dev-leak"]);
}

#[test]
fn unrelated_roots_do_not_hide_a_leak() {
    let commits: &[(&str, &[&str])] =
        &[("m0", &[]), ("x0", &[]), ("x1", &["x0"]), ("m1", &["m0", "x1"]), ("d1", &["m0"]), ("d2", &["d1", "x1"])];
    // A library imported into main alone, and one that dev has.
    assert_eq!(judged(&mut graph(commits), "m0", "m1", "d1"), [""; 0]);
    assert_eq!(judged(&mut graph(commits), "m0", "m1", "x1"), ["branch-topology/dev-leak"]);
    assert_eq!(judged(&mut graph(commits), "m0", "m1", "d2"), ["branch-topology/shared-topic"]);
    assert!(judged(&mut graph(commits), "m0", "x1", "d1").contains(&"branch-topology/non-ff".into()));
}

#[test]
fn merging_main_into_dev_and_unchanged_tips_are_no_leak() {
    let commits: &[(&str, &[&str])] = &[("m0", &[]), ("d1", &["m0"]), ("m1", &["d1"]), ("m2", &["m1"])];
    assert_eq!(judged(&mut graph(commits), "m1", "m2", "d1"), [""; 0]);
    assert_eq!(judged(&mut graph(commits), "m1", "m1", "m2"), [""; 0]);
}

#[test]
fn every_development_branch_is_checked() {
    let mut memory = graph(&[("m0", &[]), ("d1", &["m0"]), ("q1", &["m0"]), ("m1", &["m0", "q1"])]);
    memory.set("refs/heads/dev", oid("d1"));
    memory.set("refs/heads/qa/next", oid("q1"));
    let with = |names: &[&str]| TopologySettings { development: branches(names), ..settings() };
    let update = update(&memory, Some(oid("m0")), Some(oid("m1")));
    assert_eq!(says(&BranchTopology::new(with(&["dev"])), &update), [""; 0]);
    assert_eq!(says(&BranchTopology::new(with(&["dev", "qa/*"])), &update), ["branch-topology/dev-leak"]);
    assert_eq!(says(&BranchTopology::new(with(&["qa/next"])), &update), ["branch-topology/dev-leak"]);
    assert_eq!(says(&BranchTopology::new(with(&["gone/*"])), &update), ["undecided: dev-ref"]);
}

#[test]
fn denied_tag_merges_are_leaks() {
    let mut memory = graph(&[("m0", &[]), ("d1", &["m0"]), ("d2", &["d1"])]);
    memory.set("refs/heads/dev", oid("d2"));
    memory.set("refs/tags/v1.0.0", oid("d1"));
    let update = update(&memory, Some(oid("m0")), Some(oid("d1")));
    assert_eq!(says(&BranchTopology::new(settings()), &update), ["ok: tag-merge"]);
    let deny = TopologySettings { tag_merges: Stance::Deny, ..settings() };
    assert_eq!(says(&BranchTopology::new(deny), &update), ["branch-topology/dev-leak"]);
}

#[test]
fn an_annotated_release_tag_before_the_push_sanctions_its_commit() {
    let mut memory = graph(&[("m0", &[]), ("d1", &["m0"]), ("d2", &["d1"])]);
    memory.set("refs/heads/dev", oid("d2"));
    let update_to =
        |memory: &Memory| says(&BranchTopology::new(settings()), &update(memory, Some(oid("m0")), Some(oid("d2"))));
    // A tag that comes with the same push does not stand before it.
    assert_eq!(update_to(&memory), ["branch-topology/dev-leak"]);
    let tag = memory.annotate("v1.0.0", oid("d2"));
    memory.set("refs/tags/v1.0.0", tag);
    assert_eq!(update_to(&memory), ["ok: tag-merge"]);
}

/// `n` commits in a line after `from`, a minute apart.
fn line(memory: &mut Memory, name: &str, from: Option<Oid>, n: usize, time: i64) -> Oid {
    let mut tip = from;
    for i in 0..n {
        let parents = tip.into_iter().collect();
        let id = format!("{name}{i}");
        let files = Files::from([(name.to_owned(), id.clone())]);
        tip = Some(memory.add(&id, Commit { parents, files, time: time + 60 * i as i64, ..Commit::default() }));
    }
    tip.unwrap()
}

#[test]
fn ten_thousand_commits_take_one_walk_and_a_push_does_not_walk_the_repository() {
    let mut memory = Memory::default();
    let old = line(&mut memory, "m", None, 10_000, 0);
    let dev = line(&mut memory, "d", Some(old), 10_000, 600_000);
    let merge = Commit { parents: vec![old, dev], time: 2_000_000, ..Commit::default() };
    let new = memory.add("merge", merge);
    memory.set("refs/heads/dev", dev);
    let only_graph =
        || BranchTopology::new(TopologySettings { severities: TopologySeverities::default(), ..settings() });
    let leak = update(&memory, Some(old), Some(new));
    let (found, result) = findings(&only_graph(), &leak);
    result.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("10000 commits of dev"), "{}", found[0].message);
    // The range, and a bounded look below it.
    assert!(memory.walked.get() < 10_000 + 100, "{}", memory.walked.get());

    // A hundred commits of main's own, new to the repository: nobody looks at the ten thousand beside or below them.
    let tip = line(&mut memory, "h", Some(old), 100, 600_000);
    memory.fresh = (0..100).map(|i| oid(&format!("h{i}"))).collect();
    memory.walked.set(0);
    let own = update(&memory, Some(old), Some(tip));
    assert!(findings(&only_graph(), &own).0.is_empty());
    assert_eq!(memory.walked.get(), 102);
}

#[test]
fn wrong_dates_far_below_do_not_cause_a_false_leak() {
    // main has `x`, reached only through a commit dated 1970 that hangs below eight hundred honest ones.
    let mut memory = Memory::default();
    let root = memory.add("root", Commit::default());
    let x = memory.add("x", Commit { parents: vec![root], time: 1_000_000, ..Commit::default() });
    let liar = memory.add("liar", Commit { parents: vec![x], time: 1, ..Commit::default() });
    let honest = line(&mut memory, "m", Some(root), 800, 100_000);
    let old = memory.add("old", Commit { parents: vec![honest, liar], time: 1_000_010, ..Commit::default() });
    let topic = memory.add("topic", Commit { parents: vec![x], time: 1_000_020, ..Commit::default() });
    let new = memory.add("new", Commit { parents: vec![old, topic], time: 1_000_030, ..Commit::default() });
    memory.set("refs/heads/dev", x);
    assert_eq!(says(&BranchTopology::new(settings()), &update(&memory, Some(old), Some(new))), [""; 0]);
}

#[test]
fn a_shallow_clone_is_undecided_only_where_it_matters() {
    let commits: &[(&str, &[&str])] =
        &[("m0", &[]), ("m1", &["m0"]), ("d1", &["m1"]), ("d2", &["d1"]), ("h", &["m1"]), ("m2", &["m1", "d2"])];
    let shallow_at = |cut: &str, new: &str| {
        let mut memory = graph(commits);
        memory.shallow.insert(oid(cut));
        judged(&mut memory, "m1", new, "d2")
    };
    assert_eq!(shallow_at("m0", "h"), [""; 0]);
    assert_eq!(shallow_at("m0", "m2"), ["branch-topology/dev-leak"]);
    assert_eq!(shallow_at("d1", "h"), ["undecided: shallow"]);
    assert_eq!(shallow_at("d1", "m2"), ["undecided: shallow"]);
    assert_eq!(shallow_at("h", "h"), ["undecided: shallow"]);
}

#[test]
fn trailers_count_only_if_the_patch_matches() {
    let text = |message: &str, files: &[&str]| {
        let spec = |id: &str, parents: &[&str]| Spec {
            id: id.into(),
            parents: parents.iter().map(|p| (*p).into()).collect(),
            message: String::new(),
            files: None,
            tree: None,
            time: None,
        };
        let files = files.iter().map(|f| ((*f).to_owned(), Some((*f).to_owned()))).collect();
        let squash = Spec { message: message.into(), files: Some(files), ..spec("s", &["m0"]) };
        let mut memory =
            repository(&[spec("m0", &[]), spec("d1", &["m0"]), spec("d2", &["d1"]), spec("d3", &["d2"]), squash]);
        judged(&mut memory, "m0", "s", "d3")
    };
    let claims = "feat: x\n\n(cherry picked from commit d1)\n(cherry picked from commit d2)";
    assert_eq!(text(claims, &["d1", "d2"]), ["branch-topology/squash-leak"]);
    assert_eq!(text("feat: x\n\n(cherry picked from commit d2)", &["d2"]), [""; 0]);
    assert_eq!(text("feat: x\n\nOriginal commit: d2", &["d2"]), [""; 0]);
    assert_eq!(text("feat: x\n\nOriginal commit: PR-12", &["d2"]), [""; 0]);
    // A word that is no id excuses from saying which commit it was, but promotes nothing.
    let vague = "feat: x\n\n(cherry picked from commit two)";
    assert_eq!(text(vague, &["d1", "d2"]), ["branch-topology/squash-leak"]);
    assert_eq!(text("feat: x\n\n(cherry picked from commit d1)", &["d2"]), ["branch-topology/no-provenance"]);
}

#[test]
fn a_squash_after_promotions_counts_only_unpromoted_commits() {
    let spec = |id: &str, parents: &[&str], files: &[&str], message: &str| Spec {
        id: id.into(),
        parents: parents.iter().map(|p| (*p).into()).collect(),
        message: message.into(),
        files: Some(files.iter().map(|f| ((*f).to_owned(), Some((*f).to_owned()))).collect()),
        tree: None,
        time: None,
    };
    let base = |rest: Vec<Spec>| {
        let mut all = vec![
            spec("m0", &[], &["m0"], ""),
            spec("d1", &["m0"], &["d1"], ""),
            spec("d2", &["d1"], &["d2"], ""),
            spec("d3", &["d2"], &["d3"], ""),
            spec("p1", &["m0"], &["d1"], "x\n\n(cherry picked from commit d1)"),
        ];
        all.extend(rest);
        repository(&all)
    };
    let mut both = base(vec![spec("s", &["p1"], &["d2", "d3"], "squash")]);
    assert_eq!(judged(&mut both, "p1", "s", "d3"), ["branch-topology/squash-leak"]);
    let mut one = base(vec![spec("s", &["p1"], &["d2"], "x\n\n(cherry picked from commit d2)")]);
    assert_eq!(judged(&mut one, "p1", "s", "d3"), [""; 0]);
}

#[test]
fn the_content_search_stays_within_its_cap_and_reports_it() {
    let mut memory = Memory::default();
    let old = line(&mut memory, "m", None, 5, 0);
    let dev = line(&mut memory, "d", Some(old), 2_000, 1_000);
    let files = Files::from([("m".to_owned(), "m4".to_owned()), ("d".to_owned(), "by hand".to_owned())]);
    let new = memory.add("own", Commit { parents: vec![old], files, time: 900_000, ..Commit::default() });
    memory.set("refs/heads/dev", dev);
    let capped = BranchTopology::new(TopologySettings { content_cap: 10, ..settings() });
    let (found, result) = findings(&capped, &update(&memory, Some(old), Some(new)));
    assert!(found.is_empty());
    assert_eq!(result.unwrap_err().kind, Kind::Undecided);
    assert!(memory.merged.get() <= 10);
    let unfinished = CapSpent::Warning;
    let warned = BranchTopology::new(TopologySettings { content_cap: 10, unfinished, ..settings() });
    let (found, result) = findings(&warned, &update(&memory, Some(old), Some(new)));
    result.unwrap();
    let codes: Vec<(&str, Severity)> = found.iter().map(|f| (f.rule.as_ref(), f.severity)).collect();
    assert_eq!(codes, [("branch-topology/content-cap", Severity::Warning)]);
    memory.merged.set(0);
    assert!(memory.merged.get() <= 10);
}

/// main at m0; dev's line d1, d2 became a second parent of f.
fn foxtrot() -> Memory {
    let mut memory = graph(&[
        ("m0", &[]),
        ("d1", &["m0"]),
        ("d2", &["d1"]),
        ("t", &["m0"]),
        ("f", &["t", "d2"]),
        ("m1", &["m0", "d2"]),
    ]);
    memory.commits.get_mut(&oid("f")).unwrap().message = "feat: integrate".into();
    memory.commits.get_mut(&oid("m1")).unwrap().message = "Merge branch 'hotfix/urgent'".into();
    memory.set("refs/heads/dev", oid("f"));
    memory
}

#[test]
fn a_merge_with_swapped_parents_on_dev_does_not_hide_its_earlier_tips() {
    let mut memory = foxtrot();
    let rule = BranchTopology::new(settings());
    assert_eq!(says(&rule, &update(&memory, Some(oid("m0")), Some(oid("m1")))), ["ok: hotfix-shared"]);
    memory.earlier.insert("dev".into(), vec![oid("d2"), oid("gone")]);
    assert_eq!(says(&rule, &update(&memory, Some(oid("m0")), Some(oid("m1")))), ["branch-topology/dev-leak"]);
}

#[test]
fn an_update_of_dev_that_swaps_first_parents_records_the_old_tip() {
    let memory = foxtrot();
    let keeps = |old: &str, new: Option<&str>, branch: &str| {
        memory.kept.borrow_mut().clear();
        let mut update = update(&memory, Some(oid(old)), new.map(oid));
        update.name = format!("refs/heads/{branch}").into();
        findings(&BranchTopology::new(settings()), &update).1.unwrap();
        memory.kept.borrow().clone()
    };
    assert_eq!(keeps("d2", Some("f"), "dev"), [("dev".into(), oid("d2"))]);
    assert_eq!(keeps("d2", Some("t"), "dev"), [("dev".into(), oid("d2"))]);
    assert_eq!(keeps("d2", None, "dev"), [("dev".into(), oid("d2"))]);
    assert_eq!(keeps("d1", Some("d2"), "dev"), []);
    assert_eq!(keeps("d2", Some("f"), "topic/x"), []);
}

#[test]
fn a_merge_message_is_no_hotfix_evidence_if_the_pusher_is_known() {
    let judged = |pusher: Option<&str>, head: Option<&str>, branch: Option<(&str, &str)>, accounts: &[&str]| {
        let mut memory =
            graph(&[("m0", &[]), ("d1", &["m0"]), ("t", &["m0"]), ("d2", &["d1", "t"]), ("m1", &["m0", "t"])]);
        memory.commits.get_mut(&oid("m1")).unwrap().message = "Merge branch 'hotfix/x'".into();
        memory.set("refs/heads/dev", oid("d2"));
        if let Some((name, at)) = branch {
            memory.set(&format!("refs/heads/{name}"), oid(at));
        }
        let direct_push = accounts.iter().map(|a| (*a).to_owned()).collect();
        let rule = BranchTopology::new(TopologySettings {
            protected: vec![Protected { direct_push, ..guard("main") }],
            ..settings()
        });
        let mut update = update(&memory, Some(oid("m0")), Some(oid("m1")));
        update.pusher = pusher.map_or(Pusher::NotAsked, |name| Pusher::Named(name.into()));
        update.head_ref = head.map(BString::from);
        says(&rule, &update)
    };
    let (hotfix, topic) = (["ok: hotfix-shared"], ["branch-topology/shared-topic"]);
    assert_eq!(judged(None, None, None, &["*"]), hotfix);
    assert_eq!(judged(Some("eve"), None, None, &["*"]), topic);
    assert_eq!(judged(Some("eve"), None, Some(("hotfix/x", "t")), &["*"]), hotfix);
    assert_eq!(judged(Some("eve"), None, Some(("hotfix/x", "m0")), &["*"]), topic);
    assert_eq!(judged(Some("eve"), None, Some(("topic/x", "t")), &["*"]), topic);
    assert_eq!(judged(Some("bot"), None, None, &["bot"]), hotfix);
    assert_eq!(judged(Some("eve"), Some("topic/x"), None, &["*"]), topic);
    assert_eq!(judged(Some("eve"), Some("hotfix/x"), None, &["*"]), hotfix);
    // That a pull request lands is known, its name is not.
    assert_eq!(judged(Some("eve"), Some(""), None, &["*"]), hotfix);
}

/// Commits with the files that each has, beside `start`.
fn with_files(commits: &[(&str, &[&str], &[&str])]) -> Memory {
    let specs: Vec<Spec> = commits
        .iter()
        .map(|(id, parents, files)| Spec {
            id: (*id).into(),
            parents: parents.iter().map(|p| (*p).into()).collect(),
            message: String::new(),
            files: None,
            tree: Some(files.iter().map(|f| ((*f).to_owned(), (*f).to_owned())).collect()),
            time: None,
        })
        .collect();
    repository(&specs)
}

#[test]
fn a_squash_is_found_in_every_form() {
    let squash = ["branch-topology/squash-leak"];
    let base: &[(&str, &[&str], &[&str])] = &[
        ("m0", &[], &["s"]),
        ("d1", &["m0"], &["s", "d1"]),
        ("d2", &["d1"], &["s", "d1", "d2"]),
        ("m1", &["m0"], &["s", "m"]),
        ("t", &["m0"], &["s", "t"]),
    ];
    let cases: [(&str, Vec<(&str, &[&str], &[&str])>, &[&str]); 9] = [
        ("one parent", vec![("x", &["m1"], &["s", "m", "d1", "d2"])], &squash),
        ("an ancestor beside it", vec![("x", &["m1", "m0"], &["s", "m", "d1", "d2"])], &squash),
        ("itself twice, as an octopus", vec![("x", &["m1", "m0", "m1"], &["s", "m", "d1", "d2"])], &squash),
        (
            "a gained ancestor",
            vec![("m2", &["m1"], &["s", "m", "n"]), ("x", &["m2", "m1"], &["s", "m", "n", "d1", "d2"])],
            &squash,
        ),
        (
            "in a topic",
            vec![("q", &["t"], &["s", "t", "d1", "d2"]), ("x", &["m1", "q"], &["s", "m", "t", "d1", "d2"])],
            &squash,
        ),
        ("hidden in a merge", vec![("x", &["m1", "t"], &["s", "m", "t", "d1", "d2"])], &squash),
        ("a part of it hidden in a merge", vec![("x", &["m1", "t"], &["s", "m", "t", "d2", "own"])], &squash),
        ("a topic", vec![("x", &["m1", "t"], &["s", "m", "t"])], &[]),
        ("a topic and something of its own", vec![("x", &["m1", "t"], &["s", "m", "t", "own"])], &[]),
    ];
    for (name, rest, expected) in cases {
        let mut memory = with_files(&[base, &rest].concat());
        let mut told = judged(&mut memory, "m1", "x", "d2");
        told.retain(|code| code != "branch-topology/evil-merge");
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn a_release_branch_is_allowed_only_with_its_tag() {
    let commits: &[(&str, &[&str])] = &[
        ("m0", &[]),
        ("d1", &["m0"]),
        ("r1", &["d1"]),
        ("r2", &["r1"]),
        ("d2", &["d1"]),
        ("exact", &["m0", "r1"]),
        ("past", &["m0", "r2"]),
        ("below", &["m0", "d1"]),
        ("more", &["m0", "r1", "d2"]),
    ];
    let judged = |new: &str, tag_merges| {
        let mut memory = graph(commits);
        memory.set("refs/heads/dev", oid("d2"));
        memory.set("refs/tags/v1.2.0", oid("r1"));
        let rule = BranchTopology::new(TopologySettings { tag_merges, ..settings() });
        says(&rule, &update(&memory, Some(oid("m0")), Some(oid(new))))
    };
    assert_eq!(judged("exact", Stance::Allow), ["ok: tag-merge"]);
    assert_eq!(judged("r1", Stance::Allow), ["ok: tag-merge"]);
    assert_eq!(judged("exact", Stance::Deny), ["branch-topology/dev-leak"]);
    for new in ["past", "below", "more"] {
        assert_eq!(judged(new, Stance::Allow), ["branch-topology/dev-leak"], "{new}");
    }
}

/// What an update of dev from `old` to `new` is told; main stands at `main`.
fn dev_told(memory: &mut Memory, main: &str, old: &str, new: &str, message: (&str, &str)) -> Vec<Finding> {
    memory.commits.get_mut(&oid(message.0)).unwrap().message = message.1.into();
    memory.set("refs/heads/main", oid(main));
    memory.set("refs/heads/dev", oid(old));
    let mut update = update(memory, Some(oid(old)), Some(oid(new)));
    update.name = "refs/heads/dev".into();
    let (found, result) = findings(&BranchTopology::new(settings()), &update);
    result.unwrap();
    found
}

#[test]
fn merging_a_revert_of_devs_work_into_dev_is_reported() {
    let revert = ("r", "Revert \"Merge dev\"");
    let start: &[(&str, &[&str], &[&str])] = &[
        ("m0", &[], &["s"]),
        ("d1", &["m0"], &["s", "d1"]),
        ("d2", &["d1"], &["s", "d1", "d2"]),
        ("m1", &["m0", "d2"], &["s", "d1", "d2"]),
    ];
    let told = |rest: &[(&str, &[&str], &[&str])], main: &str, old: &str, new: &str, message: (&str, &str)| {
        let found = dev_told(&mut with_files(&[start, rest].concat()), main, old, new, message);
        found
            .iter()
            .filter(|f| f.rule == "branch-topology/lost-work")
            .map(|f| f.notes[0].lines().count())
            .sum::<usize>()
    };
    // How many commits are said to vanish.
    let whole: &[(&str, &[&str], &[&str])] = &[("r", &["m1"], &["s"]), ("d3", &["d2", "r"], &["s"])];
    assert_eq!(told(whole, "r", "d2", "d3", revert), 2);
    assert_eq!(told(whole, "r", "d2", "d3", ("r", "chore: back to before")), 2);
    assert_eq!(told(whole, "r", "d2", "r", revert), 2, "a fast-forward brings it too");
    let part: &[(&str, &[&str], &[&str])] = &[("r", &["m1"], &["s", "d1"]), ("d3", &["d2", "r"], &["s", "d1"])];
    assert_eq!(told(part, "r", "d2", "d3", revert), 1);
    let again: &[(&str, &[&str], &[&str])] =
        &[("q", &["m1"], &["s"]), ("r", &["q"], &["s", "d1", "d2"]), ("d3", &["d2", "r"], &["s", "d1", "d2"])];
    assert_eq!(told(again, "r", "d2", "d3", revert), 0, "the revert was reverted");
    let kept: &[(&str, &[&str], &[&str])] =
        &[("r", &["m1"], &["s"]), ("d3", &["d2", "r"], &["s"]), ("d4", &["d3"], &["s", "d1", "d2"])];
    assert_eq!(told(kept, "r", "d2", "d4", revert), 0, "the same push takes the revert back");
    let hotfix: &[(&str, &[&str], &[&str])] =
        &[("r", &["m1"], &["s", "d1", "d2", "h"]), ("d3", &["d2", "r"], &["s", "d1", "d2", "h"])];
    assert_eq!(told(hotfix, "r", "d2", "d3", ("r", "fix: x")), 0);
    let own: &[(&str, &[&str], &[&str])] = &[
        ("h", &["m1"], &["s", "d1", "d2", "h"]),
        ("b", &["d2", "h"], &["s", "d1", "d2", "h"]),
        ("r", &["h"], &["s", "d1", "d2"]),
        ("d3", &["b", "r"], &["s", "d1", "d2"]),
    ];
    assert_eq!(told(own, "r", "b", "d3", revert), 0, "production takes its own work back");
}

#[test]
fn protected_branches_keep_their_history() {
    let mut memory = graph(&[("m0", &[]), ("d1", &["m0"]), ("d2", &["m0"]), ("d3", &["d1", "d2"])]);
    memory.set("refs/heads/dev", oid("d1"));
    memory.commits.get_mut(&oid("d2")).unwrap().signed = true;
    let rule =
        |protected: Protected| BranchTopology::new(TopologySettings { protected: vec![protected], ..settings() });
    let on_dev = |old, new, pusher: Option<&str>, head: Option<&str>, protected| {
        let mut update = update(&memory, old, new);
        update.name = "refs/heads/dev".into();
        (update.pusher, update.head_ref) =
            (pusher.map_or(Pusher::NotAsked, |p| Pusher::Named(p.into())), head.map(BString::from));
        let (found, result) = findings(&rule(protected), &update);
        result.unwrap();
        found.iter().map(|f| f.rule.to_string()).collect::<Vec<_>>()
    };
    let (d1, d2, d3) = (Some(oid("d1")), Some(oid("d2")), Some(oid("d3")));
    assert_eq!(on_dev(d1, d2, None, None, guard("dev")), ["branch-topology/non-ff"]);
    assert_eq!(on_dev(d1, None, None, None, guard("de?")), ["branch-topology/non-ff"]);
    assert_eq!(on_dev(d1, d2, None, None, guard("other")), [""; 0]);
    assert_eq!(on_dev(d1, d3, None, None, guard("dev")), [""; 0]);
    let only_bot = || Protected { direct_push: vec!["release-bot".into()], ..guard("dev") };
    assert_eq!(on_dev(d1, d3, Some("eve"), None, only_bot()), ["branch-topology/direct-push"]);
    assert_eq!(on_dev(d1, d3, Some("release-bot"), None, only_bot()), [""; 0]);
    assert_eq!(on_dev(d1, d3, Some("eve"), Some("topic/x"), only_bot()), [""; 0]);
    let strict = Protected { linear: Some(Severity::Error), signed: Some(Severity::Warning), ..guard("dev") };
    assert_eq!(on_dev(d1, d3, None, None, strict), ["branch-topology/linear", "branch-topology/signed"]);
}

#[test]
fn a_hotfix_that_is_not_backported_is_reported() {
    let mut memory = graph(&[("m0", &[]), ("h", &["m0"]), ("m1", &["h"]), ("d1", &["m0"])]);
    memory.commits.get_mut(&oid("m1")).unwrap().time += 8 * 86_400;
    memory.set("refs/heads/dev", oid("d1"));
    let severities =
        TopologySeverities { hotfix_not_backported: Some(Severity::Warning), ..TopologySeverities::default() };
    let rule = BranchTopology::new(TopologySettings { severities, ..settings() });
    let (found, _) = findings(&rule, &update(&memory, Some(oid("h")), Some(oid("m1"))));
    assert_eq!(found.len(), 1);
    assert!(found[0].message.starts_with("1 commit of main not in development after 7 days"), "{}", found[0].message);
    // A copy in dev is a backport.
    memory.commits.get_mut(&oid("d1")).unwrap().files.insert("h".into(), "h".into());
    memory.commits.get_mut(&oid("d1")).unwrap().files.remove("d1");
    let (found, _) = findings(&rule, &update(&memory, Some(oid("h")), Some(oid("m1"))));
    assert!(found.is_empty());
}

#[test]
fn a_finding_has_a_sketch_and_commands() {
    let mut memory = graph(&[("m0", &[]), ("d1", &["m0"]), ("d2", &["d1"]), ("m1", &["m0", "d2"])]);
    memory.set("refs/heads/dev", oid("d2"));
    memory.set("refs/tags/v1.9.0", oid("m0"));
    let (found, _) = findings(&BranchTopology::new(settings()), &update(&memory, Some(oid("m0")), Some(oid("m1"))));
    let finding = &found[0];
    assert_eq!(finding.excerpt.text, format!("{} {} refs/heads/main", oid("m0"), oid("m1")));
    assert_eq!(&finding.excerpt.text[finding.excerpt.mark.clone()], oid("m1").to_string());
    assert!(finding.notes[0].lines().count() >= 3 && finding.notes[0].contains("main  o---o"), "{}", finding.notes[0]);
    let help = finding.help.as_ref().unwrap();
    for command in [
        format!("git reset --merge {}", oid("m0").short()),
        format!("portcullis promote plan {}", oid("d2").short()),
        format!("git tag -a v1.10.0 -m v1.10.0 {}", oid("d2").short()),
    ] {
        assert!(help.contains(&command), "{command}\n{help}");
    }
}

#[test]
fn the_examples_of_the_policy_agree() {
    let text = include_str!("../../policies/branch-topology.yml");
    let yaml: serde_yaml::Value = serde_yaml::from_str(text.split_once("\n---\n").unwrap().1).unwrap();
    assert_eq!(RULE.about().unwrap().codes.len(), 15);
    for example in yaml["examples"].as_sequence().unwrap() {
        let commits: Vec<Spec> = example["graph"]
            .as_mapping()
            .unwrap()
            .iter()
            .map(|(id, parents)| Spec {
                id: id.as_str().unwrap().into(),
                parents: parents.as_sequence().unwrap().iter().map(|p| p.as_str().unwrap().into()).collect(),
                message: String::new(),
                files: None,
                tree: None,
                time: None,
            })
            .collect();
        let mut memory = repository(&commits);
        memory.set("refs/heads/dev", oid(example["dev"].as_str().unwrap()));
        for (tag, target) in example.get("tags").and_then(|t| t.as_mapping()).into_iter().flatten() {
            memory.set(&format!("refs/tags/{}", tag.as_str().unwrap()), oid(target.as_str().unwrap()));
        }
        let commit = |key: &str| Some(oid(example[key].as_str().unwrap()));
        let (found, result) =
            findings(&BranchTopology::new(settings()), &update(&memory, commit("old"), commit("new")));
        result.unwrap();
        let codes: Vec<&str> = found.iter().map(|f| f.rule.strip_prefix("branch-topology/").unwrap()).collect();
        let expected: Vec<&str> = example["codes"].as_sequence().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        assert_eq!(codes, expected, "{:?}", example["name"]);
    }
}

fn vocabulary() -> Vocabulary {
    let environment = |name: &str, branch: &str, tag: &str| Environment {
        name: name.into(),
        branches: vec![branch.into()],
        aliases: Vec::new(),
        tags: vec![tag.into()],
    };
    let environments =
        vec![environment("staging", "dev", "dev-v{semver}"), environment("production", "main", "v{semver}")];
    Vocabulary { environments, protected: vec![guard("main")], ..Vocabulary::default() }
}

/// What the whole way from YAML to findings says of merging `d1` of `dev` into `main`.
fn compiled(user: &str, codes: Vec<(&str, Option<Severity>)>) -> (Vec<String>, Vec<String>) {
    let mut memory = graph(&[("m0", &[]), ("d1", &["m0"]), ("d2", &["d1"]), ("h", &["m0"]), ("m1", &["d1", "h"])]);
    memory.set("refs/heads/dev", oid("d2"));
    memory.set("refs/tags/dev-v1.0.0", oid("d1"));
    let trial = Trial { vocabulary: vocabulary(), codes, ..Trial::new(RULE.policy, user) };
    let (found, mistakes) = trial.run(|options| {
        let checks = (RULE.compile)(options);
        let mut out = Findings::new(&NothingToHide, 0);
        let update = update(&memory, Some(oid("h")), Some(oid("m1")));
        checks.refs.iter().for_each(|check| check.check(&update, &mut out).unwrap());
        out.into_vec().iter().map(|f| f.rule.to_string()).collect()
    });
    (found, mistakes.iter().map(|m| m.wrong.message.clone()).collect())
}

#[test]
fn options_come_from_the_policy() {
    let fine = |codes: &[&str]| (codes.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(compiled("", Vec::new()), fine(&["branch-topology/dev-leak"]));
    assert_eq!(compiled("tags: ['dev-v{semver}']", Vec::new()), fine(&[]));
    assert_eq!(compiled("production: [release]", Vec::new()), fine(&[]));
    let foxtrot = vec![("foxtrot", Some(Severity::Warning))];
    assert_eq!(compiled("", foxtrot), fine(&["branch-topology/dev-leak", "branch-topology/foxtrot"]));
    let (_, mistakes) = compiled("{ tags: ['v1'], tag-merges: maybe, shared-topic: allow }", Vec::new());
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
}

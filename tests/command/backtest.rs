//! `portcullis policy backtest`: the same verdict on every landing as the server's gate would have given.

use serde_json::Value;

use super::{json, portcullis, token};
use crate::support::{Hash, TestRepo};

const POLICY: &str = "version: 1\nextends: [dev-main]\nenvironments:\n  staging: { branch: dev }\n  production: { branch: main }\nprotected:\n  - { branch: main, direct-push: ['*'] }\n  - { branch: dev, direct-push: ['*'] }\n";

/// A history with its landings as they happened: branch, old, new, and where the other branch stood.
struct World {
    repo: TestRepo,
    landings: Vec<(&'static str, String, String, Option<String>)>,
}

impl World {
    fn new(hash: Hash) -> Self {
        let repo = TestRepo::init_with(hash);
        repo.write("a", "1\n");
        repo.commit("feat: start");
        repo.git(["branch", "dev"]);
        Self { repo, landings: Vec::new() }
    }

    fn tip(&self, branch: &str) -> String {
        self.repo.rev(&format!("refs/heads/{branch}"))
    }

    /// Lands what `act` does on a branch.
    fn land(&mut self, branch: &'static str, act: impl FnOnce(&TestRepo)) {
        let other = if branch == "main" { "dev" } else { "main" };
        let (old, beside) = (self.tip(branch), self.tip(other));
        self.repo.git(["checkout", "-q", branch]);
        act(&self.repo);
        self.landings.push((branch, old, self.tip(branch), Some(beside)));
    }

    /// A commit of a file with a message.
    fn commit(&mut self, branch: &'static str, file: &str, content: &str, message: &str) {
        self.land(branch, |repo| {
            repo.write(file, content);
            repo.commit(message);
        });
    }

    /// What a server says of each landing, its refs where they were.
    fn truth(&self) -> Vec<bool> {
        let server = self.repo.sandbox().init_bare("truth.git", self.repo.hash());
        let from = self.repo.path().to_str().expect("a path of ours");
        server.git(["fetch", "-q", from, "+refs/heads/*:refs/heads/*"]);
        let policy = self.repo.path().join("portcullis.yaml");
        let judge = |(branch, old, new, beside): &(&str, String, String, Option<String>)| {
            server.git(["update-ref", &format!("refs/heads/{branch}"), old]);
            let other = if *branch == "main" { "dev" } else { "main" };
            server.git(["update-ref", &format!("refs/heads/{other}"), beside.as_ref().expect("both are there")]);
            let line = server.write("line", format!("{old} {new} refs/heads/{branch}\n"));
            let args =
                ["check", "--push", line.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--format", "json"];
            let out = portcullis(&server, &args);
            let code = out.status.code().unwrap();
            assert!(code < 2, "{}", String::from_utf8_lossy(&out.stdout));
            code == 1
        };
        self.landings.iter().map(judge).collect()
    }

    fn backtest(&self, more: &[&str]) -> (i32, Value) {
        json(&self.repo, &[&["policy", "backtest", "--since", "2000-01-01"], more].concat())
    }
}

/// The landings that a backtest calls refused.
fn refused(report: &Value) -> Vec<String> {
    let rules = report["rules"].as_array().expect("rules");
    let findings = rules.iter().flat_map(|r| r["findings"].as_array().expect("findings"));
    let mut list: Vec<String> =
        findings.map(|f| format!("{} {}", f["branch"].as_str().unwrap(), f["commit"].as_str().unwrap())).collect();
    list.sort();
    list.dedup();
    list
}

fn history(hash: Hash) -> World {
    let mut world = World::new(hash);
    world.commit("dev", "b", "1\n", "feat: b");
    world.commit("dev", "c", "1\n", "added c");
    world.commit("main", "hot", "1\n", "fix: hot");
    // Merged as a whole, under git's words and under a server's; picked; squashed; a topic.
    world.land("main", |r| drop(r.git(["merge", "-q", "--no-ff", "-m", "Merge branch 'dev'", "dev"])));
    world.land("dev", |r| drop(r.git(["merge", "-q", "--no-ff", "-m", "Merge branch 'main' into dev", "main"])));
    world.commit("dev", "d", &format!("token: {}\n", token()), "feat: d");
    world.commit("dev", "d", "none\n", "fix: d");
    world.commit("dev", "e", "1\n", "feat: e");
    world.repo.git(["checkout", "-q", "-b", "topic", "main"]);
    world.repo.write("t", "1\n");
    world.repo.commit("feat: t");
    world.land("main", |r| {
        drop(r.git(["merge", "-q", "--no-ff", "-m", "Merge pull request #7 from owner/topic", "topic"]))
    });
    world.land("main", |r| {
        r.git(["cherry-pick", "-x", "dev"]);
    });
    world.land("main", |r| {
        r.git(["merge", "-q", "--squash", "dev"]);
        r.git(["commit", "-q", "-m", "feat: everything (#8)"]);
    });
    world
        .land("main", |r| drop(r.git(["merge", "-q", "--no-ff", "-m", "Merge pull request #9 from owner/dev", "dev"])));
    world.repo.write("portcullis.yaml", POLICY);
    world
}

#[test]
fn every_landing_is_judged_as_the_server_would_have() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let world = history(hash);
        let truth = world.truth();
        let wanted = world.landings.iter().zip(&truth).filter(|(_, refused)| **refused);
        let mut wanted: Vec<String> = wanted.map(|((branch, _, new, _), _)| format!("{branch} {new}")).collect();
        wanted.sort();
        let (code, report) = world.backtest(&[]);
        assert_eq!((code, refused(&report)), (1, wanted.clone()), "{report:#}");
        assert!(wanted.len() > 3 && wanted.len() < world.landings.len(), "{wanted:?}");
        let counts = |key: &str| -> u64 {
            report["branches"].as_array().unwrap().iter().map(|b| b[key].as_u64().unwrap()).sum()
        };
        assert_eq!((counts("landings"), counts("refused")), (world.landings.len() as u64, wanted.len() as u64));
        assert!(!report.to_string().contains(&token()), "{report}");
    }
}

#[test]
fn what_it_says_would_let_a_landing_through_does() {
    let world = history(Hash::Sha1);
    let (_, report) = world.backtest(&[]);
    let rules = report["rules"].as_array().unwrap();
    let exceptions = rules.iter().flat_map(|r| r["findings"].as_array().unwrap()).map(|f| &f["exception"]);
    let lines: String = exceptions.map(|e| format!("  - {}\n", e.as_str().unwrap())).collect();
    world.repo.write("portcullis.yaml", format!("{POLICY}exceptions:\n{lines}"));
    let (code, after) = world.backtest(&[]);
    assert_eq!(code, 0, "{after:#}");
    let options: Vec<&str> = rules.iter().map(|r| r["option"].as_str().unwrap()).collect();
    let lines: String = options
        .iter()
        .map(|o| format!("  {}\n", o.strip_prefix("rules: { ").and_then(|o| o.strip_suffix(" }")).expect("a rule")))
        .collect();
    world.repo.write("portcullis.yaml", format!("{POLICY}rules:\n{lines}"));
    let (code, after) = world.backtest(&[]);
    assert_eq!(code, 0, "{after:#}");
}

#[test]
fn people_read_rule_day_author_and_the_way_through() {
    let world = history(Hash::Sha1);
    let out = portcullis(&world.repo, &["policy", "backtest", "--since", "2000-01-01"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(1), "{text}");
    for wanted in [
        "branch-topology/dev-leak: ",
        "  all of them would pass with rules: { branch-topology/dev-leak: { severity: warning } }",
        "secrets/github-pat: 1 landing\n",
        "    would pass with - { rule: secrets/github-pat, path: \"/d\", fingerprint: ",
        "not judged: who pushed",
        "of 12 landings since 2000-01-01\n",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    assert!(!text.contains(&token()), "{text}");
}

#[test]
fn what_is_left_out_is_left_out() {
    let world = history(Hash::Sha1);
    let (code, report) = world.backtest(&["--branch", "main", "--only", "secrets"]);
    assert_eq!((code, report["branches"].as_array().unwrap().len()), (0, 1), "{report}");
    let (code, report) = world.backtest(&["--branch", "de*", "--only", "secrets"]);
    assert_eq!((code, refused(&report).len()), (1, 1), "{report}");
    let out = portcullis(&world.repo, &["policy", "backtest", "--since", "2998-01-01"]);
    assert_eq!(out.status.code(), Some(0));
    assert!(String::from_utf8(out.stdout).unwrap().contains("would have refused 0 of 0 landings"));
    assert_eq!(portcullis(&world.repo, &["policy", "backtest", "--since", "soon"]).status.code(), Some(2));
    world.repo.write("portcullis.yaml", "version: 1\nnonsense: 1\n");
    assert_eq!(portcullis(&world.repo, &["policy", "backtest"]).status.code(), Some(2));
}

#[test]
fn clones_shallow_clones_and_empty_repositories_work() {
    let world = history(Hash::Sha1);
    let (_, report) = world.backtest(&[]);
    let from = format!("file://{}", world.repo.path().display());
    let policy = world.repo.path().join("portcullis.yaml");
    let clone = |name: &str, args: &[&str]| {
        let place = world.repo.sandbox().path().join(name);
        let args = [&["clone", "-q"], args, &[from.as_str(), place.to_str().unwrap()]].concat();
        world.repo.git(&args);
        world.repo.sandbox().at(name)
    };
    let args = ["policy", "backtest", "--since", "2000-01-01", "--policy", policy.to_str().unwrap()];
    // A clone has the branches of its origin only as remote-tracking ones.
    for whole in [clone("whole", &[]), clone("bare", &["--bare"])] {
        assert_eq!(refused(&json(&whole, &args).1), refused(&report));
    }
    let (code, shallow) = json(&clone("shallow", &["--depth", "2", "--no-single-branch"]), &args);
    assert!(code == 0 || code == 1 || code == 3, "{shallow}");
    let empty = TestRepo::init();
    let out = portcullis(&empty, &["policy", "backtest"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.code() == Some(0) && text.contains("none of the protected branches is here"), "{text}");
}

//! What the engine makes of snapshots: a finding that stood before the change is a note, whatever the policy says of it.

use bstr::ByteSlice as _;
use portcullis::engine::{self, BlobReading};
use portcullis::error::Result;
use portcullis::finding::{Findings, Origin, Severity, Violation};
use portcullis::git::{Excluded, Push, Source, discover};
use portcullis::options::PolicyFile;
use portcullis::policy::{self, Policy};
use portcullis::report::{Report, Verdict};
use portcullis::rules::{Check, Checks, Rule};
use portcullis::subject::{Kinds, Oid, Tree, Update};

use crate::support::TestRepo;
use crate::support::engine::run_config;

/// Every line that says `bad` is.
struct Bad;

impl<'a> Check<Tree<'a>> for Bad {
    fn check(&self, tree: &Tree<'a>, out: &mut Findings<'_>) -> Result<()> {
        for entry in tree.snapshot.entries()? {
            let Some(text) = tree.snapshot.read(entry.path.as_ref())? else { continue };
            for at in text.find_iter("bad") {
                let origin = Origin::File { path: entry.path.clone(), commit: tree.commit, blob: entry.blob };
                out.push(Violation::new("bad/line", Severity::Warning, origin, &text, at..at + 3).message("bad"));
            }
        }
        Ok(())
    }
}

static BAD: Rule = Rule {
    id: "bad",
    looks_at: Kinds::TREE,
    policy: "{}\n---\nsummary: no line is bad\ncodes: [{ code: line, severity: warning, summary: a bad line }]\n",
    compile: |_| Checks { trees: vec![Box::new(Bad)], ..Checks::default() },
};
static RULES: &[&Rule] = &[&BAD];

fn judge(repo: &TestRepo, old: Option<&str>, new: &str) -> Report {
    let id = |hex: &str| Oid::from_hex(hex.as_bytes()).expect("an id");
    let file = PolicyFile::new("portcullis.yaml", "version: 1\nrules: { bad: { severity: error } }\n");
    let policy = Policy::load_for(vec![file], RULES).expect("a policy");
    let compiled = policy.compile(Kinds::ALL, &[]).expect("compiles");
    let config = run_config(&compiled, BlobReading::Prescan);
    let update = Update { name: "refs/heads/main".into(), old: old.map(id), new: Some(id(new)) };
    let source = Source::Push(Push { updates: vec![update], known: Excluded::Old, ..Push::default() });
    let outcome = engine::run(&discover(repo.path()).expect("opens").expect("a repository"), &source, &config);
    let outcome = outcome.expect("is judged");
    let run = policy::Run::new(jiff::civil::date(2026, 1, 1));
    policy.settle(outcome.batches, outcome.errors, outcome.stats, &run)
}

#[test]
fn a_finding_of_a_tree_that_stood_before_is_a_note_and_a_new_one_is_not() {
    let repo = TestRepo::init();
    repo.write("a.txt", "fine\nbad one\n");
    let first = repo.commit("feat: a");
    // The line moves, another file changes: the finding is the same one.
    repo.write("a.txt", "fine\nfine\nfine\nbad one\n");
    repo.write("b.txt", "fine\n");
    let second = repo.commit("feat: b");
    repo.write("b.txt", "fine\nbad two\n");
    let third = repo.commit("feat: c");

    assert_eq!(judge(&repo, None, &first).verdict(), Verdict::Fail);
    let standing = judge(&repo, Some(&first), &second);
    assert_eq!(standing.verdict(), Verdict::Pass);
    let levels: Vec<_> = standing.findings.iter().map(|f| (f.severity, f.notes.clone())).collect();
    assert_eq!(levels, [(Severity::Note, vec!["it stood before this change".to_owned()])]);
    let worse = judge(&repo, Some(&first), &third);
    assert_eq!(worse.verdict(), Verdict::Fail);
    let levels: Vec<_> = worse.findings.iter().map(|f| f.severity).collect();
    assert_eq!(levels, [Severity::Error, Severity::Note]);
}

//! History listed from pruned trees and from commits that were decoded once brings what walking every tree brings: findings,
//! their places, what could not be decided, and what was not seen.

use portcullis::engine::{self, ManyBlobs, Outcome, RunConfig};
use portcullis::finding::Finding;
use portcullis::git::{Source, discover};
use portcullis::policy::Policy;

use crate::rules::secrets::github_token;
use crate::support::TestRepo;

/// Findings, errors and notes of a run; what tells one secret from another is keyed anew in each.
fn told(repo: &TestRepo, reading: ManyBlobs) -> (Vec<String>, Vec<String>, Vec<String>, Outcome) {
    let policy = Policy::load(Vec::new()).expect("the defaults");
    let source = Source::History { all: false };
    let compiled = policy.compile(engine::kinds(&source), &["secrets".to_owned()]).expect("compiles");
    let config =
        RunConfig { checks: &compiled, protected: &[], path_budget: 1_000_000, threads: 2, reading, seen: None };
    let repo = discover(repo.path()).expect("opens").expect("a repository");
    let outcome = engine::run(&repo, &source, &config).expect("is judged");
    let alone = |f: &Finding| {
        let mut f = f.clone();
        f.same = None;
        format!("{f:?}")
    };
    let findings = outcome.batches.iter().flat_map(|b| b.findings.iter().map(alone)).collect();
    let mut errors: Vec<String> = outcome.errors.iter().map(|e| format!("{:?} {}", e.origin, e.error)).collect();
    errors.sort_unstable();
    (findings, errors, outcome.notes.clone(), outcome)
}

/// Both ways agree; gives what the quick one said.
fn agree(repo: &TestRepo, what: &str) -> (Vec<String>, Vec<String>, Vec<String>, Outcome) {
    let (quick, slow) = (told(repo, ManyBlobs::Prescanned), told(repo, ManyBlobs::OneByOne));
    assert_eq!(quick.0, slow.0, "{what}: findings");
    assert_eq!(quick.1, slow.1, "{what}: errors");
    assert_eq!(quick.2, slow.2, "{what}: notes");
    quick
}

fn token(seed: u64) -> String {
    format!("token: {}\n", github_token(seed))
}

/// Secrets at the root and at depth, that come, move, go and come back, on branches and in a merge alone; a submodule, a link, and
/// much that says nothing.
fn world() -> TestRepo {
    let repo = TestRepo::init();
    for n in 0..20 {
        repo.write(&format!("apps/{}/values.yaml", n % 5), format!("replicas: {n}\n"));
        repo.write("README.md", format!("# Version {n}\n"));
        repo.commit(&format!("feat: version {n}"));
    }
    repo.write("apps/1/deep/er/secret.yaml", token(1));
    repo.commit("feat: a secret");
    repo.git(["mv", "apps/1", "apps/one"]);
    repo.commit("feat: moved");
    repo.git(["rm", "-rq", "apps/one/deep"]);
    repo.commit("feat: gone");
    repo.git(["checkout", "-q", "-b", "side", "HEAD~2"]);
    repo.write("side.yaml", token(2));
    repo.commit("feat: another");
    repo.git(["checkout", "-q", "main"]);
    repo.git(["merge", "-q", "--no-ff", "--no-commit", "side"]);
    repo.write("merged.yaml", token(3));
    repo.commit("feat: a merge that brings something of its own");
    let submodule = format!("160000,{},vendor/lib", repo.rev("HEAD"));
    repo.git(["update-index", "--add", "--cacheinfo", &submodule]);
    repo.git(["commit", "-qm", "feat: a submodule"]);
    repo.git(["commit", "-q", "--allow-empty", "-m", &format!("feat: a message\n\n{}", token(4))]);
    repo
}

#[test]
fn pruned_trees_bring_what_whole_trees_bring() {
    let repo = world();
    agree(&repo, "loose");
    repo.git(["repack", "-adfq", "--depth=50", "--window=50"]);
    let (findings, errors, notes, outcome) = agree(&repo, "one pack");
    assert!(findings.len() >= 5, "{findings:#?}");
    assert!(errors.is_empty(), "{errors:?}");
    assert!(notes.iter().any(|note| note.starts_with("1 submodule:")), "{notes:?}");
    assert_eq!(outcome.stats.blobs_read, 3, "the three secrets in files");
    assert!(outcome.stats.commits_decoded < 40, "each commit once, and one for its message: {:?}", outcome.stats);
    repo.write("more.yaml", token(5));
    repo.commit("feat: loose again");
    assert!(agree(&repo, "a pack and loose objects").0.len() > findings.len());
    let quiet = TestRepo::init();
    quiet.write("a.yaml", "replicas: 1\n");
    quiet.commit("feat: nothing");
    quiet.git(["repack", "-adq"]);
    assert!(agree(&quiet, "nothing to find").0.is_empty());
}

#[test]
fn what_is_missing_is_missed_wherever_it_stands() {
    for lost in ["HEAD:README.md", "HEAD~8:apps/2/values.yaml", "HEAD:side.yaml"] {
        let repo = world();
        let id = repo.rev(lost);
        let without = format!(
            "git rev-list --objects --all | cut -c1-40 | grep -v {id} >../left && git pack-objects -q ../pack <../left >../name && \
             rm -r .git/objects && mkdir -p .git/objects/pack .git/objects/info && mv ../pack-* .git/objects/pack"
        );
        assert!(repo.command("sh").args(["-c", &without]).status().expect("a shell").success());
        let (_, errors, _, _) = agree(&repo, lost);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(&id), "{errors:?}");
    }
}

#[test]
fn a_shallow_clone_is_judged_as_far_as_it_goes_and_not_decided() {
    let repo = world();
    let url = format!("file://{}", repo.path().display());
    repo.sandbox().init("elsewhere", crate::support::Hash::Sha1).git(["clone", "-q", "--depth=3", &url, "shallow"]);
    let shallow = repo.sandbox().at("elsewhere/shallow");
    shallow.git(["repack", "-adq"]);
    let (findings, errors, ..) = agree(&shallow, "shallow");
    assert!(!findings.is_empty(), "what is here is judged");
    assert!(matches!(&errors[..], [error] if error.contains("this clone is shallow")), "{errors:?}");
}

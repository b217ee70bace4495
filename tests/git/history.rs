//! A history run with prescan (pruned trees, each commit decoded once) gives the findings, errors and notes of a run that
//! reads every object by its id.

use portcullis::engine::{self, BlobReading, Outcome};
use portcullis::finding::Finding;
use portcullis::git::{Source, discover};
use portcullis::policy::Policy;

use crate::rules::secrets::github_token;
use crate::support::TestRepo;
use crate::support::engine::run_config;

/// Findings, errors and notes of a run. The hash that tells secrets apart is left out: its key is new in each run.
fn results(repo: &TestRepo, reading: BlobReading) -> (Vec<String>, Vec<String>, Vec<String>, Outcome) {
    let policy = Policy::load(Vec::new()).expect("the defaults");
    let source = Source::History { all: false };
    let compiled = policy.compile(engine::kinds(&source), &["secrets".to_owned()]).expect("compiles");
    let config = run_config(&compiled, reading);
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

/// Asserts that both ways of reading give the same, and returns it.
fn assert_same(repo: &TestRepo, what: &str) -> (Vec<String>, Vec<String>, Vec<String>, Outcome) {
    let (prescan, one_by_one) = (results(repo, BlobReading::Prescan), results(repo, BlobReading::OneByOne));
    assert_eq!(prescan.0, one_by_one.0, "{what}: findings");
    assert_eq!(prescan.1, one_by_one.1, "{what}: errors");
    assert_eq!(prescan.2, one_by_one.2, "{what}: notes");
    prescan
}

fn token(seed: u64) -> String {
    format!("token: {}\n", github_token(seed))
}

/// A repository with secrets at the root and at depth that are added, moved and deleted, on branches and in a merge commit
/// only; with a submodule, and many commits without findings.
fn repository() -> TestRepo {
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
fn prescan_gives_the_same_findings_loose_and_packed() {
    let repo = repository();
    assert_same(&repo, "loose");
    repo.git(["repack", "-adfq", "--depth=50", "--window=50"]);
    let (findings, errors, notes, outcome) = assert_same(&repo, "one pack");
    assert!(findings.len() >= 5, "{findings:#?}");
    assert!(errors.is_empty(), "{errors:?}");
    assert!(notes.iter().any(|note| note.starts_with("1 submodule:")), "{notes:?}");
    assert_eq!(outcome.stats.blobs_read, 3, "the three secrets in files");
    assert!(outcome.stats.commits_decoded < 40, "each commit once, and one for its message: {:?}", outcome.stats);
    repo.write("more.yaml", token(5));
    repo.commit("feat: loose again");
    assert!(assert_same(&repo, "a pack and loose objects").0.len() > findings.len());
    let quiet = TestRepo::init();
    quiet.write("a.yaml", "replicas: 1\n");
    quiet.commit("feat: nothing");
    quiet.git(["repack", "-adq"]);
    assert!(assert_same(&quiet, "nothing to find").0.is_empty());
}

#[test]
fn missing_objects_are_reported_at_any_depth() {
    for lost in ["HEAD:README.md", "HEAD~8:apps/2/values.yaml", "HEAD:side.yaml"] {
        let repo = repository();
        let id = repo.rev(lost);
        let without = format!(
            "git rev-list --objects --all | cut -c1-40 | grep -v {id} >../left && git pack-objects -q ../pack <../left >../name && \
             rm -r .git/objects && mkdir -p .git/objects/pack .git/objects/info && mv ../pack-* .git/objects/pack"
        );
        assert!(repo.command("sh").args(["-c", &without]).status().expect("a shell").success());
        let (_, errors, _, _) = assert_same(&repo, lost);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(&id), "{errors:?}");
    }
}

#[test]
fn shallow_clone_is_checked_and_reported_as_incomplete() {
    let repo = repository();
    let url = format!("file://{}", repo.path().display());
    repo.sandbox().init("elsewhere", crate::support::Hash::Sha1).git(["clone", "-q", "--depth=3", &url, "shallow"]);
    let shallow = repo.sandbox().at("elsewhere/shallow");
    shallow.git(["repack", "-adq"]);
    let (findings, errors, ..) = assert_same(&shallow, "shallow");
    assert!(!findings.is_empty(), "what is here is judged");
    assert!(matches!(&errors[..], [error] if error.contains("this clone is shallow")), "{errors:?}");
}

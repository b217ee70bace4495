//! The (blob, path) pairs and commits that each kind of source introduces.

use portcullis::git::{BlobJob, ChangeQuery, Changes, Excluded, Push, PushPolicy, Repo, discover};
use portcullis::subject::{Kinds, Oid, Update};

use crate::support::{Hash, Sandbox, TestRepo};

const QUERY: ChangeQuery = ChangeQuery { kinds: Kinds::ALL, path_budget: 100_000, threads: 2 };

/// A policy that makes no difference between refs.
fn policy(protected: &[String]) -> PushPolicy<'_> {
    PushPolicy {
        protected,
        strictness: &|_| Vec::new(),
        is_excused: &|_| false,
        is_release_tag: &|_| false,
        inspector: None,
    }
}

fn open(repo: &TestRepo) -> Repo {
    discover(repo.path()).expect("opens").expect("a repository")
}

fn oid(hex: &str) -> Oid {
    Oid::from_hex(hex.as_bytes()).expect("an id")
}

/// `path@subject-of-the-commit`, sorted.
fn places(repo: &TestRepo, jobs: &[BlobJob]) -> Vec<String> {
    let mut out: Vec<String> = jobs
        .iter()
        .flat_map(|j| &j.occurrences)
        .map(|p| match p.commit {
            Some(c) => format!("{}@{}", p.path, repo.git(["log", "-1", "--format=%s", &c.to_string()])),
            None => p.path.to_string(),
        })
        .collect();
    out.sort();
    out
}

fn range(repo: &TestRepo, old: Option<&str>, new: &str) -> Changes {
    let update = Update { name: "refs/heads/main".into(), old: old.map(oid), new: Some(oid(new)) };
    let push = Push { updates: vec![update], known: Excluded::Old, ..Push::default() };
    open(repo).push_changes(&push, &QUERY, &policy(&[])).expect("walks")
}

fn index(repo: &TestRepo) -> Vec<String> {
    let changes = open(repo).staged_changes(&[], &QUERY).expect("reads");
    places(repo, &changes.blobs)
}

#[test]
fn range_lists_blobs_that_any_of_its_commits_introduces() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let repo = TestRepo::init_with(hash);
        repo.write("a", "1");
        let first = repo.commit("first");
        repo.write("b", "secret");
        repo.commit("adds b");
        std::fs::remove_file(repo.path().join("b")).unwrap();
        repo.git(["mv", "a", "dir-a"]);
        let last = repo.commit("takes b away, renames a");
        let changes = range(&repo, Some(&first), &last);
        // A blob that was added and deleted again was pushed; a rename is a new pair of an old blob.
        assert_eq!(places(&repo, &changes.blobs), ["b@adds b", "dir-a@takes b away, renames a"]);
        assert_eq!(changes.commits.len(), 2);
        assert!(changes.commits.iter().all(|c| c.new_to == "refs/heads/main".into() && c.refs == c.new_to));
        assert_eq!(changes.trees[0].commit, Some(oid(&last)));
    }
}

#[test]
fn merge_introduces_only_blobs_that_no_parent_has() {
    let repo = TestRepo::init();
    repo.write("a", "1");
    let base = repo.commit("base");
    repo.git(["checkout", "-qb", "topic"]);
    repo.write("t", "topic");
    repo.commit("topic");
    repo.git(["checkout", "-q", "main"]);
    repo.write("m", "main");
    repo.commit("main");
    repo.git(["merge", "-q", "--no-ff", "--no-commit", "topic"]);
    repo.write("evil", "only in the merge");
    let merge = repo.commit("merge");
    let changes = range(&repo, Some(&base), &merge);
    assert_eq!(places(&repo, &changes.blobs), ["evil@merge", "m@main", "t@topic"]);
}

#[test]
fn one_blob_at_many_paths_is_one_job() {
    let repo = TestRepo::init();
    for path in ["x/1", "x/2", "y/3"] {
        repo.write(path, "same");
    }
    let tip = repo.commit("three");
    let changes = range(&repo, None, &tip);
    assert_eq!(changes.blobs.len(), 1);
    assert_eq!(changes.blobs[0].occurrences.len(), 3);
}

#[test]
fn staged_changes_ignore_the_work_tree() {
    let repo = TestRepo::init();
    repo.write("deep/er/file", "1");
    repo.write("deep/other", "1");
    repo.write("top", "1");
    repo.commit("first");
    assert!(index(&repo).is_empty());
    repo.write("deep/er/file", "2");
    repo.write("new/file", "n");
    repo.git(["add", "-A"]);
    repo.write("deep/er/file", "3");
    repo.write("untracked", "u");
    assert_eq!(index(&repo), ["deep/er/file", "new/file"]);
    repo.git(["rm", "-q", "--cached", "top"]);
    assert_eq!(index(&repo), ["deep/er/file", "new/file"]);
}

#[test]
fn staged_changes_on_unborn_branch_in_linked_work_tree_and_with_intent_to_add() {
    let repo = TestRepo::init();
    repo.write("a/b", "1");
    repo.git(["add", "-A"]);
    repo.write("later", "x");
    repo.git(["add", "-N", "later"]);
    assert_eq!(index(&repo), ["a/b"]);
    repo.commit("first");
    let linked = repo.linked_worktree("side");
    linked.write("only-here", "1");
    linked.git(["add", "-A"]);
    assert_eq!(index(&linked), ["only-here"]);
    assert!(index(&repo).is_empty());
}

#[test]
fn stale_cache_tree_hides_no_staged_file() {
    let repo = TestRepo::init();
    for n in 0..40 {
        repo.write(&format!("d{}/f{n}", n % 4), format!("{n}"));
    }
    repo.commit("first");
    let other = repo.git(["hash-object", "-w", "--stdin", "--path", "x"]);
    for path in ["d0/f0", "d3/new", "zz"] {
        repo.git(["update-index", "--add", "--cacheinfo", &format!("100644,{other},{path}")]);
    }
    assert_eq!(index(&repo), ["d0/f0", "d3/new", "zz"]);
}

#[test]
fn work_tree_lists_tracked_and_untracked_files_but_not_ignored_ones() {
    let repo = TestRepo::init();
    repo.write(".gitignore", "*.log\n/out/\n");
    repo.write("kept.log", "tracked though ignored");
    repo.git(["add", "-f", "kept.log"]);
    repo.commit("first");
    repo.write("noise.log", "ignored");
    repo.write("out/x", "ignored");
    repo.write(".hidden/new", "new");
    std::os::unix::fs::symlink("/etc/passwd", repo.path().join("link")).unwrap();
    let nested = repo.sandbox().init("repo/nested", Hash::Sha1);
    nested.write("foreign", "another repository's");
    let changes = open(&repo).work_tree_changes(&[], &QUERY, false).expect("walks");
    assert_eq!(places(&repo, &changes.blobs), [".gitignore", ".hidden/new", "kept.log", "link"]);
}

#[test]
fn range_past_a_shallow_boundary_is_an_error() {
    let repo = TestRepo::init();
    for n in 0..4 {
        repo.write("f", n.to_string());
        repo.commit("step");
    }
    let url = format!("file://{}", repo.path().display());
    repo.sandbox().init("elsewhere", Hash::Sha1).git(["clone", "-q", "--depth", "2", &url, "shallow"]);
    let shallow = repo.sandbox().at("elsewhere/shallow");
    let update = Update { name: "refs/heads/main".into(), old: None, new: Some(oid(&shallow.rev("HEAD"))) };
    let push = Push { updates: vec![update], ..Push::default() };
    let error = open(&shallow).push_changes(&push, &QUERY, &policy(&[])).expect_err("not decided");
    assert!(error.message.contains("shallow") && error.hint.is_some_and(|h| h.contains("--unshallow")));
}

#[test]
fn tree_bomb_exceeds_the_path_budget() {
    let repo = TestRepo::init();
    let blob = repo.git(["hash-object", "-w", "--stdin"]);
    let mut tree = String::new();
    for level in 0..10 {
        let line = |n: u32| match level {
            0 => format!("100644 blob {blob}\tf{n}\n"),
            _ => format!("040000 tree {tree}\td{n}\n"),
        };
        let listing: String = (0..10).map(line).collect();
        repo.write("listing", listing);
        let mut make = repo.command("git");
        make.arg("mktree").stdin(std::fs::File::open(repo.path().join("listing")).unwrap());
        tree = String::from_utf8(make.output().unwrap().stdout).unwrap().trim().to_owned();
    }
    let commit = repo.git(["commit-tree", &tree, "-m", "ten thousand million paths"]);
    let update = Update { name: "refs/heads/main".into(), old: None, new: Some(oid(&commit)) };
    let push = Push { updates: vec![update], ..Push::default() };
    let error = open(&repo).push_changes(&push, &QUERY, &policy(&[])).expect_err("not decided");
    assert!(error.message.contains("more paths than the budget"), "{}", error.message);
}

#[test]
fn history_lists_each_reachable_blob_once_and_all_adds_unreachable_ones() {
    let repo = TestRepo::init();
    repo.write("a", "1");
    repo.commit("first");
    repo.git(["tag", "-a", "v1.0.0", "-m", "one"]);
    repo.write("lost", "gone");
    repo.commit("lost");
    repo.git(["reset", "-q", "--hard", "HEAD~1"]);
    let read = |all| open(&repo).history_changes(all, &QUERY, None).expect("walks");
    assert_eq!(places(&repo, &read(false).blobs), ["a@first"]);
    assert_eq!(read(false).commits.len(), 2, "one commit, one tag");
    assert_eq!(read(true).blobs.len(), 2);
    assert_eq!(read(true).commits.len(), 3);
}

#[test]
fn messages_on_a_protected_branch_are_not_judged_again() {
    let repo = TestRepo::init();
    repo.commit("base");
    repo.git(["checkout", "-qb", "dev"]);
    let dev = repo.commit("dev");
    repo.git(["checkout", "-q", "main"]);
    let old = repo.rev("main");
    repo.git(["merge", "-q", "--no-ff", "dev", "-m", "merge"]);
    let merge = repo.rev("HEAD");
    repo.git(["reset", "-q", "--hard", &old]);
    let update = Update { name: "refs/heads/main".into(), old: Some(oid(&old)), new: Some(oid(&merge)) };
    let push = Push { updates: vec![update], ..Push::default() };
    let protected = ["dev".to_owned()];
    let changes = open(&repo).push_changes(&push, &QUERY, &policy(&protected)).expect("walks");
    let judged: Vec<_> = changes.commits.iter().filter(|c| !c.new_to.is_empty()).map(|c| c.id).collect();
    assert_eq!(judged, [oid(&merge)]);
    assert!(changes.commits.iter().any(|c| c.id == oid(&dev)), "its content is new over the old tip all the same");
    // The sandbox outlives the walk.
    drop::<std::sync::Arc<Sandbox>>(repo.sandbox().clone());
}

#[test]
fn staged_paths_include_deletions() {
    let repo = TestRepo::init();
    for path in ["a/b/one", "a/b/two", "gone/deep/x", "gone/y", "top", "kept/z"] {
        repo.write(path, path);
    }
    repo.commit("first");
    repo.git(["rm", "-rq", "gone", "a/b/two"]);
    repo.write("new", "1");
    repo.write("top", "changed");
    repo.git(["add", "-A"]);
    let opened = open(&repo);
    let staged: Vec<String> =
        opened.thread_local().staged_paths().expect("reads").iter().map(ToString::to_string).collect();
    assert_eq!(staged, ["a/b/two", "gone/deep/x", "gone/y", "new", "top"]);
    assert_eq!(staged.join("\n"), repo.git(["diff", "--cached", "--name-only", "--no-renames"]));
}

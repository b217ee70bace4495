//! HEAD in every state that git can leave it in.

use portcullis::git::discover;
use portcullis::subject::Oid;

use crate::support::TestRepo;

fn head(repo: &TestRepo) -> (Option<String>, Option<String>) {
    let open = discover(repo.path()).expect("opens").expect("a repository");
    let local = open.thread_local();
    let (name, commit) = (local.head_name().expect("a name"), local.head().expect("a commit"));
    // It is read once: another thread's handle returns the same.
    assert_eq!((&name, commit), (&open.thread_local().head_name().unwrap(), open.thread_local().head().unwrap()));
    (name.map(|n| n.to_string()), commit.map(|c: Oid| c.to_string()))
}

#[test]
fn head_is_read_unborn_born_packed_detached_and_through_an_alias() {
    let repo = TestRepo::init();
    assert_eq!(head(&repo), (Some("refs/heads/main".into()), None));
    repo.write("a", "a");
    let first = repo.commit("feat: a");
    assert_eq!(head(&repo), (Some("refs/heads/main".into()), Some(first.clone())));
    repo.git(["pack-refs", "--all"]);
    assert_eq!(head(&repo), (Some("refs/heads/main".into()), Some(first.clone())));
    repo.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    repo.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
    assert_eq!(head(&repo), (Some("refs/heads/alias".into()), Some(first.clone())));
    repo.git(["checkout", "-q", "--detach", "main"]);
    assert_eq!(head(&repo), (None, Some(first)));
}

#[test]
fn head_at_a_tag_is_peeled_and_an_alias_of_an_unborn_branch_is_unborn() {
    let repo = TestRepo::init();
    repo.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    repo.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
    assert_eq!(head(&repo), (Some("refs/heads/alias".into()), None));
    repo.write("a", "a");
    let first = repo.commit("feat: a");
    repo.git(["tag", "-a", "-m", "one", "v1"]);
    repo.git(["symbolic-ref", "HEAD", "refs/tags/v1"]);
    assert_eq!(head(&repo), (Some("refs/tags/v1".into()), Some(first)));
}

#[test]
fn symbolic_ref_cycle_is_an_error() {
    let repo = TestRepo::init();
    std::fs::write(repo.path().join(".git/refs/heads/main"), "ref: refs/heads/main\n").unwrap();
    let open = discover(repo.path()).expect("opens").expect("a repository");
    assert_eq!(open.thread_local().head_name().unwrap().unwrap(), "refs/heads/main");
    assert!(open.thread_local().head().unwrap_err().to_string().contains("HEAD"));
}

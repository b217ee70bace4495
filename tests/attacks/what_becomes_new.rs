//! What a ref gets that was on no ref which is judged as strictly, whatever lies about in the store already.

use crate::hooks::gate::{Said, install, secret, try_git};
use crate::support::{Hash, Sandbox, TestRepo};

/// A developer's repository and a server that judges with `hook`; both have `main` and `dev` with a policy.
struct Served {
    repo: TestRepo,
    server: TestRepo,
}

const OPEN: &str = "version: 1\nextends: [dev-main]\nprotected:\n\
    \x20 - { branch: main, direct-push: [\"*\"], non-ff: error, delete: error }\n\
    \x20 - { branch: dev, direct-push: [\"*\"], non-ff: error, delete: error }\n";

const HOOKS: [&str; 2] = ["pre-receive", "update"];

impl Served {
    fn new(hook: &str, rest: &str) -> Self {
        let repo = Sandbox::new().init("repo", Hash::Sha1);
        let server = repo.bare_remote("origin");
        repo.write("portcullis.yaml", format!("{OPEN}{rest}"));
        repo.commit("feat: policy");
        repo.git(["branch", "dev"]);
        repo.git(["push", "-q", "origin", "main", "dev"]);
        install(&server, &["--server", "bare", hook]);
        Self { repo, server }
    }

    /// A commit on `parent` with one file more.
    fn commit(&self, parent: &str, path: &str, content: &str, message: &str) -> String {
        self.repo.git(["checkout", "-q", "--detach", parent]);
        self.repo.write(path, content);
        self.repo.commit(message)
    }

    fn push(&self, refspecs: &[&str]) -> Said {
        try_git(&self.repo, &[&["push", "-q", "origin"], refspecs].concat())
    }

    /// Puts a commit on a branch of the server as if there were no hook.
    fn unjudged(&self, commit: &str, branch: &str) {
        let hooks = self.server.path().join("hooks");
        std::fs::rename(&hooks, hooks.with_extension("off")).unwrap();
        self.repo.git(["push", "-q", "origin", &format!("{commit}:refs/heads/{branch}")]);
        std::fs::rename(hooks.with_extension("off"), &hooks).unwrap();
    }
}

fn to(commit: &str, branch: &str) -> String {
    format!("{commit}:refs/heads/{branch}")
}

#[test]
fn objects_of_an_alternate_are_judged_when_a_ref_gets_them() {
    for hook in HOOKS {
        let at = Served::new(hook, "");
        let fork = at.repo.bare_remote("fork");
        at.server.write("objects/info/alternates", format!("{}\n", fork.path().join("objects").display()));
        let file = at.commit("main", "cfg", &secret(), "feat: cfg");
        let message = at.commit("main", "x", "x\n", &format!("feat: x\n\n{}", secret()));
        let above = at.commit(&file, "y", "y\n", "feat: y");
        let clean = at.commit("main", "z", "z\n", "feat: z");
        let all = [&file, &message, &above, &clean].map(|c| to(c, &format!("x{c}")));
        at.repo.git([&["push", "-q", "fork"], &all.each_ref().map(String::as_str)[..]].concat());
        for bad in [&file, &message, &above] {
            at.push(&[&to(bad, "main")]).is_refused(&["secrets/gitlab-pat"]);
            at.push(&[&to(bad, "topic")]).is_refused(&["secrets/gitlab-pat"]);
            at.push(&[&format!("{bad}:refs/tags/v1.0.0")]).is_refused(&["secrets/gitlab-pat"]);
        }
        // A parent that is claimed to be there already is new all the same.
        let claims = at.commit(&file, "w", "w\n", "feat: w");
        at.push(&[&to(&claims, "topic")]).is_refused(&["cfg:1:10"]);
        at.push(&[&to(&clean, "main")]).passes();
    }
}

#[test]
fn objects_that_no_ref_has_are_judged_when_a_ref_gets_them() {
    for hook in HOOKS {
        let at = Served::new(hook, "");
        let bad = at.commit("main", "cfg", &secret(), "feat: cfg");
        let clean = at.commit("main", "z", "z\n", "feat: z");
        for commit in [&bad, &clean] {
            at.unjudged(commit, "tmp");
            at.server.git(["update-ref", "-d", "refs/heads/tmp"]);
        }
        at.push(&[&to(&bad, "topic")]).is_refused(&["secrets/gitlab-pat"]);
        at.push(&[&to(&clean, "topic"), &to(&bad, "other")]).is_refused(&["cfg:1:10"]);
        at.push(&[&to(&clean, "clean")]).passes();
    }
}

#[test]
fn what_came_unjudged_to_a_topic_does_not_get_to_a_protected_branch() {
    for hook in HOOKS {
        let at = Served::new(hook, "");
        let bad = at.commit("main", "cfg", &secret(), "feat: cfg");
        let removed = at.commit(&bad, "cfg", "nothing\n", "fix: cfg");
        at.unjudged(&removed, "topic");
        at.push(&[&to(&bad, "main")]).is_refused(&["cfg:1:10"]);
        at.push(&[&to(&removed, "main")]).is_refused(&["cfg:1:10"]);
        // Who goes on from the topic is not refused for what others did.
        let mine = at.commit(&removed, "mine", "mine\n", "feat: mine");
        at.push(&[&to(&mine, "mine")]).passes();
    }
}

#[test]
fn a_rule_for_some_branches_judges_what_gets_there_by_way_of_others() {
    for hook in HOOKS {
        let at = Served::new(hook, "rules: { secrets: { branches: [main, release] } }\n");
        let bad = at.commit("main", "cfg", &secret(), "feat: cfg");
        at.push(&[&to(&bad, "main")]).is_refused(&["cfg:1:10"]);
        at.push(&[&to(&bad, "topic")]).passes();
        for branch in ["main", "release"] {
            at.push(&[&to(&bad, branch)]).is_refused(&["cfg:1:10"]);
            let merged = at.commit(&bad, "more", "more\n", "feat: more");
            at.push(&[&to(&merged, branch)]).is_refused(&["cfg:1:10"]);
        }
        at.push(&[&to(&bad, "another")]).passes();
        at.push(&[&to(&bad, "main"), &to(&bad, "yet-another")]).is_refused(&["cfg:1:10"]);
    }
}

#[test]
fn an_exception_for_a_ref_holds_for_that_ref_alone() {
    for hook in HOOKS {
        let at = Served::new(hook, "exceptions: [{ rule: secrets, ref: legacy, reason: revoked }]\n");
        let bad = at.commit("main", "cfg", &secret(), "feat: cfg");
        at.push(&[&to(&bad, "main"), &to(&bad, "legacy")]).is_refused(&["cfg:1:10"]);
        at.server.try_git(["update-ref", "-d", "refs/heads/legacy"]);
        at.push(&[&to(&bad, "legacy")]).passes();
        for branch in ["main", "topic"] {
            at.push(&[&to(&bad, branch)]).is_refused(&["cfg:1:10"]);
        }
        let more = at.commit(&bad, "more", "more\n", "feat: more");
        at.push(&[&to(&more, "legacy")]).passes();
        at.push(&[&to(&more, "dev")]).is_refused(&["cfg:1:10"]);
    }
}

#[test]
fn an_exception_for_a_commit_does_not_hide_the_same_content_of_a_later_one() {
    let at = Served::new("pre-receive", "");
    let first = at.commit("main", "cfg", &secret(), "feat: cfg");
    let removed = at.commit(&first, "cfg", "nothing\n", "fix: cfg");
    let again = at.commit(&removed, "cfg", &secret(), "feat: cfg again");
    let policy = format!("{OPEN}exceptions: [{{ rule: secrets, commit: {first}, reason: revoked }}]\n");
    let policy = at.commit("main", "portcullis.yaml", &policy, "chore: policy");
    at.unjudged(&policy, "main");
    at.push(&[&to(&again, "topic")]).is_refused(&["cfg:1:10", &again[..10]]);
    at.push(&[&to(&removed, "topic")]).passes();
    at.push(&[&to(&again, "topic")]).is_refused(&["cfg:1:10"]);
}

//! The presets as their users live them: a clone, a bare repository behind the server's hook, and real pushes. Each
//! module replays one workflow: what it allows passes, what it forbids is refused with its code and changes nothing.

mod dev_main;
mod staged_release;
mod trunk;
mod windmill;

use std::collections::BTreeSet;

use crate::hooks::gate::{Said, install, run};
use crate::support::TestRepo;

/// A clone, and the server that it pushes to.
struct Team {
    repo: TestRepo,
    server: TestRepo,
}

/// The account that lands what was reviewed.
const BOT: &str = "release-bot";

impl Team {
    /// Plain git; `main` holds the policy.
    fn on_plain_git(policy: &str) -> Self {
        let team = Self::starting(policy);
        install(&team.server, &["--server", "bare"]);
        team
    }

    /// A forge with pull requests, which runs what stands in its directory of hooks.
    fn on_a_forge(policy: &str) -> Self {
        let team = Self::starting(policy);
        let own = "#!/bin/sh\ndata=$(cat)\nfor hook in hooks/pre-receive.d/*; do\n  echo \"$data\" | \"$hook\" || exit\ndone\n";
        team.server.write_mode("hooks/pre-receive", own, 0o755);
        install(&team.server, &["--server", "gitea"]);
        team
    }

    fn starting(policy: &str) -> Self {
        let repo = TestRepo::init();
        repo.write("portcullis.yaml", policy);
        repo.commit("chore: begin with a policy");
        let server = repo.bare_remote("origin");
        server.git(["config", "receive.denyDeleteCurrent", "ignore"]);
        let url = format!("file://{}", server.path().display());
        repo.git(["remote", "set-url", "origin", &url]);
        repo.git(["push", "-q", "origin", "main"]);
        Self { repo, server }
    }

    /// Commits one file on the branch that is checked out.
    fn change(&self, path: &str, message: &str) -> String {
        self.repo.write(path, format!("{message}\n"));
        self.repo.commit(message)
    }

    fn switch(&self, branch: &str) {
        self.repo.git(["switch", "-q", branch]);
    }

    fn branch(&self, name: &str, from: &str) {
        self.repo.git(["switch", "-q", "-c", name, from]);
    }

    /// `git merge --no-ff`, with git's own words.
    fn merge(&self, what: &str) -> String {
        self.repo.git(["merge", "-q", "--no-ff", "--no-edit", what]);
        self.repo.rev("HEAD")
    }

    fn tag(&self, name: &str, at: &str) {
        self.repo.git(["tag", "-a", "-m", name, name, at]);
    }

    /// A push by an account of plain git.
    fn push(&self, account: &str, refs: &[&str]) -> Said {
        run(self.repo.command("git").args(["push", "origin"]).args(refs).env("USER", account))
    }

    /// A push by an account of the forge.
    fn forge_push(&self, account: &str, refs: &[&str]) -> Said {
        let mut command = self.repo.command("git");
        run(command.args(["push", "origin"]).args(refs).env("GITEA_PUSHER_NAME", account).env("GITEA_PR_ID", "0"))
    }

    /// Somebody presses the button of a pull request: the forge pushes the merge in that account's name.
    fn land(&self, account: &str, refs: &[&str]) -> Said {
        let mut command = self.repo.command("git");
        command.args(["push", "origin"]).args(refs).env("GITEA_PUSHER_NAME", account).env("GITEA_PR_ID", "12");
        run(command.env("GITEA_PUSH_TRIGGER", "pr-merge-to-base"))
    }

    /// Tries what a workflow forbids: refused with exactly these codes, and nothing on the server has changed.
    #[track_caller]
    fn refused(&self, push: impl FnOnce(&Self) -> Said, codes: &[&str]) -> Said {
        let refs = || self.server.git(["for-each-ref", "--format=%(refname) %(objectname)"]);
        let before = refs();
        let said = push(self).is_refused(&[]);
        assert_eq!(rules(&said), codes.iter().copied().collect(), "{}", said.text);
        assert_eq!(refs(), before);
        said
    }

    /// Takes the clone's branch back to the server's.
    fn back(&self, branch: &str) {
        self.repo.git(["fetch", "-q", "--prune", "origin"]);
        self.switch(branch);
        self.repo.git(["reset", "-q", "--hard", &format!("origin/{branch}")]);
    }
}

/// The rules that the pusher is told of.
fn rules(said: &Said) -> BTreeSet<&str> {
    let lines = said.text.lines().filter_map(|l| l.strip_prefix("remote:")).map(str::trim);
    let unmarked = lines.map(|l| l.strip_prefix("GL-HOOK-ERR:").unwrap_or(l).trim_start());
    unmarked.filter_map(|l| l.strip_prefix("rule ")).collect()
}

/// What every preset says of tags and messages, on a branch that releases: `main` is checked out and on the server.
fn tags_and_messages(team: &Team, push: impl Fn(&Team, &[&str]) -> Said) {
    let tag = |name: &str, object: &str, args: &[&str]| {
        team.repo.git([&["tag"], args, &[name, object]].concat());
        let name = name.to_owned();
        move |t: &Team, push: &dyn Fn(&Team, &[&str]) -> Said| push(t, &[&format!("refs/tags/{name}")])
    };
    for (name, args, code) in [
        ("1.2", &["-a", "-m", "x"][..], "semver-tags/name"),
        ("release-9.0.0", &["-a", "-m", "x"], "semver-tags/name"),
        ("v09.0.0", &["-a", "-m", "x"], "semver-tags/name"),
        ("v9.0.0", &[], "semver-tags/annotated"),
    ] {
        let tagged = tag(name, "main", args);
        team.refused(|t| tagged(t, &push), &[code]);
        team.repo.git(["tag", "-d", name]);
    }
    // A release stays where it is.
    team.tag("v9.0.0", "main");
    push(team, &["v9.0.0"]).passes();
    team.repo.git(["tag", "-d", "v9.0.0"]);
    team.branch("elsewhere", "main");
    team.change("elsewhere", "feat: elsewhere");
    team.tag("v9.0.0", "elsewhere");
    let said = team.refused(|t| push(t, &["--force", "v9.0.0"]), &["semver-tags/immutable"]);
    assert!(said.text.contains("promote rollback"), "{}", said.text);
    team.refused(|t| push(t, &[":v9.0.0"]), &["semver-tags/immutable"]);
    team.repo.git(["tag", "-d", "v9.0.0"]);
    // A release goes up, and stands on its branch.
    team.tag("v8.0.0", "main");
    team.refused(|t| push(t, &["v8.0.0"]), &["semver-tags/monotonic"]);
    team.tag("v9.1.0", "elsewhere");
    team.refused(|t| push(t, &["v9.1.0"]), &["semver-tags/on-branch"]);
    for (message, code) in [
        ("did things", "conventional-commits/type-missing"),
        ("feature: x", "conventional-commits/type-unknown"),
        ("feat:x", "conventional-commits/space-after-colon"),
    ] {
        team.repo.git(["commit", "-q", "--amend", "-m", message]);
        team.refused(|t| push(t, &["elsewhere"]), &[code]);
    }
    // Folded away in time or not at all: fine on a topic, refused when it lands.
    team.repo.git(["commit", "-q", "--amend", "-m", "fixup! feat: x"]);
    push(team, &["elsewhere"]).passes();
    team.back("main");
    team.repo.git(["branch", "-q", "-D", "elsewhere"]);
    team.repo.git(["tag", "-d", "v8.0.0"]);
    team.repo.git(["tag", "-d", "v9.1.0"]);
}

/// Protected branches are neither rewritten nor deleted, by nobody.
fn keeps_its_history(team: &Team, branch: &str, push: impl Fn(&Team, &[&str]) -> Said) {
    team.back(branch);
    let spec = |what: &str| format!("{what}:refs/heads/{branch}");
    team.refused(|t| push(t, &["--force", &spec("HEAD~1")]), &["branch-topology/non-ff"]);
    // The default branch holds the policy.
    let gone: &[&str] =
        if branch == "main" { &["branch-topology/non-ff", "policy/changed"] } else { &["branch-topology/non-ff"] };
    let said = team.refused(|t| push(t, &[&spec("")]), gone);
    assert!(said.text.contains("would be deleted"), "{}", said.text);
    team.repo.git(["commit", "-q", "--amend", "--allow-empty", "-m", "feat: rewritten"]);
    let said = team.refused(|t| push(t, &["--force", branch]), &["branch-topology/non-ff"]);
    assert!(said.text.contains("git revert"), "{}", said.text);
    team.back(branch);
}

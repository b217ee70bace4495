//! Help texts of findings: sketches of the graph and commands to paste.
//! Every name in a command is quoted for a POSIX shell.

use bstr::{BStr, ByteSlice as _};

use crate::subject::Oid;
pub use crate::text::count;

/// A word quoted for the shell where needed.
pub fn quote(word: &BStr) -> String {
    crate::shell::quote(word)
}

/// `1a2b3c4d5e ("feat: x")`, with a subject cut to a readable length.
pub fn describe_commit(commit: Oid, subject: &[u8]) -> String {
    let cut = crate::text::shorten(&subject.to_str_lossy(), 50);
    if cut.is_empty() { commit.short() } else { format!("{} (\"{cut}\")", commit.short()) }
}

/// Draws a small commit graph with two branches.
pub struct GraphSketch<'s> {
    /// Short name of the branch that was moved.
    pub main: &'s BStr,
    /// Short name of the development branch.
    pub dev: &'s BStr,
    pub new: Oid,
    pub top: Oid,
}

impl GraphSketch<'_> {
    fn labels(&self) -> (String, String) {
        let (main, dev) = (self.main.to_str_lossy(), self.dev.to_str_lossy());
        let width = main.chars().count().max(dev.chars().count()).min(24);
        let label = |name: &str| {
            let cut: String = name.chars().take(width).collect();
            format!("{cut:width$}")
        };
        (label(&main), label(&dev))
    }

    /// A development commit reaches production.
    pub fn leak(&self) -> String {
        let ((main, dev), new, top) = (self.labels(), self.new.short(), self.top.short());
        if self.new == self.top {
            return format!("{main}  o---o\n{dev}       \\--o---X   {top}: fast-forwarded, without a merge");
        }
        let gap = " ".repeat(main.chars().count());
        format!(
            "{main}  o---o-------M   {new} is what was pushed\n{gap}       \\     /\n{dev}        o---X---o   {top} comes with it"
        )
    }

    /// A topic that development merged bypasses it.
    pub fn topic(&self) -> String {
        let ((main, dev), top) = (self.labels(), self.top.short());
        let gap = " ".repeat(main.chars().count());
        format!(
            "{main}  o---o-----M\n{gap}       \\   /\n{gap}        \\-X      {top}: in {0} already\n{gap}           \\\n{dev}  o---o-----o",
            dev.trim_end()
        )
    }

    /// Several commits squashed into one.
    pub fn squash(&self) -> String {
        let ((main, dev), new, top) = (self.labels(), self.new.short(), self.top.short());
        format!(
            "{main}  o---o---S       {new} has the content of ...\n{dev}      \\--o---o---X   {top}, all commits in one"
        )
    }
}

/// A branch that was fast-forwarded to a topic that had merged the branch.
pub fn foxtrot(branch: &BStr, old: Oid, new: Oid) -> String {
    let (old, new, branch) = (old.short(), new.short(), branch.to_str_lossy());
    let gap = " ".repeat(branch.chars().count());
    format!(
        "{branch}  o---o---X     {old}: was the tip, would be a side line\n{gap}       \\   \\\n{gap}        o---M   {new}: first parents go through the topic"
    )
}

/// A branch that was moved to a commit that does not contain its old tip.
pub fn rewritten(branch: &BStr, old: Oid, new: Oid) -> String {
    let (old, new, branch) = (old.short(), new.short(), branch.to_str_lossy());
    format!(
        "{branch}  o---o---o---X   {old}: was the tip, would be lost\n{:1$}       \\---o       {new}: would be the tip",
        "",
        branch.chars().count()
    )
}

/// How to undo a merge and promote only what is ready.
pub fn instead_of_leak(sketch: &GraphSketch<'_>, old: Oid, next_tag: &str, pull_request: bool) -> String {
    let (main, tag, top) = (quote(sketch.main), quote(next_tag.into()), sketch.top.short());
    let undo = if pull_request {
        format!("close the pull request: {main} was not changed yet")
    } else {
        format!(
            "undo it in your clone (work in progress is kept):\n    git switch {main}\n    git reset --merge {}",
            old.short()
        )
    };
    format!(
        "{undo}\n\
         then promote what is ready, commit by commit:\n    portcullis promote plan {top}\n\
         or, if everything up to {top} is validated, tag it and merge the tag:\n    \
         git tag -a {tag} -m {tag} {top}\n    git push origin {tag}\n    git merge --no-ff {tag}"
    )
}

/// How to promote with a pull request.
pub fn instead_of_merging(sketch: &GraphSketch<'_>, old: Oid) -> String {
    format!(
        "undo it in your clone:\n    git switch {0}\n    git reset --merge {1}\n\
         then open a pull request from {2} to {0} and merge that",
        quote(sketch.main),
        old.short(),
        quote(sketch.dev)
    )
}

/// How to promote if the pull request changes other paths too.
pub fn without_foreign(sketch: &GraphSketch<'_>) -> String {
    let (main, dev) = (quote(sketch.main), quote(sketch.dev));
    format!(
        "promote those paths separately first, from a branch of {main}:\n    \
         git switch -c topic/NAME origin/{main}\n    git cherry-pick -x COMMIT\n    git push origin topic/NAME\n\
         when that is merged, merge {main} into {dev} and try again:\n    \
         git switch {dev}\n    git merge origin/{main}\n    git push origin {dev}"
    )
}

/// How to bring in a topic, as a promotion or as a hotfix.
pub fn instead_of_topic(sketch: &GraphSketch<'_>, old: Oid) -> String {
    let (main, top, old) = (quote(sketch.main), sketch.top.short(), old.short());
    format!(
        "undo it in your clone and promote it:\n    git switch {main}\n    git reset --merge {old}\n    \
         portcullis promote plan {top}\n\
         or, if it is a hotfix, give its branch a hotfix name:\n    git branch hotfix/NAME {top}\n    git push origin hotfix/NAME\n    \
         git switch {main}\n    git reset --merge {old}\n    git merge --no-ff hotfix/NAME"
    )
}

/// How to merge production into development and keep the reverted work.
pub fn keep_work(branch: &BStr, revert: Oid) -> String {
    let (branch, revert) = (quote(branch), revert.short());
    format!(
        "revert the revert in the same push, so that the work stays:\n    git switch {branch}\n    git revert --no-edit {revert}\n    git push origin {branch}"
    )
}

/// How to record the original of a copy, as `git cherry-pick -x` does.
pub fn with_provenance(original: Oid) -> String {
    format!(
        "next time:\n    git cherry-pick -x {}\n\
         if it is not pushed yet, add this line to its message (git commit --amend):\n  \
         (cherry picked from commit {original})",
        original.short()
    )
}

/// How to undo commits on a branch whose history must stay.
pub fn instead_of_rewriting(branch: &BStr, old: Oid, new: Oid) -> String {
    let branch = quote(branch);
    format!(
        "keep the history and undo with new commits:\n    git switch {branch}\n    git reset --merge {0}\n    \
         git revert --no-edit {1}..{0}\nif your branch was only behind:\n    git pull --rebase origin {branch}",
        old.short(),
        new.short()
    )
}

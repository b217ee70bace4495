//! Verdicts as findings: one for every leak and sight, with the drawing, the reason and the commands.
//! Owns codes and wording; decides nothing.

use bstr::{BStr, BString, ByteSlice};

use super::content::{self, Sight};
use super::leak::{Breach, Leak, subject_of};
use super::releases::Releases;
use super::teach::{self, Scene};
use super::{BranchTopology, Content, Foxtrot, Outcome, Promotion};
use crate::error::Result;
use crate::finding::{Findings, Severity, Violation};
use crate::subject::{Oid, RefLine, RefUpdate};

/// Why a leak matters, in one sentence.
const WHY_LEAK: &str = "what is in development was not released: with it, unfinished work deploys to production, and \
    later promotions skip it silently because the history says that it is there";
const WHY_TOPIC: &str = "a topic that goes around development deploys without the tests that development is for; to the graph a \
    hotfix looks the same, so its name has to say it";
const WHY_SQUASH: &str = "one commit hides what was promoted: nothing can be reverted alone, and later merges and picks \
    conflict with the copies";

/// Says what became of an update of a production branch.
pub(super) struct Teacher<'t> {
    pub rule: &'t BranchTopology,
    pub update: &'t RefUpdate<'t>,
    pub branch: &'t BStr,
    pub new: Oid,
}

impl Teacher<'_> {
    pub fn tell(&self, outcome: &Outcome, out: &mut Findings<'_>) -> Result<()> {
        let line = self.update.line();
        let Outcome::Judged { verdict, promotion, sights, foxtrot, content } = outcome else {
            out.push(
                self.violation("branch-topology/baseline", Severity::Note, &line)
                    .message(format!("{} is new: what it starts with is the baseline and was not judged", self.branch)),
            );
            return Ok(());
        };
        for leak in &verdict.leaks {
            self.leak(leak, promotion, &line, out)?;
        }
        for sight in sights {
            self.sight(sight, &line, out)?;
        }
        if let (Foxtrot::Yes, Some(severity), Some(old)) =
            (foxtrot, self.rule.settings.severities.foxtrot, self.update.old)
        {
            out.push(
                self.violation("branch-topology/foxtrot", severity, &line)
                    .message(format!("{} would swap its first parents: its own line becomes a side line", self.branch))
                    .note(teach::foxtrot(self.branch, old, self.new))
                    .note("first parents are what `git log --first-parent` shows and what a revert of a merge counts from")
                    .help(format!(
                        "merge into {0}, not {0} into the topic:\n    git switch {0}\n    git reset --merge {1}\n    git merge --no-ff TOPIC",
                        teach::quote(self.branch),
                        old.short()
                    )),
            );
        }
        if *content == Content::Capped {
            out.push(self.violation("branch-topology/content-cap", Severity::Note, &line).message(format!(
                "squashes and copies were not searched to the end: more than {} comparisons; the verdict on the graph is complete",
                self.rule.settings.content_cap
            )));
        }
        Ok(())
    }

    fn violation<'l>(&self, code: &'static str, severity: Severity, line: &'l RefLine) -> Violation<'l> {
        Violation::on_ref(code, severity, self.update, line, line.new.clone())
    }

    /// The identity of a finding about one commit of several that come in with a push.
    fn about<'l>(&self, violation: Violation<'l>, line: &'l RefLine, commit: Oid) -> Violation<'l> {
        violation.identity([
            line.text[line.name.clone()].as_bytes(),
            line.text[line.new.clone()].as_bytes(),
            commit.as_bytes(),
        ])
    }

    fn named(&self, commit: Oid) -> Result<String> {
        Ok(teach::named(commit, subject_of(&self.update.graph.node(commit)?.message)))
    }

    /// The development branch that has a commit.
    fn owner(&self, commit: Oid) -> Result<BString> {
        let mut all = self.rule.development(self.update)?;
        for dev in &all {
            if self.update.graph.is_ancestor(commit, dev.tip)? {
                return Ok(dev.name.clone());
            }
        }
        Ok(if all.is_empty() { "dev".into() } else { all.swap_remove(0).name })
    }

    fn leak(&self, leak: &Leak, promotion: &Promotion, line: &RefLine, out: &mut Findings<'_>) -> Result<()> {
        let Some(old) = self.update.old else { return Ok(()) };
        let (commit, dev) = (self.named(leak.commit)?, self.owner(leak.commit)?);
        let scene = Scene { main: self.branch, dev: dev.as_bstr(), new: self.new, top: leak.commit };
        let brought = teach::count(leak.brought, "commit");
        let by_button = self.update.head_ref.is_some();
        let violation = match (leak.breach, promotion) {
            (Breach::DevLeak, Promotion::NoPullRequest) => self
                .violation("branch-topology/dev-leak", Severity::Error, line)
                .message(format!("{} would gain {brought} of {dev} with {commit}, but not by a pull request", self.branch))
                .note(scene.leak())
                .note("here a pull request from one branch to the other is the promotion: that is where somebody agrees to it")
                .help(teach::instead_of_merging(&scene, old)),
            (Breach::DevLeak, Promotion::Foreign(paths)) => self
                .violation("branch-topology/dev-leak", Severity::Error, line)
                .message(format!("the pull request promotes {dev} to {}, and with it paths that are not promoted: {}", self.branch, content::listed(paths)))
                .note(format!("of {brought} that would come, {commit} is the last; option pull-request-paths says what may"))
                .help(teach::without_foreign(&scene)),
            (Breach::DevLeak, _) => {
                let next = Releases::new(self.update.graph, &self.rule.settings.tags).next_name()?;
                self.violation("branch-topology/dev-leak", Severity::Error, line)
                    .message(format!("{} would gain {brought} of {dev} with {commit}, which carries no release tag", self.branch))
                    .note(scene.leak())
                    .note(WHY_LEAK)
                    .help(teach::instead_of_leak(&scene, old, &next, by_button))
            }
            (Breach::SharedTopic, _) => self
                .violation("branch-topology/shared-topic", Severity::Error, line)
                .message(format!("{} would gain {brought} that {dev} has already with {commit}, and nothing says that it is a hotfix", self.branch))
                .note(scene.topic())
                .note(WHY_TOPIC)
                .help(teach::instead_of_topic(&scene, old)),
        };
        out.push(self.about(violation, line, leak.commit));
        Ok(())
    }

    fn sight(&self, sight: &Sight, line: &RefLine, out: &mut Findings<'_>) -> Result<()> {
        let s = &self.rule.settings.severities;
        let main = teach::quote(self.branch);
        let raised = match sight {
            Sight::TagSquash { .. } => None,
            Sight::Squash { commit, of } => s.squash_leak.map(|severity| (*commit, severity)).map(|(commit, severity)| {
                let dev = self.owner(*of)?;
                let scene = Scene { main: self.branch, dev: dev.as_bstr(), new: commit, top: *of };
                let message = format!("{} is a squash of {dev} up to {}", self.named(commit)?, self.named(*of)?);
                let back = self.update.old.map_or_else(|| "@{upstream}".into(), |o| o.short());
                let v = self.violation("branch-topology/squash-leak", severity, line).message(message).note(scene.squash());
                Ok((commit, v.note(WHY_SQUASH).help(format!(
                    "take it back:\n    git switch {main}\n    git reset --merge {back}\nbring the commits one by one, as far as they are ready:\n    portcullis promote plan {}",
                    of.short()
                ))))
            }),
            Sight::NoProvenance { commit, original } => s.no_provenance.map(|severity| {
                let message = format!("{} copies {} and does not say so", self.named(*commit)?, self.named(*original)?);
                let v = self.violation("branch-topology/no-provenance", severity, line).message(message);
                Ok((*commit, v.note("without the line nobody can tell later what is promoted and what is not")
                    .help(teach::with_provenance(*original))))
            }),
            Sight::Wholesale { copies, of } => s.wholesale.map(|severity| {
                let dev = self.owner(*of)?;
                let message = format!("{} brought everything of {dev}: a release tag says that in one word", teach::count(*copies, "copied commit"));
                let next = Releases::new(self.update.graph, &self.rule.settings.tags).next_name()?;
                let (tag, of_short) = (teach::quote(next.as_str().into()), of.short());
                let v = self.violation("branch-topology/wholesale", severity, line).message(message);
                Ok((*of, v.help(format!(
                    "next time:\n    git tag -a {tag} -m {tag} {of_short}\n    git push origin {tag}\n    git switch {main}\n    git merge --no-ff {tag}"
                ))))
            }),
            Sight::EvilMerge { commit, paths } => s.evil_merge.map(|severity| {
                let message = format!("the merge {} changes what neither side changed: {}", self.named(*commit)?, content::listed(paths));
                let v = self.violation("branch-topology/evil-merge", severity, line).message(message);
                Ok((*commit, v.note("what a merge adds by itself is in no topic: no review saw it, no pick brings it")
                    .help(format!("see it:\n    git show --remerge-diff {}\nput it into a commit of its own after the merge", commit.short()))))
            }),
            Sight::NotBackported { commits } => s.hotfix_not_backported.map(|severity| {
                let Some(first) = commits.first() else { return Ok((self.new, self.violation("branch-topology/hotfix-not-backported", severity, line))) };
                let days = self.rule.settings.backport_days;
                let message = format!("{} of {} not in development after {days} days, {} the latest", teach::count(commits.len(), "commit"), self.branch, self.named(*first)?);
                let v = self.violation("branch-topology/hotfix-not-backported", severity, line).message(message);
                Ok((*first, v.note("the next promotion would bring the mistake back").help("portcullis promote backport")))
            }),
        };
        if let Some(raised) = raised {
            let (commit, violation): (Oid, Violation<'_>) = raised?;
            out.push(self.about(violation, line, commit));
        }
        Ok(())
    }
}

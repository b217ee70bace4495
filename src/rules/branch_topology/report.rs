//! Verdicts as findings: one for every leak and content issue, with a sketch of the graph, the reason and the commands.
//! Owns codes and wording; decides nothing.

use bstr::{BStr, BString, ByteSlice};

use super::content::{self, ContentIssue};
use super::leak::{Breach, Leak, subject_of};
use super::lost_work::LostWork;
use super::releases::ReleaseTags;
use super::remedies::{self, GraphSketch};
use super::{BranchTopology, CapSpent, ContentCoverage, Foxtrot, PromotionByPullRequest, UpdateOutcome};
use crate::error::{Error, Result};
use crate::finding::{Findings, Severity, Violation};
use crate::subject::{Oid, RefLine, RefUpdate};

/// How many commits are named in a finding.
const NAMED: usize = 5;

/// Why a leak matters, in one sentence.
const WHY_LEAK: &str = "what is in development was not released: with it, unfinished work deploys to production, and \
    later promotions skip it silently because the history says that it is there";
const WHY_TOPIC: &str = "a topic that goes around development deploys without the tests that development is for; to the graph a \
    hotfix looks the same, so its name has to say it";
const WHY_SQUASH: &str = "one commit hides what was promoted: nothing can be reverted alone, and later merges and picks \
    conflict with the copies";

/// Says what became of an update of a production branch.
pub(super) struct FindingWriter<'t> {
    pub rule: &'t BranchTopology,
    pub update: &'t RefUpdate<'t>,
    pub branch: &'t BStr,
    pub new: Oid,
}

impl FindingWriter<'_> {
    pub fn write(&self, outcome: &UpdateOutcome, out: &mut Findings<'_>) -> Result<()> {
        let line = self.update.line();
        let UpdateOutcome::Judged { verdict, promotion, issues, foxtrot, content } = outcome else {
            out.push(
                self.violation("branch-topology/baseline", Severity::Note, &line)
                    .message(format!("{} is new: what it starts with is the baseline and was not judged", self.branch)),
            );
            return Ok(());
        };
        for leak in &verdict.leaks {
            self.leak(leak, promotion, &line, out)?;
        }
        for issue in issues {
            self.content_issue(issue, &line, out)?;
        }
        if let (Foxtrot::Yes, Some(severity), Some(old)) =
            (foxtrot, self.rule.settings.severities.foxtrot, self.update.old)
        {
            out.push(
                self.violation("branch-topology/foxtrot", severity, &line)
                    .message(format!("{} would swap its first parents: its own line becomes a side line", self.branch))
                    .note(remedies::foxtrot(self.branch, old, self.new))
                    .note("first parents are what `git log --first-parent` shows and what a revert of a merge counts from")
                    .help(format!(
                        "merge into {0}, not {0} into the topic:\n    git switch {0}\n    git reset --merge {1}\n    git merge --no-ff TOPIC",
                        remedies::quote(self.branch),
                        old.short()
                    )),
            );
        }
        if *content == ContentCoverage::Capped {
            let message = format!(
                "not all squashes and copies could be searched for in {}: more than {} comparisons",
                self.branch, self.rule.settings.content_cap
            );
            match self.rule.settings.unfinished {
                CapSpent::Undecided => {
                    return Err(Error::undecided(message).hint(
                        "push fewer commits at once, or raise budgets.content-comparisons in the policy\nto be warned only: rules: { branch-topology: { content-cap-spent: warning } }",
                    ));
                }
                CapSpent::Warning => out.push(
                    self.violation("branch-topology/content-cap", Severity::Warning, &line)
                        .message(message)
                        .help("push fewer commits at once, or raise budgets.content-comparisons in the policy"),
                ),
            }
        }
        Ok(())
    }

    /// Work that an update of a development branch would take out of it.
    pub fn lost_work(&self, lost: &[LostWork], out: &mut Findings<'_>) -> Result<()> {
        let Some(severity) = self.rule.settings.severities.lost_work.filter(|_| !lost.is_empty()) else {
            return Ok(());
        };
        let line = self.update.line();
        for work in lost {
            let mut commits: Vec<String> = Vec::new();
            for commit in work.commits.iter().take(NAMED) {
                commits.push(self.named(*commit)?);
            }
            if work.commits.len() > NAMED {
                commits.push(format!("and {} more", work.commits.len() - NAMED));
            }
            let violation = self
                .violation("branch-topology/lost-work", severity, &line)
                .message(format!(
                    "{} would lose the work of {}: {} took it back in production",
                    self.branch,
                    remedies::count(work.commits.len(), "commit"),
                    self.named(work.revert)?
                ))
                .note(commits.join("\n"))
                .note(format!("paths: {}", content::listed(&work.paths)))
                .note("it would be gone on both branches, and later merges would not bring it back: history has it")
                .help(remedies::keep_work(self.branch, work.revert));
            out.push(self.about(violation, &line, work.revert));
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
        Ok(remedies::describe_commit(commit, subject_of(&self.update.graph.node(commit)?.message)))
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

    fn leak(
        &self,
        leak: &Leak,
        promotion: &PromotionByPullRequest,
        line: &RefLine,
        out: &mut Findings<'_>,
    ) -> Result<()> {
        let Some(old) = self.update.old else { return Ok(()) };
        let (commit, dev) = (self.named(leak.commit)?, self.owner(leak.commit)?);
        let sketch = GraphSketch { main: self.branch, dev: dev.as_bstr(), new: self.new, top: leak.commit };
        let brought = remedies::count(leak.brought, "commit");
        let by_button = self.update.head_ref.is_some();
        let violation = match (leak.breach, promotion) {
            (Breach::DevLeak, PromotionByPullRequest::NoPullRequest) => self
                .violation("branch-topology/dev-leak", Severity::Error, line)
                .message(format!("{} would gain {brought} of {dev} with {commit}, but not by a pull request", self.branch))
                .note(sketch.leak())
                .note("here a pull request from one branch to the other is the promotion: that is where somebody agrees to it")
                .help(remedies::instead_of_merging(&sketch, old)),
            (Breach::DevLeak, PromotionByPullRequest::Foreign(paths)) => self
                .violation("branch-topology/dev-leak", Severity::Error, line)
                .message(format!("the pull request promotes {dev} to {}, and with it paths that are not promoted: {}", self.branch, content::listed(paths)))
                .note(format!("of {brought} that would come, {commit} is the last; option pull-request-paths says what may"))
                .help(remedies::without_foreign(&sketch)),
            (Breach::DevLeak, _) => {
                let next = ReleaseTags::new(self.update.graph, &self.rule.settings.tags).next_tag_name()?;
                self.violation("branch-topology/dev-leak", Severity::Error, line)
                    .message(format!("{} would gain {brought} of {dev} with {commit}, which carries no release tag", self.branch))
                    .note(sketch.leak())
                    .note(WHY_LEAK)
                    .help(remedies::instead_of_leak(&sketch, old, &next, by_button))
            }
            (Breach::SharedTopic, _) => self
                .violation("branch-topology/shared-topic", Severity::Error, line)
                .message(format!("{} would gain {brought} that {dev} has already with {commit}, and nothing says that it is a hotfix", self.branch))
                .note(sketch.topic())
                .note(WHY_TOPIC)
                .help(remedies::instead_of_topic(&sketch, old)),
        };
        out.push(self.about(violation, line, leak.commit));
        Ok(())
    }

    fn content_issue(&self, issue: &ContentIssue, line: &RefLine, out: &mut Findings<'_>) -> Result<()> {
        let s = &self.rule.settings.severities;
        let main = remedies::quote(self.branch);
        let raised = match issue {
            ContentIssue::TagSquash { .. } => None,
            ContentIssue::Squash { commit, of } => s.squash_leak.map(|severity| (*commit, severity)).map(|(commit, severity)| {
                let dev = self.owner(*of)?;
                let sketch = GraphSketch { main: self.branch, dev: dev.as_bstr(), new: commit, top: *of };
                let message = format!("{} is a squash of {dev} up to {}", self.named(commit)?, self.named(*of)?);
                let back = self.update.old.map_or_else(|| "@{upstream}".into(), |o| o.short());
                let v = self.violation("branch-topology/squash-leak", severity, line).message(message).note(sketch.squash());
                Ok((commit, v.note(WHY_SQUASH).help(format!(
                    "take it back:\n    git switch {main}\n    git reset --merge {back}\nbring the commits one by one, as far as they are ready:\n    portcullis promote plan {}",
                    of.short()
                ))))
            }),
            ContentIssue::HiddenInMerge { commit, of, paths } => s.squash_leak.map(|severity| {
                let dev = self.owner(*of)?;
                let message = format!("the merge {} brings content of {dev} that none of its parents has, up to {}", self.named(*commit)?, self.named(*of)?);
                let v = self.violation("branch-topology/squash-leak", severity, line).message(message);
                Ok((*commit, v.note(format!("paths: {}", content::listed(paths))).note(WHY_SQUASH).help(format!(
                    "see what the merge adds:\n    git show --remerge-diff {}\nmerge without it and bring the commits one by one:\n    portcullis promote plan {}",
                    commit.short(),
                    of.short()
                ))))
            }),
            ContentIssue::NoProvenance { commit, original } => s.no_provenance.map(|severity| {
                let message = format!("{} copies {} and does not say so", self.named(*commit)?, self.named(*original)?);
                let v = self.violation("branch-topology/no-provenance", severity, line).message(message);
                Ok((*commit, v.note("without the line nobody can tell later what is promoted and what is not")
                    .help(remedies::with_provenance(*original))))
            }),
            ContentIssue::Wholesale { copies, of } => s.wholesale.map(|severity| {
                let dev = self.owner(*of)?;
                let message = format!("{} brought everything of {dev}: a release tag says that in one word", remedies::count(*copies, "copied commit"));
                let next = ReleaseTags::new(self.update.graph, &self.rule.settings.tags).next_tag_name()?;
                let (tag, of_short) = (remedies::quote(next.as_str().into()), of.short());
                let v = self.violation("branch-topology/wholesale", severity, line).message(message);
                Ok((*of, v.help(format!(
                    "next time:\n    git tag -a {tag} -m {tag} {of_short}\n    git push origin {tag}\n    git switch {main}\n    git merge --no-ff {tag}"
                ))))
            }),
            ContentIssue::EvilMerge { commit, paths } => s.evil_merge.map(|severity| {
                let message = format!("the merge {} changes what neither side changed: {}", self.named(*commit)?, content::listed(paths));
                let v = self.violation("branch-topology/evil-merge", severity, line).message(message);
                Ok((*commit, v.note("what a merge adds by itself is in no topic: no review saw it, no pick brings it")
                    .help(format!("see it:\n    git show --remerge-diff {}\nput it into a commit of its own after the merge", commit.short()))))
            }),
            ContentIssue::NotBackported { commits } => s.hotfix_not_backported.map(|severity| {
                let Some(first) = commits.first() else { return Ok((self.new, self.violation("branch-topology/hotfix-not-backported", severity, line))) };
                let days = self.rule.settings.backport_days;
                let message = format!("{} of {} not in development after {days} days, {} the latest", remedies::count(commits.len(), "commit"), self.branch, self.named(*first)?);
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

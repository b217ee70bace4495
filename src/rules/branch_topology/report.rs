//! Turns verdicts into findings: one per leak and content issue, with a graph sketch, the reason and commands.
//! Owns codes and wording; makes no decisions.

use bstr::{BStr, BString, ByteSlice as _};

use super::content::{self, ContentIssue};
use super::leak::{Breach, Leak, subject_of};
use super::lost_work::LostWork;
use super::releases::ReleaseTags;
use super::remedies::{self, GraphSketch};
use super::{BranchTopology, CapSpent, ContentCoverage, Foxtrot, PromotionByPullRequest, UpdateOutcome};
use crate::error::{Error, Result};
use crate::finding::{Findings, Severity, Violation};
use crate::subject::{Oid, RefLine, RefUpdate};

/// Maximum number of commits listed in a finding.
const MAX_LISTED: usize = 5;

const WHY_LEAK: &str = "development is not released yet: unfinished work would deploy to production, and later promotions \
    would skip it, because production's history already has it";
const WHY_TOPIC: &str = "a topic that bypasses development deploys without being tested there; a hotfix looks the same in the \
    graph, so its name must say so";
const WHY_SQUASH: &str = "one commit hides what was promoted: nothing can be reverted alone, and later merges and cherry-picks \
    conflict with it";

/// Writes the findings of one update.
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
                self.violation("branch-topology/baseline", Severity::Note, &line).message(format!(
                    "{} is new: its first commits are the baseline and were not checked",
                    self.branch
                )),
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
                    .message(format!("{} would swap its first parents: its own line would become a side line", self.branch))
                    .note(remedies::foxtrot(self.branch, old, self.new))
                    .note("`git log --first-parent` and reverts of merges rely on the order of parents")
                    .help(format!(
                        "merge into {0}, not {0} into the topic:\n    git switch {0}\n    git reset --merge {1}\n    git merge --no-ff TOPIC",
                        remedies::quote(self.branch),
                        old.short()
                    )),
            );
        }
        if *content == ContentCoverage::Capped {
            let message = format!(
                "the search for squashes and copies in {} was not finished: more than {} comparisons",
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

    /// Reports work that an update of a development branch would remove from it.
    pub fn lost_work(&self, lost: &[LostWork], out: &mut Findings<'_>) -> Result<()> {
        let Some(severity) = self.rule.settings.severities.lost_work.filter(|_| !lost.is_empty()) else {
            return Ok(());
        };
        let line = self.update.line();
        for work in lost {
            let mut commits: Vec<String> = Vec::new();
            for commit in work.commits.iter().take(MAX_LISTED) {
                commits.push(self.describe(*commit)?);
            }
            if work.commits.len() > MAX_LISTED {
                commits.push(format!("and {} more", work.commits.len() - MAX_LISTED));
            }
            let violation = self
                .violation("branch-topology/lost-work", severity, &line)
                .message(format!(
                    "{} would lose the work of {}: {} reverted it in production",
                    self.branch,
                    remedies::count(work.commits.len(), "commit"),
                    self.describe(work.revert)?
                ))
                .note(commits.join("\n"))
                .note(format!("paths: {}", content::list_paths(&work.paths)))
                .note("it would be gone on both branches, and later merges would not bring it back")
                .help(remedies::keep_work(self.branch, work.revert));
            out.push(self.identify(violation, &line, work.revert));
        }
        Ok(())
    }

    fn violation<'l>(&self, code: &'static str, severity: Severity, line: &'l RefLine) -> Violation<'l> {
        Violation::on_ref(code, severity, self.update, line, line.new.clone())
    }

    /// Identifies a finding about one of several commits in a push.
    fn identify<'l>(&self, violation: Violation<'l>, line: &'l RefLine, commit: Oid) -> Violation<'l> {
        violation.identity([
            line.text[line.name.clone()].as_bytes(),
            line.text[line.new.clone()].as_bytes(),
            commit.as_bytes(),
        ])
    }

    fn describe(&self, commit: Oid) -> Result<String> {
        Ok(remedies::describe_commit(commit, subject_of(&self.update.graph.node(commit)?.message)))
    }

    /// The development branch that contains a commit.
    fn development_branch_of(&self, commit: Oid) -> Result<BString> {
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
        let (commit, dev) = (self.describe(leak.commit)?, self.development_branch_of(leak.commit)?);
        let sketch = GraphSketch { main: self.branch, dev: dev.as_bstr(), new: self.new, top: leak.commit };
        let brought = remedies::count(leak.brought, "commit");
        let by_button = self.update.head_ref.is_some();
        let violation = match (leak.breach, promotion) {
            (Breach::DevLeak, PromotionByPullRequest::NoPullRequest) => self
                .violation("branch-topology/dev-leak", Severity::Error, line)
                .message(format!("{} would gain {brought} of {dev} with {commit}, but not through a pull request", self.branch))
                .note(sketch.leak())
                .note("this policy promotes through pull requests from one branch to the other")
                .help(remedies::instead_of_merging(&sketch, old)),
            (Breach::DevLeak, PromotionByPullRequest::ForeignPaths(paths)) => self
                .violation("branch-topology/dev-leak", Severity::Error, line)
                .message(format!("the pull request promotes {dev} to {} and also changes paths that are not promoted: {}", self.branch, content::list_paths(paths)))
                .note(format!("it brings {brought} up to {commit}; the option pull-request-paths lists the allowed paths"))
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
                .message(format!("{} would gain {brought} that {dev} already has with {commit}, and no name says that it is a hotfix", self.branch))
                .note(sketch.topic())
                .note(WHY_TOPIC)
                .help(remedies::instead_of_topic(&sketch, old)),
        };
        out.push(self.identify(violation, line, leak.commit));
        Ok(())
    }

    fn content_issue(&self, issue: &ContentIssue, line: &RefLine, out: &mut Findings<'_>) -> Result<()> {
        let s = &self.rule.settings.severities;
        let main = remedies::quote(self.branch);
        let raised = match issue {
            ContentIssue::TagSquash { .. } => None,
            ContentIssue::Squash { commit, of } => s.squash_leak.map(|severity| (*commit, severity)).map(|(commit, severity)| {
                let dev = self.development_branch_of(*of)?;
                let sketch = GraphSketch { main: self.branch, dev: dev.as_bstr(), new: commit, top: *of };
                let message = format!("{} is a squash of {dev} up to {}", self.describe(commit)?, self.describe(*of)?);
                let back = self.update.old.map_or_else(|| "@{upstream}".into(), |o| o.short());
                let v = self.violation("branch-topology/squash-leak", severity, line).message(message).note(sketch.squash());
                Ok((commit, v.note(WHY_SQUASH).help(format!(
                    "undo it:\n    git switch {main}\n    git reset --merge {back}\nthen promote the commits that are ready one by one:\n    portcullis promote plan {}",
                    of.short()
                ))))
            }),
            ContentIssue::HiddenInMerge { commit, of, paths } => s.squash_leak.map(|severity| {
                let dev = self.development_branch_of(*of)?;
                let message = format!("the merge {} brings content of {dev} that none of its parents has, up to {}", self.describe(*commit)?, self.describe(*of)?);
                let v = self.violation("branch-topology/squash-leak", severity, line).message(message);
                Ok((*commit, v.note(format!("paths: {}", content::list_paths(paths))).note(WHY_SQUASH).help(format!(
                    "look at what the merge adds:\n    git show --remerge-diff {}\nmerge without it and promote the commits one by one:\n    portcullis promote plan {}",
                    commit.short(),
                    of.short()
                ))))
            }),
            ContentIssue::NoProvenance { commit, original } => s.no_provenance.map(|severity| {
                let message = format!("{} copies {} but does not name it", self.describe(*commit)?, self.describe(*original)?);
                let v = self.violation("branch-topology/no-provenance", severity, line).message(message);
                Ok((*commit, v.note("without the line it is hard to tell later what is promoted")
                    .help(remedies::with_provenance(*original))))
            }),
            ContentIssue::Wholesale { copies, of } => s.wholesale.map(|severity| {
                let dev = self.development_branch_of(*of)?;
                let message = format!("{} bring everything of {dev}: merge a release tag instead", remedies::count(*copies, "copied commit"));
                let next = ReleaseTags::new(self.update.graph, &self.rule.settings.tags).next_tag_name()?;
                let (tag, of_short) = (remedies::quote(next.as_str().into()), of.short());
                let v = self.violation("branch-topology/wholesale", severity, line).message(message);
                Ok((*of, v.help(format!(
                    "next time:\n    git tag -a {tag} -m {tag} {of_short}\n    git push origin {tag}\n    git switch {main}\n    git merge --no-ff {tag}"
                ))))
            }),
            ContentIssue::EvilMerge { commit, paths } => s.evil_merge.map(|severity| {
                let message = format!("the merge {} changes what neither side changed: {}", self.describe(*commit)?, content::list_paths(paths));
                let v = self.violation("branch-topology/evil-merge", severity, line).message(message);
                Ok((*commit, v.note("changes made in a merge belong to no topic: no review shows them and no cherry-pick brings them")
                    .help(format!("look at it:\n    git show --remerge-diff {}\nmove it into a commit of its own after the merge", commit.short()))))
            }),
            ContentIssue::NotBackported { commits } => s.hotfix_not_backported.map(|severity| {
                let Some(first) = commits.first() else { return Ok((self.new, self.violation("branch-topology/hotfix-not-backported", severity, line))) };
                let days = self.rule.settings.backport_days;
                let message = format!("{} of {} not in development after {days} days, {} the latest", remedies::count(commits.len(), "commit"), self.branch, self.describe(*first)?);
                let v = self.violation("branch-topology/hotfix-not-backported", severity, line).message(message);
                Ok((*first, v.note("the next promotion would undo the fix").help("portcullis promote backport")))
            }),
        };
        if let Some(raised) = raised {
            let (commit, violation): (Oid, Violation<'_>) = raised?;
            out.push(self.identify(violation, line, commit));
        }
        Ok(())
    }
}

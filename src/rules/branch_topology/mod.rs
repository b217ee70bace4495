//! `branch-topology`: nothing leaks from development to production, and protected branches keep their history.
//! Owns the order of the checks on a ref update; leaks are defined in `leak` and `content`.

pub mod ancestry;
pub mod content;
pub mod graph;
pub mod leak;
mod lost_work;
mod merge_bases;
mod merges;
mod patches;
pub mod protected;
pub mod releases;
pub(super) mod remedies;
mod report;
mod settings;
mod squash;
mod trunk_line;

pub use self::settings::{BranchPatterns, CapSpent, TopologySettings, TopologySeverities};

use bstr::{BStr, BString, ByteSlice as _};

use self::content::{ContentIssue, ContentScope, IssueKind};
use self::graph::{NEW, Region};
use self::leak::{DevelopmentBranch, HotfixEvidence, LeakQuery, LeakVerdict};
use self::protected::BranchGuard;
use self::releases::ReleaseTags;
use super::{Check, Checks, Rule};
use crate::error::{Error, Result};
use crate::finding::Findings;
use crate::options::Options;
use crate::options::scope;
use crate::subject::{Kinds, Oid, Pusher, RefUpdate};

pub static RULE: Rule = Rule {
    id: "branch-topology",
    looks_at: Kinds::REF,
    policy: include_str!("../../../policies/branch-topology.yml"),
    compile,
};

/// The compiled rule.
pub struct BranchTopology {
    settings: TopologySettings,
    guards: Vec<BranchGuard>,
}

/// The result of checking an update of a production branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// The branch is new: there is nothing to compare with.
    Baseline,
    Judged {
        verdict: LeakVerdict,
        promotion: PromotionByPullRequest,
        issues: Vec<ContentIssue>,
        /// Whether production's own line became a side line.
        foxtrot: Foxtrot,
        content: ContentCoverage,
    },
}

/// What the option `pull-request-paths` means for an update with leaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromotionByPullRequest {
    /// The option is not set: the policy promotes by tags and cherry-picks.
    NotConfigured,
    /// The pull request changes only listed paths, so it may merge development.
    Allowed,
    /// The update needs a pull request.
    NoPullRequest,
    /// The pull request also changes these unlisted paths.
    ForeignPaths(Vec<BString>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foxtrot {
    Yes,
    No,
}

/// Whether the search by content finished within its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoverage {
    Finished,
    Capped,
}

fn compile(options: &Options<'_>) -> Checks {
    Checks { refs: vec![Box::new(BranchTopology::new(TopologySettings::read(options)))], ..Checks::default() }
}

impl BranchTopology {
    pub fn new(settings: TopologySettings) -> Self {
        // Loading the policy reports invalid globs.
        let guards = settings.protected.iter().filter_map(|rule| {
            let branch = scope::Branches::new(std::slice::from_ref(&rule.branch)).ok()?;
            Some(BranchGuard { branch, rule: rule.clone() })
        });
        Self { guards: guards.collect(), settings }
    }

    /// Checks an update of a production branch. `region` is painted between its tips; a new branch needs none.
    pub fn judge(&self, update: &RefUpdate<'_>, new: Oid, region: Option<&mut Region<'_>>) -> Result<UpdateOutcome> {
        let (Some(old), Some(region)) = (update.old, region) else { return Ok(UpdateOutcome::Baseline) };
        let releases = ReleaseTags::new(update.graph, &self.settings.tags);
        let development = self.development(update)?;
        let hotfixes = || self.hotfix_tips(update);
        let query = self.leak_query(update, &development, &releases, &hotfixes);
        let mut verdict = leak::find_leaks(region, &query)?;
        let promotion = if verdict.leaks.is_empty() {
            PromotionByPullRequest::NotConfigured
        } else {
            self.promotion(update, old, new)?
        };
        if promotion == PromotionByPullRequest::Allowed {
            verdict.leaks.clear();
        }
        let forward = region.find(old).is_some_and(|at| region.has_paint(at, NEW));
        // In CI a pull request stands for the merge commit that it will become, which is no foxtrot.
        let lands_as_pushed = update.head_ref.is_none() || update.pusher != Pusher::NotAsked;
        let asked = self.settings.severities.foxtrot.is_some() && forward && lands_as_pushed;
        let foxtrot = asked && content::is_foxtrot(region, old, new);
        let kinds = self.issue_kinds();
        let scope = ContentScope { old, new, kinds: &kinds, query: &query };
        let cap = usize::try_from(self.settings.content_cap).unwrap_or(usize::MAX);
        let (issues, finished) =
            if kinds.is_empty() || cap == 0 { (Vec::new(), true) } else { content::find_issues(region, &scope, cap)? };
        Ok(UpdateOutcome::Judged {
            verdict,
            promotion,
            issues,
            foxtrot: if foxtrot { Foxtrot::Yes } else { Foxtrot::No },
            content: if finished { ContentCoverage::Finished } else { ContentCoverage::Capped },
        })
    }

    fn leak_query<'q>(
        &self,
        update: &'q RefUpdate<'_>,
        development: &'q [DevelopmentBranch],
        releases: &'q ReleaseTags<'q>,
        hotfixes: &'q dyn Fn() -> Result<Vec<Oid>>,
    ) -> LeakQuery<'q> {
        let evidence = match (&update.head_ref, &update.pusher) {
            (Some(head), _) if !head.is_empty() => HotfixEvidence::PullRequest(head.as_bstr()),
            (None, Pusher::Unknown) => HotfixEvidence::Branch,
            (None, Pusher::Named(account)) if !self.trusts(update, account.as_bstr()) => HotfixEvidence::Branch,
            _ => HotfixEvidence::Message,
        };
        LeakQuery {
            graph: update.graph,
            development,
            releases,
            evidence,
            hotfixes,
            tag_merges: self.settings.tag_merges,
            shared_topics: self.settings.shared_topics,
        }
    }

    /// The policy lets this account push here, so the subjects of its merges count as evidence.
    fn trusts(&self, update: &RefUpdate<'_>, account: &BStr) -> bool {
        let branch = update.name.strip_prefix(b"refs/heads/").map(BStr::new);
        let guards = self.guards.iter().filter(|guard| branch.is_some_and(|branch| guard.branch.is_match(branch)));
        guards.flat_map(|guard| &guard.rule.direct_push).any(|name| name != "*" && account == name.as_bytes())
    }

    fn issue_kinds(&self) -> Vec<IssueKind> {
        let s = &self.settings.severities;
        let age = i64::try_from(self.settings.backport_days).unwrap_or(i64::MAX).saturating_mul(86_400);
        let all = [
            (s.squash_leak, IssueKind::Squash),
            (s.no_provenance, IssueKind::Provenance),
            (s.wholesale, IssueKind::Wholesale),
            (s.evil_merge, IssueKind::EvilMerge),
            (s.hotfix_not_backported, IssueKind::Backport(age)),
        ];
        all.into_iter().filter(|(severity, _)| severity.is_some()).map(|(_, look)| look).collect()
    }

    /// Tips of the branches with hotfix names, before and after the push.
    fn hotfix_tips(&self, update: &RefUpdate<'_>) -> Result<Vec<Oid>> {
        let is_hotfix =
            |name: &BString| name.strip_prefix(b"refs/heads/").is_some_and(leak::names_hotfix) && *name != update.name;
        let pushed = update.together.iter().filter(|other| is_hotfix(&other.name)).filter_map(|other| other.new);
        let mut tips: Vec<Oid> = pushed.collect();
        let before = update.graph.refs("refs/heads/")?;
        tips.extend(before.into_iter().filter(|r| is_hotfix(&r.name)).map(|r| r.target));
        Ok(tips)
    }

    /// The development branches before the push.
    fn development(&self, update: &RefUpdate<'_>) -> Result<Vec<DevelopmentBranch>> {
        let mut found = Vec::new();
        for pattern in &self.settings.development.written {
            if is_glob(pattern) {
                let globs = scope::Branches::new(std::slice::from_ref(pattern)).unwrap_or_default();
                for r in update.graph.refs("refs/heads/")? {
                    let name = r.name.strip_prefix(b"refs/heads/").unwrap_or(&r.name).as_bstr();
                    if globs.is_match(name) && !self.settings.production.contains(name) {
                        let earlier = update.graph.earlier_tips(name)?;
                        found.push(DevelopmentBranch { name: name.to_owned(), tip: r.target, earlier });
                    }
                }
            } else {
                let tip = update.graph.find_ref(format!("refs/heads/{pattern}").as_str().into())?;
                let tip = tip.ok_or_else(|| missing_branch(pattern))?;
                let earlier = update.graph.earlier_tips(pattern.as_str().into())?;
                found.push(DevelopmentBranch { name: pattern.as_str().into(), tip, earlier });
            }
        }
        match self.settings.development.written.first() {
            Some(pattern) if found.is_empty() => Err(missing_branch(pattern)),
            _ => Ok(found),
        }
    }

    /// Whether this is a pull request that promotes only listed paths, as in the preset `windmill`.
    fn promotion(&self, update: &RefUpdate<'_>, old: Oid, new: Oid) -> Result<PromotionByPullRequest> {
        let paths = &self.settings.pull_request_paths;
        if paths.is_empty() {
            return Ok(PromotionByPullRequest::NotConfigured);
        }
        if update.head_ref.is_none() {
            return Ok(PromotionByPullRequest::NoPullRequest);
        }
        let (old, new) = (update.graph.node(old)?.tree, update.graph.node(new)?.tree);
        let changed = update.graph.diff_trees(Some(old), new)?.into_iter().map(|c| c.0);
        let foreign: Vec<BString> = changed.filter(|path| !scope::is_match(paths, path.as_bstr())).collect();
        Ok(if foreign.is_empty() {
            PromotionByPullRequest::Allowed
        } else {
            PromotionByPullRequest::ForeignPaths(foreign)
        })
    }

    /// Checks that production's commits do not remove a development branch's own work.
    fn check_development(
        &self,
        update: &RefUpdate<'_>,
        branch: &BStr,
        (old, new): (Oid, Oid),
        region: &mut Region<'_>,
        out: &mut Findings<'_>,
    ) -> Result<()> {
        if self.settings.severities.lost_work.is_none() || self.settings.content_cap == 0 {
            return Ok(());
        }
        let production = self.production_tips(update)?;
        let cap = usize::try_from(self.settings.content_cap).unwrap_or(usize::MAX);
        let earlier = update.graph.earlier_tips(branch)?;
        let sides = lost_work::LostWorkScope { old, new, production: &production, earlier: &earlier };
        let lost = lost_work::find(region, update.graph, &sides, cap)?;
        report::FindingWriter { rule: self, update, branch, new }.lost_work(&lost, out)
    }

    /// Tips of the production branches before and after the push; a clone may have none.
    fn production_tips(&self, update: &RefUpdate<'_>) -> Result<Vec<Oid>> {
        let is_production = |name: &BString| {
            name.strip_prefix(b"refs/heads/").is_some_and(|n| self.settings.production.contains(n.as_bstr()))
        };
        let pushed = update.together.iter().filter(|other| is_production(&other.name)).filter_map(|other| other.new);
        let mut tips: Vec<Oid> = pushed.collect();
        for pattern in &self.settings.production.written {
            if is_glob(pattern) {
                let refs = update.graph.refs("refs/heads/")?.into_iter();
                tips.extend(refs.filter(|r| is_production(&r.name)).map(|r| r.target));
            } else {
                tips.extend(update.graph.find_ref(format!("refs/heads/{pattern}").as_str().into())?);
            }
        }
        Ok(tips)
    }

    fn check_production(
        &self,
        update: &RefUpdate<'_>,
        branch: &BStr,
        new: Oid,
        region: Option<&mut Region<'_>>,
        out: &mut Findings<'_>,
    ) -> Result<()> {
        let outcome = self.judge(update, new, region)?;
        report::FindingWriter { rule: self, update, branch, new }.write(&outcome, out)
    }
}

impl<'a> Check<RefUpdate<'a>> for BranchTopology {
    fn check(&self, update: &RefUpdate<'a>, out: &mut Findings<'_>) -> Result<()> {
        let Some(branch) = update.name.strip_prefix(b"refs/heads/").map(BStr::new) else { return Ok(()) };
        let guards: Vec<&BranchGuard> = self.guards.iter().filter(|g| g.branch.is_match(branch)).collect();
        let mut account = Ok(());
        for guard in &guards {
            let result = protected::check_account(guard, self.settings.severities.direct_push, update, branch, out);
            account = account.and(result);
        }
        // Check the history even if it is unknown who pushes.
        self.check_history(&guards, update, branch, out).and(account)
    }
}

impl BranchTopology {
    fn check_history(
        &self,
        guards: &[&BranchGuard],
        update: &RefUpdate<'_>,
        branch: &BStr,
        out: &mut Findings<'_>,
    ) -> Result<()> {
        let production = self.settings.production.contains(branch) && !self.settings.development.is_empty();
        let development = !production && self.settings.development.contains(branch);
        let Some(new) = update.new.filter(|new| update.old != Some(*new)) else {
            return match update.old.filter(|_| development && update.new.is_none()) {
                Some(old) => update.graph.keep_tip(branch, old),
                None => Ok(()),
            };
        };
        let mut region = None;
        let guarded = guards.iter().any(|g| g.rule.non_ff.or(g.rule.linear).or(g.rule.signed).is_some());
        if let Some(old) = update.old
            && (production || development || guarded)
        {
            let painted = region.insert(Region::between(update.graph, &[old], new)?);
            for guard in guards {
                protected::check_guarded_history(guard, update, branch, (old, new), painted, out)?;
            }
            if development {
                // Keep the old tip if first parents no longer lead to it.
                if content::is_foxtrot(painted, old, new)
                    || !painted.find(old).is_some_and(|at| painted.has_paint(at, NEW))
                {
                    update.graph.keep_tip(branch, old)?;
                }
                self.check_development(update, branch, (old, new), painted, out)?;
            }
        }
        if production { self.check_production(update, branch, new, region.as_mut(), out) } else { Ok(()) }
    }
}

fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{'])
}

fn missing_branch(pattern: &str) -> Error {
    let word = remedies::quote(pattern.into());
    Error::undecided(format!("the development branch {pattern} is not in this repository, so its commits are unknown")).hint(
        format!(
            "git fetch origin {word}:refs/remotes/origin/{word}\nif it does not exist yet: git push origin main:refs/heads/{word}"
        ),
    )
}

//! Workflows of GitHub Actions (and of Gitea and Forgejo, which read the same): what starts a job that deploys.

use super::triggers::refused_tags;
use super::{Scene, Stance};
use crate::document::Format;
use crate::error::Result;
use crate::finding::Severity;
use crate::pipelines::event::Event;
use crate::pipelines::{expression, filter};
use crate::rules::structured::environment_in;
use crate::yaml::Node;

const CODE: &str = "deployments/production-trigger";

/// A branch that no policy and no condition names.
const OTHER: &str = "some-other-branch";

/// A job that deploys to an environment.
struct Job<'n> {
    name: &'n str,
    node: &'n Node,
    environment: usize,
    /// What names the environment.
    at: &'n Node,
    /// Its own condition speaks of what started it.
    guarded: bool,
}

/// The jobs that deploy production, among all of the workflow.
struct Production<'n> {
    jobs: Vec<(&'n str, &'n Node)>,
    all: &'n [(Node, Node)],
}

impl<'n> Production<'n> {
    /// A job that may run for an event.
    fn run_by(&self, event: &Event) -> Option<&'n str> {
        self.jobs.iter().find(|(_, node)| may_run(self.all, node, event, 0)).map(|(name, _)| *name)
    }

    /// Names of branches or tags that the conditions speak of.
    fn named(&self, prefix: &str) -> Vec<String> {
        let conditions = self.all.iter().filter_map(|(_, job)| job.get("if").and_then(Node::text));
        let literals =
            conditions.flat_map(|condition| expression::literals(&condition.replace("${{", "").replace("}}", "")));
        let names = literals.filter_map(|text| match text.strip_prefix("refs/") {
            Some(_) => text.strip_prefix(prefix).map(ToOwned::to_owned),
            None => Some(text),
        });
        names.filter(|name| !name.is_empty()).collect()
    }
}

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) -> Result<()> {
    let Some((on_key, on)) = root.entry("on") else { return Ok(()) };
    let all = root.get("jobs").map_or(&[][..], Node::entries);
    let jobs: Vec<Job<'_>> = all.iter().filter_map(|(name, node)| job(scene, name.text()?, node)).collect();
    let production = scene.rules.production();
    let deploying = jobs.iter().filter(|j| j.environment == production).map(|j| (j.name, j.node)).collect();
    started(scene, on_key, on, &Production { jobs: deploying, all })?;
    let bare = jobs.iter().find(|j| j.environment == production && !j.guarded);
    let lower: Vec<&Job<'_>> = jobs.iter().filter(|j| j.environment != production && !j.guarded).collect();
    if let (Some(job), false) = (bare, lower.is_empty()) {
        let waits = lower.iter().any(|l| needs(all, job.node, l.name, 0));
        if !waits {
            let message = format!(
                "one trigger deploys {} and production: job `{}` waits for neither",
                scene.rules.environments[lower[0].environment].name, job.name
            );
            let help = "give production a workflow of its own, or let the job need the other (`needs:`)";
            let key = format!("jobs.{}.environment", job.name);
            scene.tell("deployments/shared-trigger", Severity::Warning, job.at.span.clone(), &key, (message, help));
        }
    }
    Ok(())
}

fn job<'n>(scene: &Scene<'_, '_, '_>, name: &'n str, node: &'n Node) -> Option<Job<'n>> {
    let environment = node.get("environment")?;
    let at = if environment.is_map() { environment.get("name")? } else { environment };
    let text = at.text().filter(|t| !t.contains("${{"))?;
    let condition = node.get("if").and_then(Node::text).unwrap_or_default();
    let guarded =
        ["github.ref", "github.event", "github.base_ref", "startsWith("].iter().any(|w| condition.contains(w));
    Some(Job { name, node, environment: environment_in(text, &scene.rules.environments)?, at, guarded })
}

/// Whether a job waits for another, directly or not.
fn needs(all: &[(Node, Node)], job: &Node, wanted: &str, depth: usize) -> bool {
    let Some(list) = job.get("needs").filter(|_| depth < 16) else { return false };
    let names = list.items().iter().chain(Some(list)).filter_map(Node::text);
    names.into_iter().any(|name| {
        let next = all.iter().find(|(k, _)| k.text() == Some(name));
        name == wanted || next.is_some_and(|(_, j)| needs(all, j, wanted, depth + 1))
    })
}

/// Whether a job may run for an event: its condition may hold, and no job that it needs is surely skipped.
fn may_run(all: &[(Node, Node)], job: &Node, event: &Event, depth: usize) -> bool {
    let condition = job.get("if").and_then(Node::text).unwrap_or_default();
    if !condition.is_empty() && expression::holds(condition, event) == Some(false) {
        return false;
    }
    if expression::ignores_skipped_needs(condition) || depth >= 16 {
        return true;
    }
    let Some(list) = job.get("needs") else { return true };
    list.items().iter().chain(Some(list)).filter_map(Node::text).all(|name| {
        let needed = all.iter().find(|(key, _)| key.text() == Some(name));
        needed.is_none_or(|(_, job)| may_run(all, job, event, depth + 1))
    })
}

/// Asks for each event that starts the workflow whether a job that deploys production runs.
fn started(scene: &mut Scene<'_, '_, '_>, on_key: &Node, on: &Node, jobs: &Production<'_>) -> Result<()> {
    if jobs.jobs.is_empty() {
        return Ok(());
    }
    let nothing = None;
    let events: Vec<(&Node, Option<&Node>)> = match on.entries() {
        [] => on.items().iter().chain(Some(on).filter(|n| n.text().is_some())).map(|n| (n, nothing)).collect(),
        map => map.iter().map(|(k, v)| (k, Some(v))).collect(),
    };
    for (event, filter) in events {
        let name = event.text().unwrap_or_default();
        let key = if event.span == on.span { "on".to_owned() } else { format!("on.{name}") };
        let by_name = |what: &str| jobs.run_by(&Event::named(name)).map(|job| (what.to_owned(), job));
        let wrong = match name {
            "push" => {
                push(scene, event, filter, jobs);
                continue;
            }
            "pull_request" | "pull_request_target" => pull_request(scene, name, filter, jobs),
            "workflow_run" => workflow_run(scene, filter, jobs)?,
            "schedule" => by_name("the clock"),
            "workflow_dispatch" | "repository_dispatch" if scene.rules.manual == Stance::Deny => {
                by_name("anybody by hand")
            }
            "create" | "issue_comment" | "issues" | "fork" | "watch" => by_name("an event that releases nothing"),
            _ => None,
        };
        if let Some((what, job)) = wrong {
            let span = if event.span == on.span { on_key.span.clone() } else { event.span.clone() };
            let message = format!("{what} starts job `{job}`, which deploys production");
            let help = match name {
                "workflow_run" => "name production's branch under `branches:`; github.ref is the default one here",
                _ => {
                    "start it by release tags or pushes to production's branch, or give the job an `if:` on github.ref"
                }
            };
            scene.tell(CODE, Severity::Error, span, &key, (message, help));
        }
    }
    Ok(())
}

/// Texts of a filter, which is a list or one text.
fn patterns<'n>(filter: Option<&'n Node>, key: &str) -> Option<Vec<&'n str>> {
    let node = filter?.get(key)?;
    Some(node.items().iter().chain(Some(node)).filter_map(Node::text).collect())
}

/// Whether a trigger's filter on branches may let one through.
fn admits_branch(filter: Option<&Node>, branch: &str) -> bool {
    match (patterns(filter, "branches"), patterns(filter, "branches-ignore")) {
        (Some(list), _) => filter::admits(&list, branch) != Some(false),
        (None, Some(list)) => filter::admits(&list, branch) != Some(true),
        (None, None) => true,
    }
}

/// Branches to try that are none of production's: any other first.
fn other_branches(scene: &Scene<'_, '_, '_>, jobs: &Production<'_>) -> Vec<String> {
    let own = scene.rules.environments.iter().flat_map(|e| e.branches.iter().cloned());
    let mut names = vec![OTHER.to_owned()];
    names.extend(own.chain(jobs.named("refs/heads/")));
    // Conditions ignore case: `'MAIN'` in one means production's `main`.
    let production = scene.rules.production();
    let is_own =
        |name: &str| scene.rules.environments[production].branches.iter().any(|b| b.eq_ignore_ascii_case(name));
    names.retain(|name| !is_own(name) && !scene.rules.revisions.has_branch(production, name));
    names
}

fn shown(branch: &str) -> String {
    if branch == OTHER { "any branch".to_owned() } else { format!("`{branch}`") }
}

fn pull_request<'n>(
    scene: &Scene<'_, '_, '_>,
    name: &str,
    filter: Option<&Node>,
    jobs: &Production<'n>,
) -> Option<(String, &'n str)> {
    let types = patterns(filter, "types");
    let closed = types.as_ref().is_some_and(|t| t.contains(&"closed"));
    let open = types.as_ref().is_none_or(|t| t.iter().any(|kind| *kind != "closed"));
    let others = other_branches(scene, jobs);
    let own = scene.rules.environments[scene.rules.production()].branches.iter();
    let bases: Vec<&String> = own.chain(&others).filter(|base| admits_branch(filter, base)).collect();
    let run = |base: &str, closed, merged| jobs.run_by(&Event::pull_request(name, base, closed, merged));
    if let Some(job) = bases.iter().filter(|_| open).find_map(|base| run(base, false, false)) {
        return Some(("a pull request that is not merged".to_owned(), job));
    }
    if !closed {
        return None;
    }
    if let Some(job) = bases.iter().find_map(|base| run(base, true, false)) {
        return Some(("a pull request that is closed without a merge".to_owned(), job));
    }
    others
        .iter()
        .filter(|base| admits_branch(filter, base))
        .find_map(|base| run(base, true, true).map(|job| (format!("a pull request merged into {}", shown(base)), job)))
}

/// The end of another workflow, on a branch that is not production's.
fn workflow_run<'n>(
    scene: &Scene<'_, '_, '_>,
    filter: Option<&Node>,
    jobs: &Production<'n>,
) -> Result<Option<(String, &'n str)>> {
    let branches: Vec<String> =
        other_branches(scene, jobs).into_iter().filter(|branch| admits_branch(filter, branch)).collect();
    let run = |by: &str, branch: &str| jobs.run_by(&Event::workflow_run(by, branch));
    // The other workflows are read only where one of them could deploy.
    if !branches.iter().any(|b| run("push", b).is_some() || run("pull_request", b).is_some()) {
        return Ok(None);
    }
    let names = patterns(filter, "workflows").unwrap_or_default();
    for name in names {
        let trigger = workflow_named(scene, name)?;
        for by in ["push", "pull_request"] {
            for branch in &branches {
                if trigger.as_ref().is_none_or(|on| on.runs(by, branch))
                    && let Some(job) = run(by, branch)
                {
                    return Ok(Some((format!("the end of workflow `{name}` on {}", shown(branch)), job)));
                }
            }
        }
    }
    Ok(None)
}

/// What starts another workflow.
struct Trigger(Node);

impl Trigger {
    /// Whether a push to a branch, or a pull request from it, starts the workflow. A pull request's branch has any name.
    fn runs(&self, by: &str, branch: &str) -> bool {
        let on = &self.0;
        let listed = on.items().iter().chain(Some(on)).any(|n| n.text() == Some(by));
        let Some(filter) = on.get(by) else { return listed };
        let tags_only = !["branches", "branches-ignore"].iter().any(|key| filter.get(key).is_some())
            && ["tags", "tags-ignore"].iter().any(|key| filter.get(key).is_some());
        by == "pull_request" || (!tags_only && admits_branch(Some(filter), branch))
    }
}

/// The trigger of the workflow of a name; `None` where this tree has no such workflow.
fn workflow_named(scene: &Scene<'_, '_, '_>, name: &str) -> Result<Option<Trigger>> {
    for entry in scene.files.entries().iter().filter(|e| super::is_workflow(e.path.as_ref())) {
        let Some(file) = scene.files.load(entry.path.as_ref(), Format::Yaml)? else { continue };
        let Some(root) = file.roots.first() else { continue };
        let named =
            root.get("name").and_then(Node::text).map_or(entry.path.as_slice() == name.as_bytes(), |n| n == name);
        if let (true, Some(on)) = (named, root.get("on")) {
            return Ok(Some(Trigger(on.clone())));
        }
    }
    Ok(None)
}

fn push(scene: &mut Scene<'_, '_, '_>, event: &Node, filter: Option<&Node>, jobs: &Production<'_>) {
    let production = scene.rules.production();
    let part = |key: &str| filter.and_then(|f| f.get(key));
    let by_branch = part("branches").is_some() || part("branches-ignore").is_some();
    let by_tag = part("tags").is_some() || part("tags-ignore").is_some();
    let others = other_branches(scene, jobs);
    let run = |branch: &str| jobs.run_by(&Event::push_to_branch(branch));
    if let Some(branches) = part("branches") {
        let list = patterns(filter, "branches").unwrap_or_default();
        for node in branches.items().iter().chain(Some(branches)) {
            let Some(pattern) = node.text().filter(|t| !t.starts_with('!')) else { continue };
            if scene.rules.revisions.has_branch(production, pattern) {
                continue;
            }
            // Names of the pattern's own words, and those that the policy and the conditions speak of.
            let mut names = filter::samples(pattern);
            names.extend(others.iter().cloned());
            names.retain(|name| {
                !scene.rules.revisions.has_branch(production, name)
                    && filter::admits(&[pattern], name) != Some(false)
                    && filter::admits(&list, name) != Some(false)
            });
            let Some(job) = names.iter().find_map(|name| run(name)) else { continue };
            let own = scene.rules.revisions.shown(production);
            let message =
                format!("a push to `{pattern}` starts job `{job}`, which deploys production (its own: {own})");
            let help = "deploy production from its own branch or from release tags only";
            let key = format!("on.push.branches.{pattern}");
            scene.tell(CODE, Severity::Error, node.span.clone(), &key, (message, help));
        }
    } else if by_branch || !by_tag {
        let found = others.iter().filter(|b| admits_branch(filter, b)).find_map(|b| Some((b, run(b)?)));
        if let Some((branch, job)) = found {
            let message = format!("a push to {} starts job `{job}`, which deploys production", shown(branch));
            let help = "name release tags or production's branch under `push:`";
            return scene.tell(CODE, Severity::Error, event.span.clone(), "on.push", (message, help));
        }
    }
    tags(scene, filter, jobs);
}

fn tags(scene: &mut Scene<'_, '_, '_>, filter: Option<&Node>, jobs: &Production<'_>) {
    let Some(tags) = filter.and_then(|f| f.get("tags")) else { return };
    let list = patterns(filter, "tags").unwrap_or_default();
    let production = scene.rules.production();
    for node in tags.items().iter().chain(Some(tags)) {
        let Some(pattern) = node.text().filter(|t| !t.starts_with('!')) else { continue };
        let mut own = filter::samples(pattern);
        own.extend(jobs.named("refs/tags/"));
        let refused = refused_tags(scene.rules.revisions.tags(production), &own);
        let deploys = |name: &&str| {
            filter::admits(&[pattern], name) == Some(true)
                && filter::admits(&list, name) == Some(true)
                && jobs.run_by(&Event::push_of_tag(name)).is_some()
        };
        if let Some(name) = refused.into_iter().find(deploys) {
            let message = format!("the pattern `{pattern}` also lets `{name}` deploy production, which is no release");
            let help = "narrow it: 'v[0-9]+.[0-9]+.[0-9]+'";
            scene.tell(
                "deployments/tag-pattern",
                Severity::Warning,
                node.span.clone(),
                &format!("on.push.tags.{pattern}"),
                (message, help),
            );
        }
    }
}

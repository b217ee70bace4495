//! Events that start a workflow, and what the contexts `github` and `inputs` hold for each.

use super::expression::Value;

/// Parts of `github.event` that only some events have.
const SECTIONS: &[(&str, &[&str])] = &[
    ("pull_request", &["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"]),
    ("workflow_run", &["workflow_run"]),
    ("inputs", &["workflow_dispatch", "workflow_call"]),
    ("release", &["release"]),
    ("client_payload", &["repository_dispatch"]),
    ("schedule", &["schedule"]),
    ("issue", &["issues", "issue_comment"]),
    ("comment", &["issue_comment", "pull_request_review_comment", "commit_comment"]),
    ("merge_group", &["merge_group"]),
    ("head_commit", &["push"]),
];

pub struct Event {
    name: String,
    values: Vec<(&'static str, Value)>,
}

impl Event {
    /// An event of which only the name is known.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), values: vec![("github.event_name", Value::Text(name.to_owned()))] }
    }

    fn with(mut self, key: &'static str, value: Value) -> Self {
        self.values.push((key, value));
        self
    }

    fn at(self, name: &str, kind: &str) -> Self {
        let full = format!("refs/{}/{name}", if kind == "tag" { "tags" } else { "heads" });
        self.with("github.ref", Value::Text(full.clone()))
            .with("github.event.ref", Value::Text(full))
            .with("github.ref_name", Value::Text(name.to_owned()))
            .with("github.ref_type", Value::Text(kind.to_owned()))
            .with("github.base_ref", Value::Text(String::new()))
            .with("github.head_ref", Value::Text(String::new()))
    }

    pub fn push_to_branch(branch: &str) -> Self {
        Self::named("push").at(branch, "branch")
    }

    pub fn push_of_tag(tag: &str) -> Self {
        Self::named("push").at(tag, "tag")
    }

    /// The end of another workflow. `github.ref` is the default branch whatever branch that workflow ran for, so it is
    /// left unknown.
    pub fn workflow_run(started_by: &str, branch: &str) -> Self {
        Self::named("workflow_run")
            .with("github.event.action", Value::Text("completed".to_owned()))
            .with("github.event.workflow_run.event", Value::Text(started_by.to_owned()))
            .with("github.event.workflow_run.head_branch", Value::Text(branch.to_owned()))
            .with("github.event.workflow_run.conclusion", Value::Text("success".to_owned()))
    }

    /// `name`: `pull_request` or `pull_request_target`.
    pub fn pull_request(name: &str, base: &str, closed: bool, merged: bool) -> Self {
        let (full, short) = match name == "pull_request_target" || merged {
            true => (format!("refs/heads/{base}"), base),
            false => ("refs/pull/1/merge".to_owned(), "1/merge"),
        };
        let event = Self::named(name)
            .with("github.ref", Value::Text(full))
            .with("github.ref_name", Value::Text(short.to_owned()))
            .with("github.base_ref", Value::Text(base.to_owned()))
            .with("github.event.pull_request.base.ref", Value::Text(base.to_owned()))
            .with("github.event.pull_request.merged", Value::Bool(merged));
        match closed {
            true => event.with("github.event.action", Value::Text("closed".to_owned())),
            false => event,
        }
    }

    /// The value at a path of the contexts, in lower case.
    pub fn value(&self, path: &str) -> Value {
        if let Some((_, value)) = self.values.iter().find(|(key, _)| *key == path) {
            return value.clone();
        }
        let below = path.strip_prefix("github.event.").or_else(|| path.starts_with("inputs.").then_some("inputs"));
        let section = below.and_then(|rest| rest.split('.').next());
        match SECTIONS.iter().find(|(name, _)| Some(*name) == section) {
            Some((_, events)) if !events.contains(&self.name.as_str()) => Value::Null,
            _ => Value::Unknown(None),
        }
    }
}

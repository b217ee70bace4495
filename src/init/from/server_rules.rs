//! Rules of servers: GitHub's rulesets as its settings export them, and GitLab's push rules as its API gives them.

use super::{Source, commitlint, list};
use crate::yaml::Node;

/// A file that the user names: what it is shows in its keys.
pub fn exported(source: &mut Source<'_>) {
    let Some(root) = source.document() else { return };
    let all: &[Node] = if root.is_seq() { root.items() } else { std::slice::from_ref(&root) };
    for one in all {
        if one.get("rules").is_some_and(Node::is_seq) {
            ruleset(source, one);
        } else if ["commit_message_regex", "deny_delete_tag", "prevent_secrets"]
            .iter()
            .any(|key| one.get(key).is_some())
        {
            push_rules(source, one);
        } else if commitlint::is_one(one) {
            commitlint::read(source, one);
        } else {
            source.leave("the whole file", "it is no configuration that is known here");
        }
    }
}

/// One ruleset of GitHub.
fn ruleset(source: &mut Source<'_>, set: &Node) {
    source.took();
    let text = |key: &str| set.get(key).and_then(Node::text).unwrap_or_default();
    if text("enforcement") == "disabled" {
        return;
    }
    let (name, of_tags) = (text("name").to_owned(), text("target") == "tag");
    for rule in set.get("rules").map_or(&[][..], Node::items) {
        let kind = rule.get("type").and_then(Node::text).unwrap_or_default().to_owned();
        let what = format!("{name}: {kind}");
        if !of_tags && !is_of_default(set) {
            source.leave(what, "it is not for the default branch: write it under protected");
            continue;
        }
        if of_tags {
            let why = match kind.as_str() {
                "deletion" | "non_fast_forward" | "update" => "release tags never move or go here",
                _ => "the formats under semver-tags say how release tags are named",
            };
            source.leave(what, why);
            continue;
        }
        let protection = match kind.as_str() {
            "deletion" => ("delete", "error"),
            "non_fast_forward" => ("non-ff", "error"),
            "required_linear_history" => ("linear", "error"),
            "required_signatures" => ("signed", "error"),
            "pull_request" => ("direct-push", "[]"),
            "commit_message_pattern" => {
                message_pattern(source, rule.get("parameters"), what);
                continue;
            }
            "max_file_size" | "file_path_restriction" | "file_extension_restriction" => {
                source.leave(what, "files are forbidden by their kind here: see portcullis explain files");
                continue;
            }
            "required_status_checks" | "merge_queue" | "required_deployments" | "code_scanning" | "workflows" => {
                source.leave(what, "it is the server's: keep it there, with portcullis ci as a required check");
                continue;
            }
            _ => {
                source.leave(what, "it has no counterpart");
                continue;
            }
        };
        source.out.protection.insert(protection.0, protection.1);
    }
    if set.get("bypass_actors").is_some_and(|list| !list.items().is_empty()) {
        source.leave(format!("{name}: bypass_actors"), "name the accounts under protected: direct-push");
    }
}

/// Whether a ruleset is for the default branch.
fn is_of_default(set: &Node) -> bool {
    let named = super::texts(set.get("conditions").and_then(|c| c.get("ref_name")).and_then(|r| r.get("include")));
    let usual = ["~DEFAULT_BRANCH", "~ALL", "refs/heads/main", "refs/heads/master", "refs/heads/**/*"];
    named.is_empty() || named.iter().any(|name| usual.contains(&name.as_str()))
}

fn message_pattern(source: &mut Source<'_>, parameters: Option<&Node>, what: String) {
    let text = |key: &str| parameters.and_then(|p| p.get(key)).and_then(Node::text).unwrap_or_default();
    let pattern = text("pattern");
    let negate = parameters.and_then(|p| p.get("negate")).and_then(Node::as_bool).unwrap_or_default();
    let regex = match text("operator") {
        "regex" => pattern.to_owned(),
        "starts_with" => format!("^{}", regex::escape(pattern)),
        "ends_with" => format!("{}$", regex::escape(pattern)),
        "contains" => regex::escape(pattern),
        _ => return source.leave(what, "its operator is not known here"),
    };
    if negate {
        return source.leave(what, "messages are not refused for what they hold");
    }
    needs(source, &regex, what);
}

/// A pattern that every message needs.
fn needs(source: &mut Source<'_>, pattern: &str, what: String) {
    match regex::Regex::new(pattern) {
        Ok(_) => source.message_option("references", list(&[pattern])),
        Err(_) => source.leave(what, "the syntax of its pattern is not known here"),
    }
}

/// GitLab: `GET /projects/:id/push_rule`.
fn push_rules(source: &mut Source<'_>, rules: &Node) {
    source.took();
    let text = |key: &str| rules.get(key).and_then(Node::text).filter(|t| !t.is_empty());
    let is_on = |key: &str| rules.get(key).and_then(Node::as_bool) == Some(true);
    if let Some(pattern) = text("commit_message_regex") {
        needs(source, pattern, "commit_message_regex".to_owned());
    }
    if is_on("reject_unsigned_commits") {
        source.out.protection.insert("signed", "error");
    }
    if is_on("reject_non_dco_commits") {
        source.message_option("signed-off-by", "true");
    }
    for (key, why) in [
        ("commit_message_negative_regex", "messages are not refused for what they hold"),
        ("branch_name_regex", "names of branches are not judged"),
        ("author_email_regex", "addresses of authors are not judged"),
        ("file_name_regex", "files are forbidden by their kind here: see portcullis explain files"),
    ] {
        if let Some(pattern) = text(key) {
            source.leave(format!("{key} = {pattern}"), why);
        }
    }
    for (key, why) in [
        ("member_check", "accounts are the server's: keep it there"),
        ("commit_committer_check", "accounts are the server's: keep it there"),
        ("commit_committer_name_check", "accounts are the server's: keep it there"),
    ] {
        if is_on(key) {
            source.leave(key, why);
        }
    }
    if rules.get("max_file_size").and_then(Node::as_int).is_some_and(|n| n > 0) {
        source.leave("max_file_size", "sizes of files are not judged");
    }
}

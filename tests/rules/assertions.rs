//! Every example of `policies/assertions.yml`, and what is wrong in assertions.

use portcullis::options::PolicyFile;
use portcullis::policy::Policy;
use portcullis::rules::assertions::RULE;
use portcullis::subject::Kinds;
use portcullis::yaml;
use serde::Deserialize;

use crate::support::tree::{MemoryTree, judge};

#[derive(Deserialize)]
struct Examples {
    examples: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    name: String,
    assertion: String,
    file: String,
    finds: Vec<String>,
}

const ENVIRONMENTS: &str = "version: 1\nenvironments: { staging: { branch: dev }, production: { branch: main } }\n";

#[test]
fn every_example_of_the_policy_has_its_stated_findings() {
    let Examples { examples } = yaml::from_document(RULE.policy, 1).unwrap();
    for e in &examples {
        let policy = format!("{ENVIRONMENTS}assertions: [{}]\n", e.assertion);
        let tree = MemoryTree::of([("file.yaml", &*e.file), ("file.toml", "a = 1\n")]);
        let findings = judge(&policy, "assertions", Some("main"), &tree, None);
        let got: Vec<String> = findings.iter().map(|f| format!("{}:{}", f.span.line, f.span.column)).collect();
        assert_eq!(got, e.finds, "{}: {findings:?}", e.name);
        assert!(
            findings.iter().all(|f| f.rule == "assertions/a" && f.excerpt.text.find(": y").is_none()),
            "{findings:?}"
        );
    }
    assert!(examples.len() >= 12);
}

#[test]
fn an_environment_is_known_by_path_and_by_branch() {
    let policy = format!(
        "{ENVIRONMENTS}assertions: [{{ id: a, files: '*.yaml', environment: production, path: a, equals: 1, severity: warning, help: set it }}]\n"
    );
    let tree = MemoryTree::of([("staging/x.yaml", "a: 2\n"), ("production/x.yaml", "a: 2\n"), ("x.yaml", "a: 2\n")]);
    let paths = |branch| -> Vec<String> {
        let findings = judge(&policy, "assertions", Some(branch), &tree, None);
        findings.iter().map(|f| f.origin.path().unwrap().to_string()).collect()
    };
    assert_eq!(paths("main"), ["production/x.yaml", "x.yaml"]);
    assert_eq!(paths("dev"), ["production/x.yaml"]);
}

#[test]
fn files_that_a_change_leaves_alone_are_not_read() {
    let policy = format!("{ENVIRONMENTS}assertions: [{{ id: a, files: '*.yaml', path: a, equals: 1 }}]\n");
    let before = MemoryTree::of([("x.yaml", "a: 2\n"), ("y.yaml", "a: 2\n")]);
    let after = before.clone().with("y.yaml", "a: 3\n");
    assert_eq!(judge(&policy, "assertions", Some("main"), &after, Some(&before)).len(), 1);
    assert_eq!(*after.read.borrow(), ["y.yaml"]);
}

#[test]
fn mistakes_are_reported_together() {
    let list = "{ id: a b, files: x, path: 'a..b', equals: 1 }, { id: c, files: x, path: a }, { id: d, files: x, path: a, equals: 1, matches: x }, { files: x, path: a, matches: '(' , format: ini, environment: qa, wher: {} }";
    let text = format!("{ENVIRONMENTS}assertions: [{list}]\n");
    let policy = Policy::load(vec![PolicyFile::new("portcullis.yaml", text)]).unwrap_or_else(|_| panic!("it loads"));
    let Err(mistakes) = policy.compile(Kinds::TREE, &["assertions".into()]) else { panic!("nothing is wrong") };
    assert!(mistakes.len() >= 8, "{:?}", mistakes.iter().map(|m| &m.wrong.message).collect::<Vec<_>>());
}

#[test]
fn effective_assertions_check_what_is_deployed() {
    let policy = format!(
        "{ENVIRONMENTS}assertions:\n- {{ id: a, files: 'o/*/kustomization.yaml', on: effective, where: {{ kind: Deployment }}, path: spec.replicas, equals: 2 }}\n- {{ id: b, files: 'c/values-*.yaml', on: effective, path: level, equals: info }}\n"
    );
    let tree = MemoryTree::of([
        ("base/d.yaml", "kind: Deployment\napiVersion: apps/v1\nmetadata: { name: d }\nspec: { replicas: 1 }\n"),
        ("base/kustomization.yaml", "resources: [d.yaml]\n"),
        ("o/a/kustomization.yaml", "resources: [../../base]\nreplicas: [{ name: d, count: 2 }]\n"),
        ("o/b/kustomization.yaml", "resources: [../../base]\nreplicas:\n- { name: d, count: 3 }\n"),
        ("o/c/kustomization.yaml", "resources: [../../base]\n"),
        ("o/d/kustomization.yaml", "resources: [../../base]\n"),
        ("c/values.yaml", "level: info\n"),
        ("c/values-a.yaml", "other: 1\n"),
        ("c/values-b.yaml", "level: debug\n"),
        ("readme.yaml", "a: 1\n"),
    ]);
    let places = |tree: &MemoryTree, before: Option<&MemoryTree>| -> Vec<String> {
        let findings = judge(&policy, "assertions", None, tree, before);
        findings.iter().map(|f| format!("{}:{}:{}", f.origin.path().unwrap(), f.span.line, f.span.column)).collect()
    };
    // The base is told of once, though two overlays leave it as it is.
    assert_eq!(places(&tree, None), ["o/b/kustomization.yaml:3:21", "base/d.yaml:4:19", "c/values-b.yaml:1:8"]);
    let touched = tree.clone().with("base/d.yaml", "kind: Deployment\nmetadata: { name: d }\nspec: { replicas: 4 }\n");
    assert_eq!(places(&touched, Some(&tree)).len(), 2);
    let unrelated = tree.clone().with("README.md", "x");
    assert!(places(&unrelated, Some(&tree)).is_empty());
}

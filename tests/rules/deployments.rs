//! Every example of `policies/deployments.yml`.

use portcullis::rules::deployments::RULE;
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
    path: String,
    file: String,
    finds: Vec<String>,
}

const ENVIRONMENTS: &str = "version: 1\nenvironments:\n  staging: { branch: dev }\n  \
                            production: { branch: main, aliases: [prod], tags: ['v{semver}'] }\n";

#[test]
fn every_example_is_judged_as_it_says() {
    let Examples { examples } = yaml::from_document(RULE.policy, 1).unwrap();
    for e in &examples {
        let tree = MemoryTree::of([(&*e.path, &*e.file), ("charts/a/Chart.yaml", "name: a\n")]);
        let findings = judge(ENVIRONMENTS, "deployments", Some("main"), &tree, None);
        let code = |f: &portcullis::finding::Finding| f.rule.strip_prefix("deployments/").unwrap().to_owned();
        let mut got: Vec<String> =
            findings.iter().map(|f| format!("{} {}:{}", code(f), f.span.line, f.span.column)).collect();
        got.sort();
        assert_eq!(got, e.finds, "{}: {findings:?}", e.name);
    }
    assert!(examples.len() >= 16);
}

#[test]
fn without_environments_nothing_is_judged() {
    let tree = MemoryTree::of([(".gitlab-ci.yml", "deploy:\n  environment: production\n")]);
    assert!(judge("version: 1\n", "deployments", Some("main"), &tree, None).is_empty());
    assert!(tree.read.borrow().is_empty());
}

#[test]
fn options_say_more() {
    let rules = "rules:\n  deployments:\n    revisions: { production: ['stable-*'] }\n    repositories: ['https://git.example/*']\n    head: deny\n    manual: deny\n";
    let policy = format!("{ENVIRONMENTS}{rules}");
    let app = |revision: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{ name: a-prod }}\nspec: {{ source: {{ repoURL: 'https://git.example/x', path: p, targetRevision: {revision} }} }}\n"
        )
    };
    let findings =
        |file: &str| judge(&policy, "deployments", None, &MemoryTree::of([("apps/a.yaml", file)]), None).len();
    assert_eq!([findings(&app("main")), findings(&app("HEAD")), findings(&app("stable-1"))], [1, 1, 0]);
    let tree = MemoryTree::of([(
        ".github/workflows/x.yml",
        "on: workflow_dispatch\njobs: { d: { environment: production } }\n",
    )]);
    let found = judge(&policy, "deployments", None, &tree, None);
    assert_eq!((found.len(), found[0].span.line, found[0].span.column), (1, 1, 1));
}

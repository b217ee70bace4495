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
fn every_example_of_the_policy_has_its_stated_findings() {
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

/// `code path:line` of each finding.
fn found(tree: &MemoryTree, before: Option<&MemoryTree>) -> Vec<String> {
    let findings = judge(ENVIRONMENTS, "deployments", None, tree, before);
    let place = |f: &portcullis::finding::Finding| format!("{} {}:{}", f.rule, f.origin.path().unwrap(), f.span.line);
    findings.iter().map(place).collect()
}

fn application(source: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{ name: shop }}\nspec:\n  source:\n{source}"
    )
}

fn overlays(production: &str) -> MemoryTree {
    let base = application("    repoURL: x\n    path: charts/a\n    targetRevision: dev\n");
    MemoryTree::of([
        ("charts/a/Chart.yaml", "name: a\n"),
        ("base/shop.yaml", &*base),
        ("base/kustomization.yaml", "resources: [shop.yaml]\n"),
        ("overlays/staging/kustomization.yaml", "resources: [../../base]\n"),
        ("overlays/production/kustomization.yaml", production),
    ])
}

#[test]
fn an_application_is_judged_as_its_overlay_makes_it() {
    // The base says dev, and nothing changes it for production.
    assert_eq!(found(&overlays("resources: [../../base]\n"), None), ["deployments/argocd-revision base/shop.yaml:8"]);
    let patches = [
        "patches:\n- patch: |\n    apiVersion: argoproj.io/v1alpha1\n    kind: Application\n    metadata: { name: shop }\n    spec:\n      source:\n        targetRevision: REVISION\n",
        "patches:\n- target: { kind: Application }\n  patch: |-\n    - op: replace\n      path: /metadata/name\n      value: dev\n    - op: replace\n      path: /spec/source/targetRevision\n      value: REVISION\n",
        "patchesStrategicMerge:\n- |\n  apiVersion: argoproj.io/v1alpha1\n  kind: Application\n  metadata: { name: shop }\n  spec: { source: {\n   targetRevision: REVISION } }\n#\n",
        "patchesJson6902:\n- target: { group: argoproj.io, version: v1alpha1, kind: Application, name: sh.p }\n  patch: >-\n    [{\"op\": \"replace\", \"path\": \"/spec/source/targetRevision\", \"value\": \"REVISION\"}]\n",
    ];
    let lines = [9, 10, 8, 5];
    for (patch, line) in patches.into_iter().zip(lines) {
        let text = |revision| format!("resources: [../../base]\n{}", patch.replace("REVISION", revision));
        assert!(found(&overlays(&text("main")), None).is_empty(), "{patch}");
        let wrong = found(&overlays(&text("feat/x")), None);
        assert_eq!(wrong, [format!("deployments/argocd-revision overlays/production/kustomization.yaml:{line}")]);
    }
}

#[test]
fn a_change_of_a_base_reads_its_overlays_and_no_others() {
    let before = overlays("resources: [../../base]\n")
        .with("other/x.yaml", &application("    repoURL: x\n"))
        .with("other/kustomization.yaml", "resources: [x.yaml]\n");
    let after = before.clone().with("base/shop.yaml", &application("    repoURL: x\n    path: charts/a\n"));
    after.read.borrow_mut().clear();
    assert!(found(&after, Some(&before)).is_empty());
    assert!(!after.read.borrow().iter().any(|p| p == "other/x.yaml" || p == "charts/a/Chart.yaml"));
    let unrelated = before.clone().with("README.md", "x");
    unrelated.read.borrow_mut().clear();
    assert!(found(&unrelated, Some(&before)).is_empty());
    assert!(unrelated.read.borrow().is_empty());
}

#[test]
fn values_from_another_revision_of_this_repository_count() {
    let app = |revision: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  sources:\n  - repoURL: https://charts.example\n    chart: shop\n    targetRevision: 1.0.0\n    helm: {{ valueFiles: [$values/charts/a/values.yaml] }}\n  - repoURL: y\n    ref: values\n    targetRevision: {revision}\n  - {{ repoURL: z, ref: others, targetRevision: dev }}\n"
        )
    };
    let tree =
        |revision| MemoryTree::of([("apps/production/a.yaml", &*app(revision)), ("charts/a/values.yaml", "a: 1\n")]);
    assert_eq!(found(&tree("dev"), None), ["deployments/argocd-revision apps/production/a.yaml:11"]);
    assert!(found(&tree("main"), None).is_empty());
}

#[test]
fn generators_of_application_sets_read_the_repository() {
    let set = |generator: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec:\n  goTemplate: true\n  generators:\n{generator}  template:\n    metadata: {{ name: 'shop-{{{{ .env }}}}' }}\n    spec:\n      source: {{ repoURL: x, path: charts/a, targetRevision: '{{{{ .git.revision }}}}' }}\n"
        )
    };
    let tree = |generator: &str, revision: &str| {
        MemoryTree::of([
            ("charts/a/Chart.yaml", "name: a\n"),
            ("set.yaml", &*set(generator)),
            (
                "envs/one/config.json",
                &*format!("{{\"env\": \"production\", \"git\": {{\"revision\": \"{revision}\"}}}}"),
            ),
            ("envs/two/config.json", "{\"env\": \"staging\", \"git\": {\"revision\": \"dev\"}}"),
        ])
    };
    let files = "  - git:\n      repoURL: x\n      files: [{ path: 'envs/*/config.json' }]\n";
    assert_eq!(found(&tree(files, "dev"), None), ["deployments/argocd-revision envs/one/config.json:1"]);
    assert!(found(&tree(files, "main"), None).is_empty());
    let matrix = "  - matrix:\n      generators:\n      - git: { files: [{ path: 'envs/one/*.json' }] }\n      - list: { elements: [{ x: 1 }, { x: 2 }] }\n";
    assert!(!found(&tree(matrix, "dev"), None).is_empty());
    // Nobody here knows the clusters.
    assert!(found(&tree("  - clusters: {}\n", "dev"), None).is_empty());
}

#[test]
fn broken_kustomizations_end_and_are_judged_as_far_as_they_go() {
    let looping = MemoryTree::of([
        ("a/production/kustomization.yaml", "resources: [../b, x.yaml, https://example.org/y.yaml]\n"),
        ("a/b/kustomization.yaml", "resources: [../production]\n"),
        ("a/production/x.yaml", &*application("    repoURL: x\n    path: a\n    targetRevision: dev\n")),
    ]);
    // Nobody is the root of a loop, and its files are judged all the same.
    assert_eq!(found(&looping, None), ["deployments/argocd-revision a/production/x.yaml:8"]);
    let broken = MemoryTree::of([
        ("p/production/kustomization.yaml", "resources: [x.yaml, gone.yaml]\npatches: [{ path: gone.yaml }]\n"),
        ("p/production/x.yaml", &*application("    repoURL: x\n    path: p\n    targetRevision: dev\n")),
    ]);
    assert_eq!(found(&broken, None), ["deployments/argocd-revision p/production/x.yaml:8"]);
}

#[test]
fn a_kustomization_of_flux_is_judged_with_its_patches_and_substitutions() {
    let cr = |extra: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{ name: apps }}\nspec:\n  path: ./apps/base\n  sourceRef: {{ kind: GitRepository, name: shop }}\n{extra}"
        )
    };
    let repository = |branch: &str| {
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{ name: shop }}\nspec: {{ ref: {{ branch: '{branch}' }} }}\n"
        )
    };
    let tree = |extra: &str, branch: &str| {
        MemoryTree::of([("clusters/production/apps.yaml", &*cr(extra)), ("apps/base/repo.yaml", &*repository(branch))])
    };
    let patch = "  patches:\n  - target: { kind: GitRepository }\n    patch: |\n      - op: replace\n        path: /spec/ref/branch\n        value: BRANCH\n";
    let wrong = "deployments/flux-branch clusters/production/apps.yaml";
    assert_eq!(found(&tree(&patch.replace("BRANCH", "feat/x"), "main"), None), [format!("{wrong}:12")]);
    assert!(found(&tree(&patch.replace("BRANCH", "main"), "main"), None).is_empty());
    let substitute = "  postBuild:\n    substitute:\n      branch: topic\n";
    assert_eq!(found(&tree(substitute, "${branch}"), None), [format!("{wrong}:9")]);
    assert!(found(&tree(&substitute.replace("topic", "main"), "${branch:=x}"), None).is_empty());
}

#[test]
fn values_of_a_chart_of_applications_follow_their_environment() {
    let values = |revision: &str| {
        format!("apps:\n- {{ chart: redis, targetRevision: dev }}\n- name: shop\n  targetRevision: {revision}\n")
    };
    let tree = |revision| MemoryTree::of([("apps/values-prod.yaml", &*values(revision))]);
    assert_eq!(found(&tree("dev"), None), ["deployments/argocd-revision apps/values-prod.yaml:4"]);
    for fine in ["main", "v1.2.0", "1.x", "feat/x"] {
        assert!(found(&tree(fine), None).is_empty(), "{fine}");
    }
}

/// Findings about one workflow, whose job `d` deploys production.
fn of_workflow(on: &str, condition: &str) -> Vec<String> {
    let ci = "name: CI\non: [push, pull_request]\njobs: { t: { runs-on: x } }\n";
    let main_only = "name: Main\non: { push: { branches: [main] } }\njobs: { t: { runs-on: x } }\n";
    let condition = if condition.is_empty() { String::new() } else { format!("\n    if: {condition}") };
    let workflow = format!("on: {on}\njobs:\n  d:\n    environment: production{condition}\n");
    let tree = MemoryTree::of([
        (".github/workflows/ci.yml", ci),
        (".github/workflows/main.yml", main_only),
        (".github/workflows/deploy.yml", &*workflow),
    ]);
    let findings = judge(ENVIRONMENTS, "deployments", None, &tree, None);
    findings.iter().map(|f| f.rule.to_string()).collect()
}

#[test]
fn a_condition_counts_for_what_it_evaluates_to() {
    let after_ci = "{ workflow_run: { workflows: [CI], types: [completed] } }";
    let after_main = "{ workflow_run: { workflows: [Main], types: [completed] } }";
    let closed = "{ pull_request: { types: [closed], branches: [main] } }";
    let trigger = &["deployments/production-trigger"][..];
    let cases: &[(&str, &str, &[&str])] = &[
        // After another workflow, github.ref is the default branch whatever ran.
        (after_ci, "", trigger),
        (after_ci, "github.ref == 'refs/heads/main'", trigger),
        (after_ci, "github.ref_name == 'main'", trigger),
        (after_ci, "github.event.workflow_run.conclusion == 'success'", trigger),
        (after_ci, "github.event.workflow_run.head_branch == 'main'", &[]),
        (after_ci, "${{ github.event.workflow_run.head_branch == 'MAIN' }}", &[]),
        (after_ci, "github.event.workflow_run.head_branch == 'dev'", trigger),
        (after_main, "", &[]),
        ("{ workflow_run: { workflows: [CI], branches: [main] } }", "", &[]),
        ("{ workflow_run: { workflows: [CI], branches-ignore: [main] } }", "", trigger),
        // Pushes.
        ("push", "github.ref == 'refs/heads/main'", &[]),
        ("push", "github.ref == 'refs/heads/dev'", trigger),
        ("push", "github.ref != 'refs/heads/dev'", trigger),
        ("push", "always()", trigger),
        ("push", "startsWith(github.ref, 'refs/tags/v')", &[]),
        ("push", "contains(fromJSON('[\"main\"]'), github.ref_name)", &[]),
        ("push", "contains(fromJSON('[\"main\", \"hotfix\"]'), github.ref_name)", trigger),
        ("push", "\"${{ github.ref == 'refs/heads/main' }} \"", trigger),
        ("{ push: { branches-ignore: [dev] } }", "", trigger),
        ("{ push: { branches: ['**'] } }", "github['ref'] == 'refs/heads/main'", &[]),
        ("{ push: { branches: ['**', '!**'] } }", "", &[]),
        ("{ push: { paths: ['x/**'] } }", "", trigger),
        // Pull requests.
        ("pull_request", "github.base_ref == 'main'", trigger),
        ("[push, pull_request]", "github.event_name == 'push' && github.ref_name == 'main'", &[]),
        (closed, "", trigger),
        (closed, "github.event.pull_request.merged == true", &[]),
        (closed, "github.event.pull_request.merged", &[]),
        ("{ pull_request: { types: [closed] } }", "github.event.pull_request.merged", trigger),
        // Others.
        ("{ schedule: [{ cron: '1 2 * * *' }] }", "github.event_name != 'schedule'", &[]),
        ("{ schedule: [{ cron: '1 2 * * *' }] }", "vars.NIGHTLY == 'yes'", trigger),
    ];
    for (on, condition, wanted) in cases {
        assert_eq!(of_workflow(on, condition), *wanted, "on: {on}, if: {condition}");
    }
}

#[test]
fn tag_patterns_are_tried_with_names_of_their_own_words() {
    let cases = [
        ("['v[0-9]+.[0-9]+.[0-9]+']", 0),
        ("['v[0-9]+.[0-9]+.[0-9]+', 'shop-release*']", 1),
        ("['v[0-9]+.[0-9]+.[0-9]+', 'night-*']", 1),
        ("['night-*', '!night-**']", 0),
        ("['!night-**', 'night-*']", 1),
        ("['v?[0-9]+.[0-9]+.[0-9]+']", 1),
        ("[hotfix]", 1),
    ];
    for (tags, wanted) in cases {
        let found = of_workflow(&format!("{{ push: {{ tags: {tags} }} }}"), "");
        assert_eq!(found, vec!["deployments/tag-pattern"; wanted], "{tags}");
    }
}

#[test]
fn a_job_is_skipped_with_the_job_that_it_needs() {
    let jobs = |condition: &str| {
        format!(
            "on: push\njobs:\n  a: {{ if: github.ref_name == 'main' }}\n  d: {{ environment: production, needs: a{condition} }}\n"
        )
    };
    let of = |text: &str| found(&MemoryTree::of([(".github/workflows/x.yml", text)]), None).len();
    assert_eq!([of(&jobs("")), of(&jobs(", if: always()")), of(&jobs(", if: success()"))], [0, 1, 0]);
}

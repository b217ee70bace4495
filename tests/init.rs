//! `portcullis init` and `portcullis environments diff` on real repositories, through the program itself.

use crate::support::TestRepo;

/// Standard output, standard error, exit code.
fn portcullis(repo: &TestRepo, args: &[&str]) -> (String, String, i32) {
    let out = repo.command(env!("CARGO_BIN_EXE_portcullis")).args(args).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (text(out.stdout), text(out.stderr), out.status.code().expect("it exits"))
}

const SECRET: &str = "Kq7vPz31xwTb";

fn repository() -> TestRepo {
    let repo = TestRepo::init();
    repo.write(
        "deploy/staging.env",
        format!("LOG=debug\nPORT=80\nHOOK_URL=https://h.example/{SECRET}\nNEW=1\nEMPTY=\n"),
    );
    repo.write("deploy/production.env", format!("LOG=info\nPORT=80\nHOOK_URL=https://h.example/{SECRET}x\nEMPTY=\n"));
    repo.write("k8s/overlays/staging/config.yaml", "kind: ConfigMap\nmetadata: { name: app }\ndata:\n  MODE: 'a'\n");
    repo.write("k8s/overlays/prod/config.yaml", "kind: ConfigMap\nmetadata: { name: app }\ndata:\n  MODE: 'b'\n");
    repo.write(".github/workflows/deploy.yml", "on: push\njobs: { d: { environment: production } }\n");
    repo.commit("feat: all");
    repo.git(["branch", "dev"]);
    repo.git(["tag", "-a", "v1.0.0", "-m", "v1.0.0"]);
    repo
}

#[test]
fn what_init_writes_passes_today_and_guards_from_tomorrow() {
    let repo = repository();
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert_eq!(code, 0, "{out}{err}");
    let written = std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap();
    assert!(written.starts_with("# yaml-language-server: $schema=https://"), "{written}");
    for wanted in [
        "extends: [dev-main]",
        "staging: { branch: dev, aliases: [dev] }",
        "production: { branch: main, aliases: [prod], tags: [\"v{semver}\"] }",
        "path: \"deploy/{environment}.env\"",
        "path: \"k8s/overlays/{environment}/config.yaml\"",
        "- deploy/HOOK_URL",
        "- deploy/LOG",
        "reason: \"baseline\", until:",
        "rule: deployments/production-trigger",
        "rule: divergence/missing",
    ] {
        assert!(written.contains(wanted), "{wanted}\n{written}");
    }
    assert!(!written.contains("PORT") && !written.contains(SECRET), "{written}");
    let (out, err, code) = portcullis(&repo, &["check"]);
    assert_eq!(code, 0, "{out}{err}");
    // A second time it touches nothing.
    assert_eq!(portcullis(&repo, &["init"]).2, 2);
    // Tomorrow: production takes staging's webhook, and a key that was equal changes.
    repo.write("deploy/production.env", format!("LOG=info\nPORT=81\nHOOK_URL=https://h.example/{SECRET}\nEMPTY=\n"));
    let (out, err, code) = portcullis(&repo, &["check"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("divergence/must-differ") && out.contains("divergence/must-match"), "{out}");
    assert!(!out.contains(SECRET) && !err.contains(SECRET), "{out}{err}");
}

#[test]
fn environments_that_are_only_directories_need_no_branch() {
    let repo = TestRepo::init();
    for environment in ["staging", "production"] {
        repo.write(
            &format!("clusters/{environment}/apps.yaml"),
            format!("kind: ConfigMap\nmetadata: {{ name: app }}\ndata: {{ MODE: {environment} }}\n"),
        );
    }
    repo.commit("feat: clusters");
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert_eq!(code, 0, "{out}{err}");
    let written = std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap();
    assert!(written.contains("staging: { branches: [] }") && written.contains("branch: main"), "{written}");
    assert_eq!(portcullis(&repo, &["check"]).2, 0);
}

#[test]
fn a_file_that_differs_between_the_branches_is_compared_across_them() {
    let repo = TestRepo::init();
    repo.write("app.env", format!("HOOK_URL=https://h.example/{SECRET}\nPORT=80\n"));
    repo.write("same.env", "A=1\n");
    repo.write("app.env.example", "HOOK_URL=\n");
    repo.commit("feat: all");
    repo.git(["checkout", "-q", "-b", "dev"]);
    repo.write("app.env", format!("HOOK_URL=https://h.example/{SECRET}x\nPORT=80\n"));
    repo.write("app.env.example", "HOOK_URL=x\n");
    repo.commit("feat: staging");
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert_eq!(code, 0, "{out}{err}");
    let written = std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap();
    let source = "- { id: app, format: dotenv, at: { staging: \"dev:app.env\", production: \"main:app.env\" } }";
    assert!(written.contains(source) && written.contains("- app/HOOK_URL"), "{written}");
    assert!(!written.contains(":same.env") && !written.contains("example\"") && !written.contains(SECRET), "{written}");
    assert_eq!(portcullis(&repo, &["check"]).2, 0);
    // Tomorrow dev takes production's webhook.
    repo.write("app.env", format!("HOOK_URL=https://h.example/{SECRET}\nPORT=80\n"));
    repo.commit("feat: oops");
    let (out, err, code) = portcullis(&repo, &["check", "--range", "HEAD~1..HEAD"]);
    assert!(code == 1 && out.contains("divergence/must-differ"), "{out}{err}");
}

#[test]
fn init_in_an_empty_repository_and_with_a_preset() {
    let repo = TestRepo::init();
    let (out, err, code) = portcullis(&repo, &["init", "--dry-run", "--preset", "windmill"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("extends: [windmill]"), "{out}");
    assert!(!repo.path().join("portcullis.yaml").exists());
    assert_eq!(portcullis(&repo, &["init", "--preset", "windmil"]).2, 2);
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(portcullis(&repo, &["check"]).2, 0);
    assert!(!repo.path().join(".git/portcullis-init.yaml").exists());
}

#[test]
fn the_matrix_has_kinds_and_verdicts_and_no_value() {
    let repo = repository();
    assert_eq!(portcullis(&repo, &["init"]).2, 0);
    let (out, err, code) = portcullis(&repo, &["environments", "diff", "staging", "prod"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(!out.contains(SECRET), "{out}");
    let line = |key: &str| -> Vec<String> {
        let line = out.lines().find(|l| l.starts_with(key)).unwrap_or_else(|| panic!("{key}\n{out}"));
        line.split("  ").map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    assert_eq!(line("key"), ["key", "staging", "production", "rule", "verdict"]);
    assert_eq!(line("deploy/HOOK_URL"), ["deploy/HOOK_URL", "plain", "plain", "must_differ", "ok"]);
    assert_eq!(line("deploy/NEW"), ["deploy/NEW", "plain", "absent", "must_match", "missing"]);
    assert_eq!(line("deploy/EMPTY"), ["deploy/EMPTY", "empty", "empty", "must_match", "ok"]);
    let (out, _, code) = portcullis(&repo, &["environments", "diff", "staging", "production", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, json["rows"].as_array().unwrap().len()), (0, 6));
    assert!(!out.contains(SECRET));
    assert_eq!(portcullis(&repo, &["environments", "diff", "staging", "qa"]).2, 2);
}

#[test]
fn a_commit_that_touches_no_watched_file_reads_none() {
    let repo = repository();
    assert_eq!(portcullis(&repo, &["init"]).2, 0);
    repo.commit("chore: policy");
    repo.write("notes.txt", "x\n");
    repo.commit("docs: notes");
    let only = ["check", "--range", "HEAD~1..HEAD", "--only", "divergence,assertions,deployments", "--format", "json"];
    let (out, err, code) = portcullis(&repo, &only);
    assert_eq!(code, 0, "{out}{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["stats"]["blobs_read"], 0, "{out}");
    repo.write("deploy/staging.env", "LOG=debug\n");
    repo.commit("feat: less");
    let (out, _, _) = portcullis(&repo, &only);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_ne!(json["stats"]["blobs_read"], 0, "{out}");
}

/// `init` in a repository with these files and branches, and the lines of the environments that it wrote.
fn environments_of(files: &[&str], branches: &[&str], tags: &[&str]) -> (String, String) {
    let repo = TestRepo::init();
    repo.write("README.md", "x\n");
    for (n, file) in files.iter().enumerate() {
        repo.write(file, format!("NAME=a{n}\n"));
    }
    repo.commit("feat: all");
    branches.iter().for_each(|b| drop(repo.git(["branch", b])));
    tags.iter().for_each(|t| drop(repo.git(["tag", t])));
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert_eq!(code, 0, "{files:?} {branches:?}: {out}{err}");
    let written = std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap();
    let (out, err, code) = portcullis(&repo, &["check"]);
    assert_eq!(code, 0, "{files:?} {branches:?}: {out}{err}");
    let block = written.split("\nenvironments:\n").nth(1).and_then(|w| w.split("\n\n").next()).unwrap_or_default();
    (block.trim().replace("\n  ", "; "), written)
}

#[test]
fn environments_are_named_and_ordered_as_the_repository_has_them() {
    for (files, branches, tags, wanted) in [
        (
            &["e/dev.env", "e/staging.env", "e/production.env"][..],
            &[][..],
            &[][..],
            "dev: { branches: [] }; staging: { branches: [] }; production: { branch: main }",
        ),
        (&["o/dev/a.env", "o/prod/a.env"], &[], &[], "dev: { branches: [] }; prod: { branch: main }"),
        (
            &["o/prod/a.env", "o/pre-prod/a.env", "o/qa/a.env"],
            &[],
            &[],
            "qa: { branches: [] }; pre-prod: { branches: [] }; prod: { branch: main }",
        ),
        (
            &["envs/qa/a.env", "envs/staging-eu/b.env", "envs/staging-us/b.env", "envs/prod-eu/c.env"],
            &[],
            &[],
            "qa: { branches: [] }; staging: { branches: [] }; prod: { branch: main }",
        ),
        (&["src/dev/a.json", "src/test/a.json"], &[], &[], "production: { branch: main }"),
        (&[], &["staging", "production"], &[], "staging: { branch: staging }; production: { branch: production }"),
        (&[], &["production"], &[], "staging: { branch: main }; production: { branch: production }"),
        (&[], &["env/staging", "env/prod"], &[], "staging: { branch: env/staging }; production: { branch: env/prod }"),
        (&[], &["test", "feature/dev"], &[], "production: { branch: main }"),
        (
            &["e/staging.env", "e/production.env"],
            &[],
            &["v1.0.0"],
            "staging: { branch: main }; production: { tags: [\"v{semver}\"] }",
        ),
        (
            &["e/staging.env", "e/production.env"],
            &[],
            &["migration-complete", "v2"],
            "staging: { branches: [] }; production: { branch: main }",
        ),
    ] {
        let (block, written) = environments_of(files, branches, tags);
        assert_eq!(block, wanted, "{written}");
    }
}

#[test]
fn a_main_branch_that_no_environment_has_is_protected_too() {
    let (_, written) = environments_of(&[], &["staging", "production"], &[]);
    assert!(written.contains("{ branch: main, direct-push: [\"*\"]"), "{written}");
    assert!(written.contains("{ branch: production, direct-push: []"), "{written}");
}

#[test]
fn what_is_shared_today_is_told_first_and_may_be_mended() {
    let repo = TestRepo::init();
    let text =
        |host: &str| format!("HOOK_URL=https://h.example/{SECRET}\nTOKEN_TTL=3600\nLEVEL=info\nAPI_HOST={host}\n");
    repo.write("env/dev.env", text("dev.example"));
    repo.write("env/prod.env", text("prod.example"));
    repo.commit("feat: all");
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.starts_with("give each environment its own ") && out.contains("HOOK_URL") && out.contains(" today\nwrote "),
        "{out}"
    );
    assert!(!out.contains(SECRET), "{out}");
    // A number is no token, whatever its key is called.
    for (from, to, wanted) in
        [(SECRET, "other", 0), ("3600", "60", 1), ("info", "debug", 1), ("prod.example", "dev.example", 1)]
    {
        repo.write("env/prod.env", text("prod.example").replace(from, to));
        let (out, err, code) = portcullis(&repo, &["check", "--only", "divergence"]);
        assert_eq!(code, wanted, "{from}: {out}{err}");
    }
}

#[test]
fn three_keys_of_one_kind_become_one_pattern_that_reaches_no_equal_key() {
    let repo = TestRepo::init();
    let text = |e: &str, n: u8| {
        let each = |s: &str| format!("{s}:\n  replicas: {n}\n  size: {e}\n  mode: same\n");
        ["a", "b", "c", "d"].map(each).concat()
    };
    repo.write("values-staging.yaml", text("small", 1));
    repo.write("values-production.yaml", text("large", 3));
    repo.commit("feat: all");
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert_eq!(code, 0, "{out}{err}");
    let written = std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap();
    assert!(written.contains("*[/.]replicas") && written.contains("*[/.]size"), "{written}");
    assert!(!written.contains("a.replicas") && !written.contains("mode"), "{written}");
    repo.write("values-production.yaml", text("large", 3).replacen("mode: same", "mode: other", 1));
    assert_eq!(portcullis(&repo, &["check", "--only", "divergence"]).2, 1);
}

#[test]
fn pipelines_and_chart_templates_hold_no_variables_and_are_counted() {
    let repo = TestRepo::init();
    for e in ["staging", "production"] {
        repo.write(&format!(".github/workflows/env-{e}.yml"), format!("on: push\nname: {e}\njobs: {{}}\n"));
        repo.write(&format!("charts/app/templates/config-{e}.yaml"), format!("kind: ConfigMap\ndata: {{ A: {e} }}\n"));
    }
    repo.commit("feat: all");
    let (out, err, code) = portcullis(&repo, &["init", "--dry-run"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(!out.contains("sources:\n"), "{out}");
    assert!(out.contains("# Not compared: 2 files (pipelines).") && out.contains("(templates of charts)"), "{out}");
}

#[test]
fn history_that_merges_development_is_told_and_not_refused() {
    let repo = TestRepo::init();
    repo.write("a", "1\n");
    repo.commit("feat: start");
    repo.git(["checkout", "-q", "-b", "develop"]);
    repo.write("a", "2\n");
    repo.commit("feat: more");
    repo.git(["checkout", "-q", "main"]);
    repo.git(["merge", "-q", "--no-ff", "-m", "Merge branch 'develop'", "develop"]);
    let (out, err, code) = portcullis(&repo, &["init", "--explain"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("1 of the last 2 landings on main merge develop as a whole"), "{out}");
    assert!(!repo.path().join("portcullis.yaml").exists());
    assert_eq!(portcullis(&repo, &["init"]).2, 0);
    let written = std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap();
    assert!(written.contains("branch-topology/dev-leak: { severity: warning }"), "{written}");
    assert_eq!(portcullis(&repo, &["check"]).2, 0);
}

#[test]
fn the_last_landings_are_replayed_and_habits_that_are_not_kept_are_warnings() {
    let repo = TestRepo::init();
    for n in 0..8 {
        repo.write("a", format!("{n}\n"));
        repo.commit(if n % 3 == 0 { "feat: x" } else { "Fixed some things." });
    }
    repo.write("a", format!("token: {}\n", crate::command::token()));
    repo.commit("feat: token");
    repo.write("a", "none\n");
    repo.commit("fix: no token");
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert_eq!(code, 0, "{out}{err}");
    // The token is told; nobody is to get used to it.
    assert!(
        out.contains("it would have refused 1 of your last 9 landings: portcullis policy backtest --since 2026-"),
        "{out}"
    );
    let written = std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap();
    let softened = "  # Would have refused 5 of the last 9 landings.\n  conventional-commits/";
    assert!(written.contains(softened) && written.contains(": { severity: warning }"), "{written}");
    assert!(!written.contains("secrets"), "{written}");
    let (out, _, code) = portcullis(&repo, &["policy", "backtest", "--since", "2000-01-01"]);
    assert!(code == 1 && out.contains("would have refused 1 of 9 landings"), "{out}");
    // A repository that keeps its habits keeps the rules as errors.
    let repo = TestRepo::init();
    for n in 0..4 {
        repo.write("a", format!("{n}\n"));
        repo.commit("feat: x");
    }
    let (out, err, code) = portcullis(&repo, &["init"]);
    assert!(code == 0 && out.contains("it would have refused none of your last 3 landings\n"), "{out}{err}");
    assert!(!std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap().contains("severity: warning"));
}

#[test]
fn releases_are_the_way_to_production_only_where_its_controllers_follow_them() {
    let written = |reference: &str| {
        let repo = TestRepo::init();
        for environment in ["staging", "production"] {
            repo.write(&format!("apps/{environment}/kustomization.yaml"), "resources: [../base]\n");
            let path = format!("clusters/{environment}/apps.yaml");
            let object = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: { name: a }\nspec:\n  url: https://git.example.org/a\n";
            repo.write(&path, format!("{object}  ref: {{ {reference} }}\n"));
        }
        repo.commit("feat: all");
        repo.git(["tag", "v1.0.0"]);
        let (out, err, code) = portcullis(&repo, &["init"]);
        assert_eq!(code, 0, "{out}{err}");
        assert_eq!(portcullis(&repo, &["check"]).2, 0);
        std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap()
    };
    for (reference, preset) in [
        ("branch: main", "trunk"),
        ("branch: team", "trunk"),
        ("tag: v1.0.0", "staged-release"),
        ("semver: '>=1.0.0'", "staged-release"),
    ] {
        let policy = written(reference);
        assert!(policy.contains(&format!("extends: [{preset}]")), "{reference}: {policy}");
    }
}

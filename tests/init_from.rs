//! `portcullis init` in repositories that use other tools: what it takes over, and what it says it cannot.

use bstr::ByteSlice as _;
use portcullis::init::Translated;
use portcullis::options::scope::Paths;

use crate::support::TestRepo;

/// What `init` says and writes with these files at the root.
fn init(files: &[(&str, &str)], args: &[&str]) -> (String, String) {
    let repo = TestRepo::init();
    repo.write("README.md", "x\n");
    for (name, text) in files {
        repo.write(name, text);
    }
    repo.commit("feat: all");
    let out = crate::command::portcullis(&repo, &[&["init"], args].concat());
    let said = format!("{}{}", out.stdout.to_str_lossy(), out.stderr.to_str_lossy());
    assert_eq!(out.status.code(), Some(0), "{files:?}: {said}");
    let check = crate::command::portcullis(&repo, &["check"]);
    assert_eq!(check.status.code(), Some(0), "{}", check.stdout.to_str_lossy());
    (said, std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap())
}

#[track_caller]
fn takes_over(files: &[(&str, &str)], args: &[&str], written: &[&str], told: &[&str]) {
    let (said, policy) = init(files, args);
    for wanted in written {
        assert!(policy.contains(wanted), "{wanted}\n{policy}\n{said}");
    }
    for wanted in told {
        assert!(said.contains(wanted), "{wanted}\n{said}\n{policy}");
    }
}

#[test]
fn commitlint_becomes_options_of_the_message_rules() {
    let rules = r#"{ "extends": ["@commitlint/config-conventional"], "rules": {
        "type-enum": [2, "always", ["feat", "fix", "wip-x"]], "scope-enum": [1, "always", ["api", "ui"]], "scope-empty": [2, "never"],
        "header-max-length": [2, "always", 72], "body-max-line-length": [0, "always", 100], "subject-full-stop": [2, "never", "."],
        "subject-case": [0], "signed-off-by": [2, "always", "Signed-off-by:"], "body-case": [2, "always", "lower-case"] } }"#;
    let written = [
        "  # From ",
        "    types: [feat, fix, wip-x]\n",
        "    scopes: [api, ui]\n",
        "    scope-required: true\n",
        "    header-max-length: 72\n",
        "    body-max-line-length: null\n",
        "    footer-max-line-length: 100\n",
        "    description-case: any\n",
        "    signed-off-by: true\n",
        "  conventional-commits/full-stop: { severity: error }\n",
        "  conventional-commits/scope-unknown: { severity: warning }\n",
        "  conventional-commits/blank-line-missing: { severity: warning }\n",
    ];
    let told = ["not taken over: body-case (it has no counterpart)"];
    let package = format!("{{ \"name\": \"x\", \"commitlint\": {rules} }}");
    takes_over(&[(".commitlintrc.json", rules)], &[], &written, &told);
    takes_over(&[(".commitlintrc", rules)], &[], &written, &told);
    takes_over(&[("package.json", &package)], &[], &written, &told);
    takes_over(&[("printed.json", rules)], &["--from", "printed.json"], &written, &told);
    let yaml = "extends:\n  - '@commitlint/config-conventional'\nrules:\n  type-enum: [2, always, [feat, fix]]\n";
    takes_over(&[(".commitlintrc.yml", yaml)], &[], &["types: [feat, fix]\n", "description-case: lower-first"], &[]);
    // What only node can read is told, with the way.
    takes_over(&[("commitlint.config.js", "module.exports = {}")], &[], &[], &["npx commitlint --print-config json"]);
    takes_over(&[("package.json", "{ \"name\": \"x\" }")], &[], &["extends: [trunk]"], &[]);
}

#[test]
fn gitleaks_becomes_excludes_patterns_and_detectors() {
    let toml = r#"
title = "ours"
[extend]
useDefault = true
disabledRules = ["generic-api-key"]
[[rules]]
id = "Acme Token"
description = "an Acme token"
regex = '''acme_([a-z0-9]{20})'''
keywords = ["acme_"]
entropy = 3.1
[[rules]]
id = "no-keywords"
regex = '''zzz[0-9]+'''
[[rules]]
id = "look-around"
regex = '''(?<!x)abc'''
keywords = ["abc"]
[allowlist]
paths = ['''^docs/''', '''(^|/)testdata/''', '''\.lock$''', '''(.*?)(jpg|gif)$''', '''a.*b.*c''']
regexes = ['''EXAMPLE''']
stopwords = ["Dummy.1"]
commits = ["0123456789012345678901234567890123456789", "abc1234"]
[[allowlists]]
condition = "AND"
paths = ['''x''']
regexes = ['''y''']
"#;
    let written = [
        "    exclude: [\"**/*.lock\", \"**/*{jpg,gif}\", \"**/testdata/\", \"/docs/\"]\n",
        "    allow: [\"(?i)Dummy\\\\.1\", EXAMPLE]\n",
        "pattern: \"acme_(?P<secret>[a-z0-9]{20})\", entropy: 3.1 }",
        "{ rule: secrets, commit: \"0123456789012345678901234567890123456789\"",
    ];
    let told = [
        "rule no-keywords (a detector needs keywords",
        "rule look-around (the syntax",
        "disabled rule generic-api-key",
        "the path pattern a.*b.*c (no glob says the same",
        "allowed commit abc1234",
        "condition AND",
        "2 ignored findings",
    ];
    takes_over(&[(".gitleaks.toml", toml), (".gitleaksignore", "# x\na:b:c:1\nd:e:f:2\n")], &[], &written, &told);
}

#[test]
fn other_tools_at_the_root_are_found() {
    let baseline = r#"{ "version": "1.5.0", "plugins_used": [{ "name": "Own", "path": "file://x.py" }],
        "filters_used": [{ "path": "detect_secrets.filters.regex.should_exclude_file", "pattern": ["^vendor/"] },
          { "path": "detect_secrets.filters.regex.should_exclude_line", "pattern": ["pragma: ok"] }, { "path": "own.filter" }],
        "results": { "a": [{ "type": "x" }, { "type": "y" }] } }"#;
    let told = ["the plugin Own", "the filter own.filter (it is a program)", "2 accepted findings"];
    takes_over(&[(".secrets.baseline", baseline)], &[], &["exclude: [\"/vendor/\"]", "allow: [\"pragma: ok\"]"], &told);
    let cz = "[tool.commitizen]\nname = \"cz_conventional_commits\"\ntag_format = \"rel-$version\"\nversion_scheme = \"pep440\"\n";
    takes_over(
        &[("pyproject.toml", cz)],
        &[],
        &["formats: [\"rel-{semver}\"]", "types: [build, bump, ci"],
        &["pep440"],
    );
    let cog = "tag_prefix = \"v\"\nscopes = [\"api\"]\nbranch_whitelist = [\"main\"]\n[commit_types]\nhotfix = {}\n";
    let written = ["formats: [\"v{semver}\"]", "scopes: [api]", "fix, hotfix, perf", "branches: [main]"];
    takes_over(&[("cog.toml", cog)], &[], &written, &[]);
    let pre_commit = "repos:\n  - repo: https://example.org/a\n    hooks:\n      - id: conventional-pre-commit\n        args: [chore, --force-scope, '--scopes=api,ui']\n      - id: gitleaks\n      - id: black\n";
    let told = [".pre-commit-config.yaml: gitleaks can go", "conventional-pre-commit can go"];
    takes_over(
        &[(".pre-commit-config.yaml", pre_commit)],
        &[],
        &["types: [chore, feat, fix]", "scope-required: true"],
        &told,
    );
    let lefthook = "commit-msg:\n  commands:\n    lint: { run: npx commitlint --edit }\n";
    takes_over(&[("lefthook.yml", lefthook)], &[], &[], &["lefthook.yml: commitlint can go"]);
    takes_over(&[(".husky/pre-commit", "# gitleaks\nnpx gitlint\n")], &[], &[], &[".husky/pre-commit: gitlint can go"]);
}

#[test]
fn rules_of_servers_are_taken_over_from_their_exports() {
    let ruleset = r#"{ "name": "Main", "target": "branch", "enforcement": "active", "conditions": { "ref_name": { "include": ["~DEFAULT_BRANCH"] } },
        "bypass_actors": [{ "actor_id": 1 }], "rules": [{ "type": "deletion" }, { "type": "required_linear_history" },
        { "type": "required_signatures" }, { "type": "required_status_checks" },
        { "type": "commit_message_pattern", "parameters": { "operator": "starts_with", "pattern": "OPS-" } }] }"#;
    let written = ["delete: error, linear: error, signed: error }", "references: [\"^OPS\\\\-\"]"];
    let told = ["took over rules.json", "Main: required_status_checks (it is the server's", "Main: bypass_actors"];
    takes_over(&[("rules.json", ruleset)], &["--from", "rules.json"], &written, &told);
    let push = r#"{ "id": 1, "commit_message_regex": "ABC-\\d+", "deny_delete_tag": true, "reject_unsigned_commits": true,
        "reject_non_dco_commits": true, "file_name_regex": "exe$", "max_file_size": 10, "member_check": false }"#;
    let written = ["references: [\"ABC-\\\\d+\"]", "signed-off-by: true", "signed: error }"];
    takes_over(
        &[("push.json", push)],
        &["--from", "push.json"],
        &written,
        &["file_name_regex = exe$", "max_file_size"],
    );
    let other = r#"{ "name": "R", "target": "branch", "conditions": { "ref_name": { "include": ["refs/heads/release/*"] } }, "rules": [{ "type": "required_signatures" }] }"#;
    takes_over(
        &[("r.json", other)],
        &["--from", "r.json"],
        &[],
        &["R: required_signatures (it is not for the default branch"],
    );
}

#[test]
fn files_that_cannot_be_read_are_told_and_break_nothing() {
    for (name, text) in [
        (".gitleaks.toml", "[[[\n"),
        (".gitleaks.toml", ""),
        (".gitleaks.toml", "rules = 5\nallowlist = \"x\"\n"),
        (".commitlintrc", "module.exports = {\n"),
        (".commitlintrc.json", "[]"),
        (".commitlintrc.json", "{ \"rules\": { \"type-enum\": [2, \"always\", [\"not a type\"]] } }"),
        (".commitlintrc.json", "{ \"rules\": { \"type-enum\": \"x\", \"header-max-length\": [2] } }"),
        (".secrets.baseline", "{"),
        ("cog.toml", "tag_prefix = \"{{\"\n"),
        (".pre-commit-config.yaml", "repos: 1\n"),
        ("package.json", "\u{feff}{ \"commitlint\": 1 }"),
    ] {
        let (said, _) = init(&[(name, text)], &[]);
        assert!(!said.contains("please report"), "{name}: {said}");
    }
    let repo = TestRepo::init();
    let out = crate::command::portcullis(&repo, &["init", "--from", "absent.json"]);
    assert_eq!(out.status.code(), Some(2));
    std::os::unix::fs::symlink("/etc/passwd", repo.path().join(".gitleaks.toml")).unwrap();
    let out = crate::command::portcullis(&repo, &["init", "--explain"]);
    assert!(
        out.stdout.to_str_lossy().contains(".gitleaks.toml: not taken over: the whole file (it is a symbolic link)")
    );
}

#[test]
fn globs_match_the_paths_in_which_the_pattern_is_found() {
    const PATHS: [&str; 21] = [
        "docs/a.md",
        "docs/sub/b.md",
        "mydocs/a.md",
        "a/docs/b.md",
        "docs",
        "package-lock.json",
        "web/package-lock.json",
        "package-lock_json",
        "vendor/x.go",
        "a/vendor/x.go",
        "vendored/x.go",
        "a/testdata/x",
        "testdata/x",
        "x.lock",
        "a/b.lock",
        "b.lock.md",
        "img/a.jpg",
        "a.gif",
        "go.sum",
        "cmd/go.sum",
        "src/deep/er/file.test.ts",
    ];
    for pattern in [
        "^docs/",
        "docs/",
        "^docs/.*\\.md$",
        "package-lock\\.json",
        "package-lock\\.json$",
        "^vendor/",
        "(^|/)vendor/",
        "(^|/)testdata/",
        "/testdata/",
        "\\.lock$",
        ".*\\.lock",
        "(.*?)(jpg|gif)$",
        "(\\.jpg|\\.gif)$",
        "^(docs|vendor)/",
        "go\\.sum",
        "^go\\.sum$",
        ".*\\.test\\.ts$",
        "vendor/|docs/",
        "^.*/go\\.sum$",
        "(?:^|/)go\\.sum$",
    ] {
        let mut translated = Translated::default();
        translated.read(".gitleaks.toml", format!("[allowlist]\npaths = ['''{pattern}''']\n").as_bytes());
        assert!(translated.left.is_empty(), "{pattern}: {:?}", translated.left);
        let globs: Vec<String> = translated.exclude.into_iter().collect();
        let (globs, regex) = (Paths::new(&globs).expect(pattern), regex::Regex::new(pattern).expect(pattern));
        for path in PATHS {
            assert_eq!(globs.is_match(path.into()), regex.is_match(path), "{pattern} on {path}: {globs:?}");
        }
    }
}

#[test]
fn patterns_that_match_everything_and_names_that_stand_twice_are_told() {
    let toml = "[allowlist]\nregexes = ['.*', 'a?']\nstopwords = ['']\n[[rules]]\nid = 'a b'\nregex = 'abcd(e+)'\nkeywords = ['abcd']\n[[rules]]\nid = 'a-b'\nregex = 'abcd'\nkeywords = ['abcd']\n";
    let (said, policy) = init(&[(".gitleaks.toml", toml)], &[]);
    assert!(!policy.contains("allow:") && policy.matches("id: own-a-b").count() == 1, "{policy}");
    assert!(
        said.matches("it matches any text").count() == 3 && said.contains("another rule has the same name"),
        "{said}"
    );
    // A byte order mark, line ends of Windows, and a file that is named although it is found.
    let text = "\u{feff}{\r\n\"rules\": { \"type-enum\": [2, \"always\", [\"feat\"]], \"body-case\": [2, \"always\", \"x\"] }\r\n}\r\n";
    let (said, policy) = init(&[(".commitlintrc.json", text)], &["--from", ".commitlintrc.json"]);
    assert!(
        policy.contains("types: [feat]") && said.matches("not taken over: body-case").count() == 1,
        "{said}{policy}"
    );
    // What a pattern allows is not shown.
    let token = crate::command::token();
    let toml = format!("[allowlist]\nregexes = ['(?<!x){token}']\n");
    let (said, _) = init(&[(".gitleaks.toml", &toml)], &[]);
    assert!(said.contains("not taken over: the pattern") && !said.contains(&token), "{said}");
}

//! Every example of `policies/divergence.yml` through the real check, the table as a whole, directions and refs.

use portcullis::finding::Severity;
use portcullis::options::PolicyFile;
use portcullis::policy::Policy;
use portcullis::rules::divergence::{
    EnvironmentValue, KeyVerdict, Placeholders, RULE, Requirement, ValueKind, classify_text, normalised,
};
use portcullis::subject::Kinds;
use portcullis::yaml;
use serde::Deserialize;

use crate::support::tree::{MemoryTree, judge, said};
use portcullis::rules::structured::names;

const ENVIRONMENTS: &str = "version: 1\nenvironments:\n  staging: { branch: dev, aliases: [stage, stg] }\n  \
                            production: { branch: main, aliases: [prod] }\n";

#[derive(Deserialize)]
struct Examples {
    examples: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    name: String,
    #[serde(default)]
    format: Option<String>,
    low: String,
    high: String,
    #[serde(default)]
    keys: Option<String>,
    finds: Vec<String>,
}

fn api(keys: &str) -> String {
    format!(
        "{ENVIRONMENTS}rules:\n  divergence:\n    sources: [{{ id: api, format: dotenv, files: {{ staging: s.env, production: p.env }} }}]\n    keys: {keys}\n"
    )
}

#[test]
fn every_example_of_the_policy_has_its_stated_findings() {
    let Examples { examples } = yaml::from_document(RULE.policy, 1).unwrap();
    for e in &examples {
        let format = e.format.as_deref().unwrap_or("dotenv");
        let end = match format {
            "dotenv" => "env",
            "toml" | "json" | "tfvars" => format,
            _ => "yaml",
        };
        let policy = format!(
            "{ENVIRONMENTS}rules:\n  divergence:\n    sources: [{{ id: api, format: {format}, files: {{ staging: low.{end}, production: high.{end} }} }}]\n    keys: {}\n",
            e.keys.as_deref().unwrap_or("[]")
        );
        let (low, high) = (format!("low.{end}"), format!("high.{end}"));
        let [low_text, high_text] = [&e.low, &e.high].map(|text| text.replace("<>", ""));
        let tree = MemoryTree::of([(&*low, &*low_text), (&*high, &*high_text)]);
        let findings = judge(&policy, "divergence", Some("main"), &tree, None);
        let got: Vec<String> = findings
            .iter()
            .map(|f| {
                let code = f.rule.strip_prefix("divergence/").unwrap();
                let key = f.key.as_deref().unwrap_or("-").strip_prefix("api/").unwrap_or("-");
                let key = if code == "unreadable" {
                    "\"-\"".into()
                } else if key.contains(' ') {
                    format!("{key:?}")
                } else {
                    key.to_owned()
                };
                let side = f.origin.path().unwrap().to_string().replace(&format!(".{end}"), "");
                format!("{code} {key} {} {side}", format!("{:?}", f.severity).to_lowercase())
            })
            .collect();
        let mut wanted = e.finds.clone();
        wanted.sort();
        let mut got = got;
        got.sort();
        got.dedup();
        assert_eq!(got, wanted, "{}: {:?}", e.name, findings.iter().map(|f| &f.message).collect::<Vec<_>>());
    }
    assert!(examples.len() > 30);
}

#[test]
fn no_value_is_ever_shown() {
    let secret = "Kq7vPz31xwTb";
    let policy = api("[{ match: '*', rule: must_differ }]");
    let text = format!("A={secret} # B\nB='{secret}\nmore{secret}'\nC=\n");
    let tree = MemoryTree::of([("s.env", &*text), ("p.env", &*text)]);
    let findings = judge(&policy, "divergence", None, &tree, None);
    assert_eq!(findings.len(), 2);
    assert!(!format!("{findings:?}").contains(&secret[..4]), "{findings:?}");

    let one = format!("{{\"a\": \"{secret}\", \"b\": {{\"c\": \"{secret}x\", \"d\": [\"{secret}\"]}}}}");
    let two = format!("{{\"a\": \"{secret}2\", \"b\": {{\"c\": \"{secret}y\", \"d\": [\"{secret}z\"]}}}}");
    let policy = api("[]").replace("dotenv", "json").replace(".env", ".json");
    let tree = MemoryTree::of([("s.json", &*one), ("p.json", &*two)]);
    let findings = judge(&policy, "divergence", None, &tree, None);
    assert_eq!(findings.len(), 3);
    assert!(!format!("{findings:?}").contains(&secret[..4]), "{findings:?}");

    let broken = format!("a: {secret}\nb: [{secret}\n");
    let policy = api("[]").replace("dotenv", "yaml").replace(".env", ".yaml");
    let tree = MemoryTree::of([("s.yaml", &*broken), ("p.yaml", "a: 1\n")]);
    let findings = judge(&policy, "divergence", None, &tree, None);
    assert!(!findings.is_empty());
    assert!(!format!("{findings:?}").contains(&secret[..4]), "{findings:?}");
}

#[test]
fn a_change_that_touches_no_watched_file_reads_none() {
    let policy = api("[]");
    let before = MemoryTree::of([("s.env", "A=1\n"), ("p.env", "A=2\n"), ("readme", "x")]);
    let after = before.clone().with("readme", "y");
    assert!(judge(&policy, "divergence", Some("main"), &after, Some(&before)).is_empty());
    assert!(after.read.borrow().is_empty() && before.read.borrow().is_empty());
    let touched = after.with("s.env", "A=3\n");
    let findings = judge(&policy, "divergence", Some("main"), &touched, Some(&before));
    assert_eq!(said(&findings), ["divergence/must-match api/A error"]);
    assert_eq!(before.read.borrow().len(), 0, "nothing is missing, so nobody asks who took it");
}

#[test]
fn without_sources_nothing_is_compiled() {
    let policy = Policy::load(vec![PolicyFile::new("portcullis.yaml", ENVIRONMENTS)]).unwrap_or_else(|_| panic!());
    let compiled = policy.compile(Kinds::TREE, &["divergence".into()]).unwrap_or_else(|_| panic!());
    assert!(compiled.trees.is_empty());
}

#[test]
fn a_new_key_missing_in_production_is_a_warning_but_a_removed_key_is_an_error() {
    let policy = api("[]");
    let both = MemoryTree::of([("s.env", "A=1\nB=1\n"), ("p.env", "A=1\nB=1\n")]);
    let gone = both.clone().with("p.env", "A=1\n");
    let findings = judge(&policy, "divergence", Some("main"), &gone, Some(&both));
    assert_eq!(said(&findings), ["divergence/missing api/B error"]);
    let fresh = both.clone().with("s.env", "A=1\nB=1\nC=1\n");
    let findings = judge(&policy, "divergence", Some("main"), &fresh, Some(&both));
    assert_eq!(said(&findings), ["divergence/missing api/C warning"]);
    // The same, and production's update brings a reference to it.
    let referred = fresh.clone().with("p.env", "A=1\nB=1\nD=${C}\n");
    let findings = judge(&policy, "divergence", Some("main"), &referred, Some(&both));
    assert_eq!(said(&findings), ["divergence/missing api/C error", "divergence/missing api/D warning"]);
}

#[test]
fn branches_are_compared_after_the_change() {
    let policy = format!(
        "{ENVIRONMENTS}rules:\n  divergence:\n    sources: [{{ id: app, format: dotenv, at: {{ staging: 'dev:app.env', production: 'main:app.env' }} }}]\n"
    );
    let dev = MemoryTree::of([("app.env", "A=1\n")]);
    let main = MemoryTree::of([("app.env", "A=2\n")]).other("dev", dev.clone());
    let findings = judge(&policy, "divergence", Some("main"), &main, None);
    assert_eq!(said(&findings), ["divergence/must-match app/A error"]);
    assert_eq!(findings[0].span.line, 1);
    assert_eq!(findings[0].also[0].path, "dev:app.env");
    // The same finding, whichever branch brings it.
    let on_dev = judge(&policy, "divergence", Some("dev"), &dev.clone().other("main", main.clone()), None);
    assert_eq!(on_dev[0].fingerprint, findings[0].fingerprint);
    // A topic is neither environment.
    assert!(judge(&policy, "divergence", Some("feat/x"), &main, None).is_empty());
    let alone = MemoryTree::of([("app.env", "A=2\n")]);
    assert_eq!(
        said(&judge(&policy, "divergence", Some("main"), &alone, None)),
        ["divergence/not-comparable app/staging-production note"]
    );
}

#[test]
fn all_three_windmill_layouts_are_compared() {
    let variable = |secret: bool, value: &str| format!("value: {value}\nis_secret: {secret}\n");
    let cipher = "QUJDREVGR0hJSktMTU5PUA==";
    let keys = "keys: [{ match: '*/*hook*', rule: must_differ }]";
    let policy = |layout: &str| {
        format!(
            "{ENVIRONMENTS}rules:\n  divergence:\n    sources: [{{ id: wm, format: windmill, root: windmill, layout: {layout} }}]\n    {keys}\n"
        )
    };
    let suffix = MemoryTree::of([
        ("windmill/f/app/hook.staging.variable.yaml", &*variable(true, cipher)),
        ("windmill/f/app/hook.production.variable.yaml", &*variable(true, cipher)),
        ("windmill/f/app/common.variable.yaml", "value: x\n"),
    ]);
    let findings = judge(&policy("suffix"), "divergence", Some("main"), &suffix, None);
    assert_eq!(said(&findings), ["divergence/must-differ wm/f/app/hook error"]);
    let directory = MemoryTree::of([
        ("windmill/staging/f/app/hook.variable.yaml", &*variable(true, cipher)),
        ("windmill/production/f/app/hook.variable.yaml", &*variable(false, "x")),
        (
            "windmill/staging/f/app/db.resource.json",
            "{\"value\": {\"host\": \"a\"}, \"resource_type\": \"postgresql\"}",
        ),
        (
            "windmill/production/f/app/db.resource.json",
            "{\"value\": {\"host\": \"b\"}, \"resource_type\": \"postgresql\"}",
        ),
    ]);
    let findings = judge(&policy("directory"), "divergence", Some("main"), &directory, None);
    assert_eq!(
        said(&findings),
        ["divergence/kind-differs wm/f/app/hook error", "divergence/must-match wm/f/app/db.host error"]
    );
    let dev = MemoryTree::of([("windmill/f/app/hook.variable.yaml", &*variable(false, "$res:f/app/x"))]);
    let main = dev.clone().other("dev", dev);
    let findings = judge(&policy("branch"), "divergence", Some("main"), &main, None);
    assert_eq!(said(&findings), ["divergence/opaque wm/f/app/hook note"]);
}

#[test]
fn keys_name_their_object_if_there_are_several() {
    let object = |name: &str, value: &str| {
        format!("---\nkind: ConfigMap\nmetadata: {{ name: {name} }}\ndata: {{ A: {value} }}\n")
    };
    let policy = format!(
        "{ENVIRONMENTS}rules:\n  divergence:\n    sources: [{{ id: cm, format: k8s-config, path: 'k8s/{{environment}}/*.yaml' }}]\n    keys: [{{ match: cm/nothing, rule: ignore, until: 2020-01-01 }}]\n"
    );
    let tree = MemoryTree::of([
        ("k8s/staging/all.yaml", &*(object("a-staging", "1") + &object("b", "1"))),
        ("k8s/production/all.yaml", &*(object("a-prod", "1") + &object("b", "2"))),
    ]);
    let findings = judge(&policy, "divergence", None, &tree, None);
    assert_eq!(said(&findings), ["divergence/expired - error", "divergence/must-match cm/ConfigMap/b/A error"]);
    assert_eq!((findings[1].span.line, findings[1].span.column), (8, 12));
}

#[test]
fn a_file_missing_in_one_environment_is_reported() {
    let policy = api("[]");
    let tree = MemoryTree::of([("s.env", "A=1\n")]);
    assert_eq!(
        said(&judge(&policy, "divergence", None, &tree, None)),
        ["divergence/missing-file api/staging-production warning"]
    );
    let both = tree.clone().with("p.env", "A=1\n");
    assert_eq!(
        said(&judge(&policy, "divergence", None, &tree, Some(&both))),
        ["divergence/missing-file api/staging-production error"]
    );
    let neither = MemoryTree::default();
    let findings = judge(&policy, "divergence", None, &neither, None);
    assert_eq!(findings[0].origin.path().unwrap(), "portcullis.yaml");
}

#[test]
fn mistakes_in_options_are_reported_together() {
    let text = format!(
        "{ENVIRONMENTS}rules:\n  divergence:\n    compare: [[staging, qa]]\n    sources: [{{ id: a, format: ini, files: {{}} }}, {{ id: b, format: yaml, path: x.yaml }}, {{ format: yaml, at: {{ staging: nothing }} }}]\n    keys: [{{ match: x, rule: must }}, {{ match: x, rule: only_in }}, {{ match: x, rule: ignore, until: soon, expect: {{ qa: 1 }} }}]\n"
    );
    let policy = Policy::load(vec![PolicyFile::new("portcullis.yaml", text)]).unwrap_or_else(|_| panic!());
    let Err(mistakes) = policy.compile(Kinds::TREE, &[]) else { panic!("nothing is wrong") };
    assert!(mistakes.len() >= 8, "{:?}", mistakes.iter().map(|m| &m.wrong.message).collect::<Vec<_>>());
    assert!(mistakes.iter().all(|m| !m.wrong.span.is_empty()));
}

#[test]
fn the_decision_table_is_symmetric_and_respects_ignore() {
    let placeholders = Placeholders::new(&["".into(), "CHANGEME".into(), "<*>".into()]).unwrap_or_else(|_| panic!());
    let texts =
        ["a", "b", "${A}", "op://v/i", "ENC[AES256_GCM,data:a]", "ENC[AES256_GCM,data:b]", "", "changeme", "<x>"];
    let values: Vec<_> = texts.iter().map(|t| classify_text(t, &placeholders)).collect();
    let kinds: Vec<ValueKind> = values.iter().map(|v| v.kind).collect();
    use ValueKind::*;
    assert_eq!(kinds, [Plain, Plain, Reference, Reference, Randomised, Randomised, Empty, Placeholder, Placeholder]);
    let sides: Vec<_> = values.iter().map(Some).chain([None]).collect();
    for asked in [
        Requirement::MustDiffer,
        Requirement::MustMatch,
        Requirement::MayDiffer,
        Requirement::Ignore,
        Requirement::Report,
    ] {
        for a in &sides {
            for b in &sides {
                let at = |value| EnvironmentValue { environment: "e", value };
                let verdict = portcullis::rules::divergence::decide(&asked, [at(*a), at(*b)], &|_| None);
                let turned = portcullis::rules::divergence::decide(&asked, [at(*b), at(*a)], &|_| None);
                assert_eq!(verdict, turned);
                if asked == Requirement::Ignore {
                    assert_eq!(verdict, KeyVerdict::Ok);
                }
                let bad = |v: &Option<&portcullis::rules::divergence::ComparedValue>| {
                    v.is_none_or(|v| matches!(v.kind, Empty | Placeholder))
                };
                let failing =
                    matches!(asked, Requirement::MustDiffer | Requirement::MustMatch | Requirement::MayDiffer);
                let unset =
                    |v: &Option<&portcullis::rules::divergence::ComparedValue>| v.is_none_or(|v| v.kind == Empty);
                if failing && unset(a) && unset(b) {
                    assert_eq!(verdict, KeyVerdict::Ok);
                } else if failing && (bad(a) || bad(b)) {
                    assert!(matches!(verdict, KeyVerdict::Missing | KeyVerdict::Placeholder));
                }
            }
        }
    }
}

#[test]
fn spellings_and_words() {
    for (a, b) in
        [(" x ", "'x'"), ("TRUE", "true"), ("+5", "5"), ("HTTP://A:80/", "http://a"), ("https://a/b/", "https://a/b")]
    {
        assert_eq!(normalised(a), normalised(b));
    }
    for (a, b) in [("1.10", "1.1"), ("http://a:8080", "http://a"), ("https://a/B", "https://a/b"), ("yes", "true")] {
        assert_ne!(normalised(a), normalised(b));
    }
    let words = ["staging".to_owned(), "stg".to_owned(), "dev".to_owned()];
    for yes in ["staging", "https://api.STG.example.org", "db-dev-1", "a_staging"] {
        assert!(names(yes, &words), "{yes}");
    }
    for no in ["stagingx", "dev-team", "apps/dev-tools/x", "/dev/null", "https://web.dev/x", "developer"] {
        assert!(!names(no, &words), "{no}");
    }
}

#[test]
fn the_family_explains_each_code() {
    let about = RULE.about().unwrap_or_else(|m| panic!("{}", m.message));
    let wanted = ["must-differ", "missing", "expired", "opaque"];
    assert!(wanted.iter().all(|w| about.codes.iter().any(|c| c.code == *w && !c.help.is_empty())));
    assert!(about.codes.iter().any(|c| c.severity.0 == Some(Severity::Note)));
}

//! Messages as people write them, judged by the compiled rule.

mod cleanup;
mod exempt;
mod properties;

use bstr::BString;
use portcullis::finding::{Finding, Findings, NothingToHide, Severity};
use portcullis::options::{Environment, Protected, Trial, Vocabulary};
use portcullis::rules::conventional_commits::cleanup::{CommentChar, Mode, cleanup};
use portcullis::rules::conventional_commits::codes::Code;
use portcullis::rules::conventional_commits::{RULE, parse};
use portcullis::subject::{Carrier, Commit, Oid, Person};
use serde_json::Value;

/// `dev` is protected and lowest, `main` protected and production.
fn vocabulary() -> Vocabulary {
    let environment = |name: &str, branch: &str| Environment {
        name: name.into(),
        branches: vec![branch.into()],
        ..Environment::default()
    };
    let protected = |branch: &str| Protected {
        branch: branch.into(),
        direct_push: Vec::new(),
        non_ff: None,
        delete: None,
        linear: None,
        signed: None,
    };
    Vocabulary {
        environments: vec![environment("staging", "staging"), environment("production", "main")],
        protected: vec![protected("staging"), protected("main")],
        ..Vocabulary::default()
    }
}

/// Where a message stands.
struct Place<'p> {
    options: &'p str,
    branch: &'p str,
    pending: bool,
    parents: usize,
    paths: Vec<BString>,
    author: &'p str,
}

impl Default for Place<'_> {
    fn default() -> Self {
        Self { options: "", branch: "main", pending: false, parents: 1, paths: vec!["a.txt".into()], author: "alice" }
    }
}

impl Place<'_> {
    fn judge(&self, message: impl AsRef<[u8]>) -> Vec<Finding> {
        let oid = |n: u8| Oid::from_bytes(&[n; 20]).expect("20 bytes");
        let paths = || Ok(self.paths.clone());
        let message = match self.pending {
            true => cleanup(message.as_ref(), Mode::Strip, &CommentChar::default(), true),
            false => message.as_ref().into(),
        };
        let commit = Commit {
            carrier: if self.pending { Carrier::Pending } else { Carrier::Commit(oid(1)) },
            message,
            headers: BString::default(),
            parents: (0..self.parents).map(|n| oid(n as u8 + 2)).collect(),
            tree: (!self.pending).then(|| oid(9)),
            author: Person { name: self.author.into(), email: format!("{}@example.org", self.author).into(), time: 0 },
            committer: Person::default(),
            new_to: BString::from(format!("refs/heads/{}", self.branch)).into(),
            changed_paths: &paths,
            came_by: &|_| Ok(false),
        };
        let trial = Trial { vocabulary: vocabulary(), ..Trial::new(RULE.policy, self.options) };
        let (checks, mistakes) = trial.run(|options| (RULE.compile)(options));
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let mut findings = Findings::new(&NothingToHide, 0);
        checks.commits[0].check(&commit, &mut findings).expect("decided");
        findings.into_vec()
    }

    /// Codes without the family.
    fn codes(&self, message: impl AsRef<[u8]>) -> Vec<String> {
        let name = |f: Finding| f.rule.strip_prefix("conventional-commits/").expect("the family").to_owned();
        self.judge(message).into_iter().map(name).collect()
    }
}

fn codes(message: &str) -> Vec<String> {
    Place::default().codes(message)
}

fn with(options: &str, message: &str) -> Vec<String> {
    Place { options, ..Place::default() }.codes(message)
}

fn cases(text: &str) -> Vec<Value> {
    text.lines().map(|l| serde_json::from_str(l).expect("a case is JSON")).collect()
}

/// One case of `tests/cases/conventional-commits.jsonl`: one mistake is one finding, at its byte, with the corrected line.
#[test]
fn labelled_messages() {
    let mut wrong = Vec::new();
    for case in cases(include_str!("../cases/conventional-commits.jsonl")) {
        let text = |key: &str| case[key].as_str();
        let paths = case["paths"].as_array().into_iter().flatten();
        let place = Place {
            options: text("options").unwrap_or_default(),
            branch: text("branch").unwrap_or("main"),
            pending: case["pending"].as_bool().unwrap_or_default(),
            parents: case["parents"].as_u64().unwrap_or(1) as usize,
            paths: paths.map(|p| p.as_str().expect("a path").into()).collect(),
            ..Place::default()
        };
        let found = place.judge(text("message").expect("a message"));
        let got: Vec<_> = found.iter().map(|f| f.rule.split_once('/').expect("family/code").1).collect();
        let first = found.first();
        let severity = if text("severity") == Some("warning") { Severity::Warning } else { Severity::Error };
        let at = case["at"].as_array().map(|a| (a[0].as_u64(), a[1].as_u64()));
        let same = got == Vec::from_iter(text("code"))
            && first.is_none_or(|f| f.severity == severity)
            && at.is_none_or(|at| first.is_some_and(|f| at == (Some(f.span.line as u64), Some(f.span.column as u64))))
            && text("suggestion").is_none_or(|s| first.is_some_and(|f| f.suggestion.as_deref() == Some(s)));
        if !same {
            let told = first.map(|f| (f.span.line, f.span.column, f.suggestion.clone(), f.message.clone()));
            wrong.push(format!("{case}\n    got {got:?} {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_grammar_of_the_specification() {
    let mut wrong = Vec::new();
    for case in cases(include_str!("../cases/conventional-commits-grammar.jsonl")) {
        let text = case["message"].as_str().expect("a message");
        let message = parse::parse(text.as_bytes());
        let valid = message.as_ref().is_some_and(|m| m.errors.is_empty());
        if Some(valid) != case["valid"].as_bool() {
            wrong.push(format!("{text:?}: valid is {valid}"));
        }
        let (Some(message), Some(parsed)) = (message, case["parsed"].as_object()) else { continue };
        let parts = message.parts();
        for (key, value) in parsed {
            let got = match key.as_str() {
                "type" => parts.kind.clone().into(),
                "scope" => parts.scope.clone().into(),
                "bang" => parts.bang.into(),
                "breaking" => message.is_breaking().into(),
                "description" => parts.description.clone().into(),
                "body" => parts.body.clone().into(),
                "footers" => serde_json::to_value(&parts.footers).expect("strings"),
                other => panic!("unknown part {other}"),
            };
            if got != *value {
                wrong.push(format!("{text:?}: {key} is {got}, not {value}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every mistake that has a message of its own, with the line that was meant.
#[test]
fn each_mistake_is_one_finding_with_its_span_and_correction() {
    let table: &[(&str, &str, usize, Option<&str>)] = &[
        ("feat(api: x", "scope-unclosed", 9, Some("feat(api): x")),
        ("feat(api add x", "scope-unclosed", 9, Some("feat(api): add x")),
        ("feat:x", "space-after-colon", 6, Some("feat: x")),
        ("feat:  x", "space-after-colon", 7, Some("feat: x")),
        ("feat:\tx", "space-after-colon", 6, Some("feat: x")),
        ("feat:\u{a0}x", "space-after-colon", 6, Some("feat: x")),
        ("feat:: x", "colon-doubled", 6, Some("feat: x")),
        ("feat\u{ff1a}x", "colon-missing", 5, Some("feat: x")),
        ("feat", "colon-missing", 5, None),
        ("feat, add x", "colon-missing", 5, Some("feat: add x")),
        ("feat - add x", "colon-missing", 5, Some("feat: add x")),
        ("feat(api) add x", "colon-missing", 10, Some("feat(api): add x")),
        ("feat(a(b)): x", "scope-character", 7, Some("feat(ab): x")),
        ("feat(a\tb): x", "scope-character", 7, Some("feat(ab): x")),
        ("feat( api ): x", "scope-space", 6, Some("feat(api): x")),
        ("feat(api ): x", "scope-space", 9, Some("feat(api): x")),
        ("feat(std::fs: x", "scope-unclosed", 13, Some("feat(std::fs): x")),
        ("feat\u{a0}(api): x", "space-before-scope", 5, Some("feat(api): x")),
        ("feat\u{a0}: x", "space-before-colon", 5, Some("feat: x")),
        ("feat: add\u{200b}x", "invisible-character", 10, Some("feat: addx")),
        ("fe\u{2060}at: x", "invisible-character", 3, Some("feat: x")),
        ("feat(api]: x", "scope-brackets", 9, Some("feat(api): x")),
        ("feat/api: x", "scope-brackets", 5, Some("feat(api): x")),
        ("feat( ): x", "scope-empty", 7, Some("feat: x")),
        ("feat (api): x", "space-before-scope", 5, Some("feat(api): x")),
        ("feat(api) !: x", "space-before-colon", 10, Some("feat(api)!: x")),
        ("feat(api)x: y", "unexpected-character", 10, Some("feat(api): y")),
        ("feat!!: x", "unexpected-character", 6, Some("feat!: x")),
        (" feat: x", "leading-space", 1, Some("feat: x")),
        ("\u{2728} feat: x", "gitmoji-prefix", 1, Some("feat: x")),
        (":bug: Fixed the lock", "type-missing", 7, Some("fix: the lock")),
        (": x", "type-missing", 1, None),
        ("!: x", "type-missing", 1, None),
        ("[FIX] The lock", "type-missing", 1, Some("fix: the lock")),
        ("Fixed crash of API", "type-missing", 1, Some("fix: crash of API")),
        ("OPS-7 feat: x", "type-missing", 1, Some("feat: x (OPS-7)")),
        ("Merge branch 'x'", "type-missing", 1, None),
        ("print(x) is broken", "type-missing", 1, None),
        ("homeassistant: add a sensor", "type-unknown", 1, Some("feat(homeassistant): add a sensor")),
        ("feat,fix: x", "type-unknown", 1, None),
        ("FEATURE: x", "type-unknown", 1, Some("feat: x")),
        ("fix: x.", "full-stop", 7, Some("fix: x")),
        ("fix:", "description-empty", 5, None),
        ("fix: a\u{7}b", "control-character", 7, Some("fix: ab")),
    ];
    for (message, code, column, suggestion) in table {
        let found = Place::default().judge(message);
        let [only] = &found[..] else { panic!("{message:?} gives {found:#?}") };
        let got = (only.rule.as_ref(), only.span.line, only.span.column, only.suggestion.as_deref());
        assert_eq!(got, (format!("conventional-commits/{code}").as_str(), 1, *column, *suggestion), "{message:?}");
        if let Some(line) = suggestion {
            assert!(only.help.as_ref().is_some_and(|h| h.starts_with(&format!("write: `{line}`"))), "{:?}", only.help);
            assert_eq!(codes(line), [""; 0], "the correction of {message:?} is itself wrong");
        }
    }
}

#[test]
fn two_mistakes_are_two_findings_with_one_corrected_line() {
    let found = Place::default().judge("Feat(API) :Add x.");
    let got: Vec<_> = found.iter().map(|f| f.rule.as_ref()).collect();
    let family = |code| format!("conventional-commits/{code}");
    assert_eq!(got, ["space-before-colon", "space-after-colon", "type-case", "full-stop"].map(family));
    assert!(found.iter().all(|f| f.suggestion.as_deref() == Some("feat(API): Add x")));
}

#[test]
fn honest_messages_pass() {
    let dots = "feat: wait for it...";
    let wide = format!("feat: {}", "\u{e9}".repeat(94));
    let list = "fix: x\n\n- one\n- two\n\nhttps://example.org/a: see there\n";
    let crlf = "fix: x\r\n\r\nbody\r\n\r\nRefs: #1\r\n";
    let bom = "\u{feff}fix: x";
    for message in [dots, &wide, list, crlf, bom, "fix(a b/c,d.e@f*): x", "fix: x\n\nBREAKING CHANGE:\nall of it\n"] {
        assert_eq!(codes(message), [""; 0], "{message:?}");
    }
}

#[test]
fn the_header_is_measured_in_characters() {
    let header = format!("feat: {}", "\u{e9}".repeat(95));
    let found = Place::default().judge(&header);
    assert_eq!(found[0].rule, "conventional-commits/header-too-long");
    assert_eq!(found[0].span.byte_start, 6 + 94 * 2, "the caret is under the first character too many");
    assert_eq!(found[0].message, "the header has 101 characters, 100 are allowed");
}

#[test]
fn near_misses_of_breaking_changes_are_warnings() {
    for line in [
        "breaking change: x",
        "BREAKING CHANGES: x",
        "BREAKING CHANGE:x",
        "BREAKING-CHANGE:x",
        "Breaking-Changes : x",
        "BREAKING CHANGE #1",
        "BREAKING: x",
    ] {
        let found = Place::default().judge(format!("feat: a\n\nbody\n{line}"));
        let [only] = &found[..] else { panic!("{line:?} gives {found:#?}") };
        assert_eq!(
            (only.rule.as_ref(), only.severity),
            ("conventional-commits/breaking-change-near-miss", Severity::Warning)
        );
        assert_eq!((only.span.line, only.span.column), (4, 1));
        assert!(only.suggestion.as_ref().is_some_and(|s| s.starts_with("BREAKING CHANGE: ")), "{:?}", only.suggestion);
    }
    for line in ["BREAKING CHANGE: x", "BREAKING-CHANGE: x", "breaking changes are listed below", "nothing breaking: x"]
    {
        assert_eq!(codes(&format!("feat: a\n\n{line}")), [""; 0], "{line:?}");
    }
}

#[test]
fn breaking_changes_count_in_any_paragraph_and_trailers_only_in_the_last() {
    let text = b"fix: x\n\nRefs: #1\n\nBREAKING CHANGE: a\nb\n\nprose\n\nRefs: #2\n more\nSigned-off-by: A <a@b>";
    let message = parse::parse(text).expect("not empty");
    let parts = message.parts();
    assert!(message.is_breaking());
    assert_eq!(parts.body.as_deref(), Some("Refs: #1\n\nprose"));
    let footers: Vec<_> = parts.footers.iter().map(|(t, s, v)| format!("{t}{s}{v}")).collect();
    assert_eq!(footers, ["BREAKING CHANGE: a\nb", "Refs: #2\n more", "Signed-off-by: A <a@b>"]);
}

#[test]
fn every_requirement_of_common_presets_can_be_enabled() {
    let table = [
        ("types: [feat]", "fix: x", "type-unknown"),
        ("types: []", "anything: x", ""),
        ("{ types: [], type-case: kebab }", "someThing: x", "type-case"),
        ("type-case: any", "Feat: x", ""),
        ("scopes: [api, web]", "feat(ap): x", "scope-unknown"),
        ("scopes: [api, web]", "feat(api,web): x", ""),
        ("scopes: [api, web]", "feat(api/db): x", "scope-unknown"),
        ("scope-required: true", "feat: x", "scope-missing"),
        ("scope-case: lower", "feat(API): x", "scope-case"),
        ("description-case: lower-first", "feat: Add x", "description-case"),
        ("description-case: lower-first", "feat: `Add` x", ""),
        ("description-min-length: 3", "feat: x", "description-too-short"),
        ("description-max-length: 3", "feat: four", "description-too-long"),
        ("header-max-length: 7", "feat: xy", "header-too-long"),
        ("header-max-length: null", &*format!("feat: {}", "x".repeat(500)), ""),
        ("header-trim: true", "feat: x  ", "trailing-space"),
        ("body-required: true", "feat: x", "body-missing"),
        ("body-required: true", "feat: x\n\nRefs: #1", "body-missing"),
        ("body-min-length: 5", "feat: x\n\nyes", "body-too-short"),
        ("body-max-length: 2", "feat: x\n\nyes", "body-too-long"),
        ("body-max-line-length: 3", "feat: x\n\nyes\nno no", "body-line-too-long"),
        ("body-max-line-length: 3", "feat: x\n\nhttps://example.org", ""),
        ("footer-max-line-length: 5", "feat: x\n\nRefs: #1", "footer-line-too-long"),
        ("footer-separated: true", "feat: x\n\nprose\nRefs: #1", "footer-not-separated"),
        ("footers: [Refs]", "feat: x", "footer-missing"),
        ("footers: [Refs]", "feat: x\n\nrefs: #1", ""),
        ("signed-off-by: true", "feat: x", "signed-off-by-missing"),
        ("signed-off-by: true", "feat: x\n\nSigned-off-by: A <a@b>", ""),
        ("references: ['#\\d+', 'OPS-\\d+']", "feat: x", "reference-missing"),
        ("references: ['#\\d+', 'OPS-\\d+']", "feat: x (OPS-7)", ""),
        ("allow-initial: false", "Initial commit", "type-missing"),
    ];
    for (options, message, code) in table {
        let wanted: Vec<_> = Some(code.to_owned()).filter(|c| !c.is_empty()).into_iter().collect();
        assert_eq!(with(options, message), wanted, "{options}: {message:?}");
    }
}

#[test]
fn bytes_that_are_no_text() {
    assert_eq!(Place::default().codes(b"fix: \xffx"), ["not-utf8"]);
    assert_eq!(Place::default().codes(b"fix: a\0b"), ["control-character"]);
    assert_eq!(codes("fix: a\rb"), ["control-character"]);
    assert_eq!(
        codes("fix: a\n\nb\u{1b}[31m and \u{1b}[0m"),
        ["control-character"],
        "one finding, however many there are"
    );
    assert_eq!(codes(""), ["empty-message"]);
    assert_eq!(codes(" \n\t\n"), ["empty-message"]);
    let long = format!("fix: x\n\n{}", "y".repeat(1 << 20));
    assert_eq!(codes(&long), [""; 0]);
}

#[test]
fn the_policy_page_and_the_code_name_the_same_codes() {
    let about = RULE.about().expect("the page can be read");
    let listed: Vec<_> = about.codes.iter().map(|c| (c.code.as_str(), c.severity.0)).collect();
    let built: Vec<_> = Code::ALL.iter().map(|c| (c.name(), Some(c.severity()))).collect();
    assert_eq!(listed, built);
    let page = portcullis::yaml::parse(RULE.policy.as_bytes());
    let examples = page.roots[1].get("examples").expect("examples");
    for pass in examples.get("pass").expect("pass").items() {
        assert_eq!(codes(pass.text().expect("a message")), [""; 0]);
    }
    for fail in examples.get("fail").expect("fail").items() {
        let [message, code, line] = [0, 1, 2].map(|n| fail.items()[n].text().expect("a text"));
        let found = Place::default().judge(message);
        assert_eq!(codes(message), [code]);
        assert_eq!(found[0].suggestion.as_deref(), Some(line));
    }
}

#[test]
fn a_finding_is_identified_by_header_and_tree() {
    let print = |message: &str| Place::default().judge(message)[0].fingerprint.clone();
    assert_eq!(print("Added x\n\nbody"), print("Added x\n\nanother body"));
    assert_ne!(print("Added x"), print("Added y"));
}

#[test]
fn scopes_may_be_any_name_in_code() {
    for scope in ["c++", "C#", "std::fs", "$lib", "[slug]", "#123", "über", "接口", "a, b", "api server", "@n/*", "<T>"]
    {
        assert_eq!(codes(&format!("fix({scope}): x")), [""; 0], "{scope}");
        let listed = format!("scopes: ['{scope}']");
        assert_eq!(with(&listed, &format!("fix({scope}): x")), [""; 0], "{scope} is listed");
        let found = Place::default().judge(format!("fix ({scope}): x"));
        let mended = format!("fix({scope}): x");
        assert_eq!(found[0].suggestion.as_deref(), Some(mended.as_str()), "a proposal keeps the scope");
    }
}

#[test]
fn an_impossible_type_or_scope_is_a_policy_mistake() {
    let mistakes = |options: &str| Trial::new(RULE.policy, options).run(|o| (RULE.compile)(o)).1.len();
    for options in [
        "types: ['✨']",
        "types: [feat/api]",
        "types: ['bug fix']",
        "types: [v1.0]",
        "types: ['']",
        "scopes: ['a(b)']",
        "scopes: [' api']",
        "scopes: [api, \"a\\tb\"]",
    ] {
        assert_eq!(mistakes(options), 1, "{options}");
    }
    for options in ["types: [ops, Feat, a_b, r2, été]", "types: []", "scopes: ['[slug]', c++, 接口]"] {
        assert_eq!(mistakes(options), 0, "{options}");
    }
}

/// What conventional-commits-parser, semantic-release, git-cliff and release-please read of each line.
#[test]
fn a_line_that_release_tools_interpret_differently_is_reported() {
    let judge = |line: &str| Place::default().judge(format!("feat: x\n\n{line}"));
    for (line, suggestion) in [
        ("BREAKING CHANGE y", None),
        ("breaking change is and why this is none", None),
        ("breaking change: y", Some("BREAKING CHANGE: y")),
        ("Breaking-Change: y", Some("BREAKING CHANGE: y")),
        ("* BREAKING CHANGE: y", Some("BREAKING CHANGE: y")),
        ("  BREAKING CHANGE: y", Some("BREAKING CHANGE: y")),
        ("- BREAKING CHANGE: y", Some("BREAKING CHANGE: y")),
        ("**BREAKING CHANGE**: y", Some("BREAKING CHANGE: y")),
        ("**BREAKING CHANGE:** y", Some("BREAKING CHANGE: y")),
        ("## BREAKING CHANGE: y", Some("BREAKING CHANGE: y")),
        ("BREAKING CHANGES: y", Some("BREAKING CHANGE: y")),
        ("BREAKING: y", Some("BREAKING CHANGE: y")),
        ("BREAKING CHANGE: none", None),
        ("Breaking change: none", None),
    ] {
        let found = judge(line);
        let got: Vec<_> = found.iter().map(|f| (&*f.rule, f.suggestion.as_deref())).collect();
        assert_eq!(got, [("conventional-commits/breaking-change-near-miss", suggestion)], "{line}");
    }
    for line in [
        "BREAKING CHANGE: y",
        "BREAKING-CHANGE: y",
        "BREAKING CHANGE:\n  y",
        "Breaking changes: none",
        "## Breaking changes\n\nnone",
        "This is no breaking change, see below.",
        "It breaks nothing.",
        "breaking changes are rare",
        "Breakingchanged: y",
    ] {
        assert!(judge(line).is_empty(), "{line}");
    }
}

#[test]
fn a_proposal_never_changes_what_is_meant() {
    for (message, suggestion) in [
        ("ui: add a button", Some("feat(ui): add a button")),
        ("text: x", None),
        ("docker: x", None),
        ("dosc: x", Some("docs: x")),
        ("WIP: feat: x", Some("feat: x")),
        ("[Draft] Fix: x", Some("fix: x")),
        ("Draft: feat(api)!: x", Some("feat(api)!: x")),
        ("Merged PR 12: feat: x", Some("feat: x (#12)")),
        ("OPS-7: feat: x", Some("feat: x (OPS-7)")),
        ("[OPS-7] feat: x", Some("feat: x (OPS-7)")),
        ("OPS-7 fix: x for OPS-7", Some("fix: x for OPS-7")),
        ("#12 feat: x", Some("feat: x (#12)")),
        ("OPS-7: some words", None),
        ("OPS-7: fix login", Some("fix: login (OPS-7)")),
        ("[OPS-7] Fixed login", Some("fix: login (OPS-7)")),
        ("WIP: OPS-7: add a page", Some("feat: add a page (OPS-7)")),
        ("Merged PR 12: OPS-7 add a page", Some("feat: add a page (#12, OPS-7)")),
    ] {
        let found = Place::default().judge(message);
        assert_eq!(found.len(), 1, "{message}");
        assert_eq!(found[0].suggestion.as_deref(), suggestion, "{message}");
    }
}

#[test]
fn spaces_that_look_like_plain_ones_are_named() {
    for (message, name) in [
        ("feat:\u{a0}x", "no-break space (U+00A0)"),
        ("feat:\u{202f}x", "narrow no-break space (U+202F)"),
        ("feat:\u{3000}x", "ideographic space (U+3000)"),
        ("feat\u{a0}: x", "no-break space (U+00A0)"),
        ("feat:\tx", "this is a tab"),
    ] {
        let found = Place::default().judge(message);
        assert!(found.len() == 1 && found[0].message.contains(name), "{message}: {found:?}");
    }
    assert!(!Place::default().judge("feat:  x")[0].message.contains("U+"));
}

#[test]
fn invisible_characters_are_reported_in_headers_only() {
    for c in ["\u{200b}", "\u{2060}", "\u{feff}", "\u{ad}", "\u{e0041}"] {
        assert_eq!(codes(&format!("feat: add{c}x")), ["invisible-character"], "{c:?}");
        assert_eq!(codes(&format!("feat: x\n\nadd{c}x")), [""; 0], "a body may be copied from a page");
    }
    for header in [
        "feat: می\u{200c}خواهم",
        "feat: 👩\u{200d}💻 avatars",
        "feat: 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} flag",
        "\u{feff}feat: x",
    ] {
        assert_eq!(codes(header), [""; 0], "{header:?}");
    }
}

#[test]
fn signed_off_by_needs_a_name_and_an_address() {
    for (value, wanted) in [
        ("Ann <ann@example.org>", true),
        ("Ann", false),
        ("<ann@example.org>", false),
        ("Ann <>", false),
        ("Ann <ann>", false),
        ("Ann ann@example.org", false),
    ] {
        let got = with("signed-off-by: true", &format!("feat: x\n\nSigned-off-by: {value}"));
        assert_eq!(got.is_empty(), wanted, "{value}: {got:?}");
    }
}

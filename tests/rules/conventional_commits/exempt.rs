//! Who is judged, and who need not keep to the convention.

use bstr::BString;
use portcullis::finding::{Findings, NothingToHide};
use portcullis::options::Trial;
use portcullis::rules::conventional_commits::RULE;
use portcullis::subject::{Carrier, Commit, Oid, Person};

use super::Place;

#[test]
fn exempt_by_object() {
    let revert = "Revert \"feat: x\"\n\n";
    let on = |parents, message: &str| Place { parents, ..Place::default() }.codes(message);
    for (parents, message) in [
        (2, "Merge branch 'x'".to_owned()),
        (3, "whatever".to_owned()),
        (0, "Initial commit\n\nfrom a template".to_owned()),
        (1, format!("{revert}This reverts commit 0123456789abcdef0123456789abcdef01234567.")),
        (
            1,
            format!(
                "{revert}This reverts commit 0123456789abcdef0123456789abcdef01234567, reversing\nchanges made to a."
            ),
        ),
        (1, "Revert \"feat: x\" (#12)\n\nReverts example/repo#11".to_owned()),
        (1, format!("{revert}This reverts merge request !7")),
        (1, format!("{revert}This reverts merge request group/repo!7")),
        (1, "Reapply \"feat: x\"\n\nThis reverts commit 0123456.".to_owned()),
        // A pull request's title, and what platforms make of it.
        (1, revert.to_owned()),
        (1, format!("{revert}because I say so")),
        (1, "Revert \"feat: x\" (#12)".to_owned()),
        (1, "Revert \"feat: x\" (!12)".to_owned()),
        (1, "Revert \"feat: x\" (pull request #12)".to_owned()),
        (1, "Revert 'feat: x'\n\nReverted commit `0123456`.".to_owned()),
        (1, "Revert \"Revert \"feat: x\"\"".to_owned()),
        (1, "Revert^2 \"feat: x\"\n\nThis reverts commit 0123456.".to_owned()),
        (1, "Revert \"feat: a title that GitHub cuts off…\n\n…here\"".to_owned()),
        (1, "Revert submission 17-topic\n\nReverted changes: /q/submissionid:17-topic".to_owned()),
    ] {
        assert_eq!(on(parents, &message), [""; 0], "{message:?}");
    }
    for (parents, message) in [
        (1, "Initial commit".to_owned()),
        (0, "Initial commit of mine".to_owned()),
        (1, "Revert \"\"".to_owned()),
        (1, "Revert^2 feat: x".to_owned()),
        (1, "Revert submission 17-topic".to_owned()),
        (1, "Revert feat: x\n\nThis reverts commit 0123456.".to_owned()),
        (1, "Revert \"feat: x\" and more\n\nThis reverts commit 0123456.".to_owned()),
        (1, "Merge branch 'x'".to_owned()),
    ] {
        assert_eq!(on(parents, &message), ["type-missing"], "{message:?}");
    }
    assert_eq!(on(2, "Merge \u{202e}x"), ["bidi-control"], "no exemption hides what a message looks like");
}

#[test]
fn autosquash_is_for_topic_branches() {
    for word in ["fixup!", "squash!", "amend!"] {
        let message = format!("{word} feat: x");
        let on = |branch, pending| Place { branch, pending, ..Place::default() }.codes(&message);
        assert_eq!(on("topic", false), [""; 0]);
        assert_eq!(on("main", true), [""; 0], "local work");
        assert_eq!(on("main", false), ["autosquash-left"]);
        assert_eq!(on("staging", false), ["autosquash-left"]);
    }
    for message in ["fixup!x", "fixup!feat: x", "squash!feat: x"] {
        let found = Place::default().judge(message);
        let got: Vec<_> = found.iter().map(|f| (&*f.rule, f.suggestion.as_deref())).collect();
        let mended = message.replacen('!', "! ", 1);
        let wanted = ("conventional-commits/unexpected-character", Some(mended.as_str()));
        assert_eq!(got, [wanted], "git does not fold this one");
    }
}

#[test]
fn only_commits_that_are_new_to_a_ref_are_checked() {
    let paths = || panic!("no path is read for a message that is fine");
    let mut commit = Commit {
        carrier: Carrier::Commit(Oid::from_bytes(&[1; 20]).expect("20 bytes")),
        message: "whatever".into(),
        headers: BString::default(),
        parents: Vec::new(),
        tree: None,
        author: Person::default(),
        committer: Person::default(),
        new_to: Default::default(),
        changed_paths: &paths,
        came_by: &|_| Ok(false),
    };
    let (checks, _) = Trial::new(RULE.policy, "windmill: { exempt: true }").run(|o| (RULE.compile)(o));
    let count = |commit: &Commit<'_>| {
        let mut findings = Findings::new(&NothingToHide, 0);
        checks.commits[0].check(commit, &mut findings).expect("decided");
        findings.len()
    };
    assert_eq!(count(&commit), 0, "new to no ref");
    commit.new_to = "refs/heads/x".into();
    assert_eq!(count(&commit), 1);
    commit.carrier = Carrier::Tag(Oid::from_bytes(&[1; 20]).expect("20 bytes"), "v1".into());
    assert_eq!(count(&commit), 0, "a tag's message is no commit's");
}

#[test]
fn an_exemption_applies_only_if_all_conditions_hold() {
    let options = "exempt: [{ author: '^bot <', message: '^Sync', branch: 'sync/*', paths: ['gen/'] }]";
    let good = || Place {
        options,
        author: "bot",
        branch: "sync/a",
        paths: vec!["gen/a".into(), "gen/b".into()],
        ..Place::default()
    };
    assert_eq!(good().codes("Sync all"), [""; 0]);
    assert_eq!(good().codes("Resync all"), ["type-missing"]);
    assert_eq!(Place { author: "eve", ..good() }.codes("Sync all"), ["type-missing"]);
    assert_eq!(Place { branch: "main", ..good() }.codes("Sync all"), ["type-missing"]);
    assert_eq!(Place { paths: vec!["gen/a".into(), "src/b".into()], ..good() }.codes("Sync all"), ["type-missing"]);
}

#[test]
fn an_invalid_exemption_is_reported_and_does_not_apply() {
    for options in [
        "exempt: [{}]",
        "exempt: [{ autor: x }]",
        "exempt: [{ author: 'x', message: '(' }]",
        "exempt: 3",
        "aliases: 3",
        "windmill: { exempt: true, branch: x }",
        "exempt: [{ paths: [] }]",
    ] {
        let (_, mistakes) = Trial::new(RULE.policy, options).run(|o| (RULE.compile)(o));
        assert_eq!(mistakes.len(), 1, "{options}: {mistakes:?}");
    }
}

#[test]
fn windmill_needs_its_subject_its_branch_and_its_files() {
    let options = "windmill: { exempt: true }";
    let file = || vec!["f/app/x.script.yaml".into(), "f/app/x.ts".into()];
    let good = || Place { options, branch: "staging", paths: file(), ..Place::default() };
    for subject in [
        "[WM] x",
        "[WM]: x",
        "Initialize windmill sync repo",
        "no commit msg",
        "Script 'f/a/b' deployed",
        "App 'a' deployed",
    ] {
        assert_eq!(good().codes(subject), [""; 0], "{subject}");
        for branch in ["wm_deploy/ws/script/f__a", "wm-fork/a/b", "wm-ephemeral/x"] {
            assert_eq!(Place { branch, ..good() }.codes(subject), [""; 0], "{subject} on {branch}");
        }
        for branch in ["main", "topic", "wm_deployed"] {
            assert_eq!(Place { branch, ..good() }.codes(subject).len(), 1, "{subject} on {branch}");
        }
        let paths = vec!["f/app/x.script.yaml".into(), ".github/workflows/x.yaml".into()];
        assert_eq!(Place { paths, ..good() }.codes(subject).len(), 1, "{subject} with another's file");
        assert_eq!(Place { options: "", ..good() }.codes(subject).len(), 1, "{subject} where it is not switched on");
    }
    for subject in
        ["[WM]x", "[WM] ", "x [WM] y", "Script 'a'b' deployed", "Script '' deployed", "Script 'a' deployed now"]
    {
        assert_eq!(good().codes(subject).len(), 1, "{subject}");
    }
    let options = "windmill: { exempt: true, integration: [next] }";
    assert_eq!(Place { options, branch: "next", ..good() }.codes("[WM] x"), [""; 0]);
    assert_eq!(Place { options, branch: "staging", ..good() }.codes("[WM] x").len(), 1);
}

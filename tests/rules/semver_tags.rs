//! `semver-tags`: versions against the published lists, names, and what a push may do to tags.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice as _};
use portcullis::error::Kind;
use portcullis::finding::{Finding, Findings, NothingToHide, Origin, Severity};
use portcullis::options::scope::{RefNames, glob_set};
use portcullis::options::{Trial, Vocabulary};
use portcullis::rules::Check as _;
use portcullis::rules::branch_topology::BranchPatterns;
use portcullis::rules::branch_topology::leak::Stance;
use portcullis::rules::release_tags::format::{TagFormat, parse_tag};
use portcullis::rules::release_tags::version::Version;
use portcullis::rules::semver_tags::proposal::nearest;
use portcullis::rules::semver_tags::{
    MovingTag, MovingTagTarget, RULE, ReleaseStage, SemverTags, TagRequirement, TagSettings,
};
use portcullis::subject::{ObjectKind, Oid, Pusher, RefUpdate, Update};

use crate::support::graph::{Commit, Memory, oid};

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Case {
    Version { version: String, parts: Option<[Option<String>; 5]> },
    Tag { tag: String, valid: bool },
    Less { less: [String; 2] },
    Equal { equal: [String; 2] },
}

fn version(text: &str) -> Version {
    Version::parse(text.as_bytes()).unwrap_or_else(|f| panic!("{text}: {f:?}"))
}

#[test]
fn every_labelled_version_tag_and_precedence_agrees() {
    let format = [TagFormat::parse("v{semver}").unwrap()];
    let mut count = 0;
    for line in include_str!("../cases/semver.jsonl").lines() {
        match serde_json::from_str(line).unwrap() {
            Case::Version { version: text, parts: Some(parts) } => {
                let v = version(&text);
                let joined = |ids: &[String]| (!ids.is_empty()).then(|| ids.join("."));
                let [major, minor, patch] = v.core.clone().map(Some);
                assert_eq!([major, minor, patch, joined(&v.prerelease), joined(&v.build)], parts, "{text}");
                assert_eq!(v.to_string(), text);
            }
            Case::Version { version: text, parts: None } => {
                let flaw = Version::parse(text.as_bytes()).unwrap_err();
                assert!(flaw.at <= text.len(), "{text}: {flaw:?}");
            }
            Case::Tag { tag, valid } => {
                assert_eq!(parse_tag(&format, tag.as_bytes().as_bstr()).is_ok(), valid, "{tag:?}")
            }
            Case::Less { less: [a, b] } => {
                assert_eq!(version(&a).precedence(&version(&b)), Ordering::Less, "{a} {b}");
                assert_eq!(version(&b).precedence(&version(&a)), Ordering::Greater, "{b} {a}");
            }
            Case::Equal { equal: [a, b] } => assert_eq!(version(&a).precedence(&version(&b)), Ordering::Equal),
        }
        count += 1;
    }
    assert!(count >= 138);
}

#[test]
fn proposed_tag_names_are_valid_and_valid_names_are_kept() {
    let format = TagFormat::parse("v{semver}").unwrap();
    for line in include_str!("../cases/semver.jsonl").lines() {
        if let Case::Tag { tag, valid } = serde_json::from_str(line).unwrap() {
            let formats = [format.clone()];
            let nearest = nearest(&formats, tag.as_bytes().as_bstr()).map(|n| n.name);
            assert!(
                nearest.iter().all(|n| format.parse_name(n.as_bytes().as_bstr()).is_ok()),
                "{tag:?} -> {nearest:?}"
            );
            assert!(!valid || nearest == Some(tag), "{nearest:?}");
        }
    }
}

#[test]
fn version_numbers_have_no_upper_limit() {
    assert_eq!(version("1.2.99999999999999999999999999-rc+b").next(2).to_string(), "1.2.100000000000000000000000000");
    assert_eq!(version("1.9.3").next(1).to_string(), "1.10.0");
    assert_eq!(version("0.0.0").next(0).to_string(), "1.0.0");
}

#[test]
fn formats_have_one_version_and_at_most_one_component() {
    for bad in ["v1", "{semver}{semver}", "{component}{semver}", "{semver}/{component}", "v{semver}-x", "{x}/v{semver}"]
    {
        assert!(TagFormat::parse(bad).is_err(), "{bad}");
    }
    let format = TagFormat::parse("{component}/v{semver}").unwrap();
    let release = format.parse_name(b"apps/v2/api/v1.0.0".as_bstr()).unwrap();
    assert_eq!(
        (release.component.as_bstr(), release.version.to_string().as_str()),
        (b"apps/v2/api".as_bstr(), "1.0.0")
    );
    assert_eq!(format.parse_name(b"/v1.0.0".as_bstr()).unwrap_err().at, 0);
    assert_eq!(format.parse_name(b"api/v1.0".as_bstr()).unwrap_err().at, 8);
    assert!(TagFormat::parse("v{calver}").unwrap_err().contains("calendar versions"));
}

fn proposed(formats: &[&str], name: &str) -> Option<String> {
    let formats: Vec<TagFormat> = formats.iter().map(|f| TagFormat::parse(f).unwrap()).collect();
    nearest(&formats, name.as_bytes().as_bstr()).map(|n| n.name)
}

#[test]
fn a_proposal_keeps_the_meaning_of_the_name_or_there_is_none() {
    for (name, expected) in [
        ("1.2.3.Final", Some("v1.2.3")),
        ("v1.2.3.RELEASE", Some("v1.2.3")),
        ("1.2.3_GA", Some("v1.2.3")),
        ("1.2.3.post1", Some("v1.2.3+post1")),
        ("1.2.3.SP2", Some("v1.2.3+SP2")),
        ("1.2.3.4", Some("v1.2.3+4")),
        ("1.2.3.CR1", Some("v1.2.3-CR1")),
        ("1.2.3rc1", Some("v1.2.3-rc1")),
        ("1.2.3.dev4", Some("v1.2.3-dev4")),
        ("v2.0-rc.1", Some("v2.0.0-rc.1")),
        ("rel_1_2_3", Some("v1.2.3")),
        ("REL1_2_3", Some("v1.2.3")),
        ("rel_1_2_3_rc1", Some("v1.2.3-rc1")),
        ("release/1.2", Some("v1.2.0")),
        ("version-1.2.3", Some("v1.2.3")),
        ("v1,2,3", Some("v1.2.3")),
        ("v1-2-3", Some("v1.2.3")),
        ("v.1.2.3", Some("v1.2.3")),
        ("v1", Some("v1.0.0")),
        ("v\u{ff11}.2.3", Some("v1.2.3")),
        ("2024-05-01", Some("v2024.5.1")),
        ("v2024.05", Some("v2024.5.0")),
        ("build-123", None),
        ("123", None),
        ("20240501", None),
        ("v20240501", None),
        ("PROJ-12", None),
        ("nightly-2024.05.01", None),
        ("k8s", None),
        ("server-1.2.3", None),
        ("api/1.2.3", None),
        ("prod", None),
        ("", None),
    ] {
        assert_eq!(proposed(&["v{semver}"], name).as_deref(), expected, "{name}");
    }
}

#[test]
fn a_proposal_names_the_component_under_the_format_that_was_meant() {
    let formats = ["v{semver}", "{component}@{semver}", "{component}/v{semver}"];
    for (name, expected) in [
        ("pkg@v1.20.0", Some("pkg@1.20.0")),
        ("@scope/pkg@v1.20.0", Some("@scope/pkg@1.20.0")),
        ("api/1.20.0", Some("api/v1.20.0")),
        ("apps/v2/api/1.0", Some("apps/v2/api/v1.0.0")),
        ("api/v1.0-rc.1", Some("api/v1.0.0-rc.1")),
        ("web-1.2.3", Some("web@1.2.3")),
        ("web-v1.2.3", Some("web/v1.2.3")),
        ("k8s-agent@1.2", Some("k8s-agent@1.2.0")),
        ("1.20.0", Some("v1.20.0")),
        ("release-1.20.0", Some("v1.20.0")),
        ("api/build-12", None),
    ] {
        assert_eq!(proposed(&formats, name).as_deref(), expected, "{name}");
        let turned: Vec<&str> = formats.iter().rev().copied().collect();
        if !name.starts_with("web") {
            assert_eq!(proposed(&turned, name).as_deref(), expected, "{name}, formats in another order");
        }
    }
    assert_eq!(proposed(&["dev-v{semver}", "v{semver}"], "dev-1.2").as_deref(), Some("dev-v1.2.0"));
    assert_eq!(proposed(&["{component}/v{semver}"], "1.2"), None);
}

#[test]
fn a_proposal_does_not_repeat_a_long_suffix() {
    for rest in ["Ab3dE5gH1jK2mN4pQ6", "-0123456789abcdef0123456789abcdef", "+AKIA<>ABCDEFGHIJKLMN"] {
        let name = format!("v1.2{}", rest.replace("<>", ""));
        assert_eq!(proposed(&["v{semver}"], &name), None, "{name}");
        assert_eq!(proposed(&["v{semver}"], &format!("dop_{name}")), None, "{name}");
    }
    assert_eq!(proposed(&["v{semver}"], "1.123456789012345678"), None);
}

#[test]
fn the_next_version_is_of_the_wanted_kind() {
    for (greatest, wanted, expected) in [
        ("2.0.0-rc.10", "2.0.0-rc.9", "2.0.0-rc.11"),
        ("2.0.0-rc9", "2.0.0-rc10", "2.0.0-rc9.1"),
        ("2.0.0-rc", "2.0.0-rc", "2.0.0-rc.1"),
        ("2.0.0", "2.0.0-rc.3", "2.0.1-rc.1"),
        ("2.0.0-rc.1", "2.0.0-beta.4", "2.0.1-beta.1"),
        ("2.0.0-rc.1", "1.9.0", "2.0.0"),
        ("2.0.0", "1.9.0", "2.0.1"),
        ("2.0.0+5", "2.0.0", "2.0.1"),
    ] {
        assert_eq!(version(greatest).after(&version(wanted)).to_string(), expected, "{greatest}, {wanted}");
    }
}

type Tagged<'t> = &'t [(&'t str, &'t str)];

/// What a push of annotated tags is told, tag by tag.
fn push_tags(memory: &mut Memory, tags: Tagged<'_>) -> Vec<Vec<Finding>> {
    let mut together = Vec::new();
    for (name, commit) in tags {
        let object = memory.annotate(name, oid(commit));
        together.push(Update { name: format!("refs/tags/{name}").into(), old: None, new: Some(object) });
    }
    let shared = portcullis::subject::Shared::default();
    let rule = SemverTags::new(settings());
    let judge = |tag: &Update| {
        let update = RefUpdate {
            name: tag.name.clone(),
            old: tag.old,
            new: tag.new,
            pusher: Default::default(),
            head_ref: None,
            together: &together,
            graph: &*memory,
            shared: shared.clone(),
        };
        let mut out = Findings::new(&NothingToHide, 0);
        rule.check(&update, &mut out).unwrap();
        out.into_vec()
    };
    together.iter().map(judge).collect()
}

#[test]
fn tags_of_one_push_are_checked_as_if_pushed_in_order() {
    let pass: [Tagged<'_>; 4] = [
        &[("v1.2.0-rc.1", "m2"), ("v1.2.0", "m2")],
        &[("v1.2.0", "m2"), ("v1.2.0-rc.2", "m2"), ("v1.2.0-rc.1", "m2"), ("v1.2.0-beta", "m2")],
        &[("v1.2.0-rc.1", "m2"), ("v1.2.0", "m3")],
        &[("v1.0.3", "m1"), ("v1.0.2", "h1")],
    ];
    for tags in pass {
        let mut memory = repository();
        memory.set("refs/heads/main", oid("m3"));
        assert!(push_tags(&mut memory, tags).concat().is_empty(), "{tags:?}");
    }
    let refused: [(Tagged<'_>, &str); 4] = [
        (&[("v1.2.0", "m2"), ("v1.2.0-rc.1", "m3")], "v1.2.0-rc.1"),
        (&[("v1.2.0", "m2"), ("v1.1.5", "m2")], "v1.1.5"),
        (&[("v1.3.0", "m2"), ("v1.2.0-rc.1", "m2")], "v1.2.0-rc.1"),
        (&[("v1.1.0-rc.1", "m2")], "v1.1.0-rc.1"),
    ];
    for (tags, wrong) in refused {
        let mut memory = repository();
        memory.set("refs/heads/main", oid("m3"));
        for ((name, _), found) in tags.iter().zip(push_tags(&mut memory, tags)) {
            let expected = if *name == wrong { vec!["semver-tags/monotonic"] } else { Vec::new() };
            assert_eq!(codes(&found), expected, "{name} of {tags:?}");
        }
    }
}

#[test]
fn help_for_a_version_that_goes_back_proposes_a_free_one_of_its_kind() {
    let mut memory = repository();
    memory.set("refs/heads/main", oid("m3"));
    for (name, commit) in [("v2.0.0-rc.10", "m2"), ("v2.0.0-rc.11", "t1")] {
        let object = memory.annotate(name, oid(commit));
        memory.set(&format!("refs/tags/{name}"), object);
    }
    let found = push_tags(&mut memory, &[("v2.0.0-rc.9", "m3")]).concat();
    let help = found[0].help.as_ref().unwrap();
    assert!(help.contains("git tag -a v2.0.0-rc.12 "), "{help}");
    let old = memory.refs[b"refs/tags/v2.0.0-rc.10".as_bstr()];
    let moved = push(&memory, "v2.0.0-rc.10", Some(old), Some(oid("m3")));
    assert!(moved[0].help.as_ref().unwrap().contains("git tag -a v2.0.0-rc.12 "), "{:?}", moved[0].help);
}

#[test]
fn many_tags_in_one_push_walk_the_history_once() {
    let walks = |count: usize| {
        let mut memory = Memory::default();
        for i in 0..count {
            let parents = if i == 0 { Vec::new() } else { vec![oid(&format!("c{}", i - 1))] };
            let commit = Commit { parents, message: "fix: x".into(), time: i as i64, ..Commit::default() };
            memory.add(&format!("c{i}"), commit);
        }
        memory.set("refs/heads/main", oid(&format!("c{}", count - 1)));
        let names: Vec<(String, String)> = (0..count).map(|i| (format!("v1.{i}.0"), format!("c{i}"))).collect();
        let tags: Vec<(&str, &str)> = names.iter().map(|(name, at)| (name.as_str(), at.as_str())).collect();
        assert!(push_tags(&mut memory, &tags).concat().is_empty());
        memory.walked.get()
    };
    assert!(walks(400) <= 12 * walks(40), "{} for 40, {} for 400", walks(40), walks(400));
}

fn branches(names: &[&str]) -> BranchPatterns {
    BranchPatterns::new(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap()
}

/// main: m0 (v1.0.0), m1, m2 (v1.1.0), m3; hotfix from m0: h1; topic from m1: t1.
fn repository() -> Memory {
    let mut memory = Memory::default();
    let commits = [("m0", ""), ("m1", "m0"), ("m2", "m1"), ("m3", "m2"), ("h1", "m0"), ("t1", "m1")];
    for (i, (id, parent)) in commits.into_iter().enumerate() {
        let parents = if parent.is_empty() { Vec::new() } else { vec![oid(parent)] };
        memory.add(id, Commit { parents, message: "fix: x".into(), time: i as i64, ..Commit::default() });
    }
    memory.set("refs/heads/main", oid("m2"));
    for (tag, target) in [("v1.0.0", "m0"), ("v1.1.0", "m2")] {
        let object = memory.annotate(tag, oid(target));
        memory.set(&format!("refs/tags/{tag}"), object);
    }
    memory
}

fn settings() -> TagSettings {
    TagSettings {
        formats: vec![(TagFormat::parse("v{semver}").unwrap(), ReleaseStage::Production)],
        branches: branches(&["main"]),
        moving: vec![MovingTag { tag: RefNames::new(&["prod-stable".into()]).unwrap(), branches: branches(&["main"]) }],
        ignore: glob_set(&["archive/**".into()]).unwrap(),
        needs: vec![TagRequirement::Annotated],
        prerelease: Stance::Allow,
        build: Stance::Allow,
        bump: None,
        moving_to: MovingTagTarget::Any,
    }
}

fn push_with(
    settings: TagSettings,
    memory: &Memory,
    name: &str,
    old: Option<Oid>,
    new: Option<Oid>,
    together: &[Update],
) -> Vec<Finding> {
    let update = RefUpdate {
        name: format!("refs/tags/{name}").into(),
        old,
        new,
        pusher: Pusher::NotAsked,
        head_ref: None,
        together,
        graph: memory,
        shared: Default::default(),
    };
    let mut out = Findings::new(&NothingToHide, 0);
    SemverTags::new(settings).check(&update, &mut out).unwrap();
    out.into_vec()
}

fn push(memory: &Memory, name: &str, old: Option<Oid>, new: Option<Oid>) -> Vec<Finding> {
    push_with(settings(), memory, name, old, new, &[])
}

fn codes(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|f| f.rule.as_ref()).collect()
}

#[test]
fn the_examples_of_the_policy_agree() {
    let text = include_str!("../../policies/semver-tags.yml");
    let description = text.split_once("\n---\n").unwrap().1;
    let yaml: serde_yaml::Value = serde_yaml::from_str(description).unwrap();
    let mut memory = repository();
    for name in yaml["examples"]["pass"].as_sequence().unwrap() {
        let name = name.as_str().unwrap();
        let object = memory.annotate(name, oid("m1"));
        assert!(push(&memory, name, None, Some(object)).iter().all(|f| f.rule != "semver-tags/name"), "{name}");
    }
    for case in yaml["examples"]["fail"].as_sequence().unwrap() {
        let name = case["name"].as_str().unwrap();
        let found =
            push_with(TagSettings { moving: Vec::new(), ..settings() }, &memory, name, None, Some(oid("m2")), &[]);
        assert_eq!(codes(&found), ["semver-tags/name"], "{name}");
        let begin = 40 + 1 + 40 + 1 + "refs/tags/".len();
        assert_eq!(found[0].span.byte_start, begin + case["at"].as_u64().unwrap() as usize, "{name}");
        match case.get("nearest") {
            Some(nearest) => {
                assert!(found[0].help.as_ref().unwrap().contains(&format!("git tag -a {} ", nearest.as_str().unwrap())))
            }
            None => assert_eq!(found[0].help, None),
        }
    }
}

#[test]
fn an_annotated_release_on_its_branch_passes() {
    let mut memory = repository();
    memory.set("refs/heads/main", oid("m3"));
    let tag = memory.annotate("v1.2.0", oid("m3"));
    assert_eq!(codes(&push(&memory, "v1.2.0", None, Some(tag))), [""; 0]);
}

#[test]
fn a_tag_is_checked_against_the_branch_after_the_push() {
    let mut memory = repository();
    let tag = memory.annotate("v1.2.0", oid("m3"));
    assert_eq!(codes(&push(&memory, "v1.2.0", None, Some(tag))), ["semver-tags/on-branch"]);
    let forward = [Update { name: "refs/heads/main".into(), old: Some(oid("m2")), new: Some(oid("m3")) }];
    assert_eq!(codes(&push_with(settings(), &memory, "v1.2.0", None, Some(tag), &forward)), [""; 0]);
    memory.set("refs/heads/main", oid("t1"));
    let back = [Update { name: "refs/heads/main".into(), old: Some(oid("t1")), new: Some(oid("m1")) }];
    let tag = memory.annotate("v1.0.5", oid("t1"));
    assert_eq!(codes(&push(&memory, "v1.0.5", None, Some(tag))), [""; 0]);
    assert_eq!(codes(&push_with(settings(), &memory, "v1.0.5", None, Some(tag), &back)), ["semver-tags/on-branch"]);
}

#[test]
fn a_hotfix_cut_from_a_release_may_be_released_and_a_topic_may_not() {
    let mut memory = repository();
    let hotfix = memory.annotate("v1.0.1", oid("h1"));
    assert_eq!(codes(&push(&memory, "v1.0.1", None, Some(hotfix))), [""; 0]);
    let topic = memory.annotate("v1.0.2", oid("t1"));
    assert_eq!(codes(&push(&memory, "v1.0.2", None, Some(topic))), ["semver-tags/on-branch"]);
}

#[test]
fn versions_grow_along_the_history() {
    let mut memory = repository();
    memory.set("refs/heads/main", oid("m3"));
    let lower = memory.annotate("v1.0.9", oid("m3"));
    let found = push(&memory, "v1.0.9", None, Some(lower));
    assert_eq!(codes(&found), ["semver-tags/monotonic"]);
    assert!(found[0].help.as_ref().unwrap().contains("git tag -a v1.1.1 "), "{:?}", found[0].help);
    // On a part of the history that does not contain v1.1.0 the same version is fine.
    let lower = memory.annotate("v1.0.9", oid("m1"));
    assert_eq!(codes(&push(&memory, "v1.0.9", None, Some(lower))), [""; 0]);
    // The same version on another line.
    memory.set("refs/tags/v1.0.9", lower);
    let twin = memory.annotate("v1.0.9+hotfix", oid("h1"));
    let found = push(&memory, "v1.0.9+hotfix", None, Some(twin));
    assert_eq!((codes(&found), found[0].severity), (vec!["semver-tags/monotonic"], Severity::Warning));
}

#[test]
fn several_formats_and_components_have_their_own_order() {
    let mut memory = repository();
    let mut own = settings();
    own.formats.push((TagFormat::parse("dev-v{semver}").unwrap(), ReleaseStage::Other));
    own.formats.push((TagFormat::parse("{component}/v{semver}").unwrap(), ReleaseStage::Production));
    let api = memory.annotate("api/v2.0.0", oid("m1"));
    memory.set("refs/tags/api/v2.0.0", api);
    for (name, expected) in [("dev-v0.1.0", None), ("web/v1.0.0", None), ("api/v1.0.0", Some("semver-tags/monotonic"))]
    {
        let tag = memory.annotate(name, oid("m2"));
        let settings = TagSettings { formats: own.formats.clone(), ..settings() };
        let found = push_with(settings, &memory, name, None, Some(tag), &[]);
        assert_eq!(codes(&found), expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_release_tag_is_never_moved_or_deleted_but_a_misnamed_tag_may_be_deleted() {
    let mut memory = repository();
    let old = memory.refs[b"refs/tags/v1.0.0".as_bstr()];
    let other = memory.annotate("v1.0.0", oid("m1"));
    let found = push(&memory, "v1.0.0", Some(old), Some(other));
    assert_eq!(codes(&found), ["semver-tags/immutable"]);
    assert!(found[0].help.as_ref().unwrap().contains("promote rollback v1.0.0"));
    assert_eq!(codes(&push(&memory, "v1.0.0", Some(old), None)), ["semver-tags/immutable"]);
    assert_eq!(codes(&push(&memory, "v1.0.0", Some(old), Some(old))), [""; 0]);
    assert_eq!(codes(&push(&memory, "junk", Some(old), None)), [""; 0]);
    assert_eq!(codes(&push(&memory, "archive/x", None, Some(oid("m1")))), [""; 0]);
}

#[test]
fn tag_objects_are_read() {
    let mut memory = repository();
    assert_eq!(codes(&push(&memory, "v1.0.5", None, Some(oid("m1")))), ["semver-tags/annotated"]);
    let renamed = memory.annotate("v9.9.9", oid("m1"));
    let found = push(&memory, "v1.0.5", None, Some(renamed));
    assert_eq!(codes(&found), ["semver-tags/object"]);
    assert!(matches!(found[0].origin, Origin::Tag { .. }));
    assert_eq!(
        (found[0].excerpt.text.as_str(), &found[0].excerpt.text[found[0].excerpt.mark.clone()]),
        ("tag v9.9.9", "v9.9.9")
    );
    // Without a tagger, of a tag, of a file.
    let bare = memory.annotate("v1.0.5", oid("m1"));
    memory.tags.get_mut(&bare).unwrap().tagger = None;
    assert_eq!(codes(&push(&memory, "v1.0.5", None, Some(bare))), ["semver-tags/object"]);
    let inner = memory.annotate("inner", oid("m1"));
    let nested = memory.annotate("v1.0.6", inner);
    assert_eq!(codes(&push(&memory, "v1.0.6", None, Some(nested))), [""; 0]);
    memory.others.insert(oid("blob"), ObjectKind::Blob);
    let file = memory.annotate("v1.0.7", oid("blob"));
    assert_eq!(codes(&push(&memory, "v1.0.7", None, Some(file))), ["semver-tags/object"]);
    // A tag of a tag of a tag ... ends in "could not decide", not in a hang.
    let mut deep = oid("m1");
    for i in 0..100 {
        deep = memory.annotate(&format!("n{i}"), deep);
    }
    let update = RefUpdate {
        name: "refs/tags/v1.0.8".into(),
        old: None,
        new: Some(deep),
        pusher: Pusher::NotAsked,
        head_ref: None,
        together: &[],
        graph: &memory,
        shared: Default::default(),
    };
    let error = SemverTags::new(settings()).check(&update, &mut Findings::new(&NothingToHide, 0)).unwrap_err();
    assert_eq!(error.kind, Kind::Undecided);
}

#[test]
fn signatures_metadata_and_prereleases_are_options() {
    let mut memory = repository();
    let tag = memory.annotate("v1.0.5-rc.1+5", oid("m1"));
    let name = "v1.0.5-rc.1+5";
    assert_eq!(codes(&push(&memory, name, None, Some(tag))), [""; 0]);
    let strict = TagSettings {
        prerelease: Stance::Deny,
        build: Stance::Deny,
        needs: vec![TagRequirement::Annotated, TagRequirement::Signed],
        ..settings()
    };
    let found = push_with(strict, &memory, name, None, Some(tag), &[]);
    assert_eq!(codes(&found), ["semver-tags/prerelease", "semver-tags/name", "semver-tags/signed"]);
    let marks: Vec<_> = found.iter().map(|f| &f.excerpt.text[f.excerpt.mark.clone()]).collect();
    assert_eq!(marks[..2], ["-rc.1+5", "+5"]);
}

#[test]
fn a_moving_tag_goes_forward_on_its_branch() {
    let mut memory = repository();
    let (m0, m2) = (Some(oid("m0")), Some(oid("m2")));
    assert_eq!(codes(&push(&memory, "prod-stable", None, m0)), [""; 0]);
    assert_eq!(codes(&push(&memory, "prod-stable", m0, m2)), [""; 0]);
    assert_eq!(codes(&push(&memory, "prod-stable", m0, Some(oid("t1")))), ["semver-tags/moving"]);
    assert_eq!(codes(&push(&memory, "prod-stable", m2, m0)), ["semver-tags/moving"]);
    let back = memory.annotate("prod-stable", oid("m0"));
    memory.tags.get_mut(&back).unwrap().message = "Rollback: the new one leaks memory\n".into();
    assert_eq!(codes(&push(&memory, "prod-stable", m2, Some(back))), [""; 0]);
    let released = || TagSettings { moving_to: MovingTagTarget::Released, ..settings() };
    assert_eq!(codes(&push_with(released(), &memory, "prod-stable", m0, m2, &[])), [""; 0]);
    assert_eq!(codes(&push_with(released(), &memory, "prod-stable", m0, Some(oid("m1")), &[])), ["semver-tags/moving"]);
}

#[test]
fn the_version_bump_fits_the_commits() {
    let mut memory = repository();
    memory.set("refs/heads/main", oid("m3"));
    for (message, name, expected) in [
        ("feat(api)!: x", "v1.2.0", Some("v2.0.0")),
        ("fix: x\n\nBREAKING CHANGE: y", "v1.1.1", Some("v2.0.0")),
        ("feat: x", "v1.1.1", Some("v1.2.0")),
        ("feat: x", "v1.2.0", None),
        ("feat: x", "v2.0.0", None),
        ("fix: x", "v1.1.1", None),
        ("prose about feat: things", "v1.1.1", None),
    ] {
        memory.commits.get_mut(&oid("m3")).unwrap().message = message.into();
        let tag = memory.annotate(name, oid("m3"));
        let settings = TagSettings { bump: Some(Severity::Warning), ..settings() };
        let found = push_with(settings, &memory, name, None, Some(tag), &[]);
        assert_eq!(
            codes(&found),
            expected.map(|_| "semver-tags/bump").into_iter().collect::<Vec<_>>(),
            "{message} {name}"
        );
        assert!(found.iter().all(|f| f.help.as_ref().unwrap().contains(expected.unwrap())));
    }
}

#[test]
fn hostile_names_are_quoted_and_bytes_survive() {
    let memory = repository();
    let found = push(&memory, "v1.0.0;$(touch x)'", None, Some(oid("m2")));
    assert!(found[0].help.as_ref().unwrap().contains(r"git tag -d 'v1.0.0;$(touch x)'\'''"), "{:?}", found[0].help);
    let update = RefUpdate {
        name: BString::from(b"refs/tags/v1.0.\xff".to_vec()),
        old: None,
        new: Some(oid("m2")),
        pusher: Pusher::NotAsked,
        head_ref: None,
        together: &[],
        graph: &memory,
        shared: Default::default(),
    };
    let mut out = Findings::new(&NothingToHide, 0);
    let only_names = TagSettings { ignore: Default::default(), ..settings() };
    SemverTags::new(only_names).check(&update, &mut out).unwrap();
    assert!(out.into_vec()[0].message.contains("not UTF-8"));
}

#[test]
fn options_come_from_the_policy() {
    let memory = repository();
    let compiled = |user: &str, name: &str| {
        let trial = Trial { vocabulary: Vocabulary::default(), ..Trial::new(RULE.policy, user) };
        let (found, mistakes) = trial.run(|options| {
            let checks = (RULE.compile)(options);
            let mut out = Findings::new(&NothingToHide, 0);
            let update = RefUpdate {
                name: format!("refs/tags/{name}").into(),
                old: None,
                new: Some(oid("m2")),
                pusher: Pusher::NotAsked,
                head_ref: None,
                together: &[],
                graph: &memory,
                shared: Default::default(),
            };
            checks.refs.iter().for_each(|check| check.check(&update, &mut out).unwrap());
            out.into_vec().iter().map(|f| f.rule.to_string()).collect::<Vec<_>>()
        });
        (found, mistakes.len())
    };
    let one = |code: &str| (vec![format!("semver-tags/{code}")], 0);
    assert_eq!(compiled("", "v1.2.0"), one("annotated"));
    assert_eq!(compiled("annotated: false", "v1.2.0"), (vec![], 0));
    assert_eq!(compiled("", "prod-stable"), one("name"));
    assert_eq!(compiled("moving: [prod-stable, { tag: 'env/*', branch: main }]", "env/qa"), (vec![], 0));
    assert_eq!(compiled("moving: { tag: prod-stable, branch: gone* }", "v1.2.0"), one("annotated"));
    assert_eq!(compiled("ignore: ['archive/**']", "archive/x"), (vec![], 0));
    assert_eq!(compiled("formats: ['r{semver}']", "v1.2.0"), one("name"));
    assert_eq!(compiled("{ formats: ['r'], moving: [{ tga: x }], moving-to: nowhere }", "v1.2.0").1, 3);
}

#[test]
fn the_description_can_be_read() {
    let about = RULE.about().unwrap();
    assert!(about.codes.iter().any(|c| c.code == "bump" && c.severity.0.is_none()));
    assert!(about.codes.iter().all(|c| !c.help.is_empty() && !c.summary.is_empty()));
}

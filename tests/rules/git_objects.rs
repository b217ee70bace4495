//! The rule family `git-objects`: its examples, and git's fsck on objects made by chance.

use std::collections::BTreeSet;

use bstr::BStr;
use portcullis::finding::{Finding, Findings, NothingToHide};
use portcullis::policy::Trial;
use portcullis::rules::git_objects::RULE;
use portcullis::subject::{Object, ObjectKind, Oid};

const ID: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
const WHO: &str = "A U Thor <author@example.org> 1767225600 +0100";

fn judge(kind: ObjectKind, bytes: &[u8], before: &[&[u8]]) -> Vec<Finding> {
    let (checks, mistakes) = Trial::new(RULE.policy, "").run(|options| (RULE.compile)(options));
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let id = Oid::from_hex(ID.as_bytes()).expect("an id");
    let mut out = Findings::new(&NothingToHide, 1);
    let object = Object { id, kind, bytes, path: BStr::new("d"), before };
    checks.objects.iter().for_each(|check| check.check(&object, &mut out).expect("decided"));
    out.into_vec()
}

fn codes(kind: ObjectKind, bytes: &[u8]) -> BTreeSet<String> {
    judge(kind, bytes, &[]).iter().map(|f| f.rule.rsplit('/').next().expect("a code").to_owned()).collect()
}

#[derive(serde::Deserialize)]
struct Second {
    codes: Vec<Code>,
    examples: Examples,
}

#[derive(serde::Deserialize)]
struct Code {
    code: String,
    severity: String,
}

#[derive(serde::Deserialize)]
struct Examples {
    pass: Vec<Example>,
    fail: Vec<Example>,
}

#[derive(serde::Deserialize)]
struct Example {
    code: Option<String>,
    commit: Option<String>,
    tag: Option<String>,
    tree: Option<Vec<String>>,
}

impl Example {
    fn object(&self) -> (ObjectKind, Vec<u8>) {
        let text = |text: &str| text.replace("ID", ID).replace("WHO", WHO).into_bytes();
        match (&self.commit, &self.tag, &self.tree) {
            (Some(commit), ..) => (ObjectKind::Commit, text(commit)),
            (_, Some(tag), _) => (ObjectKind::Tag, text(tag)),
            (.., Some(entries)) => (ObjectKind::Tree, entries.iter().flat_map(|e| entry(e)).collect()),
            _ => panic!("an example without an object"),
        }
    }
}

fn entry(line: &str) -> Vec<u8> {
    let id = if line.ends_with(" ZERO") { [0; 20] } else { [7; 20] };
    [line.trim_end_matches(" ZERO").as_bytes(), b"\0", &id].concat()
}

#[test]
fn examples_are_judged_as_they_say() {
    let second: Second = portcullis::yaml::from_document(RULE.policy, 1).expect("well formed");
    for example in &second.examples.pass {
        let (kind, bytes) = example.object();
        assert!(judge(kind, &bytes, &[]).is_empty(), "{:?}", bstr::BString::from(bytes));
    }
    for example in &second.examples.fail {
        let (kind, bytes) = example.object();
        let wanted = example.code.as_ref().expect("a code");
        let found = judge(kind, &bytes, &[]);
        let found = found.iter().find(|f| f.rule.ends_with(&format!("/{wanted}")));
        let found = found.unwrap_or_else(|| panic!("no {wanted} in {:?}", bstr::BString::from(bytes)));
        let code = second.codes.iter().find(|c| c.code == *wanted).expect("it is listed");
        assert_eq!(format!("{:?}", found.severity).to_lowercase(), code.severity, "{wanted}");
    }
    // Every code but the few whose object cannot be written in one line of YAML.
    let shown: BTreeSet<_> = second.examples.fail.iter().filter_map(|e| e.code.clone()).collect();
    let without: Vec<_> = second.codes.iter().map(|c| &c.code).filter(|c| !shown.contains(*c)).collect();
    assert_eq!(without, ["missingType", "missingTag", "largePathname"]);
    let long = [b"100644 ".as_slice(), &[b'n'; 4097], b"\0", &[7; 20]].concat();
    assert_eq!(codes(ObjectKind::Tree, &long), BTreeSet::from(["largePathname".to_owned()]));
    let endless = |text: String| codes(ObjectKind::Tag, text.as_bytes());
    assert!(endless(format!("object {ID}\ntype commit")).contains("unterminatedHeader"));
}

#[test]
fn a_fault_that_stood_before_is_not_told_again() {
    let tree = |entries: &[&str]| entries.iter().flat_map(|e| entry(e)).collect::<Vec<u8>>();
    let old = tree(&["100644 A", "100644 a"]);
    let new = tree(&["100644 A", "100644 a", "100644 b"]);
    assert!(judge(ObjectKind::Tree, &new, &[&old]).is_empty());
    assert_eq!(judge(ObjectKind::Tree, &new, &[]).len(), 1);
    let more = tree(&["100644 A", "100644 B", "100644 a", "100644 b"]);
    let found = judge(ObjectKind::Tree, &more, &[&old]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].origin.path().map(|p| p.to_string()), Some("d/b".into()));
}

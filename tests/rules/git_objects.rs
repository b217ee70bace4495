//! The rule family `git-objects`: its examples, and git's fsck on objects made by chance.

use std::collections::{BTreeSet, HashMap};

use bstr::BStr;
use portcullis::finding::{Finding, Findings, NothingToHide};
use portcullis::options::Trial;
use portcullis::rules::git_objects::RULE;
use portcullis::subject::{Object, ObjectKind, Oid};

use crate::support::TestRepo;

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
fn every_example_of_the_policy_has_its_stated_findings() {
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
fn a_fault_that_existed_before_is_not_reported() {
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

/// What `git fsck` says of every object of a repository, by its id.
fn fsck(repo: &TestRepo) -> HashMap<String, BTreeSet<String>> {
    let output = repo.try_git(["fsck", "--strict", "--no-dangling"]);
    let text = [output.stdout, output.stderr].concat();
    let mut all: HashMap<String, BTreeSet<String>> = HashMap::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["error:", id, "object", "could", ..] = words[..] {
            all.entry(id.trim_end_matches(':').into()).or_default().insert("unparsed".into());
        }
        if let ["error" | "warning", "in", _, id, code, ..] = words[..] {
            let code = code.trim_end_matches(':').to_owned();
            all.entry(id.trim_end_matches(':').into()).or_default().insert(code);
        }
    }
    all
}

#[test]
fn random_commits_and_tags_have_the_same_faults_as_in_git_fsck() {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    let (tree, parent) = (repo.rev("HEAD^{tree}"), repo.rev("HEAD"));
    let commit = format!("tree {tree}\nparent {parent}\nauthor {WHO}\ncommitter {WHO}\n\nfeat: a\n");
    let tag = format!("object {parent}\ntype commit\ntag v1.0.0\ntagger {WHO}\n\nv1.0.0\n");
    let pieces: [&[u8]; 11] =
        [b"\n", b" ", b"\0", b"<", b">", b"0", b"1", b"-", b"x", b"tagger ", b"99999999999999999999"];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % most
    };
    let mut objects = Vec::new();
    for n in 0..300 {
        let (kind, mut bytes) =
            if n % 3 == 0 { ("tag", tag.clone().into_bytes()) } else { ("commit", commit.clone().into_bytes()) };
        let at = below(bytes.len());
        let end = (at + below(7)).min(bytes.len());
        let piece = pieces[below(pieces.len())];
        bytes.splice(at..end, piece.iter().copied());
        let file = repo.write("object", &bytes);
        let file = file.to_str().expect("a path").to_owned();
        let id = repo.git(["hash-object", "-t", kind, "-w", "--literally", file.as_str()]);
        objects.push((id, kind, bytes));
    }
    let theirs = fsck(&repo);
    let mut faults = 0;
    for (id, kind, bytes) in objects {
        let ours = codes(if kind == "tag" { ObjectKind::Tag } else { ObjectKind::Commit }, &bytes);
        let theirs = theirs.get(&id).cloned().unwrap_or_default();
        faults += ours.len();
        let text = bstr::BString::from(bytes);
        if theirs.contains("unparsed") {
            assert!(!ours.is_empty(), "git cannot read {text:?}");
        } else {
            assert_eq!(ours, theirs, "{text:?}");
        }
    }
    assert!(faults > 50, "too few of them are malformed");
}
